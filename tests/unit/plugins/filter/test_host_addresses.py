# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.filter.host_addresses import host_addresses

HOSTS: dict[str, dict[str, Any]] = {
    "web1": {"network_links": [{"name": "eth0", "addresses": ["198.51.100.10/25"]}]},
    "web2": {"network_links": [{"name": "eth0", "addresses": ["2001:db8::1/64"]}]},
    "wrong": {"network_links": [{"name": "eth0", "addresses": ["198.51.100.10"]}]},
}


def test_addresses_of_many_hosts_in_one_list() -> None:
    assert host_addresses(["web2", "web1", "web2"], HOSTS) == ["2001:db8::1", "198.51.100.10"]


def test_a_mistake_names_its_host() -> None:
    with pytest.raises(AnsibleFilterError, match=r"wrong: network_links\[0\].addresses\[0\]: "):
        host_addresses(["wrong"], HOSTS)
