# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one host lets in and passes on: the intent that people state, and what it decides. Pure.

`_nft` compiles the same `Intent` that `decide` judges by, so the two can't disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import (
    EVERYBODY,
    NOBODY,
    Addresses,
)

# IANA's assigned internet protocol numbers, of those that a firewall has to know by name.
PROTOCOLS = {
    "tcp": 6,
    "udp": 17,
    "dccp": 33,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ospf": 89,
    "vrrp": 112,
    "sctp": 132,
}
WITH_PORTS = ("tcp", "udp", "dccp", "sctp")
PEERS = ("zones", "hosts", "groups", "networks")
ICMP = ("icmp", "icmpv6")


@dataclass(frozen=True)
class Peers:
    """Who is meant: in words, and as addresses."""

    words: str
    addresses: Addresses


ANYBODY = Peers("any", EVERYBODY)


@dataclass(frozen=True)
class Limit:
    """How many new connections one source may have: `connections` per unit of time, in bursts."""

    connections: int
    per: str = "minute"
    burst: int = 5


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A service of the host, or connections that a gateway passes on.

    `protocols` are names of PROTOCOLS, none for all; `ports` are first and last of each range.
    """

    name: str
    protocols: tuple[str, ...] = ()
    ports: tuple[tuple[int, int], ...] = ()
    source: Peers = ANYBODY
    destination: Peers = ANYBODY
    limit: Limit | None = None
    log: bool = False

    def is_about(self, protocol: str, port: int | None) -> bool:
        """Whether a packet of this protocol to this port is meant, whoever sends it."""
        if not self.protocols:
            return True
        if protocol not in self.protocols:
            return False
        return not self.ports or any(first <= (port or 0) <= last for first, last in self.ports)

    def admits(self, source: str, destination: str) -> bool:
        """Whether these two addresses are meant."""
        return source in self.source.addresses and destination in self.destination.addresses


@dataclass(frozen=True, kw_only=True)
class Translation:
    """A change of addresses at a gateway: `kind` is masquerade, snat or dnat.

    `match` says which connections, `interface` where they leave (dnat: come in), if that matters.
    `version` is that of IP. For dnat, an empty `original` is any address of the gateway.
    """

    kind: str
    match: Rule
    version: int = 4
    interface: str = ""
    original: str = ""
    address: str = ""
    port: int | None = None


@dataclass(frozen=True, kw_only=True)
class Zone:
    """Networks by name; `interfaces` are the only ones of this host where they come in, if any."""

    name: str
    addresses: Addresses
    networks: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Intent:
    """All that one host lets in, passes on and changes. What isn't named is dropped."""

    services: tuple[Rule, ...] = ()
    zones: tuple[Zone, ...] = ()
    gateway: bool = False
    forwards: tuple[Rule, ...] = ()
    translations: tuple[Translation, ...] = ()
    blocked: Addresses = NOBODY


@dataclass(frozen=True)
class Decision:
    """What happens to a new connection, and the rule that is responsible."""

    accept: bool
    rule: str


def merge(needs: Iterable[tuple[str, Sequence[Mapping[str, Any]]]]) -> list[dict[str, Any]]:
    """Return one entry for each service that is to be open, those stated first coming first.

    `needs` are pairs of who states them (a role, or an empty text for the inventory) and a list of
    services. A later entry replaces what it gives of an earlier one with the same name; any of
    zones, hosts, groups and networks replaces all four. `state: absent` closes.
    """
    entries = (dict(entry) for _source, services in needs for entry in services)
    return [entry for entry in merged(entries).values() if is_present(entry)]


def merged(entries: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return entries by name, a later one on top of an earlier one as `merge` says."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        given = {key: value for key, value in entry.items() if value is not None}
        former = found.get(given["name"], {})
        if any(given.get(key) for key in PEERS):
            former = {key: value for key, value in former.items() if key not in PEERS}
        found[given["name"]] = former | given
    return found


def is_present(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of a list with states is to be there."""
    return str(entry.get("state", "present")) == "present"


def decide(
    intent: Intent,
    source: str,
    destination: str,
    protocol: str,
    port: int | None = None,
    *,
    forwarded: bool = False,
) -> Decision:
    """Return what a host with this intent does with the first packet of a connection.

    Addresses are text, `protocol` is a name of PROTOCOLS or ICMP (echo requests). `forwarded`
    tells a packet to another host from one to this host; what a gateway translates is judged by
    its new destination. Rate limits, and where packets come in, are left out. Raises ValueError
    for what isn't an address.
    """
    if source in intent.blocked:
        return Decision(False, "blocked")
    if forwarded and not intent.gateway:
        return Decision(False, "no gateway")
    if protocol in ICMP:
        return Decision(True, protocol)
    kind, rules = ("forward", intent.forwards) if forwarded else ("service", intent.services)
    for rule in in_order(rules):
        if rule.is_about(protocol, port) and rule.admits(source, destination):
            return Decision(True, f"{kind} {rule.name}")
    return Decision(False, "default drop")


def in_order(rules: Sequence[Rule]) -> list[Rule]:
    """Return rules in the order in which they are asked: ports, whole protocols, everything."""
    return sorted(rules, key=lambda rule: (not rule.protocols, not rule.ports))


@dataclass(frozen=True)
class Segment:
    """The rules that are asked for one protocol and one range of ports."""

    protocol: str
    first: int
    last: int
    rules: tuple[Rule, ...]


def segments(rules: Sequence[Rule]) -> list[Segment]:
    """Return ranges of ports that don't overlap, each with its rules in the order of asking."""
    with_ports = [rule for rule in rules if rule.ports]
    found = []
    for protocol in WITH_PORTS:
        own = [rule for rule in with_ports if protocol in rule.protocols]
        edges = sorted({edge for r in own for first, last in r.ports for edge in (first, last + 1)})
        for first, after in pairwise(edges):
            asked = tuple(rule for rule in own if rule.is_about(protocol, first))
            if asked:
                found.append(Segment(protocol, first, after - 1, asked))
    return list(_joined(found))


def _joined(found: Iterable[Segment]) -> Iterator[Segment]:
    """Join neighbours that are asked the same."""
    held: Segment | None = None
    for one in found:
        if held and (held.protocol, held.last + 1, held.rules) == (
            one.protocol,
            one.first,
            one.rules,
        ):
            held = Segment(held.protocol, held.first, one.last, held.rules)
            continue
        if held:
            yield held
        held = one
    if held:
        yield held
