# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._links import links_of
from ansible_collections.servertechnik.core.plugins.plugin_utils._links_outline import outline_of


def lines(*links: dict[str, Any]) -> list[str]:
    return outline_of(links_of({"network_links": list(links)})).splitlines()


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ({"name": "eth0"}, ["eth0: ethernet"]),
        ({"match": {"mac": "02:00:00:00:00:01"}}, ["mac 02:00:00:00:00:01: ethernet"]),
        ({"name": "lan0", "match": {"path": "pci-0"}, "wake_on_lan": []},
         ["lan0: ethernet", "lan0: is the device with path pci-0",
          "lan0: wake-on-LAN by nothing"]),
        ({"name": "d", "type": "dummy"}, ["d: a link that leads nowhere"]),
        ({"name": "b", "type": "bridge", "bridge": {"stp": True}},
         ["b: bridge of no ports", "b: stp on"]),
        ({"name": "b", "type": "bond", "ports": ["x", "y"], "bond": {"mode": "802.3ad"}},
         ["b: bond of x, y", "b: mode 802.3ad"]),
        ({"name": "v", "type": "vlan", "vlan": {"id": 10, "link": "eth0"}},
         ["v: VLAN 10 on eth0"]),
        ({"name": "e", "dhcp": "yes", "ipv6_privacy": True, "mtu": 9000, "metric": 5,
          "required_for_online": False},
         ["e: ethernet", "e: addresses by DHCP for IPv4 and IPv6",
          "e: addresses as routers announce, changing for privacy", "e: MTU 9000", "e: metric 5",
          "e: needed at boot: no"]),
        ({"name": "e", "addresses": ["198.51.100.10/25"], "gateways": ["198.51.100.1"],
          "nameservers": ["198.51.100.2"], "search_domains": ["example.org"]},
         ["e: ethernet", "e: address 198.51.100.10/25", "e: default route through 198.51.100.1",
          "e: name server 198.51.100.2", "e: search domain example.org"]),
        ({"name": "e", "routes": [{"via": "198.51.100.1", "table": 7},
                                  {"to": "203.0.113.0/24", "type": "blackhole"}],
          "rules": [{"from": "198.51.100.0/25", "table": 7, "priority": 9},
                    {"to": "203.0.113.0/24", "type": "prohibit", "priority": 10}]},
         ["e: ethernet", "e: default route through 198.51.100.1 in table 7",
          "e: blackhole route to 203.0.113.0/24",
          "e: packets from 198.51.100.0/25 look in table 7 with priority 9",
          "e: packets to 203.0.113.0/24 are prohibit with priority 10"]),
    ],
)  # fmt: skip
def test_each_thing_is_one_line(link: dict[str, Any], expected: list[str]) -> None:
    assert lines(link) == expected
