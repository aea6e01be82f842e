# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.filter.host_names import host_names

WEB = {"network_links": [{"name": "eth0", "addresses": ["192.0.2.1/24", "2001:db8::1/64"]}]}
HOSTVARS: dict[str, dict[str, Any]] = {
    "web1": WEB,
    "mail1.example.net": {"ansible_host": "192.0.2.7"},
    "lost": {"ansible_host": "lost.example.org"},
    "bad": {"network_links": [{"name": "eth0", "network": "lan"}]},
}


def test_names_and_addresses_are_those_of_the_inventory() -> None:
    assert host_names(["web1", "mail1.example.net", "lost"], HOSTVARS, "example.org") == [
        {
            "name": "web1.example.org",
            "aliases": ["web1"],
            "addresses": ["192.0.2.1", "2001:db8::1"],
        },
        {"name": "mail1.example.net", "aliases": ["mail1"], "addresses": ["192.0.2.7"]},
    ]


def test_links_that_cannot_be_are_an_error_of_their_host() -> None:
    with pytest.raises(AnsibleFilterError, match=r"^bad: network_links\[0\]\.network: found 'lan'"):
        host_names(["bad"], HOSTVARS, "example.org")
