# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._links import LinkError, links_of
from ansible_collections.servertechnik.core.plugins.plugin_utils._networkd import MARK, files_of

OFFICE = {
    "name": "office",
    "prefixes": ["198.51.100.0/25", "2001:db8:1::/64"],
    "vlan": 10,
    "gateways": ["198.51.100.1", "2001:db8:1::1"],
    "nameservers": ["198.51.100.2"],
    "search_domains": ["example.org", "~example.net"],
}
ADDRESSES = ["198.51.100.10", "2001:db8:1::10"]


def files(*links: dict[str, Any]) -> dict[str, str]:
    return files_of(links_of({"network_links": list(links), "network_networks": [OFFICE]}))


def section(text: str, name: str) -> list[list[str]]:
    """The lines of each section of that name."""
    parts = text.removeprefix(MARK).split("\n\n")
    return [lines[1:] for part in parts if (lines := part.strip().split("\n"))[0] == f"[{name}]"]


def test_a_whole_file() -> None:
    (text,) = files({"name": "eth0", "network": "office", "addresses": ADDRESSES}).values()
    assert (
        text
        == f"""{MARK}[Match]
Name=eth0

[Link]
RequiredForOnline=yes

[Network]
DHCP=no
IPv6AcceptRA=no
LinkLocalAddressing=ipv6
DNS=198.51.100.2
Domains=example.org ~example.net

[Address]
Address=198.51.100.10/25

[Address]
Address=2001:db8:1::10/64

[Route]
Gateway=198.51.100.1

[Route]
Gateway=2001:db8:1::1
"""
    )


@pytest.mark.parametrize(
    ("link", "match", "link_file"),
    [
        ({"name": "eth0"}, ["Name=eth0"], None),
        ({"match": {"mac": "02:00:00:00:00:01"}}, ["PermanentMACAddress=02:00:00:00:00:01"], None),
        ({"match": {"path": "pci-0000:03:00.0"}}, ["Path=pci-0000:03:00.0"], None),
        ({"match": {"driver": "igb"}, "wake_on_lan": ["magic", "phy"]}, ["Driver=igb"],
         ["NamePolicy=keep kernel database onboard slot path", "WakeOnLan=magic phy"]),
        ({"match": {"driver": "igb"}, "wake_on_lan": []}, ["Driver=igb"], ["WakeOnLan=off"]),
        ({"name": "lan0", "match": {"mac": "02:00:00:00:00:01"}}, ["Name=lan0"], ["Name=lan0"]),
    ],
)  # fmt: skip
def test_what_finds_a_link(
    link: dict[str, Any], match: list[str], link_file: list[str] | None
) -> None:
    found = files(link)
    (network,) = [text for name, text in found.items() if name.endswith(".network")]
    assert section(network, "Match") == [match]
    links = [text for name, text in found.items() if name.endswith(".link")]
    assert len(links) == (link_file is not None)
    for line in link_file or []:
        assert line in section(links[0], "Link")[0]


def test_names_stay_unless_told() -> None:
    assert list(files({"name": "eth0", "addresses": ["198.51.100.10/25"]})) == ["10-eth0.network"]


@pytest.mark.parametrize(
    ("link", "lines"),
    [
        ({"dhcp": "yes"}, ["DHCP=yes", "IPv6AcceptRA=yes", "LinkLocalAddressing=ipv6",
                           "KeepConfiguration=dhcp-on-stop", "IPv6PrivacyExtensions=no"]),
        ({"accept_ra": True, "ipv6_privacy": True},
         ["DHCP=no", "IPv6AcceptRA=yes", "LinkLocalAddressing=ipv6", "IPv6PrivacyExtensions=yes"]),
        ({}, ["DHCP=no", "IPv6AcceptRA=no", "LinkLocalAddressing=no"]),
    ],
)  # fmt: skip
def test_where_addresses_come_from(link: dict[str, Any], lines: list[str]) -> None:
    (text,) = files({"name": "eth0", **link}).values()
    assert section(text, "Network") == [lines]


