# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Questions to name servers and time servers. DNS messages are made and read by the controller."""

from __future__ import annotations

import socket
import struct
import time
from base64 import b64decode, b64encode
from collections.abc import Generator
from typing import Any

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
from ansible_collections.servertechnik.core.plugins.module_utils._probe_transport import (
    LONGEST_DATAGRAM,
    MILLISECONDS,
    Options,
    Place,
    ask,
    connected,
    locate,
    refusal,
    state_of,
)

RESOLV_CONF = "/etc/resolv.conf"
_ID_AND_FLAGS = struct.Struct("!HH")
_TRUNCATED = 0x0200  # RFC 1035, 4.1.1
# RFC 5905: flags, stratum, poll, precision; root delay and dispersion; reference; four times.
_NTP = struct.Struct("!BBbbII4sQQQQ")
_NTP_EPOCH = 2208988800  # seconds from 1900 to 1970
_NTP_ERA = 1 << 32
_NTP_CLIENT = 0x23  # version 4, mode 3
_NTP_SERVER = 4
_SHORT = 65536
_LEAP = ("none", "insert", "delete", "unsynchronised")


def nameservers(text: str) -> list[str]:
    """Return the servers of a resolv.conf(5), in order."""
    lines = (line.split() for line in text.splitlines())
    return [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]


def dns(options: Options, until: float) -> Steps:
    """Send a query to a server, over TCP when UDP was too small for the answer.

    Returns ``server``, ``transport``, ``latency_ms`` and ``response`` (the message in base64).
    """
    server = options["server"] or _own_server()
    query = b64decode(options["query"])
    place = yield from locate(server, options["port"], options["family"])
    values: Values = {"server": place.text, "transport": options["transport"] or "udp"}
    began = time.monotonic()
    message = b""
    if values["transport"] == "udp":
        message = yield from _over_udp(place, query, until)
        if _ID_AND_FLAGS.unpack_from(message)[1] & _TRUNCATED and not options["transport"]:
            values["transport"] = "tcp"
    if values["transport"] == "tcp":
        message = yield from _over_tcp(place, query, until)
    values["latency_ms"] = round((time.monotonic() - began) * MILLISECONDS, 3)
    return values | {"response": b64encode(message).decode()}


def _own_server() -> str:
    with open(RESOLV_CONF, encoding="utf-8", errors="replace") as file:
        servers = nameservers(file.read())
    if not servers:
        raise ProbeError(f"{RESOLV_CONF} names no server; accepted: one there, or 'server'")
    return servers[0]


def _over_udp(place: Place, query: bytes, until: float) -> Generator[Wait | Work, Any, bytes]:
    one, number = connected(place, socket.SOCK_DGRAM, "")
    with one:
        answer = None
        while not number:
            answer = yield from ask(one, query, until)
            if answer.data is None:
                break
            if answer.data[:2] == query[:2] and len(answer.data) >= _ID_AND_FLAGS.size:
                return answer.data
        number = answer.number if answer else number
        if not number:
            raise ProbeError(f"no answer from {place.text} (UDP)")
        state = state_of(number, answer.refusal if answer else None, stream=False)
        raise ProbeError(f"{state} by {place.text} (UDP)")


def _over_tcp(place: Place, query: bytes, until: float) -> Generator[Wait | Work, Any, bytes]:
    one, number = connected(place, socket.SOCK_STREAM, "")
    with one:
        if not (yield Wait(one, WRITE, until)):
            raise ProbeError(f"no connection to {place.text} (TCP)")
        number = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            state = state_of(number, refusal(one), stream=True)
            raise ProbeError(f"{state} by {place.text} (TCP)")
        one.send(struct.pack("!H", len(query)) + query)
        received = b""
        while len(received) < 2 or len(received) < 2 + struct.unpack_from("!H", received)[0]:  # noqa: PLR2004 -- the length itself
            more = one.recv(LONGEST_DATAGRAM) if (yield from ready(one, READ, until)) else b""
            if not more:
                raise ProbeError(f"no whole answer from {place.text} (TCP)")
            received += more
        return received[2:]


def ntp(options: Options, until: float) -> Steps:
    """Ask a server for the time (RFC 5905).

    Returns ``offset_seconds`` (positive when this host is slow), ``delay_seconds``, ``stratum``,
    ``leap``, ``reference``, ``root_delay_seconds``, ``root_dispersion_seconds``, ``version``.
    """
    place = yield from locate(options["host"], options["port"], options["family"])
    one, number = connected(place, socket.SOCK_DGRAM, options["source"])
    with one:
        while not number:
            sent = time.time()
            question = _NTP.pack(_NTP_CLIENT, 0, 0, 0, 0, 0, b"", 0, 0, 0, _to_ntp(sent))
            answer = yield from ask(one, question, min(until, time.monotonic() + 1))
            received = time.time()
            if answer.data and answer.data[24:32] == question[40:48]:
                return {"address": place.text} | read_ntp(answer.data, sent, received)
            if answer.number:
                state = state_of(answer.number, answer.refusal, stream=False)
                raise ProbeError(f"{state} by {place.text}")
            if time.monotonic() >= until:
                raise ProbeError(f"no answer from {place.text}")
        raise ProbeError(f"{state_of(number, None, stream=False)}: {place.text}")


def _to_ntp(seconds: float) -> int:
    return int((seconds + _NTP_EPOCH) % _NTP_ERA * _NTP_ERA)


def _from_ntp(stamp: int, near: float) -> float:
    """Return Unix seconds of a 64-bit stamp, of the era that is nearest to `near`."""
    seconds = stamp / _NTP_ERA - _NTP_EPOCH
    return seconds + round((near - seconds) / _NTP_ERA) * _NTP_ERA


def read_ntp(message: bytes, sent: float, received: float) -> Values:
    """Return what a server's answer says; the times of this host are Unix seconds.

    Raises ValueError when it isn't an answer of a server.
    """
    if len(message) < _NTP.size:
        raise ValueError(f"found an answer of {len(message)} bytes, accepted: at least {_NTP.size}")
    fields = _NTP.unpack(message[: _NTP.size])
    flags, stratum, _poll, _precision, delay, dispersion, reference, *times = fields
    theirs_in, theirs_out = times[2:]
    if flags & 7 != _NTP_SERVER:
        raise ValueError(f"found an answer of mode {flags & 7}, accepted: {_NTP_SERVER} (server)")
    came, left = _from_ntp(theirs_in, sent), _from_ntp(theirs_out, sent)
    values: Values = {
        "offset_seconds": round(((came - sent) + (left - received)) / 2, 6),
        "delay_seconds": round((received - sent) - (left - came), 6),
        "stratum": stratum,
        "leap": _LEAP[flags >> 6],
        "version": flags >> 3 & 7,
        "root_delay_seconds": round(delay / _SHORT, 6),
        "root_dispersion_seconds": round(dispersion / _SHORT, 6),
    }
    # Below stratum 2 four letters (RFC 5905, 7.3), else the address of the server's own server.
    if stratum <= 1:
        values["reference"] = reference.rstrip(b"\0").decode("ascii", "replace")
    else:
        values["reference"] = socket.inet_ntoa(reference)
    return values
