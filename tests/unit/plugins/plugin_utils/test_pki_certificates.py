# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import Authorities, PkiError
from ansible_collections.servertechnik.core.plugins.plugin_utils._pki_certificates import (
    all_due,
    check_request,
    completed,
    due,
    orders,
    strangers,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._pki_crl import Revocation

from tests.unit.plugins.plugin_utils.signing import NOW, authority, leaf, pem, public, request

WEB = {"name": "host", "dns_names": ["web1.example.org"]}
CA = authority()


def found(certificate: str, key: str = "host", access: str = "root:root 0600") -> dict[str, str]:
    return {"certificate": certificate, "public_key": public(key), "key": "/k", "access": access}


def reason(wanted: dict[str, Any] | None = None, **made: Any) -> str:
    return due(completed({**WEB, **(wanted or {})}), found(pem(leaf(CA, **made))), CA, NOW)


@pytest.mark.parametrize(
    ("wanted", "made", "expected"),
    [
        ({}, {}, ""),
        ({}, {"until": timedelta(days=30)}, ""),
        ({}, {"until": timedelta(days=30, seconds=-1)}, "it has 29 days left"),
        ({}, {"until": timedelta(seconds=-1), "since": timedelta(days=-9)}, "it has -1 days left"),
        ({"renew_before_days": 0}, {"until": timedelta(days=1)}, ""),
        ({"dns_names": ["web1.example.org", "www.example.org"]}, {},
         "its names are web1.example.org"),
        ({"addresses": ["192.0.2.1"]}, {}, "its names are web1.example.org"),
        ({"addresses": ["2001:DB8::0001"]}, {"addresses": ["2001:db8::1"]}, ""),
        ({"dns_names": ["web2.example.org"]}, {}, "its subject is CN=web1.example.org"),
        ({"key_type": "rsa-3072"}, {}, "its key is ecdsa-p256"),
        ({"usages": ["server"]}, {}, "its usages are others"),
        ({"group": "www-data"}, {}, "its key is for root:root 0600"),
        ({"mode": "640"}, {}, "its key is for root:root 0600"),
        ({"mode": "600"}, {}, ""),
        ({}, {"key": "other"}, "its key is another one"),
        ({}, {"signed_by": "other"}, "another authority signs now"),
    ],
)  # fmt: skip
def test_due(wanted: dict[str, Any], made: dict[str, Any], expected: str) -> None:
    assert reason(wanted, **made) == expected


@pytest.mark.parametrize(
    ("certificate", "expected"),
    [("", "there is none"), ("hello", "there is none")],
)
def test_due_without_one(certificate: str, expected: str) -> None:
    assert due(completed(WEB), found(certificate), CA, NOW) == expected


def test_due_without_a_key() -> None:
    there = {**found(pem(leaf(CA))), "public_key": "", "access": ""}
    assert due(completed(WEB), there, CA, NOW) == "its key is another one"


def test_due_when_another_authority_signs() -> None:
    assert due(completed(WEB), found(pem(leaf(CA))), authority(2), NOW) == (
        "another authority signs now"
    )


def test_due_when_revoked() -> None:
    revoked = [Revocation(NOW, "superseded", serial=7)]
    assert due(completed(WEB), found(pem(leaf(CA))), CA, NOW, revoked) == "it is revoked"
    assert due(completed(WEB), found(pem(leaf(CA, serial=8))), CA, NOW, revoked) == ""


@pytest.mark.parametrize(
    ("names", "addresses", "expected"),
    [
        (["example.org", "a.b.example.org", "*.example.org"], ["192.0.2.255"], []),
        (
            ["notexample.org", "example.org.evil.net"],
            [],
            ["notexample.org", "example.org.evil.net"],
        ),
        (["*.net"], ["192.0.3.1", "2001:db8::1"], ["*.net", "192.0.3.1", "2001:db8::1"]),
    ],
)
def test_strangers(names: list[str], addresses: list[str], expected: list[str]) -> None:
    wanted = {"dns_names": names, "addresses": addresses}
    assert strangers(wanted, CA.certificate) == expected


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"name": "x"}, "x has neither dns_names nor addresses; accepted: at least one"),
        ({**WEB, "days": 30}, "found renew_before_days 30 with days 30; accepted: fewer than days"),
    ],
)
def test_entry_that_can_not_be(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(PkiError, match=message):
        completed(entry)


def test_only_what_is_due_is_asked_for_in_the_words_of_the_module() -> None:
    known = Authorities((CA,), CA, 0)
    there = {"host": found(pem(leaf(CA))), "web": found("")}
    (job,) = all_due([WEB, {**WEB, "name": "web"}], there, known, [], NOW)
    assert (job["name"], job["reason"]) == ("web", "there is none")
    assert job["keys"] == {
        "name": "web", "key_type": "ecdsa-p256", "dns_names": ["web1.example.org"], "addresses": [],
        "usages": ["server", "client"], "owner": "root", "group": "root", "mode": "0600",
    }  # fmt: skip


def test_foreign_names_are_refused_before_anything_is_made() -> None:
    known = Authorities((CA,), CA, 0)
    wanted = {**WEB, "dns_names": ["evil.example.net"]}
    with pytest.raises(PkiError, match=r"host: found evil\.example\.net; accepted: .* of ca-1"):
        all_due([wanted], {"host": found("")}, known, [], NOW)


def test_request_that_asks_for_what_is_wanted() -> None:
    wanted = completed({**WEB, "addresses": ["192.0.2.1"]})
    check_request(wanted, request("web1.example.org", addresses=["192.0.2.1"]), "web1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (request("web1.example.org", "mail1.example.org"), "its names are mail1"),
        (request("mail1.example.org"), "its subject is CN=mail1"),
        (request("web1.example.org", addresses=["192.0.2.9"]), "its names are 192.0.2.9, web1"),
        (request("web1.example.org", is_authority=True), "it is one of an authority"),
        (request("web1.example.org", more=True), r"it asks for 2\.5\.29\.30"),
        ("", "web1: found no request for host"),
    ],
    ids=["another name", "another subject", "an address", "an authority", "more", "nothing"],
)
def test_request_of_a_host_that_was_taken_over(text: str, said: str) -> None:
    with pytest.raises(PkiError, match=said):
        check_request(completed(WEB), text, "web1")


@pytest.mark.parametrize(
    ("until", "expected"), [(3000, "20280529120000Z"), (10, "20280310120000Z")]
)
def test_no_certificate_outlives_its_authority(until: int, expected: str) -> None:
    ca = authority(until=until)
    there = {"host": {**found(""), "request": request("web1.example.org")}}
    (order,) = orders([completed(WEB)], there, Authorities((ca,), ca, 0), NOW, "web1")
    assert (order["not_before"], order["not_after"]) == ("20280229110000Z", expected)
