# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates and principals as files of a component."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._sshd import certificate_files

DOCUMENTATION = r"""
name: sshd_certificate_files
version_added: 0.1.0
short_description: Certificates and principals as files of a component
description:
  - Turns V(sshd_host_certificates) and V(sshd_principals) of the role
    P(servertechnik.core.sshd#role) into files of M(servertechnik.core.component).
positional: principals
options:
  _input:
    description: The certificates of host keys.
    type: list
    elements: dict
    required: true
  principals:
    description: The principals of certificates that open accounts.
    type: list
    elements: dict
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show the files
  ansible.builtin.debug:
    msg: "{{ sshd_host_certificates | servertechnik.core.sshd_certificate_files([]) }}"
"""

RETURN = r"""
_value:
  description: Files, each with C(dest) and C(content).
  type: list
  elements: dict
"""


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"sshd_certificate_files": certificate_files}
