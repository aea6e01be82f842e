# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""TCP connections and UDP exchanges, and what an ICMP error says about who refused them."""

from __future__ import annotations

import errno
import socket
import struct
import time
from base64 import b64decode, b64encode
from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

from ansible_collections.servertechnik.core.plugins.module_utils._probe_loop import (
    READ,
    WRITE,
    ProbeError,
    Steps,
    Values,
    Wait,
    Work,
    ready,
)

Options = Mapping[str, Any]
FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
MILLISECONDS = 1000
# Sent again after this: a lost packet must not look like a filter.
AGAIN = 1.0
LONGEST_DATAGRAM = 65535

# linux/in.h, linux/in6.h, linux/errqueue.h; Python 3.11 doesn't name them.
IP_RECVERR = 11
IPV6_RECVERR = 25
IP_BIND_ADDRESS_NO_PORT = 24
_EXTENDED_ERROR = struct.Struct("=IBBBBII")
_FROM_ICMP = {2: 4, 3: 6}

# RFC 792, RFC 1812 (5.2.7.1), RFC 4443 (3.1): a code that a filter sends, or one of no route.
_UNREACHABLE = {4: {0, 1, 5, 6, 7, 8, 11, 12}, 6: {0, 3}}
_NO_PORT = {4: 3, 6: 4}
_TYPE_UNREACHABLE = {4: 3, 6: 1}


class Place(NamedTuple):
    """An address as the kernel takes it."""

    family: int
    address: tuple[Any, ...]

    @property
    def text(self) -> str:
        """The address itself, with the zone of a link-local one."""
        host = str(self.address[0])
        scope = self.address[3] if len(self.address) > 3 else 0  # noqa: PLR2004 -- see ipv6(7)
        return f"{host}%{scope}" if scope and "%" not in host else host


class Refusal(NamedTuple):
    """An ICMP error: version 4 or 6, type, code, and the address that sent it."""

    version: int
    type: int
    code: int
    by: str


def locate(host: str, port: int, family: str) -> Generator[Wait | Work, Any, Place]:
    """Return the first address of `host`; names are looked up as the host itself does it."""
    try:
        return _literal(host, port, family)
    except OSError:
        pass

    def look_up() -> Any:
        return socket.getaddrinfo(host, port, FAMILIES[family], socket.SOCK_STREAM)

    try:
        found = yield Work(look_up)
    except OSError as error:
        raise ProbeError(f"{host}: {error.strerror or error}") from error
    return Place(found[0][0], found[0][4])


def _literal(host: str, port: int, family: str) -> Place:
    if "%" not in host and family != "any":
        socket.inet_pton(FAMILIES[family], host)
        return Place(FAMILIES[family], (host, port))
    found = socket.getaddrinfo(
        host, port, FAMILIES[family], socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST
    )
    return Place(found[0][0], found[0][4])


def connected(place: Place, kind: int, source: str) -> tuple[socket.socket, int]:
    """Return a socket that (soon) is connected, and what connect(2) said, 0 or an errno.

    ICMP errors go to its error queue. Raises OSError if `source` isn't the host's.
    """
    one = socket.socket(place.family, kind | socket.SOCK_NONBLOCK)
    try:
        level, option = (socket.IPPROTO_IP, IP_RECVERR)
        if place.family == socket.AF_INET6:
            level, option = (socket.IPPROTO_IPV6, IPV6_RECVERR)
        one.setsockopt(level, option, 1)
        if source:
            one.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            one.bind((source, 0))
        return one, one.connect_ex(place.address)
    except BaseException:
        one.close()
        raise


def refusal(one: socket.socket) -> Refusal | None:
    """Return the ICMP error that waits in a socket's error queue, if there is one."""
    try:
        _data, notes, _flags, _sender = one.recvmsg(0, 512, socket.MSG_ERRQUEUE)
    except OSError:
        return None
    for _level, _type, data in notes:
        if len(data) >= _EXTENDED_ERROR.size:
            found = parse_refusal(data)
            if found:
                return found
    return None


def parse_refusal(data: bytes) -> Refusal | None:
    """Read a ``struct sock_extended_err`` and the address behind it (ip(7)), if of ICMP."""
    _number, origin, kind, code, *_rest = _EXTENDED_ERROR.unpack_from(data)
    version = _FROM_ICMP.get(origin)
    if version is None:
        return None
    behind = data[_EXTENDED_ERROR.size :]
    where, size, family = (4, 4, socket.AF_INET) if version == 4 else (8, 16, socket.AF_INET6)  # noqa: PLR2004
    raw = behind[where : where + size]
    by = socket.inet_ntop(family, raw) if len(raw) == size else ""
    return Refusal(version, kind, code, by)


