# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Time sources as lines of chrony.conf."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.plugin_utils._chrony import (
    SourceError,
    source_lines,
)

DOCUMENTATION = r"""
name: chrony_sources
version_added: 0.1.0
short_description: Time sources as lines of chrony.conf
description:
  - Turns V(timesync_sources) of the role P(servertechnik.core.timesync#role) into lines of
    C(chrony.conf).
options:
  _input:
    description: The sources.
    type: list
    elements: dict
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show the line for a server
  ansible.builtin.debug:
    msg: "{{ [{'address': 'ntp.example.org', 'nts': true}] | servertechnik.core.chrony_sources }}"
"""

RETURN = r"""
_value:
  description: One line for each source.
  type: list
  elements: str
  sample: [server ntp.example.org iburst nts]
"""


def chrony_sources(sources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return one line for each source. Raises AnsibleFilterError."""
    try:
        return list(source_lines(sources))
    except SourceError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"chrony_sources": chrony_sources}
