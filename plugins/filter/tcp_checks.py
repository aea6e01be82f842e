# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ports as checks of a component."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._sshd import endpoints

DOCUMENTATION = r"""
name: tcp_checks
version_added: 0.1.0
short_description: Ports as checks of a component
description:
  - Turns a list of ports into O(servertechnik.core.component#module:verify) entries that ask for an
    answer from each of them.
positional: addresses
options:
  _input:
    description: The ports.
    type: list
    elements: int
    required: true
  addresses:
    description: Addresses on which each port must answer; the loopback if there are none.
    type: list
    elements: str
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show one check
  ansible.builtin.debug:
    msg: "{{ [22] | servertechnik.core.tcp_checks(['192.0.2.1']) }}"
"""

RETURN = r"""
_value:
  description: One check for each port on each address.
  type: list
  elements: dict
  sample: [{tcp: '192.0.2.1:22'}]
"""


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"tcp_checks": endpoints}
