# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules that no type can state: between the variables of a host, and between hosts. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_peers import Directory
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_read import mistakes_of
from ansible_collections.servertechnik.core.plugins.plugin_utils._links import (
    Address,
    LinkError,
    addresses_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._resolver import contradictions
from ansible_collections.servertechnik.core.plugins.plugin_utils._rules_links import (
    broken_by_links,
    links_placed,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._specs import Mistake
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_read import (
    VARIABLES as STORAGE,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_read import (
    mistakes_of as storage_mistakes_of,
)

Need = tuple[str, Sequence[Mapping[str, Any]]]
OriginOf = Callable[[Any], str]

# What the rules look at, beside what roles need of the firewall (`ROLE_firewall_services`).
SERVICES = "firewall_services"
NETWORK = ("network_networks", "network_links")
FIREWALL = (
    *("firewall_zones", "firewall_gateway", "firewall_forwards", "firewall_nat"),
    *("firewall_blocked", "firewall_controllers"),
)
RESOLVER = (
    *("resolver_mode", "resolver_nameservers", "resolver_search_domains", "resolver_settings"),
    *("resolver_fallback_nameservers", "resolver_dnssec", "resolver_dns_over_tls"),
    *("resolver_listen", "resolver_hosts"),
)
CONNECTION = ("ansible_host", "ansible_port", "ansible_connection")
# Stands for the addresses of a host that can't be told before its facts are known.
_UNTOLD = ("::",)


@dataclass(frozen=True)
class Subject:
    """A host: those of its variables that are sound, and what its firewall has to let in.

    A variable that is not among `variables` doesn't exist; one in `untold` can't be judged. Without
    `needs`, the host has no firewall, or it can't be judged.
    """

    name: str
    variables: Mapping[str, Any]
    untold: frozenset[str] = frozenset()
    needs: Sequence[Need] | None = None

    @property
    def has_known_links(self) -> bool:
        """Whether its networks and links can be judged."""
        return not self.untold & set(NETWORK)


def broken_rules(
    subjects: Iterable[Subject],
    groups: Mapping[str, Sequence[str]],
    origin_of: OriginOf,
) -> Iterator[tuple[str, Mistake]]:
    """Yield the name of a host and a mistake, for all hosts of the inventory.

    `groups` are the hosts by group, `all` among them; `origin_of` tells where a value was written.
    """
    hosts = list(subjects)
    sound: list[Subject] = []
    for host in hosts:
        broken = list(broken_by_links(host.variables)) if host.has_known_links else []
        yield from ((host.name, _mistake(host, one, origin_of)) for one in broken)
        if host.has_known_links and _addresses_are_known(host):
            sound.append(host)
        yield from ((host.name, _mistake(host, one, origin_of)) for one in _names(host))
        if not host.untold & set(STORAGE):
            stored = storage_mistakes_of(host.variables)
            yield from ((host.name, _mistake(host, one, origin_of)) for one in stored)
    yield from _shared_addresses(sound, origin_of)
    addresses = {host.name: addresses_of(host.variables) for host in sound}
    directory = Directory(groups, lambda name: addresses.get(name, _UNTOLD))
    for host in hosts:
        if host.needs is not None and not host.untold & set(FIREWALL):
            for one in mistakes_of(host.variables, host.needs, directory):
                yield host.name, _mistake(host, one, origin_of)


def _names(host: Subject) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with how a host resolves names and answers others."""
    if host.untold & set(RESOLVER) or not set(RESOLVER) <= host.variables.keys():
        return
    for sentence in contradictions(host.variables):
        path, told = sentence.split(": found ", 1)
        found, accepted = told.rsplit("; accepted: ", 1)
        yield path, found, accepted
    if not host.has_known_links or not _addresses_are_known(host):
        return
    own = addresses_of(host.variables) if host.variables.get("network_links") else []
    for number, address in enumerate(host.variables["resolver_listen"]):
        if own and str(ip_address(address)) not in own:
            wanted = f"an address of the host ({', '.join(own)})"
            yield f"resolver_listen[{number}]", repr(str(address)), wanted


def _addresses_are_known(host: Subject) -> bool:
    try:
        found = addresses_of(host.variables)
    except LinkError:
        return False
    return bool(found) or "ansible_host" not in host.untold


def _shared_addresses(
    hosts: Iterable[Subject], origin_of: OriginOf
) -> Iterator[tuple[str, Mistake]]:
    """Yield addresses that a host, or another link, has already."""
    owners: dict[tuple[Address, object], tuple[str, str]] = {}
    for host in hosts:
        for address, port, path in _stated(host.variables):
            former, place = owners.setdefault((address, port), (host.name, path))
            if (former, place) != (host.name, path):
                whose = place if former == host.name else f"host {former}"
                broken = path, f"{address}, also that of {whose}", "an address that no other has"
                yield host.name, _mistake(host, broken, origin_of)


def _stated(variables: Mapping[str, Any]) -> Iterator[tuple[Address, object, str]]:
    """Yield the addresses of a host with their places.

    One that is only known by where Ansible finds it may share that with others behind one address,
    then by ports of their own. What counts within a link or a host alone may be anywhere.
    """
    placed = links_placed(variables)
    for path, link in placed:
        for number, one in enumerate(link.interfaces):
            if not one.ip.is_link_local and not one.ip.is_loopback:
                yield one.ip, None, f"{path}.addresses[{number}]"
    if not any(link.interfaces for _path, link in placed):
        port = variables.get("ansible_port") or None
        for text in addresses_of(variables):
            address = ip_address(text)
            if not address.is_loopback:
                yield address, port, "ansible_host"


def _mistake(host: Subject, broken: tuple[str, str, str], origin_of: OriginOf) -> Mistake:
    path, found, accepted = broken
    return Mistake(path, found, accepted, _origin(_known(host), path, origin_of))


def _known(host: Subject) -> dict[str, Any]:
    needs = host.needs or ()
    stated = {f"{role}_{SERVICES}".lstrip("_"): list(services) for role, services in needs}
    return {**host.variables, **stated}


def _origin(variables: Mapping[str, Any], path: str, origin_of: OriginOf) -> str:
    """Return where the innermost part of a place was written that knows it."""
    value: Any = variables
    told = ""
    for key, index in re.findall(r"(\w+)|\[([^\]]+)\]", path):
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and index:
            value = _entry(value, index)
        else:
            break
        told = origin_of(value) or told
    return told


def _entry(entries: list[Any], index: str) -> Any:
    """Return an entry of a list, by its number or its name."""
    if index.isdigit():
        return entries[int(index)] if int(index) < len(entries) else None
    named = (one for one in entries if isinstance(one, Mapping) and str(one.get("name")) == index)
    return next(named, None)
