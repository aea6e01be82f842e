# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may log in, as settings of sshd."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.plugin_utils._sshd import (
    AccessError,
    access,
    refuse_lockout,
)

DOCUMENTATION = r"""
name: sshd_access
version_added: 0.1.0
short_description: Who may log in, as settings of sshd
description:
  - Turns V(sshd_allow) and V(sshd_deny) of the role P(servertechnik.core.sshd#role) into settings
    of C(sshd_config), so that any entry that fits is enough, and a group can be bound to networks.
  - Refuses to shut out the account by which Ansible comes in, before any host is touched.
positional: deny
options:
  _input:
    description: Who may log in; everybody if it is empty.
    type: list
    elements: dict
    required: true
  deny:
    description: Who may not, whatever else says so.
    type: list
    elements: dict
    required: true
  controller:
    description: The account by which Ansible comes in, if known.
    type: str
    default: ''
  root_login:
    description: The value of C(PermitRootLogin).
    type: str
    default: prohibit-password
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show who may log in
  ansible.builtin.debug:
    msg: "{{ [{'group': 'staff', 'from': ['192.0.2.0/24']}] | servertechnik.core.sshd_access([]) }}"
"""

RETURN = r"""
_value:
  description: C(settings) for everybody, and C(blocks) of C(criteria) and C(settings) for some.
  type: dict
"""


def sshd_access(
    allow: Sequence[Mapping[str, Any]],
    deny: Sequence[Mapping[str, Any]],
    controller: str = "",
    root_login: str = "prohibit-password",
) -> dict[str, Any]:
    """Return settings and blocks. Raises AnsibleFilterError."""
    try:
        refuse_lockout(controller, allow, deny, root_login)
        return access(allow, deny)
    except AccessError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"sshd_access": sshd_access}