def state_of(number: int, found: Refusal | None, *, stream: bool) -> str:
    """Return what an error of a connection means.

    ``refused``: nothing listens there (a reset for TCP, ICMP port unreachable for UDP, which a
    filter may send as well); ``rejected``: a filter said so; ``unreachable``: no way there.
    """
    if found and found.type == _TYPE_UNREACHABLE[found.version]:
        if found.code in _UNREACHABLE[found.version]:
            return "unreachable"
        if found.code == _NO_PORT[found.version] and not stream:
            return "refused"
        return "rejected"
    if number == errno.ECONNREFUSED:
        return "refused"
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL):
        return "unreachable"
    if number == errno.EACCES:
        return "rejected"
    raise OSError(number, errno.errorcode.get(number, str(number)))


def tcp(options: Options, until: float) -> Steps:
    """Connect. Returns ``state``, ``address``, ``source``, ``latency_ms``, ``by``, ``banner``."""
    place = yield from locate(options["host"], options["port"], options["family"])
    began = time.monotonic()
    one, number = connected(place, socket.SOCK_STREAM, options["source"])
    with one:
        found = None
        if number == errno.EINPROGRESS:
            if not (yield Wait(one, WRITE, until)):
                return _tcp_values("timeout", place, one, None, None)
            # In this order: the queue, once read, takes the error with it.
            number = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            found = refusal(one) if number else None
        latency = time.monotonic() - began
        state = state_of(number, found, stream=True) if number else "open"
        values = _tcp_values(state, place, one, latency, found)
        if state == "open" and options["banner"]:
            values["banner"] = yield from _banner(one, until)
        return values


def _tcp_values(
    state: str, place: Place, one: socket.socket, latency: float | None, found: Refusal | None
) -> Values:
    values: Values = {"state": state, "address": place.text, "source": _own(one)}
    if latency is not None:
        values["latency_ms"] = round(latency * MILLISECONDS, 3)
    if found:
        values["by"] = found.by
    return values


def _own(one: socket.socket) -> str:
    return str(one.getsockname()[0])


def _banner(one: socket.socket, until: float) -> Generator[Wait | Work, Any, str]:
    """Return the first line that the other side says by itself, empty if it says none in time."""
    said = b""
    while b"\n" not in said and (yield from ready(one, READ, until)):
        more = one.recv(1024)
        if not more:
            break
        said += more
    return said.partition(b"\n")[0].decode(errors="backslashreplace").strip()


class Answer(NamedTuple):
    """What came back for a datagram: data, an errno with the ICMP error behind it, or neither."""

    data: bytes | None = None
    number: int = 0
    refusal: Refusal | None = None


def udp(options: Options, until: float) -> Steps:
    """Send, wait for a reply. ``state`` is reply, refused, rejected, unreachable or silent."""
    place = yield from locate(options["host"], options["port"], options["family"])
    began = time.monotonic()
    one, number = connected(place, socket.SOCK_DGRAM, options["source"])
    with one:
        values: Values = {"address": place.text, "source": _own(one)}
        answer = Answer(number=number)
        if not number:
            answer = yield from ask(one, b64decode(options["send"]), until)
        if answer.data is None and not answer.number:
            return values | {"state": "silent"}
        values["latency_ms"] = round((time.monotonic() - began) * MILLISECONDS, 3)
        if answer.refusal:
            values["by"] = answer.refusal.by
        if answer.data is None:
            state = state_of(answer.number, answer.refusal, stream=False)
            return values | {"state": state}
        return values | {"state": "reply", "reply": b64encode(answer.data).decode()}


def ask(one: socket.socket, message: bytes, until: float) -> Generator[Wait | Work, Any, Answer]:
    """Send a datagram, again each second, until there is an answer or no time left."""
    while True:
        try:
            one.send(message)
            if (yield from ready(one, READ, min(until, time.monotonic() + AGAIN))):
                return Answer(one.recv(LONGEST_DATAGRAM))
        except OSError as error:
            return Answer(number=error.errno or errno.EIO, refusal=refusal(one))
        if time.monotonic() >= until:
            return Answer()