def test_metric_holds_for_all_gateways() -> None:
    (text,) = files(
        {"name": "eth0", "dhcp": "yes", "metric": 50, "addresses": ["198.51.100.10/25"],
         "gateways": ["198.51.100.1"]}
    ).values()  # fmt: skip
    assert section(text, "Route") == [["Gateway=198.51.100.1", "Metric=50"]]
    assert section(text, "DHCPv4") == [["ClientIdentifier=mac", "RouteMetric=50"]]
    assert section(text, "IPv6AcceptRA") == [["RouteMetric=50"]]


@pytest.mark.parametrize(
    ("route", "lines"),
    [
        ({"via": "198.51.100.1"}, ["Gateway=198.51.100.1"]),
        ({"to": "203.0.113.0/24", "via": "198.51.100.1", "metric": 0, "table": 77,
          "scope": "global", "source": "198.51.100.10", "onlink": True, "mtu": 1400},
         ["Destination=203.0.113.0/24", "Gateway=198.51.100.1", "GatewayOnLink=yes", "Metric=0",
          "Table=77", "Scope=global", "PreferredSource=198.51.100.10", "MTUBytes=1400"]),
        ({"to": "2001:db8:9::/48", "type": "unreachable"},
         ["Destination=2001:db8:9::/48", "Type=unreachable"]),
        ({"to": "default", "scope": "link"}, ["Destination=0.0.0.0/0", "Scope=link"]),
        ({"to": "default", "source": "2001:db8:1::10"},
         ["Destination=::/0", "PreferredSource=2001:db8:1::10"]),
    ],
)  # fmt: skip
def test_route(route: dict[str, Any], lines: list[str]) -> None:
    (text,) = files({"name": "eth0", "routes": [route]}).values()
    assert section(text, "Route") == [lines]


def test_rule() -> None:
    rule = {"priority": 1000, "from": "198.51.100.0/25", "to": "203.0.113.0/24", "iif": "eth0",
            "oif": "eth1", "fwmark": "0x10/0xff", "invert": True, "family": "ipv4", "table": 77,
            "type": "prohibit", "suppress_prefix_length": 0}  # fmt: skip
    (text,) = files({"name": "eth0", "rules": [rule]}).values()
    assert section(text, "RoutingPolicyRule") == [[
        "From=198.51.100.0/25", "To=203.0.113.0/24", "IncomingInterface=eth0",
        "OutgoingInterface=eth1", "FirewallMark=0x10/0xff", "InvertRule=yes", "Family=ipv4",
        "Table=77", "Type=prohibit", "SuppressPrefixLength=0", "Priority=1000",
    ]]  # fmt: skip


def test_bond_with_vlan_on_it() -> None:
    found = files(
        {"name": "bond0", "type": "bond", "ports": ["eth0", "eth1"], "mac": "02:00:00:00:00:01",
         "bond": {"mode": "active-backup", "primary": "eth1", "up_delay": 200, "mii_monitor": 50,
                  "arp_targets": ["198.51.100.1", "198.51.100.2"]}},
        {"name": "office", "type": "vlan", "network": "office", "vlan": {"link": "bond0"},
         "addresses": ADDRESSES},
    )  # fmt: skip
    assert sorted(found) == [
        "10-bond0.netdev", "10-bond0.network", "10-eth0.network", "10-eth1.network",
        "10-office.netdev", "10-office.network",
    ]  # fmt: skip
    assert section(found["10-bond0.netdev"], "NetDev") == [
        ["Name=bond0", "Kind=bond", "MACAddress=02:00:00:00:00:01"]
    ]
    assert section(found["10-bond0.netdev"], "Bond") == [
        ["Mode=active-backup", "MIIMonitorSec=50ms", "UpDelaySec=200ms",
         "ARPIPTargets=198.51.100.1 198.51.100.2"]
    ]  # fmt: skip
    assert "VLAN=office" in section(found["10-bond0.network"], "Network")[0]
    assert section(found["10-office.netdev"], "VLAN") == [["Id=10"]]
    first, second = (
        section(found[f"10-{port}.network"], "Network")[0] for port in ("eth0", "eth1")
    )
    assert ("Bond=bond0" in first, "PrimarySlave=yes" in first) == (True, False)
    assert ("Bond=bond0" in second, "PrimarySlave=yes" in second) == (True, True)
    assert section(found["10-eth0.network"], "Link") == [["RequiredForOnline=no"]]


