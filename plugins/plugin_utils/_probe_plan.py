# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Turn the probes that people write into what the host is to do. Pure."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.reversename

_HIGHEST_PORT = 65535
_ENDPOINT = {"family": "any", "source": ""}
# What is sent where people say nothing: a question that any server of these protocols answers.
_NTP_QUESTION = b"\x23" + bytes(47)
_DNS_PORT, _NTP_PORT = 53, 123


class PlanError(ValueError):
    """A probe that can't be made; the text says what was found and what is accepted."""


@dataclass(frozen=True)
class Kind:
    """What a kind of probe needs, what it takes besides, and how long it may last by default."""

    needs: tuple[str, ...] = ()
    takes: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 3
    # How a person calls it.
    words: str = "{host}"
    expect: Mapping[str, Any] = field(default_factory=dict)


KINDS: dict[str, Kind] = {
    "default_route": Kind(takes={"family": "ipv4"}, words="{family}", expect={"answers": True}),
    "dhcp": Kind(
        needs=("interface",), seconds=7, words="{interface}", expect={"servers": {"min": 1}}
    ),
    "dns": Kind(
        needs=("name",),
        takes={"type": "A", "server": "", "port": _DNS_PORT, "family": "any", "transport": ""},
        seconds=5,
        words="{name} {type}",
        expect={"rcode": "NOERROR", "answers": {"min": 1}},
    ),
    "duplicate_address": Kind(
        needs=("address",), takes={"interface": ""}, words="{address}", expect={"duplicate": False}
    ),
    "http": Kind(
        needs=("url",),
        takes={
            "family": "any",
            "method": "GET",
            "headers": [],
            "redirects": 5,
            "match": "",
            "verify": True,
            "ca_file": "",
        },
        seconds=10,
        words="{url}",
        expect={"status": {"min": 200, "max": 399}},
    ),
    "icmp": Kind(
        needs=("host",),
        takes={**_ENDPOINT, "count": 3, "size": 84},
        seconds=5,
        expect={"received": {"min": 1}},
    ),
    "link": Kind(needs=("interface",), words="{interface}", expect={"carrier": True}),
    "listening": Kind(words="sockets"),
    "ntp": Kind(
        needs=("host",),
        takes={**_ENDPOINT, "port": _NTP_PORT},
        seconds=5,
        expect={"stratum": {"min": 1, "max": 15}},
    ),
    "path_mtu": Kind(needs=("host",), takes=_ENDPOINT, seconds=20),
    "tcp": Kind(
        needs=("host", "port"),
        takes={**_ENDPOINT, "banner": False},
        words="{host}:{port}",
        expect={"state": "open"},
    ),
    "tls": Kind(
        needs=("host",),
        takes={
            "port": 443,
            "family": "any",
            "server_name": "",
            "ca_file": "",
            "versions": ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"],
            "alpn": [],
        },
        seconds=10,
        words="{host}:{port}",
        expect={"verified": True},
    ),
    "udp": Kind(
        needs=("host", "port"),
        takes={**_ENDPOINT, "send": "", "send_hex": ""},
        words="{host}:{port}",
        expect={"state": "reply"},
    ),
}
_COMMON = ("probe", "label", "expect", "timeout")


@dataclass(frozen=True)
class Probe:
    """One probe: what was asked for, what the host is to do, and what is expected of it."""

    kind: str
    given: Mapping[str, Any]
    options: Mapping[str, Any]
    expect: Mapping[str, Any]
    label: str

    @property
    def job(self) -> tuple[str, Mapping[str, Any]]:
        """The probe as the host takes it."""
        return self.kind, self.options


def plan(probes: Sequence[Mapping[str, Any]]) -> list[Probe]:
    """Return the probes of a task, checked. Raises PlanError, which names the first bad one."""
    return [_probe(one, index) for index, one in enumerate(probes)]


