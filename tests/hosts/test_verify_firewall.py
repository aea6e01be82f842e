# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Two networks and a gateway between them: what firewalls let through, and what is found out."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest_hosts import BED, Host

Run = Callable[..., "subprocess.CompletedProcess[str]"]
# From a host to an address; what is meant and found, and by whom and what that is decided.
Connection = tuple[str, str, str, int]
Told = tuple[str, str, str, str]
NETWORKS = {
    "left": ["198.18.0.0/24", "2001:db8:77:1::/64"],
    "right": ["198.18.1.0/24", "2001:db8:77:2::/64"],
}
LEFT = {"one": ["198.18.0.10", "2001:db8:77:1::10"], "gate": ["198.18.0.2", "2001:db8:77:1::2"]}
RIGHT = {
    "two": ["198.18.1.10", "2001:db8:77:2::10"],
    "three": ["198.18.1.11", "2001:db8:77:2::11"],
    "gate": ["198.18.1.2", "2001:db8:77:2::2"],
}
RELEASES = {"one": "bookworm", "two": "trixie", "three": "bookworm", "gate": "trixie"}
SITE = [{"name": "Filter", "hosts": "all", "roles": ["servertechnik.core.firewall"]}]
LIMIT = {"connections": 100, "per": "second"}
SERVICES: list[dict[str, Any]] = [
    {"name": "ssh", "ports": [22], "zones": ["any"]},
    {"name": "web", "ports": [8080], "zones": ["left"], "rate_limit": LIMIT, "log": True},
    {"name": "mail", "ports": ["9000-9003"], "hosts": ["one", "three"]},
    {"name": "names", "protocol": "tcp+udp", "ports": [53], "zones": ["right"]},
    {"name": "log", "protocol": "udp", "ports": [514], "zones": ["left", "right"]},
]
FORWARDS = [
    {"name": "ssh", "ports": [22], "from": {"zones": ["left"]}, "to": {"zones": ["right"]}},
    {"name": "web", "ports": [8080], "from": {"zones": ["left"]}, "to": {"zones": ["right"]}},
    {"name": "mail", "ports": ["9000-9003"], "from": {"zones": ["any"]}, "to": {"zones": ["any"]}},
]
NAT = [
    {
        "name": "inward",
        "type": "dnat",
        "protocol": "tcp",
        "ports": [2222],
        "from": {"zones": ["right"]},
        "address": "198.18.0.10",
        "port": 22,
    },
    {
        "name": "outward",
        "type": "masquerade",
        "protocol": "tcp",
        "ports": [9001],
        "from": {"zones": ["right"]},
        "to": {"zones": ["left"]},
        "family": "ipv4",
    },
]
GATEWAY = {"firewall_gateway": True, "firewall_forwards": FORWARDS, "firewall_nat": NAT}


def links(name: str) -> list[dict[str, Any]]:
    """The links of a host: what the bed has made, and the way to the other network."""
    found = list[dict[str, Any]]()
    others = {"left": NETWORKS["right"], "right": NETWORKS["left"]}
    for network, addresses in (("left", LEFT), ("right", RIGHT)):
        if name in addresses:
            lengths = ("24", "64")
            own = [f"{a}/{n}" for a, n in zip(addresses[name], lengths, strict=True)]
            routes = [
                {"to": to, "via": via}
                for to, via in zip(others[network], addresses["gate"], strict=True)
            ]
            link = {"name": f"eth{len(found)}", "addresses": own}
            found.append(link if name == "gate" else link | {"routes": routes})
    return found


