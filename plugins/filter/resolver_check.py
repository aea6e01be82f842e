# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command that proves that a host has names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.plugin_utils._resolver import (
    check_command,
    contradictions,
)

DOCUMENTATION = r"""
name: resolver_check
version_added: 0.1.0
short_description: The command that proves that a host has names
description:
  - Turns variables of the role P(servertechnik.core.resolver#role) into the command by which it
    verifies a change.
  - Refuses variables that don't go together.
options:
  _input:
    description: The variables, by their names.
    type: dict
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Verify that the host has names
  servertechnik.core.component:
    name: resolver
    verify:
      - command: "{{ variables_of_the_role | servertechnik.core.resolver_check }}"
"""

RETURN = r"""
_value:
  description: The command.
  type: str
  sample: /usr/bin/python3 -I /usr/local/lib/servertechnik/resolver_check.py 192.0.2.53
"""


def resolver_check(variables: Mapping[str, Any]) -> str:
    """Return the command. Raises AnsibleFilterError with all that doesn't go together."""
    if found := list(contradictions(variables)):
        raise AnsibleFilterError("; ".join(found))
    return check_command(variables)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"resolver_check": resolver_check}
