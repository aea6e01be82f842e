# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Links as files of systemd-networkd and udev: systemd.network(5), .netdev(5), .link(5). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Interface
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._links import (
    Interface,
    Link,
    LinkError,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._networkd_names import (
    BOND,
    BRIDGE,
    MATCH,
    ROUTE,
    RULE,
)

MARK = "# Managed by Servertechnik: network_links\n"
Settings = Iterable[tuple[str, Any]]
Section = tuple[str, Settings]

_EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


@dataclass
class Uses:
    """What other links make of a link: the bridge or bond that it is a port of, its VLANs."""

    master: Link | None = None
    vlans: list[str] = field(default_factory=list)


def files_of(links: Sequence[Link]) -> dict[str, str]:
    """Return the files for /etc/systemd/network by name, for links and for those that they need.

    A port or a carrier of VLANs that is not among `links` is an ethernet link of that name without
    addresses of its own. Raises LinkError.
    """
    uses = _uses(links)
    known = {link.name for link in links}
    implied = [Link(name=name) for name in uses if name not in known]
    files: dict[str, str] = {}
    for link in [*links, *implied]:
        stem = f"10-{re.sub(r'[^A-Za-z0-9._-]+', '-', link.label)}"
        use = uses.get(link.name, Uses()) if link.name else Uses()
        files.update(
            (f"{stem}.{suffix}", _text(sections))
            for suffix, sections in (
                ("link", _link(link)),
                ("netdev", _netdev(link)),
                ("network", _network(link, use)),
            )
            if sections
        )
    return files


def _uses(links: Iterable[Link]) -> dict[str, Uses]:
    uses: dict[str, Uses] = {}
    for link in links:
        for port in link.ports:
            uses.setdefault(port, Uses()).master = link
        if link.parent:
            uses.setdefault(link.parent, Uses()).vlans.append(link.name)
    for link in links:
        if link.name and uses.get(link.name, Uses()).master and is_addressed(link):
            master = uses[link.name].master.name  # type: ignore[union-attr]  # as just seen
            raise LinkError(
                f"network_links ({link.name})",
                f"addresses on a port of {master}",
                f"a port without addresses, dhcp and accept_ra; {master} has them",
            )
    return uses


def is_addressed(link: Link) -> bool:
    """Whether a link has addresses, its own or from the network."""
    return bool(link.interfaces or link.accept_ra or link.dhcp != "no")


def _link(link: Link) -> list[Section]:
    """Return what udev does to a device: rename it, have it wake the host."""
    renamed = bool(link.name and link.match)
    if link.wake_on_lan is not None and not link.match:
        raise LinkError(
            f"network_links ({link.name})",
            "wake_on_lan on a link that is known by its name alone",
            "a match by mac, path or driver beside it: udev sets this before names are given",
        )
    if not renamed and link.wake_on_lan is None:
        return []
    # The first file that matches is the only one, so this one says what 99-default.link does.
    names = [("Name", link.name)] if renamed else [("NamePolicy", _NAMES)]
    return [
        ("Match", _match(link)),
        (
            "Link",
            [
                *names,
                ("AlternativeNamesPolicy", "database onboard slot path mac"),
                ("MACAddressPolicy", "persistent"),
                ("WakeOnLan", None if link.wake_on_lan is None else link.wake_on_lan or "off"),
            ],
        ),
    ]


_NAMES = "keep kernel database onboard slot path"


def _match(link: Link) -> Settings:
    return [(MATCH[key], value) for key, value in link.match.items()]


def _netdev(link: Link) -> list[Section]:
    if link.type == "ethernet":
        return []
    head: Section = (
        "NetDev", [("Name", link.name), ("Kind", link.type), ("MACAddress", link.mac or None)]
    )  # fmt: skip
    if link.type == "vlan":
        return [head, ("VLAN", [("Id", link.vlan)])]
    if link.type == "bridge":
        return [head, ("Bridge", _named(link.bridge, BRIDGE))]
    if link.type == "bond":
        watch = {} if "arp_interval" in link.bond else {"mii_monitor": 100}
        return [head, ("Bond", _named({**watch, **link.bond}, BOND))]
    return [head]


def _network(link: Link, use: Uses) -> list[Section]:
    own_mac = link.mac if link.type == "ethernet" else ""
    addressed = is_addressed(link)
    return [
        ("Match", [("Name", link.name)] if link.name else _match(link)),
        (
            "Link",
            [
                ("MTUBytes", link.mtu),
                ("MACAddress", own_mac or None),
                ("RequiredForOnline", _required(link, use)),
            ],
        ),
        ("Network", _network_settings(link, use)),
        *(("Address", _address(link, one)) for one in link.interfaces),
        *(
            ("Route", [("Gateway", gateway), ("Metric", link.metric)])
            for gateway in (link.gateways if addressed else ())
        ),
        *(("Route", _route(route)) for route in link.routes),
        *(("RoutingPolicyRule", _named(rule, RULE)) for rule in link.rules),
        *_from_network(link),
    ]


def _network_settings(link: Link, use: Uses) -> Iterator[tuple[str, Any]]:
    """Yield the section Network."""
    master = use.master
    yield "DHCP", link.dhcp
    yield "IPv6AcceptRA", link.accept_ra
    yield "LinkLocalAddressing", "ipv6" if is_addressed(link) else "no"
    if link.dhcp != "no":
        yield "KeepConfiguration", "dhcp-on-stop"
    if link.accept_ra:
        yield "IPv6PrivacyExtensions", link.ipv6_privacy
    # A bridge has a carrier only once one of its ports has, and its address is wanted before.
    if link.type == "bridge":
        yield "ConfigureWithoutCarrier", True
    if master:
        yield master.type.capitalize(), master.name
        if link.name == master.bond.get("primary"):
            yield "PrimarySlave", True
    yield from (("VLAN", name) for name in use.vlans)
    yield from (("DNS", server) for server in link.nameservers)
    yield "Domains", link.search_domains or None


def _required(link: Link, use: Uses) -> bool | str:
    """Return what the host waits for at boot: addresses, and ports of bridges.

    A bond works with one port of several, and a bridge without ports never has a carrier.
    """
    if link.required_for_online is not None:
        return link.required_for_online
    if use.master:
        return "enslaved" if use.master.type == "bridge" else False
    return is_addressed(link) and not (link.type == "bridge" and not link.ports)


def _address(link: Link, interface: Interface) -> Settings:
    """Return the section Address; the kernel itself looks for duplicates of IPv6 alone."""
    has_carrier = link.type != "bridge" or bool(link.ports)
    check = "ipv4" if link.detect_duplicates and has_carrier else None
    if isinstance(interface, IPv6Interface):
        # Without a carrier the kernel would never be done with it, and so would networkd.
        check = None if has_carrier else "none"
    return [("Address", interface), ("DuplicateAddressDetection", check)]


def _route(route: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield a section Route; the default route is named by its family."""
    to = str(route.get("to", "default"))
    if to != "default":
        yield "Destination", to
    elif not route.get("via"):
        hint = f"{route.get('source', '')}"
        yield "Destination", _EVERYWHERE[6 if ":" in hint else 4]
    yield from _named(route, ROUTE)


def _from_network(link: Link) -> Iterator[Section]:
    """Yield what is done with what DHCP and routers announce."""
    if link.dhcp in ("ipv4", "yes"):
        # The hardware's own number, under which address servers know a host from its first boot.
        yield "DHCPv4", [("ClientIdentifier", "mac"), ("RouteMetric", link.metric)]
    if link.accept_ra and link.metric is not None:
        yield "IPv6AcceptRA", [("RouteMetric", link.metric)]


def _named(given: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Yield settings in the order of `names`, each with its unit if it has one."""
    for key, words in names.items():
        name, _space, unit = words.partition(" ")
        value = given.get(key)
        yield name, f"{value}{unit}" if unit and value is not None else value


def _text(sections: Iterable[Section]) -> str:
    """Return the text of a file; settings without a value and empty sections are left out."""
    blocks = []
    for name, settings in sections:
        lines = [f"{key}={_value(value)}\n" for key, value in settings if value is not None]
        if lines:
            blocks.append(f"[{name}]\n" + "".join(lines))
    return MARK + "\n".join(blocks)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)