@pytest.mark.parametrize(
    ("bond", "line"),
    [
        ({"mode": "802.3ad"}, "MIIMonitorSec=100ms"),
        ({"mode": "active-backup", "arp_interval": 500}, "ARPIntervalSec=500ms"),
    ],
)
def test_bond_watches_its_ports_in_one_way(bond: dict[str, Any], line: str) -> None:
    found = files({"name": "b", "type": "bond", "ports": ["eth0"], "bond": bond})
    watching = [one for one in section(found["10-b.netdev"], "Bond")[0] if "Monitor" in one
                or "Interval" in one]  # fmt: skip
    assert watching == [line]


def test_bridge_and_its_port() -> None:
    found = files(
        {"name": "br0", "type": "bridge", "ports": ["eth0"], "bridge": {"stp": False},
         "addresses": ["198.51.100.10/25"]},
        {"name": "eth0", "mtu": 9000, "mac": "02:00:00:00:00:01"},
    )  # fmt: skip
    assert section(found["10-br0.netdev"], "Bridge") == [["STP=no"]]
    assert "ConfigureWithoutCarrier=yes" in section(found["10-br0.network"], "Network")[0]
    assert "Bridge=br0" in section(found["10-eth0.network"], "Network")[0]
    assert section(found["10-eth0.network"], "Link") == [
        ["MTUBytes=9000", "MACAddress=02:00:00:00:00:01", "RequiredForOnline=enslaved"]
    ]


@pytest.mark.parametrize(
    ("link", "required"),
    [
        ({"type": "bridge"}, "no"),  # it never has a carrier
        ({"type": "bridge", "ports": ["eth0"]}, "yes"),
        ({"type": "dummy"}, "yes"),
        ({"type": "dummy", "required_for_online": False}, "no"),
    ],
)
def test_what_the_host_waits_for(link: dict[str, Any], required: str) -> None:
    found = files({"name": "x", "addresses": ["198.51.100.10/25"], **link})
    assert f"RequiredForOnline={required}" in section(found["10-x.network"], "Link")[0]


@pytest.mark.parametrize(
    ("link", "asks"),
    [
        ({}, ["ipv4", ""]),
        ({"type": "bridge", "ports": ["eth9"]}, ["ipv4", ""]),
        # Without a carrier it would never get its addresses.
        ({"type": "bridge"}, ["", "none"]),
        ({"detect_duplicates": False}, ["", ""]),
    ],
)
def test_duplicates_of_ipv4_are_looked_for_where_wanted(
    link: dict[str, Any], asks: list[str]
) -> None:
    found = files({"name": "x", "detect_duplicates": True, "network": "office",
                   "addresses": ADDRESSES, **link})  # fmt: skip
    lines = section(found["10-x.network"], "Address")
    assert [one[1].partition("=")[2] if len(one) > 1 else "" for one in lines] == asks


@pytest.mark.parametrize(
    ("links", "words"),
    [
        ([{"name": "br0", "type": "bridge", "ports": ["eth0"]}, {"name": "eth0", "dhcp": "ipv4"}],
         "network_links (eth0): found addresses on a port of br0; accepted"),
        ([{"name": "eth0", "wake_on_lan": ["magic"]}],
         "network_links (eth0): found wake_on_lan on a link that is known by its name alone"),
    ],
)  # fmt: skip
def test_what_can_not_be(links: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(LinkError) as caught:
        files(*links)
    assert words in str(caught.value)