@dataclass
class Place:
    """The hosts, and the job on them."""

    hosts: dict[str, Host]
    folder: Path
    run: Run
    records: list[dict[str, Any]] = field(default_factory=list)

    def play(self, playbook: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook; keep the records of the matrix that it leaves."""
        records = self.folder / "records"
        before = set(records.rglob("*.json"))
        done = self.run(
            *("ansible-playbook", "-i", self.folder / "inventory.json", playbook, *words),
            SERVERTECHNIK_RECORDS=str(records),
            ANSIBLE_SSH_CONTROL_PATH_DIR=str(self.folder / "ssh"),
            ANSIBLE_STDOUT_CALLBACK="servertechnik.core.progress",
        )
        new = sorted(set(records.rglob("firewall_matrix/*.json")) - before)
        self.records = [json.loads(path.read_text()) for path in new]
        return done

    def verify(self) -> subprocess.CompletedProcess[str]:
        """Run the job."""
        site = self.folder / "site.json"
        return self.play(
            "servertechnik.core.verify_firewall", "-e", f"verify_firewall_playbook={site}"
        )

    def cell(self, start: str, destination: str, protocol: str, port: int) -> dict[str, Any]:
        """What the last run recorded of one connection."""
        cells: list[dict[str, Any]] = [
            cell
            for record in self.records
            if record["host"] == start
            for way in record["data"]["ways"]
            if way["destination"] == destination
            for cell in way["cells"]
            if (cell["protocol"], cell["port"]) == (protocol, port)
        ]
        (only,) = cells
        return only


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Iterator[Place]:
    """Four hosts with firewalls, as the role has made them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    names = {name: f"test-verify{worker}-{name}" for name in RELEASES}
    wanted = {
        "networks": {f"verify{side}": subnets for side, subnets in NETWORKS.items()},
        "hosts": [
            {
                "name": names[name],
                "release": release,
                "addresses": {
                    f"verify{side}": addresses[name]
                    for side, addresses in (("left", LEFT), ("right", RIGHT))
                    if name in addresses
                },
            }
            for name, release in RELEASES.items()
        ],
    }
    spec = json.dumps(wanted)
    try:
        done = subprocess.run(
            [BED, "up", "--json"], input=spec, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        keys = ("name", "release", "address", "known_hosts")
        up = [Host(**{key: one[key] for key in keys}) for one in json.loads(done.stdout)]
        hosts = dict(zip(RELEASES, up, strict=True))
        yield built(Place(hosts, tmp_path_factory.mktemp("verify"), run))
    finally:
        subprocess.run([BED, "down", *names.values()], check=True)


def built(place: Place) -> Place:
    site = place.folder / "site.json"
    site.write_text(json.dumps(SITE))
    variables = {
        "firewall_playbook": str(site),
        "firewall_confirm_timeout": 60,
        "firewall_zones": [
            {"name": side, "networks": subnets}
            for side, subnets in (*NETWORKS.items(), ("guests", ["198.18.2.0/24"]))
        ],
        "firewall_services": SERVICES,
    }
    hosts = {
        name: host.variables | {"network_links": links(name)} | (GATEWAY if name == "gate" else {})
        for name, host in place.hosts.items()
    }
    inventory = {"all": {"hosts": hosts, "vars": variables}}
    (place.folder / "inventory.json").write_text(json.dumps(inventory))
    for name, host in place.hosts.items():
        for link in links(name):
            for route in link.get("routes", []):
                host.sh(f"ip route replace {route['to']} via {route['via']}")
        host.sh("systemd-run --quiet --unit=web python3 -m http.server 8080 --bind ::")
    done = place.play(str(site), "-b")
    assert done.returncode == 0, done.stdout + done.stderr
    return place


@pytest.fixture(scope="module")
def honest(place: Place) -> Place:
    """Firewalls that do what is meant."""
    done = place.verify()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "live rule" not in done.stdout
    assert "guests: nobody to probe from" in done.stdout
    return Place(place.hosts, place.folder, place.run, place.records)


def test_every_host_is_asked_from_every_other(honest: Place) -> None:
    ways = {
        (record["host"], way["destination"])
        for record in honest.records
        for way in record["data"]["ways"]
    }
    everywhere = [
        (start, destination)
        for start in RELEASES
        for name, addresses in (*LEFT.items(), *RIGHT.items())
        if name != start
        for destination in addresses
    ]
    # The far side of the gateway answers by the near one.
    assert ways == set(everywhere)


def test_no_cell_is_wrong(honest: Place) -> None:
    verdicts = {
        cell["verdict"]
        for record in honest.records
        for way in record["data"]["ways"]
        for cell in way["cells"]
    }
    assert verdicts == {"right"}


@pytest.mark.parametrize(
    ("connection", "told"),
    [
        (("one", "198.18.1.10", "tcp", 22), ("open", "open", "two", "service ssh")),
        (("one", "2001:db8:77:2::10", "tcp", 8080), ("open", "open", "two", "service web")),
        (("three", "198.18.1.10", "tcp", 8080), ("closed", "timeout", "two", "default drop")),
        (("three", "198.18.1.10", "tcp", 53), ("open", "refused", "two", "service names")),
        (("three", "2001:db8:77:2::10", "udp", 53), ("open", "refused", "two", "service names")),
        (("one", "198.18.1.10", "udp", 53), ("closed", "silent", "gate", "default drop")),
        (("one", "198.18.1.10", "tcp", 9000), ("open", "refused", "two", "service mail")),
        (("two", "198.18.1.11", "tcp", 9000), ("closed", "timeout", "three", "default drop")),
        (("three", "198.18.0.10", "tcp", 9000), ("open", "refused", "one", "service mail")),
        # Its source is the gateway's address by then, which may not.
        (("three", "198.18.0.10", "tcp", 9001), ("closed", "timeout", "one", "default drop")),
        (("two", "198.18.1.2", "tcp", 2222), ("open", "open", "one", "service ssh")),
        (("one", "198.18.0.2", "tcp", 2222), ("closed", "timeout", "gate", "default drop")),
        (("one", "198.18.1.2", "tcp", 22), ("open", "open", "gate", "service ssh")),
        (("gate", "198.18.0.10", "tcp", 8080), ("open", "open", "one", "service web")),
        (("one", "198.18.1.10", "tcp", 9004), ("closed", "timeout", "gate", "default drop")),
        (("two", "2001:db8:77:2::11", "tcp", 3389), ("closed", "timeout", "three", "default drop")),
    ],
)
def test_what_was_meant_and_found(connection: Connection, told: Told, honest: Place) -> None:
    cell = honest.cell(*connection)
    assert tuple(cell[key] for key in ("meant", "found", "host", "rule")) == told


@pytest.fixture(scope="module")
def lying(honest: Place) -> tuple[Place, str]:
    """Rules that somebody has added and removed by hand, and what the job says."""
    two, three, gate = (honest.hosts[name] for name in ("two", "three", "gate"))
    two.sh("nft insert rule inet servertechnik input tcp dport 2525 accept")
    two.sh("systemd-run --quiet --unit=hole python3 -m http.server 2525 --bind ::")
    three.sh("nft flush chain inet servertechnik service_names")
    two.sh("nft insert rule inet servertechnik input udp dport 53 accept")
    gate.sh("nft flush chain inet servertechnik forward_web")
    gate.sh("nft insert rule inet servertechnik forward udp dport 53 accept")
    honest.hosts["one"].sh(
        "nft add table inet other\n"
        "nft add chain inet other input '{ type filter hook input priority 10; }'\n"
        "nft add rule inet other input tcp dport 9002 drop"
    )
    done = honest.verify()
    assert done.returncode != 0
    return honest, done.stdout


def test_the_record_is_kept_all_the_same(lying: tuple[Place, str]) -> None:
    place = lying[0]
    assert place.cell("three", "198.18.1.10", "tcp", 2525)["verdict"] == "hole"
    assert {record["host"] for record in place.records} == set(RELEASES)


@pytest.mark.parametrize(
    "line",
    [
        "hole: from 198.18.1.11 (three, zone right) to 198.18.1.10 (two): tcp 2525: found open, "
        "meant closed (two: default drop)",
        "closed: from 198.18.1.10 (two, zone right) to 198.18.1.11 (three): tcp 53: found timeout, "
        "meant open (three: service names)",
        "closed: from 198.18.1.10 (two, zone right) to 198.18.1.11 (three): udp 53: found silent, "
        "meant open (three: service names)",
        "closed: from 198.18.0.10 (one, zone left) to 198.18.1.10 (two) through gate: tcp 8080: "
        "found timeout, meant open (two: service web)",
        "closed: from 2001:db8:77:2::11 (three, zone right) to 2001:db8:77:1::10 (one) through "
        "gate: tcp 9002: found timeout, meant open (one: service mail)",
        "hole: from 2001:db8:77:1::10 (one, zone left) to 2001:db8:77:2::10 (two) through gate: "
        "udp 53: found refused, meant closed (gate: default drop)",
        "two: live rule added in servertechnik input: tcp dport 2525 accept",
        "gate: live rule added in servertechnik forward: udp dport 53 accept",
        "one: another program's chain may drop: inet other input",
    ],
)
def test_what_is_wrong_is_named(line: str, lying: tuple[Place, str]) -> None:
    assert line in lying[1]
