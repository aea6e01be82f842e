# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import PkiError
from ansible_collections.servertechnik.core.plugins.plugin_utils._pki_crl import (
    Revocation,
    list_is_due,
    list_of,
    revocations,
    rows,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.unit.plugins.plugin_utils.signing import KEYS, NOW, PEM, authority, leaf

DATE = "2028-02-01T00:00:00Z"
CA = authority()
HALF = timedelta(days=15)


def crl(until: timedelta, *serials: int) -> str:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(CA.certificate.subject)
        .last_update(NOW - timedelta(hours=1))
        .next_update(NOW + until)
    )
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial)
        date = Revocation.of({"serial": "1", "date": DATE}).date
        builder = builder.add_revoked_certificate(entry.revocation_date(date).build())
    return builder.sign(KEYS["ca"], hashes.SHA256()).public_bytes(PEM).decode()


@pytest.mark.parametrize("serial", ["1f", "0x1F", "00:1F", "001f"])
def test_serial(serial: str) -> None:
    assert Revocation.of({"serial": serial, "date": DATE}).serial == 31


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "neither of serial and name"),
        ({"serial": "1", "name": "a.b"}, "both of serial and name"),
        ({"serial": "xyz"}, "found serial 'xyz'; accepted: hexadecimal"),
        ({"name": "a.b", "date": "today"}, "date: found 'today'; accepted"),
        ({"name": "a.b", "date": "2028-02-29T12:00:01Z"}, "accepted: a time that is past"),
    ],
)
def test_entry_without_a_meaning(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(PkiError, match=f"pki_revoked: .*{message}"):
        revocations([{"date": DATE, **entry}], NOW)


@pytest.mark.parametrize(
    ("name", "since", "holds"),
    [
        ("web1.example.org", timedelta(days=-30), True),
        # Issued at the moment of revocation, and a second later; it counts from an hour before.
        ("web1.example.org", timedelta(days=-28, hours=-13), True),
        ("web1.example.org", timedelta(days=-28, hours=-13, seconds=1), False),
        ("web2.example.org", timedelta(days=-30), False),
    ],
)
def test_name_means_what_was_issued_before(name: str, since: timedelta, holds: bool) -> None:
    revocation = Revocation.of({"name": name, "date": DATE})
    assert revocation.holds_for(leaf(CA, since=since)) == holds


def test_address_is_a_name_too() -> None:
    revocation = Revocation.of({"name": "192.0.2.1", "date": DATE})
    assert revocation.holds_for(leaf(CA, addresses=["192.0.2.1"], since=timedelta(days=-30)))


def test_rows() -> None:
    other = authority(2)
    early = timedelta(days=-60)
    issued = [leaf(CA, serial=5, since=early), leaf(CA, serial=3, since=early), leaf(CA, serial=9)]
    issued.append(leaf(other, serial=4, since=early))
    entries = [
        {"name": "web1.example.org", "date": DATE, "reason": "superseded"},
        {"serial": "5", "date": "2028-01-01T00:00:00Z", "reason": "key_compromise"},
        {"serial": "ff", "date": DATE},
        {"serial": "4", "date": DATE},
    ]
    found = rows(revocations(entries, NOW), issued, CA)
    assert found == [
        {"serial_number": 3, "revocation_date": "20280201000000Z", "reason": "superseded"},
        {"serial_number": 5, "revocation_date": "20280201000000Z", "reason": "superseded"},
        {"serial_number": 255, "revocation_date": "20280201000000Z", "reason": "unspecified"},
    ]
    assert [row["serial_number"] for row in rows(revocations(entries, NOW), issued, other)] == [
        4,
        255,
    ]


@pytest.mark.parametrize(
    ("pem", "serials", "due"),
    [
        ("", [], True),
        (crl(HALF), [], False),
        (crl(HALF - timedelta(seconds=1)), [], True),
        (crl(HALF), [5], True),
        (crl(HALF, 5), [5], False),
        (crl(HALF, 5), [], True),
    ],
    ids=["none", "half", "less", "one more", "the same", "one less"],
)
def test_list_is_due(pem: str, serials: list[int], due: bool) -> None:
    wanted = [{"serial_number": one, "revocation_date": "20280201000000Z"} for one in serials]
    assert list_is_due(pem, wanted, NOW, 2 * HALF) == due


def test_list_of_an_authority() -> None:
    revoked = revocations([{"serial": "5", "date": DATE}], NOW)
    found = list_of(CA, crl(HALF, 5), revoked=revoked, issued=[], now=NOW, valid=2 * HALF)
    assert (found["name"], found["path"], found["due"]) == ("ca-1", "/pki/ca-1", False)
    assert [row["serial_number"] for row in found["revoked"]] == [5]
