# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What is meant between two networks and a gateway, and what to make of what is found."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import Intent, merge
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_peers import Directory
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_read import intent_of
from ansible_collections.servertechnik.core.plugins.plugin_utils._links import (
    addresses_of,
    links_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._matrix import (
    Cell,
    Meant,
    World,
    judged,
    ports_of,
    unwatched,
    witnesses,
    zone_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._matrix_report import (
    Row,
    counts,
    findings,
    probes,
    questions,
    rows,
    table,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._ways import Routes, Way

ZONES = [
    {"name": "office", "networks": ["198.51.100.0/25", "2001:db8:1::/64"]},
    {"name": "dmz", "networks": ["198.51.100.128/25", "2001:db8:2::/64"]},
]
SERVICES: list[dict[str, Any]] = [
    {"name": "ssh", "ports": [22], "zones": ["office"]},
    {"name": "web", "ports": [80, 443], "zones": ["any"]},
    {"name": "mail", "ports": ["9000-9002"], "hosts": ["files1"]},
    {"name": "wide", "protocol": "udp", "ports": ["20000-30000"], "zones": ["dmz"]},
]
FORWARDS = [
    {
        "name": "out",
        "protocol": "any",
        "from": {"zones": ["office"]},
        "to": {"zones": ["dmz"]},
    }
]
NAT: list[dict[str, Any]] = [
    {
        "name": "inward",
        "type": "dnat",
        "protocol": "tcp",
        "ports": [2222],
        "from": {"zones": ["dmz"]},
        "interface": "wan",
        "address": "198.51.100.10",
        "port": 22,
    },
    {
        "name": "hide",
        "type": "masquerade",
        "interface": "wan",
        "protocol": "tcp",
        "ports": [9000],
        "from": {"zones": ["office"]},
    },
]


def link(name: str, *addresses: str, gateways: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"name": name, "addresses": list(addresses), "gateways": list(gateways)}


OFFICE, DMZ = ("198.51.100.2", "2001:db8:1::2"), ("198.51.100.130", "2001:db8:2::130")
LINKS = {
    "files1": [link("lan", "198.51.100.10/25", "2001:db8:1::10/64", gateways=OFFICE)],
    "files2": [link("lan", "198.51.100.11/25", "2001:db8:1::11/64", gateways=OFFICE)],
    "files3": [link("lan", "198.51.100.12/25", "2001:db8:1::12/64", gateways=OFFICE)],
    "web1": [link("wan", "198.51.100.140/25", "2001:db8:2::140/64", gateways=DMZ)],
    "gw1": [
        link("lan", "198.51.100.2/25", "2001:db8:1::2/64"),
        link("wan", "198.51.100.130/25", "2001:db8:2::130/64"),
    ],
    "other1": [link("lan", "198.51.100.13/25")],
}


def world_with(**gateway: Any) -> World:
    links = {name: links_of({"network_links": one}) for name, one in LINKS.items()}
    addresses = {name: addresses_of({"network_links": one}) for name, one in LINKS.items()}
    directory = Directory({"all": list(LINKS)}, lambda name: addresses[name])

    def intent(name: str) -> Intent:
        variables: dict[str, Any] = {"firewall_zones": ZONES}
        if name == "gw1":
            variables |= {"firewall_gateway": True, "firewall_forwards": FORWARDS, **gateway}
        return intent_of(variables, merge([("", SERVICES)]), directory)

    return World(Routes(links, addresses), {n: intent(n) for n in LINKS if n != "other1"})


@pytest.fixture(scope="module")
def world() -> World:
    return world_with(firewall_nat=NAT)


@pytest.mark.parametrize(
    ("connection", "meant"),
    [
        (("files1", "198.51.100.11", "tcp", 22), Meant(True, "files2", "service ssh")),
        (("files1", "2001:db8:1::11", "tcp", 23), Meant(False, "files2", "default drop")),
        (("files1", "198.51.100.140", "tcp", 22), Meant(True, "web1", "service ssh")),
        (("files2", "198.51.100.140", "tcp", 9001), Meant(False, "web1", "default drop")),
        (("files1", "198.51.100.140", "tcp", 9001), Meant(True, "web1", "service mail")),
        # Behind the gateway nobody knows files1 by its address.
        (("files1", "198.51.100.140", "tcp", 9000), Meant(False, "web1", "default drop")),
        (("files1", "2001:db8:2::140", "tcp", 9000), Meant(True, "web1", "service mail")),
        (("web1", "198.51.100.10", "tcp", 80), Meant(False, "gw1", "default drop")),
        (("web1", "198.51.100.130", "tcp", 80), Meant(True, "gw1", "service web")),
        (("web1", "198.51.100.130", "tcp", 2222), Meant(False, "files1", "default drop")),
        (("files2", "198.51.100.2", "tcp", 2222), Meant(False, "gw1", "default drop")),
        (("web1", "2001:db8:2::130", "tcp", 2222), Meant(False, "gw1", "default drop")),
        (("web1", "198.51.100.2", "udp", 25000), Meant(True, "gw1", "service wide")),
        (("other1", "198.51.100.10", "tcp", 443), Meant(True, "files1", "service web")),
    ],
)
def test_what_is_meant(connection: tuple[str, str, str, int], meant: Meant, world: World) -> None:
    start, destination, protocol, port = connection
    assert world.meant(world.routes.way(start, destination), protocol, port) == meant


@pytest.mark.parametrize(
    ("change", "port", "meant"),
    [
        ({"address": "198.51.100.10", "port": 80}, 2222, Meant(True, "files1", "service web")),
        ({"address": "198.51.100.10", "port": 80}, 2223, Meant(False, "gw1", "default drop")),
        ({"address": "198.51.100.99"}, 2222, Meant(True, "gw1", "nat inward")),
        ({"original": "198.51.100.2"}, 2222, Meant(False, "gw1", "default drop")),
        ({"interface": "lan"}, 2222, Meant(False, "gw1", "default drop")),
    ],
)
def test_where_a_gateway_sends_it(change: dict[str, Any], port: int, meant: Meant) -> None:
    world = world_with(firewall_nat=[NAT[0] | change])
    assert world.meant(world.routes.way("web1", "198.51.100.130"), "tcp", port) == meant


@pytest.mark.parametrize(
    ("interface", "meant"),
    [
        ("wan", Meant(False, "web1", "default drop")),
        ("lan", Meant(True, "web1", "service mail")),
    ],
)
def test_where_a_gateway_hides_others(interface: str, meant: Meant) -> None:
    world = world_with(firewall_nat=[NAT[1] | {"interface": interface}])
    assert world.meant(world.routes.way("files1", "198.51.100.140"), "tcp", 9000) == meant


def test_no_way_leads_to_hosts_without_a_firewall(world: World) -> None:
    ways, without = world.ways("files1")
    assert {way.to for way in ways} == {"files2", "files3", "web1", "gw1"}
    assert len(ways) == 2 * 4 + 2
    assert without == []


def test_which_ports_are_asked_for(world: World) -> None:
    own = set(ports_of(world.intents["web1"]))
    assert {("tcp", port) for port in (22, 80, 443, 9000, 9001, 9002)} <= own
    assert {port for protocol, port in own if protocol == "udp"} == {20000, 30000}
    asked = set(world.ports("web1", [("tcp", 2525)]))
    assert own < asked
    # What another opens, what listens, what is just beside, what is often open by mistake.
    assert {("tcp", 2222), ("tcp", 2525), ("tcp", 9003), ("udp", 19999), ("tcp", 23)} <= asked


def test_zones(world: World) -> None:
    intent = world.intents["web1"]
    assert zone_of(intent, "2001:db8:1::10") == "office"
    assert zone_of(intent, "203.0.113.1") == "outside"


@pytest.mark.parametrize(
    ("most", "chosen"),
    [
        # Only files1 is named by a rule; the other two are alike.
        (1, ["files1", "files2", "web1", "gw1"]),
        (2, ["files1", "files2", "files3", "web1", "gw1"]),
        (0, ["files1", "files2", "files3", "web1", "gw1"]),
    ],
)
def test_who_probes(most: int, chosen: list[str], world: World) -> None:
    names = ["files1", "files2", "files3", "web1", "gw1"]
    assert witnesses(world, names, most) == chosen


def test_where_nobody_is(world: World) -> None:
    assert unwatched(world, ["files1", "gw1"]) == []
    assert unwatched(world, ["files1"]) == ["dmz"]
    assert unwatched(world, []) == ["dmz", "office"]


OPEN, CLOSED = Meant(True, "web1", "service x"), Meant(False, "web1", "default drop")


@pytest.mark.parametrize(
    ("protocol", "port", "meant", "found", "verdict"),
    [
        ("tcp", 80, OPEN, "open", "right"),
        ("tcp", 80, OPEN, "refused", "right"),
        ("tcp", 80, OPEN, "timeout", "closed"),
        ("tcp", 80, OPEN, "rejected", "closed"),
        ("tcp", 80, OPEN, "unreachable", "closed"),
        ("tcp", 80, CLOSED, "timeout", "right"),
        ("tcp", 80, CLOSED, "rejected", "right"),
        ("tcp", 80, CLOSED, "open", "hole"),
        ("tcp", 80, CLOSED, "refused", "hole"),
        ("udp", 53, OPEN, "reply", "right"),
        ("udp", 53, CLOSED, "reply", "hole"),
        ("udp", 9, OPEN, "refused", "right"),
        ("udp", 9, OPEN, "silent", "closed"),
        ("udp", 9, CLOSED, "silent", "right"),
        # Something listens at 514 that never answers, and at 123 something that does.
        ("udp", 514, OPEN, "silent", "unsure"),
        ("udp", 514, CLOSED, "silent", "unsure"),
        ("udp", 123, OPEN, "silent", "unsure"),
        ("udp", 123, CLOSED, "silent", "right"),
        ("tcp", 80, OPEN, "not finished by the deadline (1 s)", "unsure"),
    ],
)
def test_verdicts(protocol: str, port: int, meant: Meant, found: str, verdict: str) -> None:
    listening = {("udp", 514), ("udp", 123)}
    assert judged(protocol, port, meant, found, listening).verdict == verdict


def test_silence_of_a_host_that_was_not_looked_at_says_nothing() -> None:
    assert judged("udp", 9, OPEN, "silent", None).verdict == "unsure"
    assert judged("tcp", 9, OPEN, "timeout", None).verdict == "closed"


def test_many_icmp_errors_take_their_time() -> None:
    way = Way("files1", "198.51.100.10", "web1", "198.51.100.140")
    links = {name: links_of({"network_links": one}) for name, one in LINKS.items()}
    addresses = {name: addresses_of({"network_links": one}) for name, one in LINKS.items()}
    services = [{"name": "many", "protocol": "udp", "ports": ["7000-7009"], "zones": ["any"]}]
    intent = intent_of({}, services, Directory({"all": list(LINKS)}, lambda _name: ()))
    world = World(Routes(links, addresses), {"web1": intent})
    asked = questions(world, [way], {"web1": set()})
    waits = {
        (kind, options["port"]): options["timeout"]
        for kind, options in probes(asked, {"web1": set()})
    }
    assert waits["udp", 7000] == 2.5 + 10 - 6
    assert waits["udp", 6999] == 1.5
    assert waits["tcp", 23] == 2.5


WAY = Way("files1", "198.51.100.10", "web1", "198.51.100.140")
WRONG = Row(
    WAY,
    "office",
    [
        Cell("tcp", 80, OPEN, "timeout", "closed"),
        Cell("tcp", 443, OPEN, "timeout", "closed"),
        Cell("udp", 443, OPEN, "silent", "closed"),
        Cell("tcp", 2525, CLOSED, "open", "hole"),
        Cell("tcp", 22, OPEN, "open", "right"),
    ],
)
LIVE: dict[str, dict[str, Any]] = {
    "web1": {
        "managed": True,
        "sockets": [],
        "differences": [{"change": "added", "chain": "servertechnik input", "rule": "accept"}],
        "others": ["inet other input"],
    }
}


def test_findings_name_both_sides_and_the_culprit() -> None:
    way = "from 198.51.100.10 (files1, zone office) to 198.51.100.140 (web1)"
    assert findings([WRONG], LIVE) == [
        f"closed: {way}: tcp 80, 443: found timeout, meant open (web1: service x)",
        f"closed: {way}: udp 443: found silent, meant open (web1: service x)",
        f"hole: {way}: tcp 2525: found open, meant closed (web1: default drop)",
        "web1: live rule added in servertechnik input: accept",
        "web1: another program's chain may drop: inet other input",
    ]


def test_much_is_told_in_few_words() -> None:
    cells = [Cell("tcp", port, CLOSED, "refused", "hole") for port in range(1, 15)]
    difference = LIVE["web1"]["differences"][0]
    live = {"web1": {**LIVE["web1"], "differences": [difference] * 14}}
    found = findings([Row(WAY, "office", cells)], live)
    assert "tcp 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 2 more: found refused" in found[0]
    assert found[1:] == [
        *["web1: live rule added in servertechnik input: accept"] * 12,
        "web1: 14 live rules differ in all",
    ]


def test_a_host_without_the_role_is_named() -> None:
    live = {"web1": {"managed": False, "differences": [], "others": []}}
    hole = Cell("tcp", 22, CLOSED, "open", "hole")
    found = findings([Row(WAY, "office", [hole])], live)
    assert found[1:] == ["web1: the role firewall hasn't been here yet"]


def test_nobody_is_suspected_without_a_reason() -> None:
    right = Row(WAY, "office", [Cell("tcp", 22, OPEN, "open", "right")])
    assert findings([right], LIVE) == []


def test_counts_and_their_table() -> None:
    other = Row(WAY, "dmz", [Cell("tcp", 22, OPEN, "open", "right")] * 1000)
    counted = counts([WRONG, WRONG, other])
    assert counted[0] == {
        "zone": "office",
        "to": "web1",
        "right": 2,
        "hole": 2,
        "closed": 6,
        "unsure": 0,
    }
    assert table([*counted, {**counted[0], "to": "mail1"}]) == [
        "from zone  hosts  right  hole  closed  unsure",
        "dmz            1   1000     0       0       0",
        "office         2      4     4      12       0",
    ]


def test_what_was_found_is_put_beside_what_was_meant(world: World) -> None:
    way = world.routes.way("files1", "198.51.100.140")
    asked = [one for one in questions(world, [way], {}) if one.port in (22, 23)]
    (row,) = rows(world, asked, [({"state": "open"}, "", 0.1), ({}, "late", 9.0)], {})
    assert row.zone == "office"
    assert [(c.port, c.found, c.verdict) for c in row.cells] == [
        (22, "open", "right"),
        (23, "late", "unsure"),
    ]
