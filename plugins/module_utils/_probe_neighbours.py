# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Questions to everybody on a link: who has an address, which way is out, who gives leases."""

from __future__ import annotations

import os
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Generator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._probe_frames import (
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    Claim,
    advertised,
    arp_claim,
    arp_request,
    dhcp_discover,
    dhcp_offer,
    mac_text,
    solicitation,
)
from ansible_collections.servertechnik.core.plugins.module_utils._probe_links import (
    Link,
    ip,
    link_named,
    route_to,
)
from ansible_collections.servertechnik.core.plugins.module_utils._probe_loop import (
    READ,
    ProbeError,
    Steps,
    Values,
    Wait,
    Work,
    ready,
)
from ansible_collections.servertechnik.core.plugins.module_utils._probe_transport import (
    LONGEST_DATAGRAM,
    MILLISECONDS,
    Options,
)

# Seconds between two questions, and for others to speak up once one has answered.
_AGAIN = 1.0
_OTHERS = 0.3
# A DHCP server may first make sure that nobody has the address it is about to offer.
_OFFER_AGAIN = 2.0
_OTHER_OFFERS = 1.0


def default_route(options: Options, until: float) -> Steps:
    """Look at the way out. Returns ``gateway``, ``interface``, ``metric``, ``routes`` (how many),
    ``answers``, whether the gateway answers ARP or neighbour discovery, and its ``mac``.
    """
    version = {"ipv4": "-4", "ipv6": "-6"}[options["family"]]
    routes = yield Work(lambda: ip(version, "route", "show", "default"))
    values: Values = {"gateway": "", "interface": "", "routes": len(routes), "answers": False}
    if not routes:
        return values
    first = min(routes, key=lambda route: route.get("metric", 0))
    hop = first.get("nexthops", [first])[0]
    values["gateway"] = hop.get("gateway") or hop.get("via", {}).get("host", "")
    values["interface"] = hop["dev"]
    values["metric"] = first.get("metric", 0)
    if values["gateway"]:
        link, source = yield Work(lambda: _own_side(values["gateway"], values["interface"]))
        claims = yield from _who_has(link, source, values["gateway"], until, pause=0)
        values["answers"] = bool(claims)
        values |= {"mac": mac_text(claims[0].mac)} if claims else {}
    return values


def duplicate_address(options: Options, until: float) -> Steps:
    """Ask who else has an address (RFC 5227, RFC 4862). Returns ``macs``, ``interface``,
    ``duplicate``. Nobody is told that this host wants the address.
    """
    address = ip_address(options["address"])
    nobody = IPv4Address(0) if address.version == 4 else IPv6Address(0)  # noqa: PLR2004 -- IPv4
    link, _own = yield Work(lambda: _own_side(str(address), options["interface"]))
    claims = yield from _who_has(link, nobody, str(address), until, pause=_OTHERS)
    macs = sorted({mac_text(claim.mac) for claim in claims})
    return {"interface": link.name, "duplicate": bool(macs), "macs": macs}


def _own_side(address: str, interface: str) -> tuple[Link, Any]:
    """Return the link on which an address must be, and this host's own address there."""
    if interface:
        link_named(interface)
    try:
        route = route_to(f"{address}%{interface}" if interface else address)
    except ProbeError:
        if not interface:
            raise
        route = {"dev": interface}
    name = interface or next(iter(_holders(address)), route["dev"])
    link = link_named(name)
    if len(link.mac) != 6:  # noqa: PLR2004 -- Ethernet
        raise ProbeError(f"interface {name}: found no Ethernet, accepted: one with neighbours")
    nobody = "0.0.0.0" if ip_address(address).version == 4 else "::"  # noqa: PLR2004, S104 -- nobody's
    return link, ip_address(route.get("prefsrc", nobody))


def _holders(address: str) -> list[str]:
    """Return the interfaces on which this host has an address itself."""
    rows = ip("address", "show", "to", address)
    return [row["ifname"] for row in rows if row.get("ifname")]


def _who_has(
    link: Link, source: Any, target: str, until: float, *, pause: float
) -> Generator[Wait | Work, Any, list[Claim]]:
    """Ask a link who has `target` until somebody says so, and `pause` seconds more."""
    address = ip_address(target)
    if isinstance(address, IPv4Address):
        kind, question = ETHERTYPE_ARP, arp_request(link.mac, source, address)
        read: Callable[[bytes], Claim | None] = arp_claim
    else:
        kind, question = ETHERTYPE_IPV6, solicitation(link.mac, source, address)
        read = advertised
    claims: list[Claim] = []
    with _listening(link, kind) as one:
        while time.monotonic() < until and not claims:
            one.send(question)
            end = min(until, time.monotonic() + _AGAIN)
            while (yield from ready(one, READ, end)):
                claim = read(one.recv(LONGEST_DATAGRAM))
                if claim and claim.address == str(address) and claim.mac != link.mac:
                    claims.append(claim)
                    end = min(end, time.monotonic() + pause)
                    if not pause:
                        break
    return claims


def _listening(link: Link, kind: int) -> socket.socket:
    try:
        one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    except PermissionError as error:
        raise ProbeError("found: not root; accepted: root, so use 'become: true'") from error
    try:
        one.bind((link.name, kind))
    except BaseException:
        one.close()
        raise
    return one


def dhcp(options: Options, until: float) -> Steps:
    """Ask for offers without taking one. Returns ``messages``, the offers in base64."""
    link = link_named(options["interface"])
    transaction = int.from_bytes(os.urandom(4), "big")
    offers: list[bytes] = []
    began = time.monotonic()
    values: Values = {}
    with _listening(link, ETHERTYPE_IPV4) as one:
        while time.monotonic() < until and not offers:
            one.send(dhcp_discover(link.mac, transaction))
            end = min(until, time.monotonic() + _OFFER_AGAIN)
            while (yield from ready(one, READ, end)):
                offer = dhcp_offer(one.recv(LONGEST_DATAGRAM), transaction)
                if offer and offer not in offers:
                    values.setdefault(
                        "latency_ms", round((time.monotonic() - began) * MILLISECONDS, 3)
                    )
                    offers.append(offer)
                    end = min(end, time.monotonic() + _OTHER_OFFERS)
    return values | {"messages": [b64encode(offer).decode() for offer in offers]}
