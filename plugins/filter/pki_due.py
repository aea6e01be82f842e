# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates that are to be issued."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: pki_due
version_added: 0.1.0
short_description: Certificates that are to be issued
description:
  - Compares V(pki_certificates) of the role P(servertechnik.core.pki#role) with what a host has.
  - Refuses names for which the authority may not sign.
options:
  _input:
    description: The certificates as they are to be.
    type: list
    elements: dict
    required: true
  found:
    description: C(certificates) as M(servertechnik.core.certificate_keys) returns them.
    type: dict
    required: true
  authorities:
    description: What P(servertechnik.core.pki_authorities#filter) returns.
    type: dict
    required: true
  revoked:
    description: V(pki_revoked) of the role.
    type: list
    elements: raw
    required: true
  now:
    description: The present time, in ISO 8601 and UTC.
    type: str
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show what is due
  ansible.builtin.debug:
    msg: "{{ pki_certificates | servertechnik.core.pki_due(
      found=seen.certificates, authorities=authorities, revoked=[], now='2026-11-24T12:00:00Z') }}"
"""

RETURN = r"""
_value:
  description:
    - Those that are due, each with the C(reason), and as C(keys) what
      M(servertechnik.core.certificate_keys) takes as a request.
  type: list
"""


def pki_due(
    wanted: Iterable[Mapping[str, Any]],
    *,
    found: Mapping[str, Mapping[str, str]],
    authorities: Mapping[str, Any],
    revoked: Iterable[Mapping[str, Any]],
    now: str,
) -> list[dict[str, Any]]:
    """Return what is due. Raises AnsibleFilterError."""
    # ansible-doc loads filters where cryptography may not be installed.
    from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import (  # noqa: PLC0415 -- see above
        Authorities,
        PkiError,
        moment,
    )
    from ansible_collections.servertechnik.core.plugins.plugin_utils._pki_certificates import (  # noqa: PLC0415 -- see above
        all_due,
    )
    from ansible_collections.servertechnik.core.plugins.plugin_utils._pki_crl import (  # noqa: PLC0415 -- see above
        revocations,
    )

    try:
        when = moment(now)
        known = Authorities.from_dict(authorities)
        return all_due(wanted, found, known, revocations(revoked, when), when)
    except PkiError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"pki_due": pki_due}
