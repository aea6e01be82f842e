# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import Addresses
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import (
    Intent,
    Peers,
    Rule,
    decide,
    merge,
    segments,
)
from hypothesis import given
from hypothesis import strategies as st

ROLE = {"name": "ssh", "ports": [22], "zones": ["any"]}
OFFICE = Peers("office", Addresses.of(["198.51.100.0/25", "2001:db8:1::/64"]))
WEB = Peers("web", Addresses.of(["203.0.113.10"]))
INTENT = Intent(
    services=(
        Rule(name="ssh", protocols=("tcp",), ports=((22, 22),), source=OFFICE),
        Rule(name="dns", protocols=("tcp", "udp"), ports=((53, 53),)),
        Rule(name="vpn", protocols=("esp",), source=WEB),
        Rule(name="trusted", source=WEB),
    ),
    gateway=True,
    forwards=(Rule(name="web", protocols=("tcp",), ports=((80, 80), (443, 443)), destination=WEB),),
    blocked=Addresses.of(["198.51.100.66"]),
)
HERE, ELSEWHERE = "198.51.100.1", "203.0.113.10"


@pytest.mark.parametrize(
    ("own", "merged"),
    [
        ([], [ROLE]),
        ([{"name": "ssh", "state": "absent"}], []),
        ([{"name": "ssh", "log": True}], [ROLE | {"log": True}]),
        (
            [{"name": "ssh", "networks": ["192.0.2.0/24"], "zones": None}],
            [{"name": "ssh", "ports": [22], "networks": ["192.0.2.0/24"]}],
        ),
        ([{"name": "ssh", "ports": [2222]}], [ROLE | {"ports": [2222]}]),
        (
            [{"name": "web", "ports": [80], "zones": ["any"]}],
            [ROLE, {"name": "web", "ports": [80], "zones": ["any"]}],
        ),
    ],
)
def test_inventory_has_the_last_word(own: list[dict[str, Any]], merged: list[Any]) -> None:
    assert merge([("sshd", [ROLE]), ("", own)]) == merged


@pytest.mark.parametrize(
    ("source", "protocol", "port", "accept", "rule"),
    [
        ("198.51.100.9", "tcp", 22, True, "service ssh"),
        ("2001:db8:1::9", "tcp", 22, True, "service ssh"),
        ("198.51.100.129", "tcp", 22, False, "default drop"),
        ("2001:db8:2::9", "tcp", 22, False, "default drop"),
        ("198.51.100.9", "udp", 22, False, "default drop"),
        ("192.0.2.1", "udp", 53, True, "service dns"),
        ("203.0.113.10", "esp", None, True, "service vpn"),
        ("203.0.113.10", "tcp", 9, True, "service trusted"),
        ("198.51.100.66", "tcp", 22, False, "blocked"),
        ("198.51.100.66", "icmp", None, False, "blocked"),
        ("192.0.2.1", "icmp", None, True, "icmp"),
        ("2001:db8:2::9", "icmpv6", None, True, "icmpv6"),
    ],
)
def test_what_comes_in(
    source: str, protocol: str, port: int | None, accept: bool, rule: str
) -> None:
    found = decide(INTENT, source, HERE, protocol, port)
    assert (found.accept, found.rule) == (accept, rule)


@pytest.mark.parametrize(
    ("destination", "port", "accept", "rule"),
    [
        (ELSEWHERE, 443, True, "forward web"),
        (ELSEWHERE, 22, False, "default drop"),
        ("203.0.113.11", 443, False, "default drop"),
    ],
)
def test_what_is_passed_on(destination: str, port: int, accept: bool, rule: str) -> None:
    found = decide(INTENT, "192.0.2.1", destination, "tcp", port, forwarded=True)
    assert (found.accept, found.rule) == (accept, rule)


def test_only_a_gateway_passes_on() -> None:
    found = decide(Intent(), "192.0.2.1", ELSEWHERE, "icmp", forwarded=True)
    assert (found.accept, found.rule) == (False, "no gateway")


SPANS = st.tuples(st.integers(1, 40), st.integers(0, 9)).map(lambda p: (p[0], p[0] + p[1]))
RULES = st.lists(
    st.tuples(
        st.sampled_from([("tcp",), ("udp",), ("tcp", "udp")]),
        st.lists(SPANS, min_size=1).map(tuple),
    ),
    max_size=6,
).map(lambda drawn: [Rule(name=f"r{n}", protocols=p, ports=s) for n, (p, s) in enumerate(drawn)])


@given(RULES, st.sampled_from(["tcp", "udp"]), st.integers(1, 50))
def test_segments_ask_those_who_are_meant(rules: list[Rule], protocol: str, port: int) -> None:
    found = segments(rules)
    (asked,) = [s.rules for s in found if s.protocol == protocol and s.first <= port <= s.last] or [
        ()
    ]
    assert asked == tuple(rule for rule in rules if rule.is_about(protocol, port))


@given(RULES)
def test_segments_are_apart_and_no_more_than_needed(rules: list[Rule]) -> None:
    found = segments(rules)
    for one, after in pairwise(found):
        if one.protocol == after.protocol:
            assert one.last < after.first
            assert (one.last + 1, one.rules) != (after.first, after.rules)
