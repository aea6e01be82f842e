# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A playbook and an inventory on disk, read by Ansible itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.servertechnik.core.plugins.plugin_utils._site import Site, SiteError

FILES: dict[str, Any] = {
    "site.yml": [
        {"hosts": "all", "roles": ["sshd", {"role": "logs", "logs_port": 6514}]},
        {"import_playbook": "web.yml"},
    ],
    "web.yml": [
        {
            "hosts": "{{ receivers | default('web') }}",
            "vars": {"web_port": 8080},
            "roles": ["sshd", "web"],
        }
    ],
    "roles/sshd/defaults/main.yml": {
        "sshd_ports": [22],
        "sshd_firewall_services": [
            {"name": "ssh", "ports": "{{ sshd_ports }}", "zones": ["office"]},
        ],
    },
    "roles/logs/defaults/main.yml": {
        "logs_port": 514,
        "logs_firewall_services": [{"name": "logs", "ports": ["{{ logs_port }}"]}],
    },
    "roles/web/defaults/main.yml": {"web_port": 80, "web_firewall_services": []},
    "roles/web/vars/main.yml": {"__web_name": "web"},
    "roles/web/tasks/main.yml": [{"name": "Nothing", "ansible.builtin.meta": "noop"}],
    "hosts.yml": {
        "all": {"children": {"web": {"hosts": {"w1": None}}, "mail": {"hosts": {"m1": None}}}}
    },
    "group_vars/web.yml": {
        "sshd_ports": [2222],
        "web_firewall_services": [{"name": "{{ __web_name }}", "ports": ["{{ web_port }}"]}],
        "firewall_services": [{"name": "own", "ports": [7]}],
    },
}
SSH = {"name": "ssh", "ports": [22], "zones": ["office"]}
LOGS = {"name": "logs", "ports": [6514]}


@pytest.fixture(autouse=True)
def finder() -> Iterator[None]:
    """What finds collections within a run of Ansible; gone afterwards."""
    _AnsibleCollectionFinder(paths=[], scan_sys_paths=False)._install()
    yield
    _AnsibleCollectionFinder._remove()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Site]:
    """Write the files, some replaced, and open the site."""
    monkeypatch.chdir(tmp_path)

    def opened(**files: Any) -> Site:
        for name, data in (FILES | files).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(data, sort_keys=False))
        loader = DataLoader()
        loader.set_basedir(str(tmp_path))
        inventory = InventoryManager(loader, ["hosts.yml"])
        inventory.subset("w1")
        return Site(HostVars(inventory, VariableManager(loader, inventory), loader))

    return opened


def test_needs_are_those_of_the_roles_that_a_host_has(site: Callable[..., Site]) -> None:
    assert list(site().needs("site.yml", "m1")) == [("sshd", [SSH]), ("logs", [LOGS]), ("", [])]


def test_needs_are_templated_as_each_play_sees_them(site: Callable[..., Site]) -> None:
    assert list(site().needs("site.yml", "w1")) == [
        ("sshd", [SSH | {"ports": [2222]}]),
        ("logs", [LOGS]),
        ("web", [{"name": "web", "ports": [8080]}]),
        ("", [{"name": "own", "ports": [7]}]),
    ]


def test_a_host_of_no_play_has_its_own_services_alone(site: Callable[..., Site]) -> None:
    assert list(site().needs("web.yml", "m1")) == [("", [])]


def test_the_hosts_of_a_play_are_those_of_the_limit_unless_all_are_asked_for(
    site: Callable[..., Site],
) -> None:
    opened = site()
    play = opened.plays("site.yml")[0]
    assert [host.name for host in opened.hosts(play)] == ["w1"]
    assert [host.name for host in opened.hosts(play, all_of_them=True)] == ["w1", "m1"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{{ ansible_facts['x'] }}", "w1: web_firewall_services: .*it needs facts, so gather them"),
        ("{{ nope }}", "w1: web_firewall_services: .*'nope' is undefined"),
        ("ssh", "w1: web_firewall_services: found 'ssh'; accepted: a list of services"),
        (["ssh"], "w1: web_firewall_services: found .*; accepted: a list of services"),
    ],
)
def test_what_cannot_be_told_is_an_error(
    value: object, said: str, site: Callable[..., Site]
) -> None:
    opened = site(**{"group_vars/web.yml": {"web_firewall_services": value}})
    with pytest.raises(SiteError, match=said):
        list(opened.needs("site.yml", "w1"))


def test_facts_count_once_they_are_known(site: Callable[..., Site]) -> None:
    ports = ["{{ ansible_facts['port'] }}"]
    opened = site(
        **{"group_vars/web.yml": {"web_firewall_services": [{"name": "a", "ports": ports}]}}
    )
    opened._manager.set_host_facts("w1", {"port": 99})
    assert ("web", [{"name": "a", "ports": [99]}]) in list(opened.needs("site.yml", "w1"))
