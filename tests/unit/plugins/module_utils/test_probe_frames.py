# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Frames as dnsmasq 2.90 and Linux 6.1 answered them on a link of Debian 12."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._probe_frames import (
    Claim,
    advertised,
    arp_claim,
    arp_request,
    checksum,
    dhcp_discover,
    dhcp_offer,
    dhcp_offered,
    dhcp_options,
    solicitation,
)

OWN = bytes.fromhex("9e501874e4bb")
OTHER = bytes.fromhex("f6adc99fac1d")
TRANSACTION = 0x12345678
OFFER = bytes.fromhex(
    "fffffffffffff6adc99fac1d080045c00151dfda000040116eccc6336402ffffffff00430044013d2b84"
    "02010600123456780000800000000000c6336435c6336402000000009e501874e4bb0000000000000000"
    + "00"
    * 194
    + "638253633501023604c6336402330400000e103a04000007083b0400000c4e0104ffffff001c04c6"
    "3364ff0304c63364020f0b6578616d706c652e6f72672a04c63364091a020578ff"
)
ARP = bytes.fromhex(
    "9e501874e4bbf6adc99fac1d08060001080006040002f6adc99fac1dc63364029e501874e4bb00000000"
)
ADVERTISEMENT = bytes.fromhex(
    "333300000001f6adc99fac1d86dd6000000000203aff20010db8000100000000000000000002ff020000"
    "00000000000000000000000188008ebc2000000020010db80001000000000000000000020201f6adc99fac1d"
)


def test_who_has_an_address() -> None:
    assert arp_claim(ARP) == Claim("198.51.100.2", OTHER)
    assert advertised(ADVERTISEMENT) == Claim("2001:db8:1::2", OTHER)


def test_a_question_is_no_claim() -> None:
    probe = arp_request(OWN, IPv4Address(0), IPv4Address("198.51.100.2"))
    assert arp_claim(probe) is None
    question = solicitation(OWN, IPv6Address("2001:db8:1::1"), IPv6Address("2001:db8:1::2"))
    assert advertised(question) is None


def test_a_claim_from_beyond_the_link_is_none() -> None:
    hops = 14 + 7
    routed = ADVERTISEMENT[:hops] + b"\xfe" + ADVERTISEMENT[hops + 1 :]
    assert advertised(routed) is None


@pytest.mark.parametrize("source", ["::", "2001:db8:1::1"])
def test_solicitations_have_a_sound_checksum(source: str) -> None:
    frame = solicitation(OWN, IPv6Address(source), IPv6Address("2001:db8:1::2"))
    assert frame[:6] == bytes.fromhex("3333ff000002")
    message, addresses = frame[54:], frame[22:54]
    pseudo = addresses + len(message).to_bytes(4, "big") + (58).to_bytes(4, "big")
    assert checksum(pseudo + message) == 0
    # RFC 4861, 4.3: who has no address yet tells none of the link either.
    assert (OWN in message) == (source != "::")


def test_an_offer_is_found() -> None:
    message = dhcp_offer(OFFER, TRANSACTION)
    assert message is not None
    assert dhcp_offered(message) == "198.51.100.53"
    options = dict(dhcp_options(message))
    assert options[54] == bytes([198, 51, 100, 2])
    assert options[26] == (1400).to_bytes(2, "big")
    assert options[15] == b"example.org"


def test_an_offer_for_another_is_none_of_ours() -> None:
    assert dhcp_offer(OFFER, TRANSACTION + 1) is None


def test_an_acknowledgement_is_no_offer() -> None:
    assert dhcp_offer(OFFER.replace(b"\x35\x01\x02", b"\x35\x01\x05"), TRANSACTION) is None


@pytest.mark.parametrize("length", range(0, len(OFFER), 7))
def test_a_frame_may_end_anywhere(length: int) -> None:
    cut = OFFER[:length]
    message = dhcp_offer(cut, TRANSACTION)
    assert message is None or dhcp_offered(message)
    assert arp_claim(ARP[:length]) in (None, Claim("198.51.100.2", OTHER))
    assert advertised(ADVERTISEMENT[: min(length, 70)]) is None


def test_a_discover_is_a_sound_datagram() -> None:
    frame = dhcp_discover(OWN, TRANSACTION)
    header = frame[14:34]
    assert checksum(header) == 0
    assert int.from_bytes(header[2:4], "big") == len(frame) - 14
    assert header[16:20] == b"\xff" * 4
    options = dict(dhcp_options(frame[42:]))
    assert options[53] == b"\x01"
    assert options[61] == b"\x01" + OWN
    # Nothing that asks for an address or takes one.
    assert not {50, 54} & options.keys()


@pytest.mark.parametrize(
    ("data", "total"),
    # The first is the example of RFC 1071, section 3.
    [("0001f203f4f5f6f7", 0x220D), ("", 0xFFFF), ("ff", 0x00FF), ("ffff", 0)],
)
def test_checksum(data: str, total: int) -> None:
    assert checksum(bytes.fromhex(data)) == total
