# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests of a host that may be signed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: pki_orders
version_added: 0.1.0
short_description: Requests of a host that may be signed
description:
  - Refuses a request that asks for anything but what the inventory says, so that a host that was
    taken over can't have certificates for others.
options:
  _input:
    description: What P(servertechnik.core.pki_due#filter) returns.
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
  now:
    description: The present time, in ISO 8601 and UTC.
    type: str
    required: true
  host:
    description: Name of the host, for messages.
    type: str
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show what is to be signed
  ansible.builtin.debug:
    msg: "{{ due | servertechnik.core.pki_orders(
      found=made.certificates, authorities=authorities, now='2026-11-24T12:00:00Z',
      host=inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description: C(name), C(request), C(not_before) and C(not_after) of each.
  type: list
"""


def pki_orders(
    due: Iterable[Mapping[str, Any]],
    *,
    found: Mapping[str, Mapping[str, str]],
    authorities: Mapping[str, Any],
    now: str,
    host: str,
) -> list[dict[str, str]]:
    """Return what is to be signed. Raises AnsibleFilterError."""
    # ansible-doc loads filters where cryptography may not be installed.
    from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import (  # noqa: PLC0415 -- see above
        Authorities,
        PkiError,
        moment,
    )
    from ansible_collections.servertechnik.core.plugins.plugin_utils._pki_certificates import (  # noqa: PLC0415 -- see above
        orders,
    )

    try:
        return orders(due, found, Authorities.from_dict(authorities), moment(now), host)
    except PkiError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"pki_orders": pki_orders}
