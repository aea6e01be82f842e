# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._links import (
    LinkError,
    addresses_of,
    links_of,
)

Variables = dict[str, Any]
OFFICE: Variables = {
    "name": "office",
    "prefixes": ["198.51.100.0/24", "198.51.100.0/25", "2001:db8:1::/64"],
    "vlan": 10,
    "gateways": ["198.51.100.1", "2001:db8:1::1"],
    "nameservers": ["198.51.100.2"],
    "search_domains": ["example.org"],
}


def links(*given: Variables) -> Variables:
    return {"network_networks": [OFFICE], "network_links": list(given)}


def eth(**more: Any) -> Variables:
    return {"name": "eth0", **more}


@pytest.mark.parametrize(
    ("addresses", "found"),
    [
        (["198.51.100.10"], ["198.51.100.10/25"]),  # the longest prefix that holds it
        (["198.51.100.200"], ["198.51.100.200/24"]),
        (["198.51.100.10/28"], ["198.51.100.10/28"]),  # its own comes first
        (["2001:db8:1::10", "198.51.100.10"], ["2001:db8:1::10/64", "198.51.100.10/25"]),
        (["203.0.113.9/24"], ["203.0.113.9/24"]),  # its place is judged with all hosts in view
        ([], []),
    ],
)
def test_prefix_lengths_come_from_the_network(addresses: list[str], found: list[str]) -> None:
    (link,) = links_of(links(eth(network="office", addresses=addresses)))
    assert [str(one) for one in link.interfaces] == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"addresses": ["198.51.100.10"]}, ["198.51.100.1"]),  # of the families that it has
        ({"addresses": ["198.51.100.10", "2001:db8:1::9"]}, ["198.51.100.1", "2001:db8:1::1"]),
        ({"addresses": ["198.51.100.1", "2001:db8:1::1"]}, []),  # it is the gateway
        ({"addresses": ["198.51.100.10"], "gateways": []}, []),
        ({"addresses": ["198.51.100.10"], "gateways": ["198.51.100.9"]}, ["198.51.100.9"]),
        ({"dhcp": "ipv4"}, []),
    ],
)
def test_gateways(given: Variables, found: list[str]) -> None:
    (link,) = links_of(links(eth(network="office", **given)))
    assert [str(one) for one in link.gateways] == found


def test_names_come_from_the_network_unless_the_link_says_its_own() -> None:
    first, second, third = links_of(
        links(
            eth(network="office"),
            {"name": "eth1", "network": "office", "nameservers": [], "search_domains": ["x.y"]},
            {"name": "eth2"},
        )
    )
    assert (first.nameservers, first.search_domains) == (("198.51.100.2",), ("example.org",))
    assert (second.nameservers, second.search_domains) == ((), ("x.y",))
    assert (third.nameservers, third.search_domains, third.network) == ((), (), "")


@pytest.mark.parametrize(
    ("vlan", "found"), [({"link": "eth0"}, 10), ({"link": "eth0", "id": 20}, 20)]
)
def test_vlan(vlan: Variables, found: int) -> None:
    (link,) = links_of(links({"name": "lan", "type": "vlan", "network": "office", "vlan": vlan}))
    assert (link.vlan, link.parent) == (found, "eth0")


@pytest.mark.parametrize(
    ("given", "dhcp", "accept_ra"),
    [
        ({}, "no", False),
        ({"dhcp": False}, "no", False),
        ({"dhcp": True}, "yes", True),
        ({"dhcp": "ipv4"}, "ipv4", False),
        ({"dhcp": "ipv6"}, "ipv6", True),
        ({"dhcp": "ipv6", "accept_ra": False}, "ipv6", False),
        ({"accept_ra": True}, "no", True),
    ],
)
def test_who_gives_addresses(given: Variables, dhcp: str, accept_ra: bool) -> None:
    (link,) = links_of(links(eth(**given)))
    assert (link.dhcp, link.accept_ra) == (dhcp, accept_ra)


