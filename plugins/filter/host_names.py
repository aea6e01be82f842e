# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The names of hosts with their addresses, as a name server is told them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.plugin_utils._links import (
    LinkError,
    addresses_of,
)

DOCUMENTATION = r"""
name: host_names
version_added: 0.1.0
short_description: The names of hosts with their addresses
description:
  - Makes of hosts of the inventory what V(resolver_hosts) of the role
    P(servertechnik.core.resolver#role) takes, so that names follow the inventory.
  - The addresses are those of P(servertechnik.core.host_addresses#filter). A host without any is
    left out.
positional: hostvars, domain
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
  domain:
    description: The domain of hosts whose name in the inventory has none.
    type: str
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show the names of all hosts
  ansible.builtin.debug:
    msg: "{{ groups['all'] | servertechnik.core.host_names(hostvars, 'example.org') }}"
"""

RETURN = r"""
_value:
  description: An entry for each host with the full name, the short one as alias, and addresses.
  type: list
  elements: dict
  sample:
    - name: web1.example.org
      aliases: [web1]
      addresses: [198.51.100.140, '2001:db8:0:2::140']
"""


def host_names(
    names: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], domain: str
) -> list[dict[str, Any]]:
    """Return an entry for each host that has addresses. Raises AnsibleFilterError."""
    found = []
    for name in names:
        full = name if "." in name else f"{name}.{domain}"
        try:
            addresses = addresses_of(hostvars[name])
        except LinkError as error:
            raise AnsibleFilterError(f"{name}: {error}") from error
        if addresses:
            short = full.partition(".")[0]
            found.append({"name": full, "aliases": [short], "addresses": addresses})
    return found


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"host_names": host_names}
