# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Ways between hosts of an office and the internet, with a gateway between, and of nobody's."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._links import (
    addresses_of,
    links_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._ways import (
    Hop,
    NoWayError,
    Routes,
    Way,
)

VARIABLES: dict[str, list[dict[str, Any]]] = {
    "files1": [
        {
            "name": "eno1",
            "addresses": ["198.51.100.10/25", "2001:db8:1::10/64"],
            "gateways": ["198.51.100.2", "2001:db8:1::2"],
        }
    ],
    "time1": [
        {
            "name": "eno1",
            "addresses": ["198.51.100.11/25"],
            "routes": [{"to": "198.51.100.128/25", "via": "198.51.100.2"}],
        }
    ],
    "gw1": [
        {"name": "lan", "addresses": ["198.51.100.2/25", "2001:db8:1::2/64"]},
        {
            "name": "wan",
            "addresses": ["198.51.100.130/25", "2001:db8:2::130/64"],
            "gateways": ["198.51.100.254"],
        },
    ],
    "web1": [
        {
            "name": "eno1",
            "addresses": ["198.51.100.140/25", "2001:db8:2::140/64"],
            "gateways": ["198.51.100.130", "2001:db8:2::130"],
        }
    ],
    # Answers to the office would leave by its second link.
    "both1": [
        {"name": "eno1", "addresses": ["198.51.100.150/25"]},
        {"name": "eno2", "addresses": ["198.51.100.15/25"]},
    ],
    "lone1": [{"name": "eno1", "addresses": ["192.0.2.1/24"]}],
    "away1": [{"name": "eno1", "addresses": ["192.0.2.129/25"], "gateways": ["192.0.2.254"]}],
}
LAN, LAN6 = Hop("gw1", "lan", "198.51.100.2"), Hop("gw1", "lan", "2001:db8:1::2")
WAN, WAN6 = Hop("gw1", "wan", "198.51.100.130"), Hop("gw1", "wan", "2001:db8:2::130")


@pytest.fixture(scope="module")
def routes() -> Routes:
    given = {name: {"network_links": links} for name, links in VARIABLES.items()}
    given["plain1"] = {"ansible_host": "198.51.100.16"}  # type: ignore[dict-item]
    return Routes(
        {name: links_of(one) for name, one in given.items()},
        {name: addresses_of(one) for name, one in given.items()},
    )


@pytest.mark.parametrize(
    ("start", "destination", "source", "hops"),
    [
        ("files1", "198.51.100.11", "198.51.100.10", ()),
        ("files1", "198.51.100.2", "198.51.100.10", ()),
        ("files1", "198.51.100.140", "198.51.100.10", (WAN,)),
        ("files1", "2001:db8:2::140", "2001:db8:1::10", (WAN6,)),
        ("web1", "2001:db8:1::10", "2001:db8:2::140", (LAN6,)),
        ("time1", "198.51.100.140", "198.51.100.11", (WAN,)),
        ("web1", "198.51.100.11", "198.51.100.140", (LAN,)),
        ("gw1", "198.51.100.10", "198.51.100.2", ()),
        ("gw1", "2001:db8:2::140", "2001:db8:2::130", ()),
        # The gateway's other side is the gateway too.
        ("files1", "198.51.100.130", "198.51.100.10", ()),
        ("web1", "2001:db8:1::2", "2001:db8:2::140", ()),
        # Nothing is known of its links: it is taken to be near.
        ("plain1", "198.51.100.10", "198.51.100.16", ()),
        ("files1", "198.51.100.16", "198.51.100.10", ()),
    ],
)
def test_ways(
    start: str, destination: str, source: str, hops: tuple[Hop, ...], routes: Routes
) -> None:
    to = routes.owner(destination)
    assert routes.way(start, destination) == Way(start, source, to, destination, hops)


def test_a_router_of_nobody_is_told() -> None:
    variables = {
        "web1": {"network_links": VARIABLES["away1"]},
        "lone1": {"network_links": VARIABLES["lone1"]},
    }
    routes = Routes(
        {name: links_of(one) for name, one in variables.items()},
        {name: addresses_of(one) for name, one in variables.items()},
    )
    way = routes.way("web1", "192.0.2.1")
    assert way.beyond == "192.0.2.254"
    assert way.hops == ()


@pytest.mark.parametrize(
    ("start", "destination", "message"),
    [
        ("time1", "2001:db8:2::140", "time1 has no route to 2001:db8:2::140"),
        ("plain1", "2001:db8:1::10", "plain1 has no address of IPv6"),
        ("files1", "198.51.100.150", "answers would come back through the network they share"),
        ("lone1", "198.51.100.10", "lone1 has no route to 198.51.100.10"),
    ],
)
def test_no_way(start: str, destination: str, message: str, routes: Routes) -> None:
    with pytest.raises(NoWayError, match=message):
        routes.way(start, destination)


def test_a_circle_is_noticed() -> None:
    links = {
        "one": [{"name": "a", "addresses": ["192.0.2.1/24"], "gateways": ["192.0.2.2"]}],
        "two": [{"name": "a", "addresses": ["192.0.2.2/24"], "gateways": ["192.0.2.1"]}],
        "far": [{"name": "a", "addresses": ["198.51.100.1/24"]}],
    }
    given = {name: {"network_links": one} for name, one in links.items()}
    routes = Routes(
        {name: links_of(one) for name, one in given.items()},
        {name: addresses_of(one) for name, one in given.items()},
    )
    with pytest.raises(NoWayError, match="the routes lead in a circle"):
        routes.way("one", "198.51.100.1")


def test_the_longest_prefix_wins() -> None:
    link = {
        "name": "a",
        "addresses": ["192.0.2.1/24"],
        "gateways": ["192.0.2.2"],
        "routes": [{"to": "198.51.100.0/24", "via": "192.0.2.3"}],
    }
    routes = Routes({"one": links_of({"network_links": [link]})}, {"one": ["192.0.2.1"]})
    assert str(routes.exit("one", ip_address("198.51.100.1")).router) == "192.0.2.3"
    assert str(routes.exit("one", ip_address("203.0.113.1")).router) == "192.0.2.2"
    assert routes.exit("one", ip_address("192.0.2.9")).router is None


def test_the_address_beside_the_router_is_the_source() -> None:
    link = {
        "name": "a",
        "addresses": ["192.0.2.1/25", "192.0.2.129/25"],
        "gateways": ["192.0.2.254"],
    }
    routes = Routes({"one": links_of({"network_links": [link]})}, {"one": ["192.0.2.1"]})
    assert str(routes.exit("one", ip_address("198.51.100.1")).source) == "192.0.2.129"
