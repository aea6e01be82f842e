# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Ask a network who has an IPv4 address, as RFC 5227 does before it takes one."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack

ETHERTYPE = 0x0806
REQUEST = 1
NOBODY = bytes(4)
BROADCAST = b"\xff" * 6
TIMES = 3
INTERVAL = 0.25  # seconds between questions, and after the last one
# RFC 826: hardware and protocol type, lengths of both addresses, operation, sender, target.
_PACKET = struct.Struct("!HHBBH6s4s6s4s")
_HEADER = struct.Struct("!6s6sH")


def probe(mac: bytes, address: str) -> bytes:
    """Return the frame with which the device `mac` asks who has an address, without claiming it."""
    packet = _PACKET.pack(
        1, 0x0800, 6, 4, REQUEST, mac, NOBODY, bytes(6), socket.inet_aton(address)
    )  # fmt: skip
    return _HEADER.pack(BROADCAST, mac, ETHERTYPE) + packet


def sender(frame: bytes) -> tuple[str, str] | None:
    """Return address and MAC of the one who sent an ARP frame; none for other frames."""
    if len(frame) < _HEADER.size + _PACKET.size:
        return None
    kind, protocol, *_lengths, mac, address, _mac, _address = _PACKET.unpack_from(
        frame, _HEADER.size
    )
    if (kind, protocol) != (1, 0x0800):
        return None
    return socket.inet_ntoa(address), mac.hex(":")


def owners(
    questions: Iterable[tuple[str, str, str]], own: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield device, address and MAC for each address that somebody else has.

    `questions` are device, its MAC and the address to ask for; `own` are the MACs of this host. A
    device that can't be asked has no neighbours. Takes under a second.
    """
    asked: dict[socket.socket, tuple[str, dict[str, bytes]]] = {}
    with ExitStack() as stack:
        sockets: dict[str, socket.socket] = {}
        for dev, mac, address in questions:
            if dev not in sockets:
                sockets[dev] = stack.enter_context(
                    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
                )
                sockets[dev].bind((dev, ETHERTYPE))
                asked[sockets[dev]] = (dev, {})
            asked[sockets[dev]][1][address] = probe(bytes.fromhex(mac.replace(":", "")), address)
        seen = set()
        for _time in range(TIMES if asked else 0):
            for device, (_dev, frames) in asked.items():
                for frame in frames.values():
                    device.send(frame)
            for device in _answers(list(asked)):
                dev, frames = asked[device]
                found = sender(device.recv(128))
                if found and found[0] in frames and found[1] not in own:
                    seen.add((dev, *found))
        yield from sorted(seen)


def _answers(sockets: list[socket.socket]) -> Iterator[socket.socket]:
    """Yield each socket that has something to read, until the interval is over."""
    deadline = time.monotonic() + INTERVAL
    while (left := deadline - time.monotonic()) > 0:
        yield from select.select(sockets, [], [], left)[0]
