# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The links of a host as its variables describe them, what their networks say included. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any

Address = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface
Network = IPv4Network | IPv6Network

LINKS = "network_links"
NETWORKS = "network_networks"
WITH_PORTS = ("bridge", "bond")
_BOOLEANS = {True: "yes", False: "no"}


class LinkError(ValueError):
    """A link that can't be: where it is written, what was found there, what is accepted."""

    def __init__(self, path: str, found: str, accepted: str) -> None:
        """Keep the parts, for those who want to tell them in another form."""
        super().__init__(f"{path}: found {found}; accepted: {accepted}")
        self.path = path
        self.found = found
        self.accepted = accepted


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A network as `network_networks` states it once for all hosts."""

    name: str
    prefixes: tuple[Network, ...] = ()
    vlan: int | None = None
    gateways: tuple[Address, ...] = ()
    nameservers: tuple[str, ...] = ()
    search_domains: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link of one host. `match` (mac, path, driver) finds it where its name is not enough.

    A name beside a match is the name that the link is to get. Numbers are those of the variables:
    `mtu` in bytes, `metric` of the routes to the gateways.
    """

    name: str = ""
    type: str = "ethernet"
    match: Mapping[str, str] = field(default_factory=dict)
    network: str = ""
    interfaces: tuple[Interface, ...] = ()
    gateways: tuple[Address, ...] = ()
    nameservers: tuple[str, ...] = ()
    search_domains: tuple[str, ...] = ()
    dhcp: str = "no"
    accept_ra: bool = False
    ipv6_privacy: bool = False
    routes: tuple[Mapping[str, Any], ...] = ()
    rules: tuple[Mapping[str, Any], ...] = ()
    metric: int | None = None
    mtu: int | None = None
    mac: str = ""
    wake_on_lan: tuple[str, ...] | None = None
    required_for_online: bool | None = None
    detect_duplicates: bool = False
    ports: tuple[str, ...] = ()
    bond: Mapping[str, Any] = field(default_factory=dict)
    bridge: Mapping[str, Any] = field(default_factory=dict)
    vlan: int | None = None
    parent: str = ""

    @property
    def label(self) -> str:
        """The link in words: its name, or else what it is found by."""
        return self.name or " ".join(f"{key} {self.match[key]}" for key in self.match)


def links_of(variables: Mapping[str, Any]) -> list[Link]:
    """Return the links that a host is to have, in the order of `network_links`.

    `variables` are those of one host; a link with state absent is not among the links. What a link
    doesn't say itself, its network says: prefix lengths, VLAN, gateways, name servers and search
    domains. Raises LinkError.
    """
    segments = segments_of(variables)
    links = [
        _link(given, f"{LINKS}[{number}]", segments)
        for number, given in enumerate(_list(variables, LINKS))
        if given.get("state", "present") == "present"
    ]
    _check_names(links)
    return links


def segments_of(variables: Mapping[str, Any]) -> dict[str, Segment]:
    """Return the networks that the variables of a host tell of, by name. Raises LinkError."""
    segments: dict[str, Segment] = {}
    for number, given in enumerate(_list(variables, NETWORKS)):
        path, name = f"{NETWORKS}[{number}]", str(given["name"])
        if name in segments:
            raise LinkError(f"{path}.name", f"{name} once more", "a name of its own")
        segments[name] = Segment(
            name=name,
            prefixes=tuple(
                _parsed(ip_network, text, f"{path}.prefixes[{n}]", "a network (198.51.100.0/25)")
                for n, text in enumerate(_list(given, "prefixes"))
            ),
            vlan=given.get("vlan"),
            gateways=_addresses(given, "gateways", path),
            nameservers=_texts(given, "nameservers"),
            search_domains=_texts(given, "search_domains"),
        )
    return segments


def addresses_of(variables: Mapping[str, Any]) -> list[str]:
    """Return the static addresses of a host, both families, in the order of its links.

    A host without any is known by `ansible_host`, if that is an address. Raises LinkError.
    """
    found = [str(one.ip) for link in links_of(variables) for one in link.interfaces]
    if not found:
        try:
            found = [str(ip_address(str(variables.get("ansible_host", ""))))]
        except ValueError:
            return []
    return list(dict.fromkeys(found))


