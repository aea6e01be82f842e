# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A host moves to another address: the run, the inventory and the known hosts go with it."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest_hosts import Fleet, Host, Results, Task

FACTS: Task = {"name": "facts", "ansible.builtin.setup": {"gather_subset": ["network"]}}
LINKS = "Have the links that the inventory names"
WHERE: Task = {
    "name": "where",
    "ansible.builtin.shell": "echo $SSH_CONNECTION",
    "vars": {"ansible_become": False},
}


def new_address(host: Host) -> str:
    """An address that podman has not given to anybody."""
    last = {"bookworm": 241, "trixie": 242}[host.release]
    return str(ipaddress.ip_interface(f"{host.address}/24").network[last])


@dataclass
class Moved:
    """A controller that knows its hosts by their addresses, and what it was told."""

    inventory: Path
    known_hosts: Path
    before: str
    first: Results
    again: Results


def tasks(fleet: Fleet) -> list[Task]:
    """The network with the new address, and a question to the host once it is there."""
    network = {host.release: ipaddress.ip_interface(f"{host.address}/24").network
               for host in fleet.hosts.values()}["bookworm"]  # fmt: skip
    link = {"name": "eth0", "addresses": ["{{ moves_to }}/24"], "gateways": [str(network[1])]}
    role = {
        "name": "network",
        "ansible.builtin.include_role": {"name": "servertechnik.core.network"},
        "vars": {"network_links": [link], "network_confirm_address": "{{ moves_to }}"},
    }
    return [FACTS, role, WHERE]


@pytest.fixture(scope="module")
def moved(fleet: Fleet) -> Moved:
    """Both hosts moved, and the same run once more from the inventory as it is now."""
    inventory, known_hosts = fleet.folder / "moving.yml", fleet.folder / "known_hosts"
    hosts: dict[str, Any] = {}
    keys = ""
    for host in fleet.hosts.values():
        hosts[host.name] = {
            "ansible_host": host.address,
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={known_hosts} -o IdentitiesOnly=yes",
            "moves_to": new_address(host),
        }
        _name, key = Path(host.known_hosts).read_text().split(" ", 1)
        keys += f"{host.address} {key}"
    known_hosts.write_text(keys)
    inventory.write_text("# By hand\n" + yaml.safe_dump({"all": {"hosts": hosts}}))
    before = inventory.read_text()
    first = fleet.play(tasks(fleet), "-i", str(inventory))
    again = fleet.play(tasks(fleet), "-i", str(inventory))
    return Moved(inventory, known_hosts, before, first, again)


def component(results: Results, release: str) -> dict[str, Any]:
    (result,) = (r for task, r in results[release].items() if task.endswith(LINKS))
    return dict(result)


def test_change_is_confirmed_at_the_new_address(moved: Moved, host: Host) -> None:
    result = component(moved.first, host.release)
    assert result["changed"], json.dumps(result)
    assert not result.get("failed"), result["msg"]
    assert f"eth0: address {new_address(host)}/24" in result["outline"]["added"]


def test_run_goes_on_at_the_new_address(moved: Moved, host: Host) -> None:
    way = moved.first[host.release]["where"]["stdout"].split()
    assert way[2] == new_address(host)


def test_former_address_is_gone(moved: Moved, host: Host) -> None:  # noqa: ARG001 -- after it moved
    found = host.sh("ip -4 -brief address show dev eth0").split()[2:]
    assert found == [f"{new_address(host)}/24"]


def test_inventory_follows(moved: Moved, fleet: Fleet, host: Host) -> None:
    wanted = moved.before
    for one in fleet.hosts.values():
        wanted = wanted.replace(f"ansible_host: {one.address}", f"ansible_host: {new_address(one)}")
    assert moved.inventory.read_text() == wanted
    (told, *_others) = component(moved.first, host.release)["moved"]
    assert told.endswith(
        f"ansible_host of {host.name} is {new_address(host)}, it was {host.address}"
    )


def test_known_hosts_follow(moved: Moved, host: Host) -> None:
    former, new = (keys_of(moved, name) for name in (host.address, new_address(host)))
    assert new == former != []


def keys_of(moved: Moved, name: str) -> list[str]:
    """The keys that ssh knows for a name, hashed or not."""
    words = ["ssh-keygen", "-F", name, "-f", str(moved.known_hosts)]
    text = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return [line.split(" ", 1)[1] for line in text.splitlines() if not line.startswith("#")]


def test_next_run_finds_the_host_where_it_is(moved: Moved, host: Host) -> None:
    result = component(moved.again, host.release)
    assert (result["changed"], result.get("failed", False)) == (False, False), json.dumps(result)
