# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.filter.firewall_files import firewall_files

ROLE = Path(__file__).resolve().parents[4] / "roles" / "firewall"
DEFAULTS: dict[str, Any] = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
HOSTS: dict[str, dict[str, Any]] = {
    "web1": {"network_links": [{"name": "eth0", "addresses": ["198.51.100.10/25"]}]},
    "web2": {"ansible_host": "198.51.100.11"},
    "wrong": {"network_links": [{"name": "eth0", "addresses": ["198.51.100.10"]}]},
}
GROUPS = {"all": list(HOSTS), "web": ["web1", "web2"]}
SSH = {"name": "ssh", "ports": [22], "groups": ["web"]}


def files(*services: dict[str, Any], **variables: Any) -> dict[str, dict[str, Any]]:
    given = firewall_files(services, DEFAULTS | variables, HOSTS, GROUPS, ["lo", "eth0"])
    return {one["dest"]: one for one in given}


def test_rules_and_the_same_in_words() -> None:
    found = files(SSH)
    rules = found["/etc/servertechnik/firewall.nft"]
    assert rules["validate"] == "nft -c -f %s"
    assert "elements = { 198.51.100.10/31 }" in rules["content"]
    words = found["/etc/servertechnik/firewall.txt"]
    assert words["outline"]
    assert words["content"] == "ssh: tcp 22 from group web (198.51.100.10, 198.51.100.11)\n"


def test_own_links_are_known() -> None:
    links: list[dict[str, Any]] = [{"name": name, "addresses": []} for name in ("eth0", "eth1")]
    rules = files(SSH, network_links=links)["/etc/servertechnik/firewall.nft"]["content"]
    assert 'iifname "eth0" oifname { "eth1" } counter name dropped drop' in rules


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ({"zones": ["moon"]}, r"firewall_services\[ssh\]\.zones: found 'moon'; accepted: a zone"),
        ({"hosts": ["wrong"]}, r"wrong: network_links\[0\]\.addresses\[0\]: found '198.51.100.10'"),
        ({"ports": [23]}, r"firewall_services: found no service with tcp port 22, Ansible's way"),
    ],
)
def test_mistake_is_one_line(service: dict[str, Any], says: str) -> None:
    with pytest.raises(AnsibleFilterError, match=says):
        files(SSH | service)
