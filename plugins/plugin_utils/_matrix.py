# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to come of a connection between any two hosts, and whether it did. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from typing import NamedTuple

from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import (
    Intent,
    Rule,
    Translation,
    decide,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_plan import usual_question
from ansible_collections.servertechnik.core.plugins.plugin_utils._ways import (
    Hop,
    NoWayError,
    Routes,
    Way,
)

PROTOCOLS = ("tcp", "udp")
# Asked of every host beside what is declared: what is often open by mistake.
SAMPLE = {"tcp": (1, 23, 111, 3389), "udp": (1, 111)}
_WIDE_RANGE = 16
_LAST_PORT = 65535
OUTSIDE = "outside"
# States of network_check: whether the packet has got there.
STATES = {
    **dict.fromkeys(("open", "reply", "refused"), True),
    **dict.fromkeys(("timeout", "rejected", "unreachable", "silent"), False),
}

Port = tuple[str, int]


class Packet(NamedTuple):
    """The first packet of a connection."""

    source: str
    destination: str
    protocol: str
    port: int


@dataclass(frozen=True)
class Meant:
    """What is to happen to a connection, and the host and rule that decide it."""

    open: bool
    host: str
    rule: str


@dataclass(frozen=True)
class Cell:
    """One connection of the matrix: what was meant, and what was found.

    `verdict` is right, hole (open though it must not be), closed (though it must be open) or
    unsure.
    """

    protocol: str
    port: int
    meant: Meant
    found: str
    verdict: str


@dataclass(frozen=True)
class World:
    """All hosts: how they reach each other, and what each is to let in; none without a firewall."""

    routes: Routes
    intents: Mapping[str, Intent]

    def ways(self, start: str) -> tuple[list[Way], list[str]]:
        """Return the ways from a host to every address of the others, and why some are none.

        Hosts without a firewall of ours let in what they like, so no way leads to them.
        """
        ways, without = [], []
        for host in self.intents:
            for destination in self.routes.addresses[host] if host != start else ():
                try:
                    ways.append(self.routes.way(start, destination))
                except NoWayError as error:
                    without.append(f"{host} {destination}: {error}")
        return ways, without

    @cached_property
    def declared(self) -> frozenset[Port]:
        """Return every port that any host opens."""
        return frozenset(port for one in self.intents.values() for port in ports_of(one))

    def ports(self, host: str, listening: Iterable[Port]) -> list[Port]:
        """Return what to ask of a host: what any host opens, a sample, and what listens there."""
        sample = {(protocol, port) for protocol, ports in SAMPLE.items() for port in ports}
        own = ports_of(self.intents[host])
        return sorted({*self.declared, *own, *sample, *listening, *_edges(self.intents[host])})

    def meant(self, way: Way, protocol: str, port: int) -> Meant:
        """Return what is to come of a connection, through all gateways on its way."""
        packet = Packet(way.source, way.destination, protocol, port)
        return self._passes(way.hops, way.to, packet)

    def _passes(self, hops: Iterable[Hop], to: str, packet: Packet) -> Meant:
        for hop in hops:
            intent = self.intents.get(hop.host)
            if intent is None:
                continue
            decision = decide(intent, *packet, forwarded=True)
            if not decision.accept:
                return Meant(False, hop.host, decision.rule)
            packet = _leaves(intent, hop.link, hop.address, packet)
        return self._arrives(to, packet)

    def _arrives(self, host: str, packet: Packet) -> Meant:
        intent = self.intents[host]
        for one in intent.translations:
            if one.kind == "dnat" and self._concerns(host, one, packet):
                return self._translated(host, one, packet)
        decision = decide(intent, *packet)
        return Meant(decision.accept, host, decision.rule)

    def _concerns(self, host: str, one: Translation, packet: Packet) -> bool:
        destination = ip_address(packet.destination)
        if one.version != destination.version or one.original not in ("", packet.destination):
            return False
        if one.interface and self._comes_in(host, packet) != one.interface:
            return False
        match = one.match
        return (
            match.is_about(packet.protocol, packet.port) and packet.source in match.source.addresses
        )

    def _comes_in(self, host: str, packet: Packet) -> str:
        """Return the link by which a packet reaches a host: that by which answers go back."""
        try:
            return self.routes.exit(host, ip_address(packet.source)).link
        except NoWayError:
            return ""

    def _translated(self, host: str, one: Translation, packet: Packet) -> Meant:
        """Return what is to come of a connection that a gateway sends on to another host."""
        intent, target = self.intents[host], self.routes.owner(one.address)
        if packet.source in intent.blocked:
            return Meant(False, host, "blocked")
        if target not in self.intents or target == host:
            return Meant(True, host, f"nat {one.match.name}")
        packet = packet._replace(destination=one.address, port=one.port or packet.port)
        out = self.routes.exit(host, ip_address(one.address))
        packet = _leaves(intent, out.link, str(out.source), packet)
        return self._passes(self.routes.way(host, one.address).hops, target, packet)


def _leaves(intent: Intent, link: str, address: str, packet: Packet) -> Packet:
    """Return a packet as it leaves a gateway by a link where the gateway has an address."""
    version = ip_address(packet.source).version
    for one in intent.translations:
        if one.kind == "dnat" or one.version != version or one.interface not in ("", link):
            continue
        if one.match.is_about(packet.protocol, packet.port) and one.match.admits(
            packet.source, packet.destination
        ):
            return packet._replace(source=one.address or address)
    return packet


def ports_of(intent: Intent) -> Iterator[Port]:
    """Yield the ports that a host opens or translates; of a wide range its first and last."""
    for rule in (*intent.services, *(one.match for one in intent.translations)):
        for protocol, first, last in _spans(rule):
            wide = last - first > _WIDE_RANGE
            yield from (
                (protocol, at) for at in ((first, last) if wide else range(first, last + 1))
            )


def _edges(intent: Intent) -> Iterator[Port]:
    """Yield the ports just beside each range."""
    for rule in intent.services:
        for protocol, first, last in _spans(rule):
            if first != last:
                yield from ((protocol, at) for at in (first - 1, last + 1) if 0 < at <= _LAST_PORT)


def _spans(rule: Rule) -> Iterator[tuple[str, int, int]]:
    for protocol in PROTOCOLS:
        if protocol in rule.protocols:
            yield from ((protocol, first, last) for first, last in rule.ports)


def zone_of(intent: Intent, source: str) -> str:
    """Return the zone that an address is in, as a host sees it."""
    zones = (zone.name for zone in intent.zones if source in zone.addresses)
    return next(zones, OUTSIDE)


def judged(
    protocol: str, port: int, meant: Meant, found: str, listening: Collection[Port] | None
) -> Cell:
    """Return a cell with its verdict; `found` is a state of network_check, or why there is none.

    `listening` are the sockets of the host where it ends, None if they aren't known. Where
    something listens, silence about a datagram doesn't tell whether it has got there: what
    listens may have swallowed it. Where nothing does, the kernel would have said so.
    """
    arrived = STATES.get(found)
    may_swallow = found == "silent" and (listening is None or (protocol, port) in listening)
    if arrived is None or (may_swallow and (meant.open or not usual_question(port))):
        verdict = "unsure"
    elif arrived == meant.open:
        verdict = "right"
    else:
        verdict = "hole" if arrived else "closed"
    return Cell(protocol, port, meant, found, verdict)


def unwatched(world: World, names: Iterable[str]) -> list[str]:
    """Return the zones in which none of these hosts is, so that nobody probes from there."""
    zones = {zone for intent in world.intents.values() for zone in intent.zones}
    addresses = [address for name in names for address in world.routes.addresses[name]]
    empty = {zone.name for zone in zones if not any(a in zone.addresses for a in addresses)}
    return sorted(empty)


def witnesses(world: World, names: Sequence[str], most: int) -> list[str]:
    """Return of hosts that every rule takes for the same at most so many, the first ones.

    `names` are hosts that can probe; with `most` 0 all of them.
    """
    rules = [
        rule
        for intent in world.intents.values()
        for rule in (*intent.services, *intent.forwards, *(t.match for t in intent.translations))
    ]
    seen: dict[tuple[object, ...], int] = {}
    chosen = []
    for name in names:
        addresses = world.routes.addresses[name]
        zones = {
            zone_of(intent, address) for intent in world.intents.values() for address in addresses
        }
        kind = (
            tuple(sorted(zones)),
            name in world.intents and world.intents[name].gateway,
            *(any(a in rule.source.addresses for a in addresses) for rule in rules),
        )
        seen[kind] = seen.get(kind, 0) + 1
        if not most or seen[kind] <= most:
            chosen.append(name)
    return chosen
