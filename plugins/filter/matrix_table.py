# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A matrix of all hosts in a few lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

DOCUMENTATION = r"""
name: matrix_table
version_added: 0.1.0
short_description: How many connections are as they are meant to be, as a table
description:
  - Sums up by zone what M(servertechnik.core.firewall_matrix) has counted on all hosts.
options:
  _input:
    description: The results; those of hosts that did not probe have no counts.
    type: list
    elements: dict
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show the counts
  ansible.builtin.debug:
    msg: "{{ ansible_play_hosts_all | map('extract', hostvars, 'firewall_matrix')
      | servertechnik.core.matrix_table }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: A line for each zone, with a heading.
  type: str
  sample: |-
    from zone  hosts  right  hole  closed  unsure
    dmz            2    208     0       0       0
    office         3    415     1       0       0
    guests: nobody to probe from
"""


def matrix_table(results: Iterable[Mapping[str, Any]]) -> str:
    """Return the table; results without counts are those of hosts that did not probe."""
    # Here, because ansible-doc reads filters without the libraries behind the matrix.
    from ansible_collections.servertechnik.core.plugins.plugin_utils._matrix_report import (  # noqa: PLC0415 -- see above
        table,
    )

    told = [result for result in results if "counts" in result]
    counted = [row for result in told for row in result["counts"]]
    nobody = sorted({zone for result in told for zone in result["nobody"]})
    return "\n".join((*table(counted), *(f"{zone}: nobody to probe from" for zone in nobody)))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"matrix_table": matrix_table}
