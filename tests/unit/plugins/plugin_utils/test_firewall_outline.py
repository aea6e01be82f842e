# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import Addresses
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import (
    Intent,
    Limit,
    Peers,
    Rule,
    Translation,
    Zone,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_outline import outline
from ansible_collections.servertechnik.core.plugins.plugin_utils._nft import Settings

OFFICE = Peers("office (198.51.100.0/25)", Addresses.of(["198.51.100.0/25"]))
SETTINGS = Settings(
    reverse_path="strict",
    ping_rate="50/second",
    log_dropped=True,
    log_rate="10/minute",
    engine_interfaces=(),
    extra_input=("tcp dport 9 accept",),
    extra_forward=("tcp dport 10 accept",),
    interfaces=frozenset({"eth0"}),
)


def test_lines() -> None:
    web = Rule(name="web", protocols=("tcp",), ports=((80, 80), (8000, 8010)))
    intent = Intent(
        services=(
            web,
            Rule(name="dns", protocols=("tcp", "udp"), ports=((53, 53),), source=OFFICE),
            Rule(name="vpn", protocols=("esp",), source=OFFICE, log=True),
            Rule(name="all", source=OFFICE, limit=Limit(10, "hour", 3)),
        ),
        zones=(
            Zone(name="office", addresses=OFFICE.addresses, interfaces=("eth0", "eth1")),
            Zone(name="lab", addresses=OFFICE.addresses, interfaces=("lab0",)),
        ),
        gateway=True,
        forwards=(Rule(name="out", source=OFFICE),),
        translations=(
            Translation(kind="masquerade", match=Rule(name="out", source=OFFICE), interface="wan0"),
            Translation(
                kind="snat", match=Rule(name="six", destination=OFFICE), version=6, address="::9"
            ),
            Translation(kind="dnat", match=web, interface="wan0", address="198.51.100.7"),
            Translation(kind="dnat", match=web, original="203.0.113.1", address="::7", port=81),
        ),
        blocked=Addresses.of(["203.0.113.64/26", "2001:db8:bad::/48"]),
    )
    assert list(outline(intent, SETTINGS)) == [
        "web: tcp 80, 8000-8010 from any",
        "dns: tcp and udp 53 from office (198.51.100.0/25)",
        "vpn: esp from office (198.51.100.0/25); logged",
        "all: everything from office (198.51.100.0/25); each source 10 new connections per hour, "
        "3 at once",
        "forward out: everything from office (198.51.100.0/25) to any",
        "nat out: everything from office (198.51.100.0/25) that goes out on wan0 comes from this "
        "host (IPv4)",
        "nat six: everything from any to office (198.51.100.0/25) comes from ::9 (IPv6)",
        "nat web: tcp 80, 8000-8010 from any to this host that comes in on wan0 goes to "
        "198.51.100.7",
        "nat web: tcp 80, 8000-8010 from any to 203.0.113.1 goes to ::7 port 81",
        "zone office: only through eth0, eth1",
        "blocked: 203.0.113.64/26",
        "blocked: 2001:db8:bad::/48",
        "own rule for what comes in: tcp dport 9 accept",
        "gateway: passes packets on",
        "own rule for what is passed on: tcp dport 10 accept",
    ]
