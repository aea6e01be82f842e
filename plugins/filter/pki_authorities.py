# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The authorities of an internal PKI, and which of them signs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: pki_authorities
version_added: 0.1.0
short_description: The authorities of an internal PKI, and which of them signs
description:
  - Judges the certificates of authorities that the role P(servertechnik.core.pki#role) keeps on the
    controller.
options:
  _input:
    description: The certificates of the authorities, each as its path and its content.
    type: list
    elements: list
    required: true
  now:
    description: The present time, in ISO 8601 and UTC.
    type: str
    required: true
  days:
    description: For how many days a new one holds.
    type: int
    required: true
  renew_before_days:
    description: How many days the newest has left when the next one is due.
    type: int
    required: true
  distribution_days:
    description: For how many days hosts accept a new one before it signs.
    type: int
    required: true
  retired:
    description: Numbers of authorities that hosts don't accept any more.
    type: list
    elements: raw
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show which authority signs
  ansible.builtin.debug:
    msg: "{{ (files | servertechnik.core.pki_authorities(
      now='2026-11-24T12:00:00Z', days=3650, renew_before_days=400, distribution_days=30,
      retired=[])).signing.name }}"
"""

RETURN = r"""
_value:
  description:
    - C(trusted), the authorities that hosts accept; C(signing), the one that signs; C(missing), the
      number of one that is to be made first, or 0.
  type: dict
"""


def pki_authorities(
    files: Iterable[tuple[str, str]],
    *,
    now: str,
    days: int,
    renew_before_days: int,
    distribution_days: int,
    retired: Sequence[int],
) -> dict[str, Any]:
    """Return the authorities. Raises AnsibleFilterError."""
    # ansible-doc loads filters where cryptography may not be installed.
    from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import (  # noqa: PLC0415 -- see above
        PkiError,
        authorities,
        moment,
    )

    try:
        return authorities(
            files,
            moment(now),
            valid=timedelta(days=int(days)),
            renew_before=timedelta(days=int(renew_before_days)),
            distribution=timedelta(days=int(distribution_days)),
            retired=retired,
        ).as_dict()
    except PkiError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"pki_authorities": pki_authorities}
