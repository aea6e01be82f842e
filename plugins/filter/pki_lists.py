# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Revocation lists of the authorities, and which of them are due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: pki_lists
version_added: 0.1.0
short_description: Revocation lists of the authorities, and which of them are due
description:
  - Turns V(pki_revoked) of the role P(servertechnik.core.pki#role) into a list for each authority.
options:
  _input:
    description: Entries with C(serial) or C(name), C(date) and C(reason).
    type: list
    elements: dict
    required: true
  authorities:
    description: What P(servertechnik.core.pki_authorities#filter) returns.
    type: dict
    required: true
  issued:
    description: All certificates that were issued, in PEM.
    type: list
    elements: raw
    required: true
  lists:
    description: The present lists in PEM, by the name of their authority.
    type: dict
    required: true
  now:
    description: The present time, in ISO 8601 and UTC.
    type: str
    required: true
  days:
    description: For how many days a list holds.
    type: int
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show which lists are due
  ansible.builtin.debug:
    msg: "{{ pki_revoked | servertechnik.core.pki_lists(
      authorities=authorities, issued=[], lists={}, now='2026-11-24T12:00:00Z', days=30)
      | selectattr('due') | map(attribute='name') }}"
"""

RETURN = r"""
_value:
  description:
    - For each authority its C(name), C(path), C(subject) and present C(list), what is C(revoked),
      and whether the list is C(due).
  type: list
"""


def pki_lists(
    revoked: Iterable[Mapping[str, Any]],
    *,
    authorities: Mapping[str, Any],
    issued: Iterable[str],
    lists: Mapping[str, str],
    now: str,
    days: int,
) -> list[dict[str, Any]]:
    """Return the lists. Raises AnsibleFilterError."""
    # ansible-doc loads filters where cryptography may not be installed.
    from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import (  # noqa: PLC0415 -- see above
        Authorities,
        PkiError,
        moment,
    )
    from ansible_collections.servertechnik.core.plugins.plugin_utils._pki_crl import (  # noqa: PLC0415 -- see above
        list_of,
        revocations,
    )
    from cryptography import x509  # noqa: PLC0415 -- see above

    try:
        when = moment(now)
        meant = revocations(revoked, when)
    except PkiError as error:
        raise AnsibleFilterError(str(error)) from error
    known = [x509.load_pem_x509_certificate(pem.encode()) for pem in issued]
    return [
        list_of(
            one,
            lists.get(one.name, ""),
            revoked=meant,
            issued=known,
            now=when,
            valid=timedelta(days=int(days)),
        )
        for one in Authorities.from_dict(authorities).trusted
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"pki_lists": pki_lists}
