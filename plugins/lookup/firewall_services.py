# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the firewall of a host lets in: what its roles need, and what the host says itself."""
# ruff: noqa: E402  documentation stands before imports, as in every Ansible plugin

from __future__ import annotations

DOCUMENTATION = r"""
name: firewall_services
version_added: 0.1.0
short_description: What the firewall of a host lets in
description:
  - Reads the plays of a playbook and finds which roles apply to the host. Each of them may say in a
    default or variable C(ROLE_firewall_services) what it needs of the firewall, in the form of
    V(firewall_services) of the role P(servertechnik.core.firewall#role).
  - These are templated with the host's variables in that play. Conditions on roles are not
    evaluated.
  - Merged by name; what the host says in V(firewall_services) comes last and so wins.
options:
  _terms:
    description: Playbooks, by full name or path.
    type: list
    elements: str
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show what comes in
  ansible.builtin.debug:
    msg: "{{ lookup('servertechnik.core.firewall_services', 'servertechnik.core.site') }}"
"""

RETURN = r"""
_raw:
  description: For each playbook the services of this host.
  type: list
  elements: list
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import merge
from ansible_collections.servertechnik.core.plugins.plugin_utils._site import Site, SiteError


class LookupModule(LookupBase):  # type: ignore[misc]  # Ansible has no type information
    """The lookup of this file."""

    def run(
        self, terms: Sequence[str], variables: Mapping[str, Any] | None = None, **_options: Any
    ) -> list[list[dict[str, Any]]]:
        """Return the services of this host for each playbook. Raises AnsibleLookupError."""
        known = variables or {}
        site = Site(known["hostvars"])
        try:
            return [merge(site.needs(term, known["inventory_hostname"])) for term in terms]
        except SiteError as error:
            raise AnsibleLookupError(str(error)) from error
