# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The addresses of hosts, as their links say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.plugin_utils._links import (
    LinkError,
    addresses_of,
)

DOCUMENTATION = r"""
name: host_addresses
version_added: 0.1.0
short_description: The addresses of hosts, as their links say
description:
  - Looks up the static addresses of hosts, IPv4 and IPv6, in V(network_links) of the role
    P(servertechnik.core.network#role). A host without any is known by V(ansible_host), if that is
    an address.
positional: hostvars
options:
  _input:
    description: The names of hosts in the inventory.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts.
    type: dict
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show where the web servers are
  ansible.builtin.debug:
    msg: "{{ groups['webservers'] | servertechnik.core.host_addresses(hostvars) }}"
"""

RETURN = r"""
_value:
  description: The addresses, without prefix lengths, those of the first host first.
  type: list
  elements: str
"""


def host_addresses(names: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the addresses of all named hosts. Raises AnsibleFilterError."""
    found: list[str] = []
    for name in names:
        try:
            found += addresses_of(hostvars[name])
        except LinkError as error:
            raise AnsibleFilterError(f"{name}: {error}") from error
    return list(dict.fromkeys(found))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"host_addresses": host_addresses}
