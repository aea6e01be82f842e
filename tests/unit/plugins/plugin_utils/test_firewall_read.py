# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import Addresses
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import Limit, decide
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_peers import Directory
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_read import (
    IntentError,
    intent_of,
    mistakes_of,
)

HOSTS = {
    "web1": ["198.51.100.10", "2001:db8:1::10"],
    "web2": ["198.51.100.11"],
    "laptop": [],
}
DIRECTORY = Directory({"all": [*HOSTS], "web": ["web1", "web2"], "empty": []}, HOSTS.__getitem__)
SSH = {"name": "ssh", "ports": [22], "zones": ["any"]}
ZONES = [
    {"name": "office", "networks": ["198.51.100.0/25", "2001:db8:1::/64"]},
    {"name": "lab", "networks": ["198.51.100.128/25"]},
]
MANY = "zone of firewall_zones (office, lab, any, outside)"


def mistakes(services: list[dict[str, Any]], **variables: Any) -> list[tuple[str, str, str]]:
    needs = [("sshd", [SSH]), ("", services)]
    return list(mistakes_of({"firewall_zones": ZONES} | variables, needs, DIRECTORY))


def test_no_mistake_where_there_is_none() -> None:
    assert mistakes([{"name": "web", "ports": ["80", "8000-8010"], "groups": ["web"]}]) == []


@pytest.mark.parametrize(
    ("service", "path", "found", "accepted"),
    [
        ({"zones": ["ofice"]}, ".zones", "'ofice'", MANY),
        ({"hosts": ["web9"]}, ".hosts", "'web9'", "a host of the inventory"),
        ({"hosts": ["laptop"]}, ".hosts", "laptop, whose addresses are not known", "network_links"),
        ({"groups": ["mail"]}, ".groups", "'mail'", "a group of the inventory (all, web, empty)"),
        ({"networks": ["198.51.100.1/24"]}, ".networks", "'198.51.100.1/24'", "host bits zero"),
        ({}, "", "nobody who is meant", "at least one of zones, hosts, groups, networks"),
        ({"zones": ["any"], "ports": [0]}, ".ports", "'0'", "1 to 65535"),
        ({"zones": ["any"], "ports": [65536]}, ".ports", "'65536'", "1 to 65535"),
        ({"zones": ["any"], "ports": ["20-10"]}, ".ports", "'20-10'", "lower one first"),
        ({"zones": ["any"], "ports": ["http"]}, ".ports", "'http'", "1 to 65535"),
        ({"zones": ["any"], "ports": []}, ".ports", "no port", "at least one port with tcp"),
        ({"zones": ["any"], "protocol": "esp"}, ".ports", "ports with protocol esp", "none"),
        ({"zones": ["any"], "protocol": "tpc"}, ".protocol", "'tpc'", "one of tcp, udp"),
        ({"zones": ["any"], "protocol": "udp+esp"}, ".protocol", "'udp+esp'", "tcp+udp"),
    ],
)
def test_each_mistake_is_one_line(
    service: dict[str, Any], path: str, found: str, accepted: str
) -> None:
    told = mistakes([{"name": "x", "ports": [80]} | service])
    ours = [line for line in told if line[0] == f"firewall_services[x]{path}"]
    assert ours, told
    assert ours[0][1] == found
    assert accepted in ours[0][2]


@pytest.mark.parametrize(
    ("variables", "path", "found"),
    [
        (
            {"firewall_zones": [*ZONES, {"name": "x", "networks": ["198.51.100.64/26"]}]},
            "firewall_zones[x].networks",
            "198.51.100.64/26, which overlaps 198.51.100.0/25 of zone office",
        ),
        (
            {"firewall_zones": [*ZONES, {"name": "office", "networks": ["203.0.113.0/24"]}]},
            "firewall_zones[office]",
            "two entries with this name",
        ),
        ({"firewall_zones": [{"name": "x", "networks": []}]}, "firewall_zones[x].networks",
         "no network"),
        ({"firewall_zones": [{"name": "any", "networks": ["::/0"]}]}, "firewall_zones[any]",
         "the name of a zone that is built in"),
        ({"firewall_zones": [{"name": "A b", "networks": ["::/0"]}]}, "firewall_zones[].name",
         "'A b'"),
        ({"firewall_blocked": ["nobody"]}, "firewall_blocked", "'nobody'"),
        (
            {"firewall_forwards": [{"name": "x", "ports": [1], "from": {"zones": ["any"]},
                                    "to": {"zones": ["any"]}}]},
            "firewall_forwards",
            "1 entries on a host that passes nothing on",
        ),
        (
            {"firewall_gateway": True,
             "firewall_forwards": [{"name": "x", "ports": [1], "from": {"zones": ["any"]}}]},
            "firewall_forwards[x].to",
            "nobody who is meant",
        ),
        (
            {"firewall_gateway": True,
             "firewall_nat": [{"name": "x", "type": "dnat", "original": "203.0.113.1",
                               "address": "2001:db8::1"}]},
            "firewall_nat[x]",
            "203.0.113.1 and 2001:db8::1",
        ),
        (
            {"firewall_gateway": True,
             "firewall_nat": [{"name": "x", "type": "snat", "address": "gate"}]},
            "firewall_nat[x].address",
            "'gate'",
        ),
        ({"firewall_ping_rate": "50 a second"}, "firewall_ping_rate", "'50 a second'"),
        ({"firewall_log_rate": "0/minute"}, "firewall_log_rate", "'0/minute'"),
    ],
)  # fmt: skip
def test_mistakes_elsewhere(variables: dict[str, Any], path: str, found: str) -> None:
    assert (path, found) in [line[:2] for line in mistakes([], **variables)]


