# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Every rule with what breaks it, and what looks like it and is right."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._rules import (
    Subject,
    broken_rules,
)

OFFICE = {
    "name": "office",
    "prefixes": ["198.51.100.0/25", "2001:db8:0:1::/64"],
    "gateways": ["198.51.100.1", "2001:db8:0:1::1"],
    "vlan": 17,
}
INTERNET = {"name": "internet", "prefixes": ["198.51.100.128/25"], "gateways": ["198.51.100.129"]}
SSH = {"name": "ssh", "ports": [22], "zones": ["any"]}


def subject(
    *links: dict[str, Any],
    name: str = "web1",
    networks: tuple[dict[str, Any], ...] = (OFFICE, INTERNET),
    needs: Any = None,
    untold: tuple[str, ...] = (),
    **variables: Any,
) -> Subject:
    own = {"network_networks": list(networks), "network_links": list(links)}
    return Subject(name, own | variables, frozenset(untold), needs)


def said(*subjects: Subject, groups: dict[str, list[str]] | None = None) -> list[str]:
    """The mistakes as lines: host, place, found, accepted."""
    every = {"all": [one.name for one in subjects]} | (groups or {})
    return [
        f"{host}: {mistake.path}: {mistake.found}; {mistake.accepted}"
        for host, mistake in broken_rules(subjects, every, lambda _value: "")
    ]


def eth0(**keys: Any) -> dict[str, Any]:
    return {"name": "eth0", "addresses": ["198.51.100.10"], "network": "office", **keys}


@pytest.mark.parametrize(
    "links",
    [
        [],
        [eth0()],
        [eth0(addresses=["198.51.100.10/25", "2001:db8:0:1::10", "198.51.100.11/32"])],
        [eth0(addresses=["198.51.100.1", "2001:db8:0:1::1"])],
        [eth0(dhcp="yes", addresses=[], gateways=["192.0.2.1", "2001:db8::1"])],
        [eth0(accept_ra=True, addresses=["198.51.100.10"], gateways=["2001:db8:9::1"])],
        [eth0(gateways=["fe80::1"], addresses=["2001:db8:0:1::10"])],
        [eth0(), eth0(name="eth1", network="internet", addresses=["198.51.100.140"], gateways=[])],
        [eth0(), eth0(name="eth1", network="internet", addresses=["198.51.100.140"], metric=9)],
        [eth0(routes=[{"to": "192.0.2.0/24", "via": "198.51.100.2"}])],
        [eth0(routes=[{"to": "192.0.2.0/24", "via": "198.51.100.200", "onlink": True}])],
        [{"name": "ptp0", "addresses": ["192.0.2.0/31", "2001:db8::/127"]}],
        [{"name": "br0", "type": "bridge", "ports": ["eth0"]}, {"name": "eth1", "state": "absent"}],
        [{"name": "office", "type": "vlan", "network": "office", "vlan": {"link": "eth0"}}],
    ],
)
def test_what_is_right_is_not_questioned(links: list[dict[str, Any]]) -> None:
    assert said(subject(*links)) == []


