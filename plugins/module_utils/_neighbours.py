# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Ask a network who has an address, as RFC 5227 and RFC 4862 do before they take one."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Union

Address = Union[IPv4Address, IPv6Address]  # noqa: UP007 -- evaluated, which ansible-test minds

ARP, IPV6 = 0x0806, 0x86DD
REQUEST = 1
SOLICITATION, ADVERTISEMENT = 135, 136
FILTER = 1  # ICMP6_FILTER of linux/icmpv6.h
TARGET_MAC = 2  # RFC 4861, 4.6.1: the option "target link-layer address"
SOLICITED = IPv6Address("ff02::1:ff00:0").packed[:13]
TIMES = 3
INTERVAL = 0.25  # seconds between questions, and after the last one
_ETHERNET = struct.Struct("!6s6sH")
# RFC 826: hardware and protocol type, lengths of both addresses, operation, sender, target.
_ARP = struct.Struct("!HHBBH6s4s6s4s")
# RFC 8200: version, length, next header (ICMPv6), hop limit, source, destination.
_IPV6 = struct.Struct("!IHBB16s16s")
_ICMPV6 = struct.Struct("!BBHI16s")


def question(mac: bytes, address: Address) -> bytes:
    """Return the frame with which the device `mac` asks who has an address, claiming nothing."""
    if isinstance(address, IPv4Address):
        asked = _ARP.pack(1, 0x0800, 6, 4, REQUEST, mac, bytes(4), bytes(6), address.packed)
        return _ETHERNET.pack(b"\xff" * 6, mac, ARP) + asked
    group = SOLICITED + address.packed[-3:]
    message = _ICMPV6.pack(SOLICITATION, 0, 0, 0, address.packed)
    pseudo = bytes(16) + group + struct.pack("!II", len(message), socket.IPPROTO_ICMPV6)
    message = _ICMPV6.pack(SOLICITATION, 0, _checksum(pseudo + message), 0, address.packed)
    header = _IPV6.pack(6 << 28, len(message), socket.IPPROTO_ICMPV6, 255, bytes(16), group)
    return _ETHERNET.pack(b"\x33\x33" + group[-4:], mac, IPV6) + header + message


def _checksum(data: bytes) -> int:
    """Return the checksum of RFC 1071."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def arp_answer(frame: bytes) -> tuple[Address, str] | None:
    """Return address and MAC of the one who sent an ARP frame; none for other frames."""
    if len(frame) < _ETHERNET.size + _ARP.size:
        return None
    kind, protocol, *_lengths, mac, address, _mac, _address = _ARP.unpack_from(
        frame, _ETHERNET.size
    )
    return (IPv4Address(address), mac.hex(":")) if (kind, protocol) == (1, 0x0800) else None


def advertisement(message: bytes) -> tuple[Address, str] | None:
    """Return address and MAC of a neighbour advertisement (RFC 4861, 4.4); none for others."""
    if len(message) < _ICMPV6.size or message[0] != ADVERTISEMENT:
        return None
    address, options = IPv6Address(message[8:24]), message[24:]
    has_mac = len(options) >= 8 and options[:2] == bytes([TARGET_MAC, 1])  # noqa: PLR2004 -- one unit
    return address, options[2:8].hex(":") if has_mac else "without a MAC address"


class _Asker:
    """A device on which addresses of one family are asked for."""

    def __init__(self, dev: str, version: int, stack: ExitStack) -> None:
        self.dev = dev
        self.frames: dict[Address, bytes] = {}
        self.parse = arp_answer if version == 4 else advertisement  # noqa: PLR2004 -- IPv4
        kind = ARP if version == 4 else IPV6  # noqa: PLR2004 -- IPv4
        self.mouth = stack.enter_context(
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ARP))
        )
        self.mouth.bind((dev, ARP))
        self.ear = self.mouth
        if kind == IPV6:
            self.ear = stack.enter_context(
                socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            )
            others = bytearray(b"\xff" * 32)
            struct.pack_into(
                "I", others, ADVERTISEMENT // 32 * 4, ~(1 << ADVERTISEMENT % 32) & 0xFFFFFFFF
            )
            self.ear.setsockopt(socket.IPPROTO_ICMPV6, FILTER, bytes(others))
            self.ear.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev.encode())

    def fileno(self) -> int:
        return self.ear.fileno()

    def ask(self) -> None:
        for frame in self.frames.values():
            with suppress(OSError):  # a device that has just gone down has no neighbours
                self.mouth.send(frame)

    def heard(self) -> tuple[Address, str] | None:
        return self.parse(self.ear.recv(1500))


def owners(
    questions: Iterable[tuple[str, str, str]], own: Collection[str]
) -> list[tuple[str, str, str]]:
    """Return device, address and MAC for each address that somebody else has.

    `questions` are device, its MAC and the address to ask for; `own` are the MACs of this host.
    Takes under a second.
    """
    seen: set[tuple[str, str, str]] = set()
    askers: dict[tuple[str, int], _Asker] = {}
    with ExitStack() as stack:
        for dev, mac, text in questions:
            address = ip_address(text)
            key = (dev, address.version)
            if key not in askers:
                askers[key] = _Asker(dev, address.version, stack)
            askers[key].frames[address] = question(bytes.fromhex(mac.replace(":", "")), address)
        for _time in range(TIMES if askers else 0):
            for asker in askers.values():
                asker.ask()
            for asker in _listen(list(askers.values())):
                found = asker.heard()
                if found and found[0] in asker.frames and found[1] not in own:
                    seen.add((asker.dev, str(found[0]), found[1]))
    return sorted(seen)


def _listen(askers: list[_Asker]) -> Iterator[_Asker]:
    """Yield each device that has heard something, until the interval is over."""
    deadline = time.monotonic() + INTERVAL
    while (left := deadline - time.monotonic()) > 0:
        yield from select.select(askers, [], [], left)[0]