def _link(given: Mapping[str, Any], path: str, segments: Mapping[str, Segment]) -> Link:
    segment = _segment(given, path, segments)
    kind, vlan = given.get("type", "ethernet"), given.get("vlan") or {}
    interfaces = tuple(
        _interface(str(text), segment, f"{path}.addresses[{number}]")
        for number, text in enumerate(_list(given, "addresses"))
    )
    dhcp = str(_BOOLEANS.get(given.get("dhcp", "no"), given.get("dhcp", "no")))
    link = Link(
        name=str(given.get("name") or ""),
        type=kind,
        match={key: str(value) for key, value in (given.get("match") or {}).items() if value},
        network=segment.name,
        interfaces=interfaces,
        gateways=_addresses(given, "gateways", path)
        if given.get("gateways") is not None
        else tuple(_gateways(segment, interfaces)),
        nameservers=_texts(given, "nameservers", segment.nameservers),
        search_domains=_texts(given, "search_domains", segment.search_domains),
        dhcp=dhcp,
        # DHCPv6 knows no gateways: they come with the announcements of routers.
        accept_ra=bool(given.get("accept_ra", dhcp in ("ipv6", "yes"))),
        ipv6_privacy=bool(given.get("ipv6_privacy", False)),
        routes=tuple(_list(given, "routes")),
        rules=tuple(_list(given, "rules")),
        metric=given.get("metric"),
        mtu=given.get("mtu"),
        mac=str(given.get("mac") or ""),
        wake_on_lan=None if given.get("wake_on_lan") is None else _texts(given, "wake_on_lan"),
        required_for_online=given.get("required_for_online"),
        detect_duplicates=bool(given.get("detect_duplicates", False)),
        ports=_texts(given, "ports"),
        bond=given.get("bond") or {},
        bridge=given.get("bridge") or {},
        vlan=vlan.get("id", segment.vlan) if kind == "vlan" else None,
        parent=str(vlan.get("link") or ""),
    )
    _check(link, path)
    return link


def _segment(given: Mapping[str, Any], path: str, segments: Mapping[str, Segment]) -> Segment:
    name = str(given.get("network") or "")
    if name and name not in segments:
        known = ", ".join(segments) or "none, since network_networks is empty"
        raise LinkError(f"{path}.network", repr(name), f"a name of {NETWORKS}: {known}")
    return segments.get(name, Segment(name=""))


def _interface(text: str, segment: Segment, path: str) -> Interface:
    """Return an address with its prefix length, its own or that of the network that holds it."""
    wanted = "an address with its prefix length (198.51.100.10/25), or without in a network"
    interface: Interface = _parsed(ip_interface, text, path, wanted)
    if "/" in text:
        return interface
    holding = [prefix for prefix in segment.prefixes if interface.ip in prefix]
    if not holding:
        known = ", ".join(map(str, segment.prefixes))
        where = f"an address in {known} (network {segment.name})" if known else wanted
        raise LinkError(path, repr(text), where)
    length = max(prefix.prefixlen for prefix in holding)
    return ip_interface(f"{text}/{length}")


def _gateways(segment: Segment, interfaces: Sequence[Interface]) -> Iterator[Address]:
    """Yield the gateways of a network for the families that a link has; none leads to itself."""
    versions = {interface.version for interface in interfaces}
    own = {interface.ip for interface in interfaces}
    if not own & set(segment.gateways):
        yield from (gateway for gateway in segment.gateways if gateway.version in versions)


def _check(link: Link, path: str) -> None:
    """Refuse what no kernel can make. Raises LinkError."""
    if not link.name and (link.type != "ethernet" or not link.match):
        wanted = "a name, or for an ethernet link a match" if not link.match else "a name"
        raise LinkError(path, f"a link of type {link.type} without a name", wanted)
    if link.match and link.type != "ethernet":
        raise LinkError(f"{path}.match", f"a match on a {link.type}", "a match on ethernet alone")
    if link.ports and link.type not in WITH_PORTS:
        raise LinkError(f"{path}.ports", f"ports on type {link.type}", "ports of a bridge or bond")
    if link.type == "vlan" and (link.vlan is None or not link.parent):
        lacks = "an id" if link.vlan is None else "the link that carries it"
        raise LinkError(
            f"{path}.vlan", f"a VLAN without {lacks}", "id (or a network with one) and link"
        )


def _check_names(links: Iterable[Link]) -> None:
    names: set[str] = set()
    masters: dict[str, str] = {}
    for link in links:
        if link.name in names:
            raise LinkError(LINKS, f"{link.name} twice", "each name once")
        names.add(link.name or link.label)
        for port in link.ports:
            if port in masters or port == link.name:
                other = masters.get(port, "itself")
                raise LinkError(
                    LINKS, f"{port} as a port of {link.name} and of {other}", "one owner for a port"
                )
            masters[port] = link.name


def _list(given: Mapping[str, Any], name: str) -> Sequence[Any]:
    return given.get(name) or []


def _texts(given: Mapping[str, Any], name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    return default if given.get(name) is None else tuple(map(str, given[name]))


def _addresses(given: Mapping[str, Any], name: str, path: str) -> tuple[Address, ...]:
    return tuple(
        _parsed(ip_address, text, f"{path}.{name}[{number}]", "an address (198.51.100.1)")
        for number, text in enumerate(_list(given, name))
    )


def _parsed(parse: Any, text: object, path: str, wanted: str) -> Any:
    try:
        return parse(str(text))
    except ValueError:
        raise LinkError(path, repr(str(text)), wanted) from None
