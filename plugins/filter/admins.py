# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a list of administrators means for accounts, keys and sudo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.plugin_utils._admins import Admins, AdminsError

DOCUMENTATION = r"""
name: admins
version_added: 0.1.0
short_description: What a list of administrators means for accounts, keys and sudo
description:
  - Turns V(base_admins) of the role P(servertechnik.core.base#role) into what its parts need.
  - Refuses to take the account, the keys or the rights from the one by whom Ansible comes in,
    before any host is touched.
positional: controller
options:
  _input:
    description: The administrators.
    type: list
    elements: dict
    required: true
  controller:
    description: The account by which Ansible comes in, if known.
    type: str
    default: ''
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Have the accounts
  servertechnik.core.accounts:
    accounts: "{{ (base_admins | servertechnik.core.admins(ansible_user)).accounts }}"
"""

RETURN = r"""
_value:
  description:
    - C(names) of those present; C(files), their keys as files of M(servertechnik.core.component);
      C(sudo), lines for a sudoers file; C(accounts), entries for M(servertechnik.core.accounts).
  type: dict
"""


def admins(entries: Iterable[Mapping[str, Any]], controller: str = "") -> dict[str, Any]:
    """Return names, files, sudo and accounts. Raises AnsibleFilterError."""
    try:
        found = Admins.of(entries, controller)
    except AdminsError as error:
        raise AnsibleFilterError(str(error)) from error
    return {
        "names": found.names,
        "files": found.key_files(),
        "sudo": found.sudo,
        "accounts": found.accounts,
    }


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"admins": admins}
