# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Echo requests: loss and latency, and the largest packet that gets there and back whole."""

from __future__ import annotations

import errno
import itertools
import os
import socket
import struct
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._probe_frames import checksum
from ansible_collections.servertechnik.core.plugins.module_utils._probe_links import link_to
from ansible_collections.servertechnik.core.plugins.module_utils._probe_loop import (
    READ,
    ProbeError,
    Steps,
    Values,
    Wait,
    Work,
    ready,
)
from ansible_collections.servertechnik.core.plugins.module_utils._probe_transport import (
    LONGEST_DATAGRAM,
    MILLISECONDS,
    Options,
    Place,
    locate,
)

_ECHO = struct.Struct("!BBHHH")
_REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
# Headers around the payload of an echo request.
_OVERHEAD = {socket.AF_INET: 20 + 8, socket.AF_INET6: 40 + 8}
# No link may carry less: RFC 791, RFC 8200 (5).
_SMALLEST = {socket.AF_INET: 68, socket.AF_INET6: 1280}
# linux/in.h: send what is asked for, whatever was learnt of the path, with "don't fragment" set.
_MTU_DISCOVER = {
    socket.AF_INET: (socket.IPPROTO_IP, 10),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 23),
}
_PROBE = 3
_LARGEST = 65535
_TRIES = 3
# What the network may say of a packet that it lost; anything else is the host's own trouble.
_LOST = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNREFUSED, errno.EACCES, errno.EPROTO)
_SHORTEST_PATIENCE = 0.3
_identities = itertools.count(os.getpid())


@dataclass
class Echo:
    """A raw socket for echo requests to one place; use as a context."""

    place: Place
    source: str = ""

    def __post_init__(self) -> None:
        family = socket.AddressFamily(self.place.family)
        protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
        try:
            self.file = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
        except PermissionError as error:
            raise ProbeError("found: not root; accepted: root, so use 'become: true'") from error
        self.identity = next(_identities) & 0xFFFF
        self.sequence = 0
        try:
            if self.source:
                self.file.bind((self.source, 0))
            self.file.connect(self.place.address)
        except BaseException:
            self.file.close()
            raise

    def __enter__(self) -> Echo:
        return self

    def __exit__(self, *_reason: object) -> None:
        self.file.close()

    def ask(self, size: int, until: float) -> Generator[Wait | Work, Any, float | None]:
        """Send a packet of `size` bytes in all; return seconds to its echo, or None."""
        self.sequence += 1
        # An error that an earlier packet has brought is none of this one.
        self.file.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        family = socket.AddressFamily(self.place.family)
        payload = bytes(max(0, size - _OVERHEAD[family]))
        began = time.monotonic()
        self.file.send(request(family, self.identity, self.sequence, payload))
        wanted = (_REPLY[family], self.identity, self.sequence)
        while (yield from ready(self.file, READ, until)):
            if echoed(family, self.file.recv(LONGEST_DATAGRAM)) == wanted:
                return time.monotonic() - began
        return None


def request(family: socket.AddressFamily, identity: int, sequence: int, payload: bytes) -> bytes:
    """Return an echo request; for IPv6 the kernel adds the checksum."""
    head = _ECHO.pack(_REQUEST[family], 0, 0, identity, sequence)
    if family == socket.AF_INET6:
        return head + payload
    total = checksum(head + payload)
    return _ECHO.pack(_REQUEST[socket.AF_INET], 0, total, identity, sequence) + payload


def echoed(family: socket.AddressFamily, packet: bytes) -> tuple[int, int, int]:
    """Return type, identity and sequence of a packet as a raw socket gives it; zeros if too short.

    Only IPv4 comes with its header (raw(7)).
    """
    start = (packet[0] & 15) * 4 if family == socket.AF_INET and packet else 0
    if len(packet) < start + _ECHO.size:
        return -1, 0, 0
    kind, _code, _checksum, identity, sequence = _ECHO.unpack_from(packet, start)
    return kind, identity, sequence


def icmp(options: Options, until: float) -> Steps:
    """Send echo requests. Returns ``sent``, ``received``, ``loss_percent`` and latencies in ms."""
    place = yield from locate(options["host"], 0, options["family"])
    found: list[float] = []
    sent = 0
    with Echo(place, options["source"]) as echo:
        while sent < options["count"] and time.monotonic() < until:
            left = options["count"] - sent
            share = time.monotonic() + (until - time.monotonic()) / left
            sent += 1
            try:
                took = yield from echo.ask(options["size"], share)
            except OSError as error:
                if error.errno not in _LOST:
                    raise
                took = None
            if took is not None:
                found.append(took * MILLISECONDS)
    values: Values = {
        "address": place.text,
        "sent": sent,
        "received": len(found),
        "loss_percent": round(100 * (sent - len(found)) / sent, 1),
    }
    if found:
        values["min_ms"] = round(min(found), 3)
        values["average_ms"] = round(sum(found) / len(found), 3)
        values["max_ms"] = round(max(found), 3)
    return values


def path_mtu(options: Options, until: float) -> Steps:
    """Find the largest packet that is echoed without being cut. Returns ``bytes``, ``link_bytes``.

    ``link_bytes`` is what the first link takes; a smaller ``bytes`` is a narrower place further on,
    or one that swallows large packets.
    """
    place = yield from locate(options["host"], 0, options["family"])
    family = socket.AddressFamily(place.family)
    with Echo(place, options["source"]) as echo:
        level, option = _MTU_DISCOVER[family]
        echo.file.setsockopt(level, option, _PROBE)
        smallest = _SMALLEST[family]
        took = yield from _largest(echo, smallest, until, patience=until - time.monotonic())
        if took is None:
            raise ProbeError(f"no echo from {place.text}, not even of {smallest} bytes")
        patience = max(_SHORTEST_PATIENCE, 4 * took)
        link = min((yield from link_to(place)).mtu, _LARGEST)
        low, high, size = smallest, link, link
        while low < high:
            if (yield from _largest(echo, size, until, patience=patience)) is None:
                high = size - 1
            else:
                low = size
            size = (low + high + 1) // 2
            if time.monotonic() > until:
                raise ProbeError(f"no time left: between {low} and {high} bytes")
        return {"address": place.text, "bytes": low, "link_bytes": link}


def _largest(
    echo: Echo, size: int, until: float, *, patience: float
) -> Generator[Wait | Work, Any, float | None]:
    """Ask with that size, more than once since a packet may be lost; return the seconds it took."""
    for _attempt in range(_TRIES):
        try:
            took = yield from echo.ask(size, min(until, time.monotonic() + patience))
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            continue
        if took is not None:
            return took
    return None
