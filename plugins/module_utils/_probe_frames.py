# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Ethernet frames of ARP, neighbour discovery and DHCP, made and read. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_IPV6 = 0x86DD
BROADCAST = b"\xff" * 6
DHCP_CLIENT = 68
DHCP_SERVER = 67
DHCP_OFFER = 2

_ETHERNET = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_ARP_ETHERNET = (1, ETHERTYPE_IPV4, 6, 4)
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_UDP = struct.Struct("!HHHH")
_IPV6 = struct.Struct("!IHBB16s16s")
_NEIGHBOUR = struct.Struct("!BBHI16s")
_SOLICITATION, _ADVERTISEMENT = 135, 136
_ICMPV6, _UDP_PROTOCOL = 58, 17
_BOOTP = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_COOKIE = b"\x63\x82\x53\x63"
_BROADCAST_FLAG = 0x8000
_MESSAGE_TYPE, _PARAMETERS, _CLIENT, _END = 53, 55, 61, 255
# What a client of systemd-networkd asks for, and what people want to see of an offer (RFC 2132).
_ASKED_FOR = bytes([1, 3, 6, 12, 15, 26, 28, 42, 51, 54, 119, 121])
_WHERE_OFFERS = slice(16, 20)


class Claim(NamedTuple):
    """A host that says an address is its own."""

    address: str
    mac: bytes


def mac_text(mac: bytes) -> str:
    """Return a hardware address as people write it."""
    return mac.hex(":")


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071) of `data`."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def arp_request(mac: bytes, source: IPv4Address, target: IPv4Address) -> bytes:
    """Ask who has `target`; with the source 0.0.0.0 it is a probe (RFC 5227, 2.1.1)."""
    ethernet = _ETHERNET.pack(BROADCAST, mac, ETHERTYPE_ARP)
    return ethernet + _ARP.pack(*_ARP_ETHERNET, 1, mac, source.packed, bytes(6), target.packed)


def arp_claim(frame: bytes) -> Claim | None:
    """Return who says in an ARP frame that it has an address; none if nobody does."""
    if len(frame) < _ETHERNET.size + _ARP.size or frame[12:14] != b"\x08\x06":
        return None
    *form, _operation, mac, source, _to_mac, _target = _ARP.unpack_from(frame, _ETHERNET.size)
    address = IPv4Address(source)
    if tuple(form) != _ARP_ETHERNET or address.is_unspecified:
        return None
    return Claim(str(address), mac)


def solicitation(mac: bytes, source: IPv6Address, target: IPv6Address) -> bytes:
    """Ask who has `target` (RFC 4861, 4.3); with the source :: it is a probe (RFC 4862, 5.4.2)."""
    group = IPv6Address(b"\xff\x02" + bytes(9) + b"\x01\xff" + target.packed[-3:])
    message = _NEIGHBOUR.pack(_SOLICITATION, 0, 0, 0, target.packed)
    if not source.is_unspecified:
        message += b"\x01\x01" + mac  # the source link-layer address, in units of eight bytes
    pseudo = source.packed + group.packed + struct.pack("!II", len(message), _ICMPV6)
    message = message[:2] + struct.pack("!H", checksum(pseudo + message)) + message[4:]
    header = _IPV6.pack(6 << 28, len(message), _ICMPV6, 255, source.packed, group.packed)
    ethernet = _ETHERNET.pack(b"\x33\x33" + group.packed[-4:], mac, ETHERTYPE_IPV6)
    return ethernet + header + message


def advertised(frame: bytes) -> Claim | None:
    """Return who says in a neighbour advertisement that it has an address; none if nobody does."""
    start = _ETHERNET.size + _IPV6.size
    if len(frame) < start + _NEIGHBOUR.size or frame[12:14] != b"\x86\xdd":
        return None
    _flow, _length, following, hops, *_addresses = _IPV6.unpack_from(frame, _ETHERNET.size)
    kind, _code, _checksum, _flags, target = _NEIGHBOUR.unpack_from(frame, start)
    if (following, hops, kind) != (_ICMPV6, 255, _ADVERTISEMENT):
        return None
    options = frame[start + _NEIGHBOUR.size :]
    mac = options[2:8] if options[:2] == b"\x02\x01" else frame[6:12]
    return Claim(str(IPv6Address(target)), mac)


def dhcp_discover(mac: bytes, transaction: int) -> bytes:
    """Ask DHCP servers for their offers (RFC 2131, 4.4.1), to be answered by broadcast."""
    head = _BOOTP.pack(
        *(1, 1, 6, 0, transaction, 0, _BROADCAST_FLAG),
        *(bytes(4), bytes(4), bytes(4), bytes(4)),
        *(mac.ljust(16, b"\0"), bytes(64), bytes(128), _COOKIE),
    )
    options = bytes([_MESSAGE_TYPE, 1, 1, _CLIENT, 7, 1]) + mac
    options += bytes([_PARAMETERS, len(_ASKED_FOR)]) + _ASKED_FOR + bytes([_END])
    message = (head + options).ljust(300, b"\0")
    length = _UDP.size + len(message)
    # A checksum of zero is none (RFC 768).
    datagram = _UDP.pack(DHCP_CLIENT, DHCP_SERVER, length, 0) + message
    fields = [0x45, 0, _IPV4.size + length, 0, 0, 64, _UDP_PROTOCOL, 0, bytes(4), b"\xff" * 4]
    fields[7] = checksum(_IPV4.pack(*fields))
    return _ETHERNET.pack(BROADCAST, mac, ETHERTYPE_IPV4) + _IPV4.pack(*fields) + datagram


def dhcp_offer(frame: bytes, transaction: int) -> bytes | None:
    """Return the DHCP message of a frame if it is an offer for this transaction, else None."""
    start = _ETHERNET.size
    if len(frame) < start + _IPV4.size or frame[12:14] != b"\x08\x00":
        return None
    if frame[start + 9] != _UDP_PROTOCOL:
        return None
    start += (frame[start] & 15) * 4
    if frame[start : start + 4] != struct.pack("!HH", DHCP_SERVER, DHCP_CLIENT):
        return None
    message = frame[start + _UDP.size :]
    if len(message) < _BOOTP.size or message[4:8] != struct.pack("!I", transaction):
        return None
    kinds = [value for code, value in dhcp_options(message) if code == _MESSAGE_TYPE]
    return message if kinds == [bytes([DHCP_OFFER])] else None


def dhcp_options(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield code and value of the options of a DHCP message (RFC 2132), up to where it is cut."""
    at = _BOOTP.size
    while at + 1 < len(message) and message[at] != _END:
        if message[at] == 0:
            at += 1
            continue
        length = message[at + 1]
        yield message[at], message[at + 2 : at + 2 + length]
        at += 2 + length


def dhcp_offered(message: bytes) -> str:
    """Return the address that an offer is about."""
    return str(IPv4Address(message[_WHERE_OFFERS]))
