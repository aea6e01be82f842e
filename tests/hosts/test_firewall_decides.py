# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What the model decides is what the kernel does: intents at random, and real connections."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import (
    Decision,
    Intent,
    decide,
    merge,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_peers import Directory
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_read import intent_of
from ansible_collections.servertechnik.core.plugins.plugin_utils._nft import Settings, ruleset

from tests.conftest_hosts import Host
from tests.hosts.on_host.firewall_probe import HERE, PORTS

SCRIPT = Path(__file__).parent / "on_host" / "firewall_probe.py"
ZONES = {
    "office": ["198.51.100.0/25", "2001:db8:5:1::/64"],
    "lab": ["198.51.100.128/25"],
    "guests": ["2001:db8:5:2::/64", "198.51.7.0/24"],
    "servers": ["203.0.113.0/25", "2001:db8:f:1::/64"],
}
HOSTS = {
    "web1": ["198.51.100.10", "2001:db8:5:1::10"],
    "web2": ["203.0.113.10", "2001:db8:f:1::10"],
    "print": ["198.51.9.9"],
}
DIRECTORY = Directory({"all": [*HOSTS], "web": ["web1", "web2"]}, HOSTS.__getitem__)
SOURCES = [
    *(
        "198.51.100.10",
        "198.51.100.127",
        "198.51.100.128",
        "198.51.7.1",
        "198.51.9.9",
        "198.51.8.8",
    ),
    *("2001:db8:5:1::10", "2001:db8:5:1::11", "2001:db8:5:2::1", "2001:db8:5:3::1"),
]
BEYOND = ["203.0.113.10", "203.0.113.127", "203.0.113.128", "2001:db8:f:1::10", "2001:db8:f:2::1"]
SETTINGS = Settings(
    reverse_path="strict",
    ping_rate="50/second",
    log_dropped=True,
    log_rate="10/minute",
    engine_interfaces=("podman*",),
    extra_input=(),
    extra_forward=(),
)
SEEDS, PROBES = range(12), 40


def peers(random: Random) -> dict[str, list[str]]:
    """Somebody, one way or another."""
    networks = ["198.51.100.96/27", "2001:db8:5::/48", "198.51.8.8", "0.0.0.0/0", "::/0"]
    choices = {
        "zones": [*ZONES, "any", "outside"],
        "hosts": [*HOSTS],
        "groups": ["web"],
        "networks": networks,
    }
    ways = random.sample(sorted(choices), random.randint(1, 2))
    return {way: random.sample(choices[way], 1) for way in ways}


def what(random: Random, name: str) -> dict[str, Any]:
    """A protocol and ports."""
    protocol = random.choice(["tcp", "tcp", "udp", "tcp+udp", "any"])
    if protocol == "any":
        return {"name": name, "protocol": protocol}
    first = random.choice(PORTS)
    last = min(first + random.choice([0, 0, 3, 12]), PORTS[-1])
    return {"name": name, "protocol": protocol, "ports": [f"{first}-{last}", PORTS[0]]}


def drawn(random: Random) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The variables of a host, and its services."""
    services = [what(random, f"s{n}") | peers(random) for n in range(random.randint(0, 8))]
    forwards = [
        what(random, f"f{n}") | {"from": peers(random), "to": peers(random)}
        for n in range(random.randint(0, 8))
    ]
    variables = {
        "firewall_zones": [{"name": name, "networks": of} for name, of in ZONES.items()],
        "firewall_gateway": True,
        "firewall_forwards": forwards,
        "firewall_blocked": random.sample(SOURCES, random.choice([0, 0, 2])),
    }
    return variables, services


def case(seed: int) -> tuple[Intent, list[dict[str, Any]], list[Decision]]:
    """An intent, connections that somebody tries, and what the model says of each."""
    random = Random(seed)  # noqa: S311 - cases of a test
    variables, services = drawn(random)
    intent = intent_of(variables, merge([("", services)]), DIRECTORY)
    spans = [span for rule in (*intent.services, *intent.forwards) for span in rule.ports]
    edges = [edge for first, last in spans for edge in (first, last, last + 1) if edge in PORTS]
    probes: list[dict[str, Any]] = []
    for number in range(seed * PROBES, (seed + 1) * PROBES):
        source = random.choice(SOURCES)
        targets = [target for target in (*HERE, *BEYOND) if (":" in target) == (":" in source)]
        probes.append(
            {
                "source": source,
                "destination": random.choice(targets),
                "protocol": random.choice(["tcp", "udp"]),
                "port": random.choice(edges or PORTS),
                "number": number,
            }
        )
    decisions = [
        decide(
            intent,
            probe["source"],
            probe["destination"],
            probe["protocol"],
            probe["port"],
            forwarded=probe["destination"] not in HERE,
        )
        for probe in probes
    ]
    return intent, probes, decisions


@pytest.mark.parametrize("seed", SEEDS)
def test_kernel_does_what_the_model_decides(host: Host, seed: int) -> None:
    intent, probes, decisions = case(seed)
    wanted = {"ruleset": ruleset(intent, SETTINGS), "probes": probes}
    argument, program = (
        base64.b64encode(data).decode()
        for data in (json.dumps(wanted).encode(), SCRIPT.read_bytes())
    )
    answers = json.loads(
        host.sh(f"echo {program} | base64 -d >/root/probe.py; python3 /root/probe.py {argument}")
    )
    both = zip(decisions, answers, probes, strict=True)
    assert [one for one in both if one[0].accept != one[1]] == []


def test_cases_are_of_all_kinds() -> None:
    rules = {decision.rule.split()[0] for seed in SEEDS for decision in case(seed)[2]}
    assert rules == {"service", "forward", "blocked", "default"}
    accepted = [decision.accept for seed in SEEDS for decision in case(seed)[2]]
    assert 0.1 < sum(accepted) / len(accepted) < 0.8
