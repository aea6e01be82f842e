# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import Addresses
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import (
    ANYBODY,
    Intent,
    Limit,
    Peers,
    Rule,
    Translation,
    Zone,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._nft import Settings, ruleset

OFFICE = Peers("office", Addresses.of(["198.51.100.0/25", "2001:db8:1::/64"]))
SERVERS = Peers("servers", Addresses.of(["203.0.113.0/25"]))
SSH = Rule(name="ssh", protocols=("tcp",), ports=((22, 22),), source=OFFICE)
DNS = Rule(name="dns", protocols=("tcp", "udp"), ports=((53, 53),))
SETTINGS = Settings(
    reverse_path="strict",
    ping_rate="50/second",
    log_dropped=True,
    log_rate="10/minute",
    engine_interfaces=("docker0", "podman*"),
    extra_input=(),
    extra_forward=(),
)


def chain(name: str, intent: Intent, settings: Settings = SETTINGS) -> list[str]:
    """The lines of a chain of our table; none if there is no such chain."""
    ours = ruleset(intent, settings).partition("table inet servertechnik_block")[0]
    found = re.search(rf"^\tchain {re.escape(name)} {{\n(.*?)\n\t}}", ours, re.M | re.S)
    return [line.strip() for line in found[1].splitlines()] if found else []


def chosen(**changes: Any) -> Settings:
    return replace(SETTINGS, **changes)


def test_only_our_tables_are_touched() -> None:
    text = ruleset(Intent(services=(SSH,), blocked=SERVERS.addresses), SETTINGS)
    top = [line for line in text.splitlines() if line and line[0] not in "\t}"]
    assert [line for line in top if not re.search(r"inet servertechnik(_block)?\b", line)] == []
    assert top[:3] == [
        "table inet servertechnik",
        "delete table inet servertechnik",
        "table inet servertechnik {",
    ]


def test_blocks_with_a_timeout_are_kept() -> None:
    text = ruleset(Intent(blocked=SERVERS.addresses), SETTINGS)
    assert re.findall(r"^(?:flush|delete|add).*servertechnik_block.*$", text, re.M) == [
        "flush chain inet servertechnik_block prerouting",
        "flush set inet servertechnik_block listed_4",
        "add element inet servertechnik_block listed_4 { 203.0.113.0/25 }",
        "flush set inet servertechnik_block listed_6",
    ]


def test_a_packet_meets_no_more_rules_with_more_services() -> None:
    many = tuple(replace(SSH, name=f"s{n}", ports=((n, n),)) for n in range(100, 150))
    assert chain("services", Intent(services=many)) == chain("services", Intent(services=(SSH,)))


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (ANYBODY, ["counter name service_ssh accept"]),
        (
            OFFICE,
            [
                "ip saddr @service_ssh.from_4 counter name service_ssh accept",
                "ip6 saddr @service_ssh.from_6 counter name service_ssh accept",
            ],
        ),
        (SERVERS, ["ip saddr @service_ssh.from_4 counter name service_ssh accept"]),
        (
            Peers("all of IPv4", Addresses.of(["0.0.0.0/0"])),
            ["meta nfproto ipv4 counter name service_ssh accept"],
        ),
        (
            Peers("both", Addresses.of(["::/0", "203.0.113.0/25"])),
            [
                "ip saddr @service_ssh.from_4 counter name service_ssh accept",
                "meta nfproto ipv6 counter name service_ssh accept",
            ],
        ),
    ],
)
def test_whom_a_service_is_for(source: Peers, lines: list[str]) -> None:
    intent = Intent(services=(replace(SSH, source=source),))
    assert chain("service_ssh", intent) == lines


def test_services_that_share_a_port_are_asked_in_turn() -> None:
    wide = replace(SSH, name="wide", ports=((20, 30),), source=SERVERS)
    intent = Intent(services=(SSH, wide, replace(DNS, ports=())))
    assert chain("services.tcp_22", intent) == ["jump service_ssh", "jump service_wide"]
    assert chain("services", intent) == [
        "meta l4proto . th dport vmap @services",
        "meta l4proto { 6, 17 } jump service_dns",
    ]
    assert (
        "{ tcp . 20-21 : jump service_wide, tcp . 22 : jump services.tcp_22, "
        "tcp . 23-30 : jump service_wide }"
    ) in ruleset(intent, SETTINGS)


@pytest.mark.parametrize(
    ("limit", "memory"),
    [
        (Limit(10, "hour", 10), "3600s"),
        (Limit(10, "hour", 5), "1800s"),
        (Limit(10, "second", 100), "60s"),
        (Limit(1, "day", 1), "86400s"),
    ],
)
def test_sources_are_remembered_until_they_may_have_all_again(limit: Limit, memory: str) -> None:
    intent = Intent(services=(replace(SSH, limit=limit, log=True),))
    assert ruleset(intent, SETTINGS).count(f"timeout {memory}") == 2
    over = f"limit rate over {limit.connections}/{limit.per} burst {limit.burst} packets"
    drop = "counter name service_ssh.limited drop"
    assert chain("service_ssh.new", intent) == [
        f"update @service_ssh.rate_4 {{ ip saddr {over} }} {drop}",
        f"update @service_ssh.rate_6 {{ ip6 saddr and ffff:ffff:ffff:ffff:: {over} }} {drop}",
        'limit rate 10/second burst 20 packets log prefix "servertechnik ssh: "',
        "counter name service_ssh accept",
    ]


