# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_plan import plan
from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_report import report
from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_values import (
    certificate,
    decoded,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# dnsmasq 2.90 offered this on Debian 12.
OFFER = bytes.fromhex(
    "02010600123456780000800000000000c6336435c6336402000000009e501874e4bb0000000000000000"
    + "00" * 194
    + "638253633501023604c6336402330400000e103a04000007083b0400000c4e0104ffffff001c04c6"
    "3364ff0304c63364020f0b6578616d706c652e6f72672a04c63364091a020578ff"
)


def text(data: bytes) -> str:
    return b64encode(data).decode()


def answer(name: str, kind: str, *records: tuple[str, int, str, str], rcode: int = 0) -> str:
    message = dns.message.make_response(dns.message.make_query(name, kind))
    message.flags |= dns.flags.AD | dns.flags.RA
    message.set_rcode(dns.rcode.Rcode(rcode))
    for owner, ttl, rdtype, data in records:
        message.answer.append(dns.rrset.from_text(owner, ttl, "IN", rdtype, data))
    return text(message.to_wire())


def test_records() -> None:
    records = [
        ("www.example.org.", 60, "CNAME", "web1.example.org."),
        ("web1.example.org.", 300, "A", "198.51.100.2"),
        ("web1.example.org.", 300, "A", "198.51.100.1"),
    ]
    response = answer("www.example.org", "A", *records)
    found = decoded("dns", {"server": "x", "response": response}, {"name": "www"}, NOW)
    assert found == {
        "server": "x",
        "rcode": "NOERROR",
        "answers": ["198.51.100.1", "198.51.100.2"],
        "aliases": ["web1.example.org."],
        "ttl": 300,
        "flags": ["QR", "RD", "RA", "AD"],
        "authenticated": True,
    }


def test_no_records() -> None:
    response = answer("none.example.org", "MX", rcode=3)
    found = decoded("dns", {"response": response}, {"type": "MX"}, NOW)
    assert (found["rcode"], found["answers"], found["ttl"]) == ("NXDOMAIN", [], None)


def test_what_is_no_answer() -> None:
    with pytest.raises(ValueError, match="the answer is no DNS message"):
        decoded("dns", {"response": text(b"\0\0\x80\0\0\1")}, {}, NOW)


def signed(key: Any, *, days: float = 30, names: bool = True) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web1")])
    builder = x509.CertificateBuilder(
        subject_name=name,
        issuer_name=name,
        serial_number=0xABCDEF,
        not_valid_before=NOW - timedelta(days=1),
        not_valid_after=NOW + timedelta(days=days),
        public_key=key.public_key(),
    )
    if names:
        general = [x509.DNSName("web1.example.org"), x509.IPAddress(ip_address("2001:db8::1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.DER)


KEYS = {
    "EC secp256r1": ec.generate_private_key(ec.SECP256R1()),
    "RSA 2048": rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
}


@pytest.mark.parametrize("words", KEYS)
def test_keys(words: str) -> None:
    assert certificate(signed(KEYS[words]), NOW)["key"] == words


def test_a_certificate_is_read() -> None:
    found = certificate(signed(KEYS["Ed25519"]), NOW)
    assert found["subject"] == found["issuer"] == "CN=web1"
    assert found["serial"] == "abcdef"
    assert found["names"] == ["web1.example.org", "2001:db8::1"]
    assert found["not_after"] == "2026-03-31T12:00:00Z"
    assert len(found["sha256"]) == 95
    assert certificate(signed(KEYS["Ed25519"], names=False), NOW)["names"] == []


@pytest.mark.parametrize(("days", "left"), [(30, 30), (29.99, 29), (0.5, 0), (-0.1, -1)])
def test_days_left(days: float, left: int) -> None:
    assert certificate(signed(KEYS["Ed25519"], days=days), NOW)["days_left"] == left


def test_a_chain_is_summed_up_by_its_first() -> None:
    chain = [text(signed(KEYS["Ed25519"], days=10)), text(signed(KEYS["EC secp256r1"], days=99))]
    found = decoded("tls", {"verified": True, "chain": chain}, {}, NOW)
    assert found["days_left"] == 10
    assert found["names"] == ["web1.example.org", "2001:db8::1"]
    assert [one["days_left"] for one in found["chain"]] == [10, 99]


def test_offers() -> None:
    found = decoded("dhcp", {"messages": [text(OFFER)]}, {}, NOW)
    assert found["servers"] == ["198.51.100.2"]
    assert found["address"] == "198.51.100.53"
    assert found["options"] == {
        "lease_seconds": 3600,
        "renewal_seconds": 1800,
        "rebinding_seconds": 3150,
        "subnet_mask": "255.255.255.0",
        "broadcast": "198.51.100.255",
        "routers": ["198.51.100.2"],
        "domain": "example.org",
        "time_servers": ["198.51.100.9"],
        "mtu": 1400,
    }
    assert decoded("dhcp", {"messages": []}, {}, NOW)["servers"] == []


def test_an_offer_with_nonsense_is_shown_as_it_is() -> None:
    cut = OFFER.replace(bytes([1, 4, 255, 255, 255, 0]), bytes([1, 2, 255, 255, 0, 0]))
    found = decoded("dhcp", {"messages": [text(cut)]}, {}, NOW)
    assert found["options"]["subnet_mask"] == "ffff"


def test_replies_can_not_move_the_cursor() -> None:
    found = decoded("udp", {"state": "reply", "reply": text(b"a\x1b[2J\xff\n")}, {}, NOW)
    assert found["reply"] == "a\\x1b[2J\\xff\\n"
    assert found["reply_hex"] == "611b5b324aff0a"


PROBES: list[dict[str, Any]] = [
    {"probe": "tcp", "host": "web1", "port": 22},
    {"probe": "tcp", "host": "web1", "port": 23, "expect": {"state": "timeout"}},
    {"probe": "dns", "name": "web1"},
    {"probe": "ntp", "host": "time1", "expect": {"error": {"contains": "no answer"}}},
    {"probe": "link", "interface": "eno1", "label": "the uplink"},
]
FOUND: list[tuple[dict[str, Any], str, float]] = [
    ({"state": "open"}, "", 0.1),
    ({"state": "open"}, "", 0.1),
    ({"response": text(b"nonsense")}, "", 0.2),
    ({}, "no answer from 198.51.100.1", 5.0),
    ({}, "interface: found 'eno1'", 0.0),
]


def test_the_report() -> None:
    told = report(plan(PROBES), FOUND, NOW)
    assert [one["ok"] for one in told["results"]] == [True, False, False, True, False]
    assert told["results"][0] == {
        "probe": "tcp",
        "host": "web1",
        "port": 22,
        "state": "open",
        "ok": True,
        "error": "",
        "seconds": 0.1,
    }
    first, second, third = told["findings"]
    assert first == "tcp web1:23: state found open, expected timeout"
    assert second.startswith("dns web1 A: the answer is no DNS message")
    assert third == "the uplink: interface: found 'eno1'"


def test_an_expected_error_must_be_that_one() -> None:
    probe = {"probe": "ntp", "host": "time1", "expect": {"error": {"contains": "refused"}}}
    told = report(plan([probe]), [({}, "no answer from 198.51.100.1", 5.0)], NOW)
    assert told["findings"] == [
        "ntp time1: error found no answer from 198.51.100.1, expected with refused"
    ]