def test_absent_links_are_none() -> None:
    assert links_of(links(eth(state="absent"))) == []


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        (
            links(
                eth(network="office", addresses=["2001:db8:1::10", "198.51.100.10"]),
                {"name": "eth1", "addresses": ["203.0.113.7/24", "198.51.100.10/32"]},
            ),
            ["2001:db8:1::10", "198.51.100.10", "203.0.113.7"],
        ),
        ({"ansible_host": "198.51.100.7", "network_links": [eth(dhcp="ipv4")]}, ["198.51.100.7"]),
        ({"ansible_host": "2001:DB8::0007"}, ["2001:db8::7"]),
        ({"ansible_host": "web1.example.org"}, []),
        ({"ansible_host": "198.51.100.7", **links(eth(addresses=["203.0.113.7/24"]))},
         ["203.0.113.7"]),
        ({}, []),
    ],
)  # fmt: skip
def test_addresses_of_a_host(variables: Variables, found: list[str]) -> None:
    assert addresses_of(variables) == found


VLAN: Variables = {"name": "lan", "type": "vlan"}
BRIDGE: Variables = {"name": "br0", "type": "bridge", "ports": ["eth0"]}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([eth(network="cellar")], "network_links[0].network: found 'cellar'; accepted: a name of "
         "network_networks: office"),
        ([eth(addresses=["198.51.100.10"])], "network_links[0].addresses[0]: found "
         "'198.51.100.10'; accepted: an address with its prefix length"),
        ([eth(network="office", addresses=["203.0.113.9"])], "found '203.0.113.9'; accepted: an "
         "address in 198.51.100.0/24, 198.51.100.0/25, 2001:db8:1::/64 (network office)"),
        ([eth(addresses=["198.51.100.300/24"])], "found '198.51.100.300/24'; accepted: an address"),
        ([eth(gateways=["gw"])], "network_links[0].gateways[0]: found 'gw'; accepted: an address"),
        ([{}], "network_links[0]: found a link of type ethernet without a name; accepted: a name, "
         "or for an ethernet link a match"),
        ([{"type": "dummy", "match": {"mac": "02:00:00:00:00:01"}}], "type dummy without a name"),
        ([{**BRIDGE, "match": {"mac": "02:00:00:00:00:01"}}], "network_links[0].match: found a "
         "match on a bridge; accepted"),
        ([eth(ports=["eth1"])], "network_links[0].ports: found ports on type ethernet; accepted"),
        ([{**VLAN, "network": "office"}], "network_links[0].vlan: found a VLAN without the link"),
        ([{**VLAN, "vlan": {"link": "eth0"}}], "network_links[0].vlan: found a VLAN without an id"),
        ([eth(), eth()], "network_links: found eth0 twice; accepted: each name once"),
        ([BRIDGE, {**BRIDGE, "name": "br1"}], "found eth0 as a port of br1 and of br0; accepted"),
        ([{**BRIDGE, "ports": ["br0"]}], "found br0 as a port of br0 and of itself; accepted"),
    ],
)  # fmt: skip
def test_what_can_not_be(given: list[Variables], words: str) -> None:
    with pytest.raises(LinkError) as caught:
        links_of(links(*given))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("networks", "words"),
    [
        ([OFFICE, OFFICE], "network_networks[1].name: found office once more; accepted"),
        ([{**OFFICE, "prefixes": ["198.51.100.1/24"]}], "network_networks[0].prefixes[0]: found "
         "'198.51.100.1/24'; accepted: a network"),
        ([{**OFFICE, "gateways": ["router"]}], "network_networks[0].gateways[0]: found 'router'"),
    ],
)  # fmt: skip
def test_networks_that_can_not_be(networks: list[Variables], words: str) -> None:
    with pytest.raises(LinkError) as caught:
        links_of({"network_networks": networks})
    assert words in str(caught.value)
