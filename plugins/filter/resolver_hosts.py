# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Internal names as lines of a hosts file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.plugin_utils._resolver import (
    ResolverError,
    hosts_lines,
)

DOCUMENTATION = r"""
name: resolver_hosts
version_added: 0.1.0
short_description: Internal names as lines of a hosts file
description:
  - Turns V(resolver_hosts) of the role P(servertechnik.core.resolver#role) into lines of a hosts
    file.
options:
  _input:
    description: The hosts, each with its name, its aliases and its addresses.
    type: list
    elements: dict
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show the lines for one host
  ansible.builtin.debug:
    msg: "{{ hosts | servertechnik.core.resolver_hosts }}"
  vars:
    hosts:
      - name: web1.example.org
        addresses: [192.0.2.10]
"""

RETURN = r"""
_value:
  description: One line for each address.
  type: list
  elements: str
  sample: ["192.0.2.10\tweb1.example.org"]
"""


def resolver_hosts(hosts: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return one line for each address. Raises AnsibleFilterError."""
    try:
        return hosts_lines(hosts)
    except ResolverError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"resolver_hosts": resolver_hosts}
