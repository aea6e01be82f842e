# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings as lines of a configuration file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.plugin_utils._setting_lines import (
    SettingError,
    setting_lines,
)

DOCUMENTATION = r"""
name: setting_lines
version_added: 0.1.0
short_description: Settings as lines of a configuration file
description:
  - Turns a dictionary into the lines of a configuration file that has one keyword and its value on
    each line, such as those of OpenSSH, chrony and systemd.
  - V(true) and V(false) become C(yes) and C(no), a list becomes one line for each of its entries;
    null, an empty text and an empty list leave the keyword out.
positional: separator
options:
  _input:
    description: The settings, in the order in which they are to be written.
    type: dict
    required: true
  separator:
    description: What stands between a keyword and its value.
    type: str
    default: ' '
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show two lines of a configuration for journald
  ansible.builtin.debug:
    msg: "{{ {'Compress': true, 'SystemMaxUse': '1G'} | servertechnik.core.setting_lines('=') }}"
"""

RETURN = r"""
_value:
  description: The lines, without their ends.
  type: list
  elements: str
  sample: [Compress=yes, SystemMaxUse=1G]
"""


def lines(settings: Mapping[str, Any], separator: str = " ") -> list[str]:
    """Return the lines of these settings. Raises AnsibleFilterError."""
    try:
        return list(setting_lines(settings, separator))
    except SettingError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"setting_lines": lines}