@pytest.mark.parametrize(
    ("links", "line"),
    [
        (
            [eth0(addresses=["198.51.100.140/25"], gateways=[])],
            "network_links[0].addresses[0]: '198.51.100.140/25'; "
            "an address in 198.51.100.0/25, 2001:db8:0:1::/64 (network office)",
        ),
        (
            [eth0(addresses=["198.51.100.140"])],
            "network_links[0].addresses[0]: '198.51.100.140'; "
            "an address in 198.51.100.0/25, 2001:db8:0:1::/64 (network office)",
        ),
        (
            [eth0(addresses=["198.51.100.10/24"])],
            "network_links[0].addresses[0]: '198.51.100.10/24', "
            "whose network would be 198.51.100.0/24; /25 (network office), or no prefix length",
        ),
        (
            [eth0(addresses=["198.51.100.0"])],
            "network_links[0].addresses[0]: 198.51.100.0, the first address of "
            "198.51.100.0/25; the address of a host",
        ),
        (
            [eth0(addresses=["198.51.100.127"])],
            "network_links[0].addresses[0]: 198.51.100.127, the broadcast address of "
            "198.51.100.0/25; the address of a host",
        ),
        (
            [eth0(network="lan", addresses=["192.0.2.1/24"])],
            "network_links[0].network: 'lan'; a name of network_networks: office, internet",
        ),
        (
            [eth0(gateways=["198.51.100.129"])],
            "network_links[0].gateways[0]: '198.51.100.129', which no address of eth0 reaches; "
            "an address in 198.51.100.0/25",
        ),
        (
            [eth0(gateways=["2001:db8:0:1::1"])],
            "network_links[0].gateways[0]: '2001:db8:0:1::1', which no address of eth0 reaches; "
            "none without an IPv6 address",
        ),
        (
            [eth0(addresses=["198.51.100.10/32"])],
            "network_links[0].network: '198.51.100.1', which no address of eth0 reaches; "
            "an address in 198.51.100.10/32",
        ),
        (
            [eth0(dhcp="ipv6", gateways=["198.51.100.200"])],
            "network_links[0].gateways[0]: '198.51.100.200', which no address of eth0 reaches; "
            "an address in 198.51.100.0/25",
        ),
        (
            [eth0(gateways=["198.51.100.10"])],
            "network_links[0].gateways[0]: '198.51.100.10', the address of eth0 itself; "
            "that of another host",
        ),
        (
            [eth0(routes=[{"to": "192.0.2.0/24", "via": "198.51.100.200"}])],
            "network_links[0].routes[0].via: '198.51.100.200', which no address of eth0 reaches; "
            "an address in 198.51.100.0/25",
        ),
        (
            [eth0(), eth0(name="eth1", network="internet", addresses=["198.51.100.140"])],
            "network_links[1].gateways: 198.51.100.129 of eth1 beside 198.51.100.1 of eth0, both "
            "the way to everywhere; one for IPv4 (gateways: [] for none), or another metric",
        ),
        (
            [eth0(gateways=["198.51.100.1", "198.51.100.2"])],
            "network_links[0].gateways: 198.51.100.2 of eth0 beside 198.51.100.1 of eth0, both "
            "the way to everywhere; one for IPv4 (gateways: [] for none), or another metric",
        ),
        (
            [eth0(addresses=["2001:db8:0:1::10"], mtu=1000)],
            "network_links[0].mtu: 1000 with an IPv6 address; at least 1280 (RFC 8200)",
        ),
        (
            [
                {"name": "eth0", "mtu": 1500},
                {"name": "v1", "type": "vlan", "mtu": 9000, "vlan": {"id": 1, "link": "eth0"}},
            ],
            "network_links[1].mtu: 9000, more than the 1500 of eth0 below; at most 1500",
        ),
        (
            [
                {
                    **eth0(name="v18", network="office"),
                    "type": "vlan",
                    "vlan": {"id": 18, "link": "eth0"},
                }
            ],
            "network_links[0].vlan.id: 18; 17 (network office), or none",
        ),
        (
            [
                {"name": "a", "type": "vlan", "vlan": {"id": 18, "link": "eth0"}},
                {"name": "b", "type": "vlan", "vlan": {"id": 18, "link": "eth0"}},
            ],
            "network_links[1].vlan.id: 18 on eth0, which a has as well; each VLAN once",
        ),
        (
            [
                {"name": "eth1", "state": "absent"},
                {"name": "br0", "type": "bridge", "ports": ["eth0", "eth1"]},
            ],
            "network_links[1].ports[1]: 'eth1', a link that is absent; one that is",
        ),
        (
            [
                {"name": "bond0", "state": "absent", "type": "bond"},
                {"name": "v1", "type": "vlan", "vlan": {"id": 1, "link": "bond0"}},
            ],
            "network_links[1].vlan.link: 'bond0', a link that is absent; one that is",
        ),
        (
            [
                {"name": "br0", "type": "bridge"},
                {"name": "br1", "type": "bridge", "ports": ["br0"]},
            ],
            "network_links[1].ports[0]: 'br0', itself a bridge; other types",
        ),
        ([eth0(), eth0(addresses=["198.51.100.11"])], "network_links: eth0 twice; each name once"),
        (
            [eth0(), eth0(name="eth1", addresses=["198.51.100.10"], gateways=[])],
            "network_links[1].addresses[0]: 198.51.100.10, also that of "
            "network_links[0].addresses[0]; an address that no other has",
        ),
    ],
    ids=lambda value: value.partition(";")[0] if isinstance(value, str) else "",
)
def test_a_broken_rule_is_one_line(links: list[dict[str, Any]], line: str) -> None:
    assert said(subject(*links)) == [f"web1: {line}"]


