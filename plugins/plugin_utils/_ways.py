# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How packets get from one host of the inventory to another, as the hosts' links say. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from ansible_collections.servertechnik.core.plugins.plugin_utils._links import (
    Address,
    Link,
    Network,
)

_MOST_HOPS = 16


@dataclass(frozen=True)
class Exit:
    """Where packets leave a host: the link, its address there, the router if there is one."""

    link: str
    source: Address
    router: Address | None


@dataclass(frozen=True)
class Hop:
    """A host that passes packets on, the link by which they leave it, and its address there."""

    host: str
    link: str
    address: str


@dataclass(frozen=True)
class Way:
    """From an address of one host to an address of another, by way of gateways.

    `beyond` is a router on the way that is no host of the inventory, empty if there is none; what
    it does isn't known.
    """

    start: str
    source: str
    to: str
    destination: str
    hops: tuple[Hop, ...] = ()
    beyond: str = ""


class NoWayError(ValueError):
    """No way, or one that can't be judged; the text says why."""


@dataclass(frozen=True)
class Routes:
    """The links of all hosts, and the addresses of those whose links aren't known."""

    links: Mapping[str, Sequence[Link]]
    addresses: Mapping[str, Sequence[str]]

    def owner(self, address: str) -> str:
        """Return the host that has an address, empty if none does."""
        for host, texts in self.addresses.items():
            if address in texts:
                return host
        return ""

    def way(self, start: str, destination: str) -> Way:
        """Return the way from a host to an address of another. Raises NoWayError.

        A way on which answers would come back through other gateways is none: a firewall that
        knows of connections drops one side of it.
        """
        to = self.owner(destination)
        way = self._one_way(start, to, destination)
        if not way.beyond and self._has_links(to):
            back = self._one_way(to, start, way.source)
            there = [hop.host for hop in way.hops]
            if not back.beyond and [hop.host for hop in back.hops] != there[::-1]:
                through = ", ".join(hop.host for hop in back.hops) or "the network they share"
                raise NoWayError(f"answers would come back through {through}")
        return way

    def _has_links(self, host: str) -> bool:
        return any(link.interfaces for link in self.links.get(host, ()))

    def _one_way(self, start: str, to: str, destination: str) -> Way:
        target = ip_address(destination)
        if not self._has_links(start):
            own = [text for text in self.addresses[start] if _version(text) == target.version]
            if not own:
                raise NoWayError(f"{start} has no address of IPv{target.version}")
            return Way(start, own[0], to, destination)
        out = self.exit(start, target)
        source, hops = str(out.source), list[Hop]()
        while out.router is not None:
            host = self.owner(str(out.router))
            if not host or not self._has_links(host):
                return Way(start, source, to, destination, tuple(hops), str(out.router))
            if host == to:
                break
            out = self.exit(host, target)
            hops.append(Hop(host, out.link, str(out.source)))
            if len(hops) > _MOST_HOPS:
                raise NoWayError("the routes lead in a circle")
        return Way(start, source, to, destination, tuple(hops))

    def exit(self, host: str, target: Address) -> Exit:
        """Return where packets to an address leave a host. Raises NoWayError."""
        exits = [
            (network.prefixlen, one)
            for link in self.links[host]
            for network, one in _exits(link)
            if network.version == target.version and target in network
        ]
        if not exits:
            raise NoWayError(f"{host} has no route to {target}")
        # The longest prefix, and of equal ones the first.
        return max(exits, key=lambda pair: pair[0])[1]


def _exits(link: Link) -> Iterator[tuple[Network, Exit]]:
    """Yield the networks to which a link leads."""
    for interface in link.interfaces:
        yield interface.network, Exit(link.name, interface.ip, None)
    defaults = [("default", str(gateway)) for gateway in link.gateways]
    routes = [(str(route.get("to") or "default"), route.get("via")) for route in link.routes]
    for to, via in (*defaults, *routes):
        if via:
            router = ip_address(str(via))
            source = _source(link, router)
            if source is not None:
                everywhere = "0.0.0.0/0" if router.version == 4 else "::/0"  # noqa: PLR2004 -- IPv4
                network = ip_network(everywhere if to == "default" else to)
                yield network, Exit(link.name, source, router)


def _source(link: Link, router: Address) -> Address | None:
    """Return the address of a link that is in one network with a router, or another of its kind."""
    own = [one for one in link.interfaces if one.version == router.version]
    near = [one for one in own if router in one.network]
    return next((one.ip for one in (*near, *own)), None)


def _version(text: str) -> int:
    return ip_address(text).version