def test_one_name_twice_in_one_list() -> None:
    service = {"name": "x", "ports": [80], "zones": ["any"]}
    assert [line[:2] for line in mistakes([service, service])] == [
        ("firewall_services[x]", "two entries with this name")
    ]


def test_first_mistake_is_an_error() -> None:
    service = {"name": "x", "ports": [80], "zones": ["moon"]}
    with pytest.raises(IntentError, match=r"firewall_services\[x\].zones: found 'moon'; accepted:"):
        intent_of({"firewall_zones": ZONES}, [service], DIRECTORY)


@pytest.mark.parametrize(
    ("services", "variables", "is_locked_out"),
    [
        ([], {}, False),
        ([{"name": "ssh", "state": "absent"}], {}, True),
        ([{"name": "ssh", "state": "absent"}], {"ansible_connection": "local"}, False),
        ([{"name": "ssh", "state": "absent"}], {"ansible_connection": "community.x.ssh"}, True),
        ([], {"ansible_port": 2222}, True),
        ([{"name": "ssh", "ports": [2222]}], {"ansible_port": "2222"}, False),
        ([], {"firewall_controllers": ["203.0.113.5"]}, False),
        ([{"name": "ssh", "zones": ["office"]}], {"firewall_controllers": ["203.0.113.5"]}, True),
        ([{"name": "ssh", "zones": ["office"]}], {"firewall_controllers": ["198.51.100.5"]}, False),
        ([], {"firewall_controllers": ["203.0.113.5"], "firewall_blocked": ["203.0.113.0/24"]},
         True),
        ([], {"firewall_blocked": ["0.0.0.0/0", "::/0"]}, True),
    ],
)  # fmt: skip
def test_ansible_is_not_shut_out(
    services: list[dict[str, Any]], variables: dict[str, Any], is_locked_out: bool
) -> None:
    told = mistakes(services, **variables)
    assert bool(told) == is_locked_out
    assert all("for the controller" in accepted for _path, _found, accepted in told)


def test_whom_a_service_is_for() -> None:
    service = {
        "name": "x", "protocol": "tcp+udp", "ports": [53, "60-70"], "zones": ["lab"],
        "hosts": ["web1"], "groups": ["web"], "networks": ["203.0.113.0/24"],
        "rate_limit": {"connections": 10, "per": "hour"}, "log": True,
    }  # fmt: skip
    (rule,) = intent_of({"firewall_zones": ZONES}, [service], DIRECTORY).services
    assert rule.protocols == ("tcp", "udp")
    assert rule.ports == ((53, 53), (60, 70))
    assert rule.limit == Limit(10, "hour", 10)
    assert rule.log
    assert rule.source.words == (
        "lab (198.51.100.128/25), host web1 (198.51.100.10, 2001:db8:1::10), "
        "group web (198.51.100.10, 2001:db8:1::10, 198.51.100.11), 203.0.113.0/24"
    )
    assert rule.source.addresses == Addresses.of(
        ["198.51.100.128/25", "198.51.100.10/31", "2001:db8:1::10", "203.0.113.0/24"]
    )


def test_outside_is_who_is_in_no_zone() -> None:
    service = {"name": "x", "ports": [80], "zones": ["outside"]}
    intent = intent_of({"firewall_zones": ZONES}, [service], DIRECTORY)
    found = [
        decide(intent, source, "198.51.100.1", "tcp", 80).accept
        for source in ("203.0.113.1", "2001:db8:2::1", "198.51.100.1", "2001:db8:1::1")
    ]
    assert found == [True, True, False, False]


def test_translations() -> None:
    nat = [
        {"name": "out", "type": "masquerade", "interface": "wan0", "from": {"zones": ["office"]}},
        {"name": "six", "type": "masquerade", "family": "ipv6", "from": {"zones": ["office"]}},
        {"name": "in", "type": "dnat", "ports": [443], "protocol": "tcp", "address": "2001:db8::1"},
        {"name": "gone", "type": "snat", "state": "absent", "address": "203.0.113.1"},
    ]
    variables = {"firewall_zones": ZONES, "firewall_gateway": True, "firewall_nat": nat}
    found = intent_of(variables, [], DIRECTORY).translations
    assert [(t.match.name, t.kind, t.version, t.interface, t.address) for t in found] == [
        ("out", "masquerade", 4, "wan0", ""),
        ("six", "masquerade", 6, "", ""),
        ("in", "dnat", 6, "", "2001:db8::1"),
    ]
    assert found[2].match.ports == ((443, 443),)
