"""Hosts with fifty services for ten zones, as variables of the role firewall. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ZONES = 10
SERVICES = 50
FIRST = 10000
SSH = {"name": "ssh", "ports": [22], "zones": ["any"]}
# For zones in which no host is.
ELSEWHERE = ("203.0.113.{number}/32", "2001:db8:bad::{number}/128")


def variables(addresses: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    """Return the variables of each host, given its addresses with their prefix lengths.

    Each of the first zones holds one host. Every service is for two or three of them.
    """
    hosts = [list(one) for one in addresses.values()]
    zones = []
    for number in range(1, ZONES + 1):
        networks = [form.format(number=number) for form in ELSEWHERE]
        if number <= len(hosts):
            networks = [one.partition("/")[0] for one in hosts[number - 1]]
        zones.append({"name": f"zone{number}", "networks": networks})
    services = [
        {
            "name": f"service{number}",
            "ports": [FIRST + number],
            "zones": sorted({f"zone{number * step % ZONES + 1}" for step in (1, 3, 7)}),
        }
        for number in range(1, SERVICES + 1)
    ]
    common = {
        "firewall_playbook": "",
        "firewall_zones": zones,
        "firewall_services": [SSH, *services],
    }
    return {
        name: {**common, "network_links": [{"name": "eth0", "addresses": list(one)}]}
        for name, one in addresses.items()
    }
