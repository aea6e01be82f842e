# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whom zones, hosts, groups and networks mean, as addresses, and every mistake on the way. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import (
    NOBODY,
    Addresses,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import (
    ANYBODY,
    PEERS,
    Peers,
    Zone,
    is_present,
)

# A variable's path, what was found, what is accepted.
Mistake = tuple[str, str, str]

ANY = "any"
# Whoever is in no zone, such as the internet seen from a gateway.
OUTSIDE = "outside"
BUILT_IN = (ANY, OUTSIDE)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True)
class Directory:
    """The inventory: hosts by group, and the addresses of each host, none if not known."""

    groups: Mapping[str, Sequence[str]]
    addresses_of: Callable[[str], Sequence[str]]

    @property
    def hosts(self) -> Sequence[str]:
        """Return the names of all hosts."""
        return self.groups.get("all", ())


@dataclass
class Entries:
    """Reads lists of entries with names, and gathers what is wrong."""

    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(self, path: str, found: str, accepted: str) -> None:
        """Note a mistake."""
        self.mistakes.append((path, found, accepted))

    def named(
        self, variable: str, entries: Iterable[Mapping[str, Any]]
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield entries with their paths, each name once."""
        seen = set()
        for entry in entries:
            path = f"{variable}[{entry['name']}]"
            if not _NAME.fullmatch(str(entry["name"])):
                wanted = "lower case letters, digits, - and _, at most 63 (web-admin)"
                self.wrong(f"{variable}[].name", repr(str(entry["name"])), wanted)
            if path in seen:
                self.wrong(path, "two entries with this name", "each name once")
                continue
            seen.add(path)
            yield path, entry

    def present(
        self, variables: Mapping[str, Any], name: str
    ) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the entries of a variable that are to be there, each with its path."""
        entries = self.named(name, variables.get(name) or [])
        return [(path, entry) for path, entry in entries if is_present(entry)]

    def networks(self, texts: Iterable[object], path: str) -> Addresses:
        """Return the set of these networks."""
        found = NOBODY
        for text in texts:
            try:
                found |= Addresses.of([str(text)])
            except ValueError:
                wanted = "an address or a network, host bits zero (192.0.2.0/24, 2001:db8::/32)"
                self.wrong(path, repr(str(text)), wanted)
        return found


def zones_of(variables: Mapping[str, Any], entries: Entries) -> Iterator[Zone]:
    """Yield the zones of `firewall_zones`."""
    former: list[Zone] = []
    for path, entry in entries.present(variables, "firewall_zones"):
        if entry["name"] in BUILT_IN:
            entries.wrong(path, "the name of a zone that is built in", "another name")
            continue
        networks = tuple(map(str, entry.get("networks") or []))
        zone = Zone(
            name=str(entry["name"]),
            addresses=entries.networks(networks, f"{path}.networks"),
            networks=networks,
            interfaces=tuple(map(str, entry.get("interfaces") or [])),
        )
        if not networks:
            entries.wrong(f"{path}.networks", "no network", "at least one network")
        for found in _shared(zone, former):
            entries.wrong(f"{path}.networks", found, "networks that are in one zone only")
        former.append(zone)
        yield zone


def _shared(zone: Zone, former: Iterable[Zone]) -> Iterator[str]:
    """Yield in words what a zone has in common with those before it."""
    for other in former:
        if zone.addresses & other.addresses:
            for text in zone.networks:
                for theirs in other.networks:
                    if _overlap(text, theirs):
                        yield f"{text}, which overlaps {theirs} of zone {other.name}"


def _overlap(one: str, other: str) -> bool:
    try:
        first, second = ip_network(one), ip_network(other)
    except ValueError:  # told as a mistake of its own
        return False
    return first.version == second.version and first.overlaps(second)


class Resolver:
    """Finds the addresses of those whom entries name."""

    def __init__(self, zones: Iterable[Zone], directory: Directory, entries: Entries) -> None:
        """Know the zones and the inventory; tell mistakes to `entries`."""
        self._zones = {zone.name: zone for zone in zones}
        self._directory = directory
        self._entries = entries

    def peers(self, entry: Mapping[str, Any], path: str) -> Peers:
        """Return whom the zones, hosts, groups and networks of an entry name, all together."""
        if not any(entry.get(key) for key in PEERS):
            self._entries.wrong(path, "nobody who is meant", f"at least one of {', '.join(PEERS)}")
        found = [
            *(self._zone(str(name), f"{path}.zones") for name in entry.get("zones") or []),
            *(self._host(str(name), f"{path}.hosts") for name in entry.get("hosts") or []),
            *(self._group(str(name), f"{path}.groups") for name in entry.get("groups") or []),
            *(
                Peers(str(text), self._entries.networks([text], f"{path}.networks"))
                for text in entry.get("networks") or []
            ),
        ]
        if ANYBODY in found:
            return ANYBODY
        return Peers(", ".join(one.words for one in found), _union(found))

    def _zone(self, name: str, path: str) -> Peers:
        if name == ANY:
            return ANYBODY
        if name == OUTSIDE:
            return Peers("outside of all zones", ~_union(self._zones.values()))
        if name not in self._zones:
            known = ", ".join((*self._zones, *BUILT_IN))
            self._entries.wrong(path, repr(name), f"a zone of firewall_zones ({known})")
            return Peers(name, NOBODY)
        zone = self._zones[name]
        return Peers(f"{name} ({', '.join(zone.networks)})", zone.addresses)

    def _host(self, name: str, path: str) -> Peers:
        addresses = self._addresses(name, path)
        words = f"host {name} ({', '.join(addresses)})"
        return Peers(words, self._entries.networks(addresses, path))

    def _group(self, name: str, path: str) -> Peers:
        if name not in self._directory.groups:
            known = ", ".join(self._directory.groups)
            self._entries.wrong(path, repr(name), f"a group of the inventory ({known})")
            return Peers(name, NOBODY)
        members = self._directory.groups[name]
        addresses = [text for host in members for text in self._addresses(host, path)]
        words = f"group {name} ({', '.join(addresses) or 'no host'})"
        return Peers(words, self._entries.networks(addresses, path))

    def _addresses(self, name: str, path: str) -> list[str]:
        if name not in self._directory.hosts:
            self._entries.wrong(path, repr(name), "a host of the inventory")
            return []
        addresses = list(self._directory.addresses_of(name))
        if not addresses:
            wanted = "hosts with addresses in network_links, or an address as ansible_host"
            self._entries.wrong(path, f"{name}, whose addresses are not known", wanted)
        return addresses


def _union(sets: Iterable[Peers | Zone]) -> Addresses:
    found = NOBODY
    for one in sets:
        found |= one.addresses
    return found