@pytest.mark.parametrize(
    ("network", "line"),
    [
        (
            INTERNET | {"gateways": ["198.51.100.1"]},
            "network_networks[1].gateways[0]: '198.51.100.1'; "
            "an address in 198.51.100.128/25 (network internet)",
        ),
        (
            INTERNET | {"prefixes": ["198.51.100.0/24"]},
            "network_networks[1].prefixes[0]: 198.51.100.0/24, "
            "which overlaps 198.51.100.0/25 of network office; a prefix of its own",
        ),
    ],
)
def test_networks_have_gateways_and_prefixes_of_their_own(
    network: dict[str, Any], line: str
) -> None:
    eth1 = eth0(network="internet", addresses=["198.51.100.140"])
    assert said(subject(eth1, networks=(OFFICE, network))) == [f"web1: {line}"]


def test_every_mistake_of_every_link_is_told_at_once() -> None:
    lines = said(
        subject(
            eth0(network="lan"),
            eth0(name="eth1", network="dmz"),
            {"name": "v1", "type": "vlan"},
        ),
        subject(eth0(gateways=["192.0.2.1"]), name="web2"),
    )
    assert [line.partition(";")[0] for line in lines] == [
        "web1: network_links[0].network: 'lan'",
        "web1: network_links[1].network: 'dmz'",
        "web1: network_links[2].vlan: a VLAN without an id",
        "web2: network_links[0].gateways[0]: '192.0.2.1', which no address of eth0 reaches",
    ]


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (eth0(), eth0(name="eth9"), "198.51.100.10, also that of host web1"),
        (
            eth0(addresses=["2001:db8:0:1::a"]),
            eth0(addresses=["2001:DB8:0:1:0:0:0:A/64"]),
            "2001:db8:0:1::a, also that of host web1",
        ),
    ],
)
def test_two_hosts_with_one_address_are_told_once(
    one: dict[str, Any], other: dict[str, Any], found: str
) -> None:
    (line,) = said(subject(one), subject(other, name="web2"))
    assert line == (f"web2: network_links[0].addresses[0]: {found}; an address that no other has")


def test_hosts_without_links_are_known_by_where_ansible_finds_them() -> None:
    def host(name: str, **connection: Any) -> Subject:
        return subject(name=name, **connection)

    taken = "also that of host a; an address that no other has"
    at = {"ansible_host": "192.0.2.7"}
    assert said(host("a", **at), host("b", **at)) == [f"b: ansible_host: 192.0.2.7, {taken}"]
    assert said(host("a", **at), host("b", **at, ansible_port=2222)) == []
    assert said(host("a", ansible_host="::1"), host("b", ansible_host="::1")) == []
    assert said(host("a", ansible_host="a.example"), host("b", ansible_host="a.example")) == []


