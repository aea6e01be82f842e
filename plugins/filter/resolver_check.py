# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Commands by which a host has names at all times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.plugin_utils._resolver import (
    bridge_commands,
    check_command,
    contradictions,
)

DOCUMENTATION = r"""
name: resolver_check
version_added: 0.1.0
short_description: Commands by which a host has names at all times
description:
  - Turns variables of the role P(servertechnik.core.resolver#role) into commands that keep names
    during a change, and that prove afterwards that there are names.
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
      - command: "{{ (variables_of_the_role | servertechnik.core.resolver_check).verify }}"
"""

RETURN = r"""
_value:
  description: C(validate), a list, and C(verify), one command.
  type: dict
"""


def resolver_check(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the commands. Raises AnsibleFilterError with all that doesn't go together."""
    if found := list(contradictions(variables)):
        raise AnsibleFilterError("; ".join(found))
    return {"validate": bridge_commands(variables), "verify": check_command(variables)}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"resolver_check": resolver_check}
