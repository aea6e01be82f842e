# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the variables of a host to its firewall's intent, and every mistake on the way. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import (
    NOBODY,
    Addresses,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import (
    PROTOCOLS,
    WITH_PORTS,
    Intent,
    Limit,
    Rule,
    Translation,
    is_present,
    merged,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_peers import (
    ANY,
    Directory,
    Entries,
    Mistake,
    Resolver,
    zones_of,
)

Needs = Iterable[tuple[str, Sequence[Mapping[str, Any]]]]
_LAST_PORT = 65535
_RATES = ("firewall_ping_rate", "firewall_log_rate")
_RATE = re.compile(r"[1-9][0-9]{0,5}/(second|minute|hour|day)")
_SSH = 22
_OVER_SSH = ("ssh", "smart", "paramiko_ssh", "paramiko", "libssh")
_FAMILIES = {"ipv4": 4, "ipv6": 6}


class IntentError(ValueError):
    """An intent that can't be; the text says what was found and what is accepted."""


def intent_of(
    variables: Mapping[str, Any], services: Sequence[Mapping[str, Any]], directory: Directory
) -> Intent:
    """Return what a host is to let in and pass on.

    `variables` are those of the host (firewall_zones and so on; what is missing counts as empty),
    `services` what `_firewall.merge` returned. Raises IntentError with the first mistake.
    """
    reader = _Reader(variables, directory)
    intent = reader.read([("", services)])
    for path, found, accepted in reader.entries.mistakes:
        raise IntentError(f"{path}: found {found}; accepted: {accepted}")
    return intent


def mistakes_of(
    variables: Mapping[str, Any], needs: Needs, directory: Directory
) -> Iterator[Mistake]:
    """Yield the mistakes in what one host's firewall is told, each once.

    `needs` are those of `_firewall.merge`. Types must have been checked before (argument_specs).
    """
    reader = _Reader(variables, directory)
    intent = reader.read(needs)
    yield from dict.fromkeys((*reader.entries.mistakes, *lockout(intent, variables)))


def lockout(intent: Intent, variables: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield the mistake of a firewall that is certain to keep Ansible out.

    `variables` are those of the host: ansible_connection, ansible_port, and firewall_controllers,
    the addresses from which Ansible comes in; without these, anybody who is let in may be it.
    """
    connection = str(variables.get("ansible_connection") or "ssh")
    if connection.rpartition(".")[2] not in _OVER_SSH:
        return
    port = int(variables.get("ansible_port") or _SSH)
    admitted = NOBODY
    for service in intent.services:
        if service.is_about("tcp", port):
            admitted |= service.source.addresses
    admitted &= ~intent.blocked
    wanted = f"a service with tcp port {port} for the controller"
    if not admitted:
        yield "firewall_services", f"no service with tcp port {port}, Ansible's way in", wanted
        return
    for controller in variables.get("firewall_controllers") or []:
        if Addresses.of([str(controller)]) & ~admitted:
            found = f"none that lets {controller} of firewall_controllers in"
            yield "firewall_services", found, wanted


class _Reader:
    """Reads as far as it gets."""

    def __init__(self, variables: Mapping[str, Any], directory: Directory) -> None:
        self.variables = variables
        self.entries = Entries()
        self.zones = tuple(zones_of(variables, self.entries))
        self.resolver = Resolver(self.zones, directory, self.entries)

    def read(self, needs: Needs) -> Intent:
        gateway = bool(self.variables.get("firewall_gateway", False))
        forwards = self.entries.present(self.variables, "firewall_forwards")
        translations = self.entries.present(self.variables, "firewall_nat")
        for name, there in (("firewall_forwards", forwards), ("firewall_nat", translations)):
            if there and not gateway:
                found = f"{len(there)} entries on a host that passes nothing on"
                self.entries.wrong(name, found, "an empty list, or firewall_gateway: true")
        for name in _RATES:
            rate = str(self.variables.get(name, "1/minute"))
            if not _RATE.fullmatch(rate):
                wanted = "a number per unit of time (50/second, 10/minute)"
                self.entries.wrong(name, repr(rate), wanted)
        blocked = self.variables.get("firewall_blocked") or []
        return Intent(
            services=tuple(self._services(needs)),
            zones=self.zones,
            gateway=gateway,
            forwards=tuple(self._between(entry, path) for path, entry in forwards),
            translations=tuple(self._translation(entry, path) for path, entry in translations),
            blocked=self.entries.networks(blocked, "firewall_blocked"),
        )

    def _services(self, needs: Needs) -> Iterator[Rule]:
        paths: dict[str, str] = {}
        entries: list[Mapping[str, Any]] = []
        for source, services in needs:
            variable = f"{source}_firewall_services" if source else "firewall_services"
            for path, entry in self.entries.named(variable, services):
                paths[str(entry["name"])] = path
                entries.append(entry)
        for name, service in merged(entries).items():
            if is_present(service):
                yield self._rule(service, service, paths[name])

    def _rule(self, entry: Mapping[str, Any], who: Mapping[str, Any], path: str) -> Rule:
        protocol, limit = str(entry.get("protocol") or "tcp"), entry.get("rate_limit")
        return Rule(
            name=str(entry["name"]),
            protocols=self._protocols(protocol, path),
            ports=self._ports(entry.get("ports") or [], protocol, path),
            source=self.resolver.peers(who, path),
            limit=_limit(limit) if limit else None,
            log=bool(entry.get("log", False)),
        )

    def _between(self, entry: Mapping[str, Any], path: str) -> Rule:
        """Return the rule of an entry that says from whom and to whom."""
        rule = self._rule(entry, entry.get("from") or {}, path)
        to = self.resolver.peers(entry.get("to") or {}, f"{path}.to")
        return replace(rule, destination=to)

    def _protocols(self, protocol: str, path: str) -> tuple[str, ...]:
        if protocol == ANY:
            return ()
        names = tuple(protocol.split("+"))
        known = all(name in PROTOCOLS for name in names)
        if not known or (len(names) > 1 and not set(names) <= set(WITH_PORTS)):
            wanted = f"one of {', '.join(PROTOCOLS)}, tcp+udp, {ANY}"
            self.entries.wrong(f"{path}.protocol", repr(protocol), wanted)
        return names

    def _ports(
        self, texts: Sequence[object], protocol: str, path: str
    ) -> tuple[tuple[int, int], ...]:
        has_ports = set(protocol.split("+")) <= set(WITH_PORTS)
        if has_ports and not texts:
            self.entries.wrong(f"{path}.ports", "no port", f"at least one port with {protocol}")
        if texts and not has_ports:
            self.entries.wrong(f"{path}.ports", f"ports with protocol {protocol}", "none with it")
        return tuple(filter(None, (self._span(str(text), f"{path}.ports") for text in texts)))

    def _span(self, text: str, path: str) -> tuple[int, int] | None:
        parts = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text)
        if parts:
            first, last = int(parts[1]), int(parts[2] or parts[1])
            if 0 < first <= last <= _LAST_PORT:
                return first, last
        wanted = 'a port, 1 to 65535, or a range with the lower one first, in quotes ("8000-8010")'
        self.entries.wrong(path, repr(text), wanted)
        return None

    def _translation(self, entry: Mapping[str, Any], path: str) -> Translation:
        everything = {"protocol": ANY, "from": {"zones": [ANY]}, "to": {"zones": [ANY]}}
        given = everything | {key: entry[key] for key in entry if entry[key]}
        original, address = str(given.get("original", "")), str(given.get("address", ""))
        versions = {
            self._version(text, f"{path}.{key}")
            for key, text in (("original", original), ("address", address))
            if text
        } or {_FAMILIES[given.get("family", "ipv4")]}
        if len(versions) > 1:
            found = f"{original} and {address}"
            self.entries.wrong(path, found, "original and address of one family")
        return Translation(
            kind=str(entry["type"]),
            match=self._between(given, path),
            version=max(versions),
            interface=str(given.get("interface", "")),
            original=original,
            address=address,
            port=given.get("port"),
        )

    def _version(self, text: str, path: str) -> int:
        try:
            return ip_address(text).version
        except ValueError:
            self.entries.wrong(path, repr(text), "an IP address (192.0.2.1, 2001:db8::1)")
            return 4


def _limit(given: Mapping[str, Any]) -> Limit:
    connections = int(given["connections"])
    return Limit(
        connections, str(given.get("per") or "minute"), int(given.get("burst") or connections)
    )
