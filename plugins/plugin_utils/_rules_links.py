# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules for the links of one host: what its types allow and no network would bear. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._links import (
    LINKS,
    NETWORKS,
    Address,
    Interface,
    Link,
    LinkError,
    Segment,
    links_of,
    segments_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._networkd import files_of

# A place in a variable, what was found there, what is accepted.
Broken = tuple[str, str, str]
# The place of a link in the variable, and the link.
Placed = tuple[str, Link]
_IPV6_MTU = 1280


def links_placed(variables: Mapping[str, Any]) -> list[Placed]:
    """Return the links of a host with their places. Raises LinkError."""
    given = variables.get(LINKS) or []
    there = [n for n, one in enumerate(given) if one.get("state", "present") == "present"]
    links = links_of(variables)
    return [(f"{LINKS}[{n}]", link) for n, link in zip(there, links, strict=True)]


def broken_by_links(variables: Mapping[str, Any]) -> Iterator[Broken]:
    """Yield what is wrong with the networks and links of one host.

    `variables` are those of the host; their types must have been checked (argument_specs).
    """
    errors = list(_refused(variables))
    yield from errors
    if errors:
        return
    segments = segments_of(variables)
    yield from _segments(segments)
    placed = links_placed(variables)
    given = enumerate(variables.get(LINKS) or [])
    with_gateways = {f"{LINKS}[{n}]" for n, one in given if one.get("gateways") is not None}
    for path, link in placed:
        segment = segments.get(link.network, Segment(name=""))
        yield from _addresses(path, link, segment)
        yield from _gateways(path, link, segment, is_own=path in with_gateways)
        yield from _routes(path, link)
        yield from _mtu(path, link, placed)
        if link.type == "vlan" and segment.vlan not in (None, link.vlan):
            wanted = f"{segment.vlan} (network {segment.name}), or none"
            yield f"{path}.vlan.id", str(link.vlan), wanted
    yield from _defaults(placed)
    yield from _ports(variables, placed)
    yield from _vlans(placed)


def _refused(variables: Mapping[str, Any]) -> Iterator[Broken]:
    """Yield what the model itself refuses: of each link alone, or else of all together."""
    alone = [error for number in range(len(variables.get(LINKS) or []))
             if (error := _refusal(variables, number))]  # fmt: skip
    together = None if alone else _refusal(variables)
    for error in (*alone, *filter(None, [together])):
        yield error.path, error.found, error.accepted


def _refusal(variables: Mapping[str, Any], number: int | None = None) -> LinkError | None:
    links = variables.get(LINKS) or []
    chosen = links if number is None else [links[number]]
    try:
        files_of(links_of({**variables, LINKS: chosen}))
    except LinkError as error:
        if number is None:
            return error
        path = error.path.replace(f"{LINKS}[0]", f"{LINKS}[{number}]")
        return LinkError(path, error.found, error.accepted)
    return None


def _segments(segments: Mapping[str, Segment]) -> Iterator[Broken]:
    """Yield gateways outside of their network, and networks that overlap."""
    former: list[Segment] = []
    for number, segment in enumerate(segments.values()):
        path = f"{NETWORKS}[{number}]"
        for n, gateway in enumerate(segment.gateways):
            if not gateway.is_link_local and not any(gateway in one for one in segment.prefixes):
                yield f"{path}.gateways[{n}]", repr(str(gateway)), _within(segment)
        for n, prefix in enumerate(segment.prefixes):
            for other in former:
                for theirs in other.prefixes:
                    if prefix.version == theirs.version and prefix.overlaps(theirs):
                        found = f"{prefix}, which overlaps {theirs} of network {other.name}"
                        yield f"{path}.prefixes[{n}]", found, "a prefix of its own"
        former.append(segment)


def _within(segment: Segment) -> str:
    known = ", ".join(map(str, segment.prefixes)) or "its prefixes, of which it has none"
    return f"an address in {known} (network {segment.name})"


def _addresses(path: str, link: Link, segment: Segment) -> Iterator[Broken]:
    """Yield addresses outside of their network, with a length not its own, or of no host."""
    for number, one in enumerate(link.interfaces):
        place = f"{path}.addresses[{number}]"
        holding = [prefix for prefix in segment.prefixes if one.ip in prefix]
        is_single = one.network.prefixlen == one.max_prefixlen
        if segment.prefixes and not holding:
            yield place, repr(str(one)), _within(segment)
        elif holding and one.network not in holding and not is_single:
            lengths = " or ".join(f"/{prefix.prefixlen}" for prefix in holding)
            found = f"{str(one)!r}, whose network would be {one.network}"
            yield place, found, f"{lengths} (network {segment.name}), or no prefix length"
        elif _is_reserved(one):
            what = "first" if one.ip == one.network.network_address else "broadcast"
            yield place, f"{one.ip}, the {what} address of {one.network}", "the address of a host"


