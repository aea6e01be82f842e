# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Accounts that may only transfer files, as settings of sshd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._sshd import sftp_blocks

DOCUMENTATION = r"""
name: sshd_sftp_blocks
version_added: 0.1.0
short_description: Accounts that may only transfer files, as settings of sshd
description:
  - Turns V(sshd_sftp_only) of the role P(servertechnik.core.sshd#role) into C(Match) blocks.
options:
  _input:
    description: The accounts.
    type: list
    elements: dict
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show the blocks
  ansible.builtin.debug:
    msg: "{{ groups_of_customers | servertechnik.core.sshd_sftp_blocks }}"
  vars:
    groups_of_customers:
      - group: customers
        chroot: /srv/sftp/%u
"""

RETURN = r"""
_value:
  description: Blocks, each with C(criteria) and C(settings).
  type: list
  elements: dict
"""


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"sshd_sftp_blocks": sftp_blocks}