@pytest.mark.parametrize(
    ("mode", "line"),
    [
        ("strict", ["fib saddr . iif oif missing goto spoofed"]),
        ("loose", ["fib saddr oif missing goto spoofed"]),
        ("no", []),
    ],
)
def test_reverse_path(mode: str, line: list[str]) -> None:
    assert chain("spoofing", Intent(), chosen(reverse_path=mode))[4:] == line


def test_zone_is_bound_where_the_host_has_its_interface() -> None:
    zone = Zone(name="dmz", addresses=SERVERS.addresses, interfaces=("dmz0", "dmz1"))
    intent = Intent(zones=(zone,))
    line = 'ip saddr @zone_dmz.4 iifname != { "dmz0", "dmz1" } goto spoofed'
    assert line not in chain("spoofing", intent)
    assert line in chain("spoofing", intent, chosen(interfaces=frozenset({"dmz1"})))


def test_host_is_no_router_between_its_links_whatever_engines_do() -> None:
    assert chain("forward", Intent()) == []
    assert chain("forward", Intent(), chosen(links=("eth0",))) == []
    assert chain("forward", Intent(), chosen(links=("eth0", "eth1", "br0"))) == [
        "type filter hook forward priority filter; policy accept",
        'iifname "eth0" oifname { "eth1", "br0" } counter name dropped drop',
        'iifname "eth1" oifname { "eth0", "br0" } counter name dropped drop',
        'iifname "br0" oifname { "eth0", "eth1" } counter name dropped drop',
    ]


def test_gateway_drops_all_but_what_is_named_and_what_is_the_engines() -> None:
    lines = chain("forward", Intent(gateway=True, forwards=(replace(DNS, destination=SERVERS),)))
    assert lines[:3] == [
        "type filter hook forward priority filter; policy drop",
        'iifname { "docker0", "podman*" } accept',
        'oifname { "docker0", "podman*" } accept',
    ]
    assert lines[-2:] == ["jump forwards", "goto refuse"]
    assert not [
        line
        for line in chain("forward", Intent(gateway=True), chosen(engine_interfaces=()))
        if "podman" in line
    ]


def test_translations() -> None:
    web = Rule(name="web", protocols=("tcp",), ports=((443, 443),))
    out = Rule(name="out", source=OFFICE)
    intent = Intent(
        gateway=True,
        translations=(
            Translation(kind="masquerade", match=out, interface="wan0"),
            Translation(
                kind="snat", match=replace(out, name="six"), version=6, address="2001:db8::9"
            ),
            Translation(kind="dnat", match=web, version=6, address="2001:db8:1::7", port=8443),
        ),
    )
    assert chain("postrouting", intent)[1:] == [
        'oifname "wan0" ip saddr @nat_out.from_4 counter name nat_out masquerade',
        "ip6 saddr @nat_six.from_6 counter name nat_six snat ip6 to 2001:db8::9",
    ]
    assert chain("prerouting", intent)[1:] == [
        "meta nfproto ipv6 fib daddr type local meta l4proto { 6 } th dport { 443 } "
        "counter name nat_web dnat ip6 to [2001:db8:1::7]:8443"
    ]
    assert chain("translated", intent) == [
        "ct status dnat meta nfproto ipv6 ip6 daddr 2001:db8:1::7 meta l4proto { 6 } "
        "th dport 8443 accept"
    ]
    assert "jump translated" in chain("forward", intent)


@pytest.mark.parametrize(
    ("one", "target"),
    [
        (Translation(kind="dnat", match=SSH, address="203.0.113.7"), "ip to 203.0.113.7"),
        (Translation(kind="dnat", match=SSH, address="203.0.113.7", port=2), "ip to 203.0.113.7:2"),
        (Translation(kind="dnat", match=SSH, version=6, address="2001:db8::7"),
         "ip6 to 2001:db8::7"),
    ],
)  # fmt: skip
def test_new_destination(one: Translation, target: str) -> None:
    intent = Intent(gateway=True, translations=(one,))
    assert chain("prerouting", intent)[1].endswith(f" dnat {target}")


def test_nothing_is_logged_unless_wanted() -> None:
    assert " log prefix " not in ruleset(Intent(services=(SSH,)), chosen(log_dropped=False))
    assert 'log prefix "servertechnik dropped: "' in ruleset(Intent(), SETTINGS)


def test_lines_of_ones_own_come_before_services() -> None:
    lines = chain("input", Intent(), chosen(extra_input=("tcp dport 1 drop",)))
    assert lines[-3:] == ["tcp dport 1 drop", "jump services", "goto refuse"]


# RFC 4890, sections 4.3.1 and 4.4.1, by number where nft(8) has no name.
@pytest.mark.parametrize(
    "kind",
    ["destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem",
     "echo-request", "echo-reply", "nd-router-solicit", "nd-router-advert", "nd-neighbor-solicit",
     "nd-neighbor-advert", "ind-neighbor-solicit", "ind-neighbor-advert", "mld-listener-query",
     "mld-listener-report", "mld-listener-done", "mld2-listener-report", "148", "149", "151",
     "152", "153"],
)  # fmt: skip
def test_what_must_not_be_dropped(kind: str) -> None:
    lines = chain("neighbours", Intent()) + chain("control", Intent())
    assert [line for line in lines if re.search(rf"icmpv6 type .*\b{kind}\b.*accept", line)]