def _is_reserved(one: Interface) -> bool:
    """Whether an address stands for its network or all of its hosts, as far as it has these.

    RFC 3021 and RFC 6164: networks of two addresses have hosts alone.
    """
    if one.max_prefixlen - one.network.prefixlen < 2:  # noqa: PLR2004 -- two addresses or one
        return False
    is_broadcast = one.version == 4 and one.ip == one.network.broadcast_address  # noqa: PLR2004 -- IPv4
    return one.ip == one.network.network_address or is_broadcast


def _gateways(path: str, link: Link, segment: Segment, *, is_own: bool) -> Iterator[Broken]:
    """Yield gateways out of reach, the link's own or, if they fit there, those of its network."""
    for number, gateway in enumerate(link.gateways):
        if is_own:
            yield from _unreachable(f"{path}.gateways[{number}]", gateway, link)
        elif any(gateway in prefix for prefix in segment.prefixes):
            yield from _unreachable(f"{path}.network", gateway, link)


def _routes(path: str, link: Link) -> Iterator[Broken]:
    for number, route in enumerate(link.routes):
        if route.get("via") and not route.get("onlink"):
            yield from _unreachable(
                f"{path}.routes[{number}].via", ip_address(str(route["via"])), link
            )


def _unreachable(place: str, gateway: Address, link: Link) -> Iterator[Broken]:
    """Yield a gateway that no address of the link has for a neighbour."""
    own = [one for one in link.interfaces if one.version == gateway.version]
    if gateway in {one.ip for one in own}:
        yield place, f"{str(gateway)!r}, the address of {link.label} itself", "that of another host"
    learned = {4: link.dhcp in ("ipv4", "yes"), 6: link.dhcp in ("ipv6", "yes") or link.accept_ra}
    near = any(gateway in one.network for one in own)
    if near or gateway.is_link_local or learned[gateway.version]:
        return
    networks = ", ".join(str(one.network) for one in own)
    wanted = f"an address in {networks}" if own else f"none without an IPv{gateway.version} address"
    yield place, f"{str(gateway)!r}, which no address of {link.label} reaches", wanted


def _mtu(path: str, link: Link, placed: Sequence[Placed]) -> Iterator[Broken]:
    if link.mtu is None:
        return
    if link.mtu < _IPV6_MTU and any(one.version == 6 for one in link.interfaces):  # noqa: PLR2004 -- IPv6
        yield f"{path}.mtu", f"{link.mtu} with an IPv6 address", f"at least {_IPV6_MTU} (RFC 8200)"
    for _path, carrier in placed:
        if carrier.name == link.parent and link.parent and link.mtu > (carrier.mtu or link.mtu):
            found = f"{link.mtu}, more than the {carrier.mtu} of {carrier.name} below"
            yield f"{path}.mtu", found, f"at most {carrier.mtu}"


def _defaults(placed: Sequence[Placed]) -> Iterator[Broken]:
    """Yield gateways between which the host could not choose."""
    former: dict[tuple[int, int | None], str] = {}
    for path, link in placed:
        for gateway in link.gateways:
            words = f"{gateway} of {link.label}"
            before = former.setdefault((gateway.version, link.metric), words)
            if before != words:
                found = f"{words} beside {before}, both the way to everywhere"
                wanted = f"one for IPv{gateway.version} (gateways: [] for none), or another metric"
                yield f"{path}.gateways", found, wanted


def _ports(variables: Mapping[str, Any], placed: Sequence[Placed]) -> Iterator[Broken]:
    """Yield ports and carriers that aren't to be there, and bridges in bridges."""
    types = {link.name: link.type for _path, link in placed}
    given = variables.get(LINKS) or []
    absent = {str(one.get("name")) for one in given if one.get("state") == "absent"} - types.keys()
    for path, link in placed:
        for number, port in enumerate(link.ports):
            if port in absent:
                yield f"{path}.ports[{number}]", f"{port!r}, a link that is absent", "one that is"
            elif link.type == "bridge" and types.get(port) == "bridge":
                yield f"{path}.ports[{number}]", f"{port!r}, itself a bridge", "other types"
        if link.parent in absent:
            yield f"{path}.vlan.link", f"{link.parent!r}, a link that is absent", "one that is"


def _vlans(placed: Sequence[Placed]) -> Iterator[Broken]:
    former: dict[tuple[str, int | None], str] = {}
    for path, link in placed:
        if link.type == "vlan":
            before = former.setdefault((link.parent, link.vlan), link.name)
            if before != link.name:
                found = f"{link.vlan} on {link.parent}, which {before} has as well"
                yield f"{path}.vlan.id", found, "each VLAN once"
