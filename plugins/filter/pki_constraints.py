# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Name constraints of an authority."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: pki_constraints
version_added: 0.1.0
short_description: Name constraints of an authority
description:
  - Turns domains and networks into the name constraints that modules of P(community.crypto) take.
positional: networks
options:
  _input:
    description: The domains for which the authority may sign.
    type: list
    elements: str
    required: true
  networks:
    description: The networks for which it may sign; without any it signs for no address.
    type: list
    elements: raw
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show the constraints
  ansible.builtin.debug:
    msg: "{{ ['example.org'] | servertechnik.core.pki_constraints(['192.0.2.0/24']) }}"
"""

RETURN = r"""
_value:
  description: C(permitted) and C(excluded).
  type: dict
"""


def pki_constraints(domains: Iterable[str], networks: Iterable[str]) -> dict[str, list[str]]:
    """Return permitted and excluded names. Raises AnsibleFilterError."""
    # ansible-doc loads filters where cryptography may not be installed.
    from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import (  # noqa: PLC0415 -- see above
        PkiError,
        constraints,
    )

    try:
        return constraints(domains, networks)
    except PkiError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"pki_constraints": pki_constraints}
