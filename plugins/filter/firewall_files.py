# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host lets in, as files of a component."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.filter.host_addresses import host_addresses
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_outline import outline
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_peers import Directory
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_read import (
    IntentError,
    intent_of,
    lockout,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._links import (
    LinkError,
    links_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._nft import Settings, ruleset

DOCUMENTATION = r"""
name: firewall_files
version_added: 0.1.0
short_description: What a host lets in, as files of a component
description:
  - Turns services and the variables of the role P(servertechnik.core.firewall#role) into a file
    for C(nft -f), and one that says the same in words.
  - Refuses what can't be meant, and what is certain to keep Ansible out.
positional: variables, hostvars, groups, interfaces
options:
  _input:
    description: The services, those that other roles need included.
    type: list
    elements: dict
    required: true
  variables:
    description: The variables of this host.
    type: dict
    required: true
  hostvars:
    description: The variables of all hosts.
    type: dict
    required: true
  groups:
    description: The hosts of each group.
    type: dict
    required: true
  interfaces:
    description: The network interfaces that this host has.
    type: list
    elements: str
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show the rules for one service
  ansible.builtin.debug:
    msg: "{{ services | servertechnik.core.firewall_files(vars, hostvars, groups, ['eth0']) }}"
  vars:
    services:
      - name: ssh
        ports: [22]
        zones: [any]
"""

RETURN = r"""
_value:
  description: Files of a component, each with C(dest) and C(content).
  type: list
  elements: dict
"""

HEADER = "# Managed by Servertechnik: firewall_*, and ROLE_firewall_services of other roles\n"


def firewall_files(
    services: Sequence[Mapping[str, Any]],
    variables: Mapping[str, Any],
    hostvars: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, Sequence[str]],
    interfaces: Sequence[str],
) -> list[dict[str, Any]]:
    """Return the files. Raises AnsibleFilterError."""
    directory = Directory(groups, lambda name: host_addresses([name], hostvars))
    try:
        intent = intent_of(variables, services, directory)
        links = [link.name for link in links_of(variables) if link.name]
    except (IntentError, LinkError) as error:
        raise AnsibleFilterError(str(error)) from error
    for path, found, accepted in lockout(intent, variables):
        raise AnsibleFilterError(f"{path}: found {found}; accepted: {accepted}")
    settings = Settings.of(variables, links, interfaces)
    return [
        {
            "dest": "/etc/servertechnik/firewall.nft",
            "content": HEADER + ruleset(intent, settings),
            "validate": "nft -c -f %s",
        },
        {
            "dest": "/etc/servertechnik/firewall.txt",
            "content": "".join(f"{line}\n" for line in outline(intent, settings)),
            "outline": True,
            "units": [],
        },
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"firewall_files": firewall_files}
