# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Links in plain words, one line for each thing that can change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._links import Link

_DHCP = {"ipv4": "IPv4", "ipv6": "IPv6", "yes": "IPv4 and IPv6"}
# How the options of a route read after its destination, and those of a rule, in this order.
_ROUTE = {
    "via": "through {}",
    "source": "from {}",
    "metric": "with metric {}",
    "table": "in table {}",
    "scope": "with scope {}",
    "mtu": "in packets of {} bytes",
}
_RULE = {
    "from": "from {}",
    "to": "to {}",
    "iif": "in by {}",
    "oif": "out by {}",
    "fwmark": "with mark {}",
    "table": "look in table {}",
    "type": "are {}",
    "priority": "with priority {}",
    "suppress_prefix_length": "without prefixes up to {}",
}


def outline_of(links: Iterable[Link]) -> str:
    """Return a text for people with one line for each link, address, route, rule and name."""
    return "".join(f"{link.label}: {line}\n" for link in links for line in _lines(link))


def _lines(link: Link) -> Iterator[str]:
    yield _kind(link)
    if link.match and link.name:
        yield f"is the device with {_pairs(link.match)}"
    where = f" in {link.network}" if link.network else ""
    yield from (f"address {interface}{where}" for interface in link.interfaces)
    if link.dhcp != "no":
        yield f"addresses by DHCP for {_DHCP[link.dhcp]}"
    if link.accept_ra:
        privacy = ", changing for privacy" if link.ipv6_privacy else ""
        yield f"addresses as routers announce{privacy}"
    yield from (f"default route through {gateway}" for gateway in link.gateways)
    yield from (_route(route) for route in link.routes)
    yield from (f"packets {_said(rule, _RULE)}" for rule in link.rules)
    yield from (f"name server {server}" for server in link.nameservers)
    yield from (f"search domain {domain}" for domain in link.search_domains)
    yield from (f"{option} {value}" for option, value in _options(link) if value not in (None, ""))


def _kind(link: Link) -> str:
    kinds = {
        "vlan": f"VLAN {link.vlan} on {link.parent}",
        "bridge": f"bridge of {', '.join(link.ports) or 'no ports'}",
        "bond": f"bond of {', '.join(link.ports)}",
        "dummy": "a link that leads nowhere",
    }
    return kinds.get(link.type, link.type)


def _options(link: Link) -> Iterator[tuple[str, Any]]:
    yield "MTU", link.mtu
    yield "MAC address", link.mac
    yield "metric", link.metric
    if link.wake_on_lan is not None:
        yield "wake-on-LAN by", ", ".join(link.wake_on_lan) or "nothing"
    if link.required_for_online is not None:
        yield "needed at boot:", "yes" if link.required_for_online else "no"
    for options in (link.bond, link.bridge):
        yield from ((key.replace("_", " "), _plain(value)) for key, value in options.items())


def _route(route: Mapping[str, Any]) -> str:
    to = str(route.get("to", "default"))
    kind = route.get("type", "unicast")
    head = "default route" if to == "default" else f"route to {to}"
    return " ".join(
        [head if kind == "unicast" else f"{kind} {head}", *filter(None, [_said(route, _ROUTE)])]
    )


def _said(given: Mapping[str, Any], phrases: Mapping[str, str]) -> str:
    return " ".join(
        p.format(given[key]) for key, p in phrases.items() if given.get(key) is not None
    )


def _pairs(values: Mapping[str, str]) -> str:
    return " and ".join(f"{key} {value}" for key, value in values.items())


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
