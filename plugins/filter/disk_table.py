# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The health of a host's disks in a few lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._disk_table import table

DOCUMENTATION = r"""
name: disk_table
version_added: 0.1.0
short_description: The disks, arrays and file systems of a host as tables, the worst first
description:
  - Makes what M(servertechnik.core.disk_health) returns readable.
options:
  _input:
    description: The result of the module.
    type: dict
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show how the disks are
  ansible.builtin.debug:
    msg: "{{ disk_health | servertechnik.core.disk_table }}"
"""

RETURN = r"""
_value:
  description: One line for each disk with its reasons below, then arrays and file systems.
  type: str
  sample: |-
    verdict  disk      slot     serial  model        size     hours  °C  wear
    watch    /dev/sdb  Slot 04  SER002  EXAMPLE 4TB  3.6 TiB  41233  34  -
      sectors that could not be read and wait to be reallocated: 8
    healthy  /dev/sda  Slot 03  SER001  EXAMPLE 4TB  3.6 TiB  41233  33  -

    array           level  members  state  under way
    /dev/md/system  raid1  2 of 2   clean  -
"""


def disk_table(document: Mapping[str, Any]) -> str:
    """Return the tables of a document of `disk_health`."""
    return "\n".join(table(document))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"disk_table": disk_table}