def _probe(one: Mapping[str, Any], index: int) -> Probe:
    kind = KINDS[one["probe"]]
    where = f"probes[{index}] ({one['probe']})"
    given = {key: value for key, value in one.items() if value is not None}
    if missing := [name for name in kind.needs if given.get(name) in (None, "")]:
        raise PlanError(f"{where}: found no {missing[0]}, accepted: with {', '.join(kind.needs)}")
    known = {*_COMMON, *kind.needs, *kind.takes}
    if unknown := [name for name in given if name not in known]:
        accepted = ", ".join(sorted(known - {"probe"}))
        raise PlanError(f"{where}: found {unknown[0]}, accepted: {accepted}")
    options = {name: given[name] for name in kind.needs} | {
        name: given.get(name, default) for name, default in kind.takes.items()
    }
    options["timeout"] = given.get("timeout", kind.seconds)
    _check(options, where)
    label = given.get("label") or f"{one['probe']} {kind.words.format(**options)}"
    expect = dict(kind.expect)
    if one["probe"] == "http" and options["match"]:
        expect["matched"] = True
    finish = _FINISH.get(one["probe"])
    wire = finish(options, where) if finish else options
    return Probe(one["probe"], given, wire, given.get("expect", expect), label)


def _check(options: Mapping[str, Any], where: str) -> None:
    """Raise PlanError for what would be wrong on any host."""
    port = options.get("port", 1)
    if not 0 < port <= _HIGHEST_PORT:
        raise PlanError(f"{where}: port: found {port}, accepted: 1 to {_HIGHEST_PORT}")
    for name, least in (("timeout", 0.01), ("count", 1), ("size", 28), ("redirects", 0)):
        if options.get(name, least) < least:
            raise PlanError(f"{where}: {name}: found {options[name]}, accepted: at least {least}")
    for name in ("address", "source"):
        try:
            ip_address(options.get(name) or "::")
        except ValueError:
            raise PlanError(
                f"{where}: {name}: found {options[name]!r}, accepted: an IPv4 or IPv6 address"
            ) from None
    try:
        re.compile(options.get("match", ""))
    except re.error as error:
        raise PlanError(
            f"{where}: match: found {options['match']!r} ({error}), accepted: a regular expression"
        ) from None


def _dns(options: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the options with the query as a message in place of name and type."""
    name, kind = options["name"], options["type"]
    try:
        wanted = dns.rdatatype.from_text(kind)
    except (dns.rdatatype.UnknownRdatatype, ValueError):
        raise PlanError(
            f"{where}: type: found {kind!r}, accepted: a record type such as A, AAAA, MX, TXT, PTR"
        ) from None
    try:
        absolute = dns.name.from_text(name)
        if wanted == dns.rdatatype.PTR and _is_address(name):
            absolute = dns.reversename.from_address(name)
        query = dns.message.make_query(absolute, wanted, use_edns=0, payload=1232)
    except dns.exception.DNSException as error:
        raise PlanError(f"{where}: name: found {name!r} ({error}), accepted: a name") from None
    # Asks a resolver to say whether it has validated the answer (RFC 6840, 5.7).
    query.flags |= dns.flags.AD
    rest = {key: value for key, value in options.items() if key not in ("name", "type")}
    return rest | {"query": b64encode(query.to_wire()).decode()}


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _udp(options: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the options with what is to be sent as base64."""
    rest = {key: value for key, value in options.items() if key not in ("send", "send_hex")}
    return rest | {"send": b64encode(_payload(options, where)).decode()}


def _payload(options: Mapping[str, Any], where: str) -> bytes:
    text, digits = options["send"], options["send_hex"]
    if text and digits:
        raise PlanError(f"{where}: found send and send_hex, accepted: one of them")
    try:
        sent = bytes.fromhex(digits) if digits else str(text).encode()
    except ValueError:
        raise PlanError(
            f"{where}: send_hex: found {digits!r}, accepted: pairs of hexadecimal digits"
        ) from None
    usual = usual_question(options["port"])
    if not sent and not usual:
        raise PlanError(
            f"{where}: found neither send nor send_hex, accepted: one of them, unless the port is "
            f"{_DNS_PORT} or {_NTP_PORT}"
        )
    return sent or usual


def usual_question(port: int) -> bytes:
    """Return what a server at this UDP port answers, empty where no answer is defined."""
    if port == _DNS_PORT:
        return dns.message.make_query(".", "NS", id=0).to_wire()
    return _NTP_QUESTION if port == _NTP_PORT else b""


_FINISH = {"dns": _dns, "udp": _udp}
