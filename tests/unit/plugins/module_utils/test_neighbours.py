# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from ipaddress import ip_address

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._neighbours import (
    advertisement,
    arp_answer,
    owners,
    question,
)

MAC = bytes.fromhex("020000000001")
ARP = "0806000108000604"
ARP_PROBE = f"ffffffffffff020000000001{ARP}0001020000000001000000000000000000000a590009"
ARP_REPLY = f"02000000000102c8a3697593{ARP}000202c8a36975930a59000902000000000100000000"
ADVERTISED = "8800b4fd6000000020010db80bed0000000000000000003b020102c8a3697593"


def test_probe_for_ipv4_claims_nothing() -> None:
    assert question(MAC, ip_address("10.89.0.9")).hex() == ARP_PROBE


def test_probe_for_ipv6_is_as_rfc_4862_wants_it() -> None:
    frame = question(MAC, ip_address("2001:db8:bed::3b"))
    assert frame[:14].hex() == "3333ff00003b02000000000186dd"
    header, message = frame[14:54], frame[54:]
    assert header[:8].hex() == "6000000000183aff"  # 24 bytes of ICMPv6, hop limit 255
    assert header[8:24] == bytes(16)
    assert ip_address(header[24:40]) == ip_address("ff02::1:ff00:3b")
    assert (message[0], message[8:]) == (135, ip_address("2001:db8:bed::3b").packed)


def test_checksum_of_ipv6_holds() -> None:
    frame = question(MAC, ip_address("2001:db8:bed::3b"))
    message = frame[54:]
    data = frame[22:54] + len(message).to_bytes(4, "big") + (58).to_bytes(4, "big") + message
    total = sum(int.from_bytes(data[n : n + 2], "big") for n in range(0, len(data), 2))
    assert (total & 0xFFFF) + (total >> 16) in (0xFFFF, 0x1FFFE)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (ARP_REPLY, ("10.89.0.9", "02:c8:a3:69:75:93")),
        (ARP_PROBE, ("0.0.0.0", "02:00:00:00:00:01")),  # noqa: S104 -- what a probe claims
        (ARP_REPLY[:60], None),
        (ARP_REPLY.replace("00010800", "000186dd"), None),
    ],
)
def test_answer_by_arp(frame: str, expected: tuple[str, str] | None) -> None:
    found = arp_answer(bytes.fromhex(frame))
    assert (found and (str(found[0]), found[1])) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (ADVERTISED, ("2001:db8:bed::3b", "02:c8:a3:69:75:93")),
        (ADVERTISED[:48], ("2001:db8:bed::3b", "without a MAC address")),
        ("87" + ADVERTISED[2:], None),
        (ADVERTISED[:40], None),
    ],
)
def test_neighbour_advertisement(message: str, expected: tuple[str, str] | None) -> None:
    found = advertisement(bytes.fromhex(message))
    assert (found and (str(found[0]), found[1])) == expected


def test_nobody_is_asked_without_a_question() -> None:
    assert owners([], []) == []