def test_addresses_that_count_within_a_link_alone_may_be_anywhere() -> None:
    links = [{"name": "eth0", "addresses": ["fe80::1/64"]}]
    assert said(subject(*links), subject(*links, name="web2")) == []


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"firewall_zones": [{"name": "a", "networks": ["192.0.2.0/24"]},
                                {"name": "b", "networks": ["192.0.2.128/25"]}]},
            "firewall_zones[b].networks: 192.0.2.128/25, which overlaps 192.0.2.0/24 of zone a",
        ),
        (
            {"needs": [("sshd", [SSH]), ("", [{"name": "web", "ports": [80], "zones": ["lan"]}])]},
            "firewall_services[web].zones: 'lan'",
        ),
        (
            {"needs": [("sshd", [SSH | {"hosts": ["web9"]}])]},
            "sshd_firewall_services[ssh].hosts: 'web9'",
        ),
        (
            {"needs": [("", [SSH, {"name": "web", "ports": [80], "groups": ["nobody"]}])]},
            "firewall_services[web].groups: 'nobody'",
        ),
        (
            {"needs": [("", [{"name": "web", "ports": [80], "zones": ["any"]}])]},
            "firewall_services: no service with tcp port 22, Ansible's way in",
        ),
    ],
)  # fmt: skip
def test_the_firewall_is_judged_by_its_own_model(changes: dict[str, Any], line: str) -> None:
    arguments = {"needs": [("sshd", [SSH])]} | changes
    assert [told.partition(";")[0] for told in said(subject(eth0(), **arguments))] == [
        f"web1: {line}"
    ]


RESOLVER: dict[str, Any] = {
    "resolver_mode": "resolved",
    "resolver_nameservers": ["192.0.2.53"],
    "resolver_search_domains": [],
    "resolver_settings": {},
    "resolver_fallback_nameservers": [],
    "resolver_dnssec": "no",
    "resolver_dns_over_tls": "no",
    "resolver_listen": ["198.51.100.10", "2001:DB8:0:1:0::10"],
    "resolver_hosts": [],
}


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, []),
        ({"untold": ("resolver_listen",), "resolver_listen": ["198.51.100.11"]}, []),
        ({"untold": ("network_links",), "resolver_listen": ["198.51.100.11"]}, []),
        (
            {"resolver_listen": ["198.51.100.10", "198.51.100.11"]},
            [
                "web1: resolver_listen[1]: '198.51.100.11'; "
                "an address of the host (198.51.100.10, 2001:db8:0:1::10)"
            ],
        ),
        (
            {"resolver_mode": "resolv_conf", "resolver_listen": [], "resolver_dnssec": "yes"},
            [
                "web1: resolver_dnssec: 'yes' with resolver_mode resolv_conf; "
                "'no', or resolver_mode resolved"
            ],
        ),
    ],
)
def test_names_are_judged_by_their_own_model(changes: dict[str, Any], lines: list[str]) -> None:
    link = eth0(addresses=["198.51.100.10", "2001:db8:0:1::10"])
    assert said(subject(link, **(RESOLVER | changes))) == lines


def test_a_service_may_name_every_host_and_group_of_the_inventory() -> None:
    needs = [("", [SSH | {"hosts": ["db1", "web1"], "groups": ["web"]}])]
    hosts = (
        subject(eth0(), needs=needs),
        subject(name="db1", ansible_host="{{ x }}", untold=("ansible_host",)),
    )
    assert said(*hosts, groups={"web": ["web1"]}) == []


def test_what_cannot_be_told_is_not_judged() -> None:
    wrong = eth0(network="lan")
    assert said(subject(wrong, untold=("network_networks",))) == []
    assert said(subject(eth0()), subject(eth0(), name="web2", untold=("network_links",))) == []
    needs = [("", [{"name": "web", "ports": [80], "zones": ["lan"]}])]
    assert said(subject(eth0(), needs=needs, untold=("firewall_zones",))) == []


def test_the_place_is_that_of_the_innermost_part_that_knows_it() -> None:
    def origin(value: Any) -> str:
        return value.get("line", "") if isinstance(value, dict) else ""

    host = subject(
        eth0(), eth0(name="eth1", network="lan", line="links.yml:7"),
        needs=[("sshd", [SSH | {"zones": ["any", "lan"], "line": "sshd.yml:3"}])],
    )  # fmt: skip
    origins = [one.origin for _host, one in broken_rules([host], {"all": ["web1"]}, origin)]
    assert origins == ["links.yml:7", "sshd.yml:3"]


def test_storage_that_cannot_be_is_told() -> None:
    array = {"name": "system", "level": 1, "members": ["front/system"]}
    assert said(subject(storage_arrays=[array], storage_disks=[])) == [
        "web1: storage_arrays[0].members: 'front/system'; one of none yet",
    ]
    assert said(subject(storage_arrays=[array], untold=("storage_disks",))) == []
