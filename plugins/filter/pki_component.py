# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host gets from an internal PKI, as parts of a component."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

DOCUMENTATION = r"""
name: pki_component
version_added: 0.1.0
short_description: What a host gets from an internal PKI, as parts of a component
description:
  - Turns V(pki_certificates) of the role P(servertechnik.core.pki#role), with what was found and
    what was issued, into parts of M(servertechnik.core.component).
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
  due:
    description: Names of the certificates that are due.
    type: list
    elements: raw
    required: true
  issued:
    description: What was signed just now, in PEM, by the name of the certificate.
    type: dict
    required: true
  lists:
    description: Revocation lists in PEM.
    type: list
    elements: raw
    required: true
  anchors:
    description: V(pki_trust_anchors) of the role.
    type: list
    elements: raw
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Have the certificates
  servertechnik.core.component:
    name: pki
    files: "{{ parts.files }}"
    validate: "{{ parts.validate }}"
    commands: "{{ parts.commands }}"
  vars:
    parts: "{{ pki_certificates | servertechnik.core.pki_component(
      found=seen.certificates, authorities=authorities, due=[], issued={}, lists=[], anchors=[]) }}"
"""

RETURN = r"""
_value:
  description: C(files), C(validate) and C(commands).
  type: dict
"""


def pki_component(
    wanted: Iterable[Mapping[str, Any]],
    *,
    found: Mapping[str, Mapping[str, str]],
    authorities: Mapping[str, Any],
    due: Collection[str],
    issued: Mapping[str, str],
    lists: Sequence[str],
    anchors: Iterable[Mapping[str, str]],
) -> dict[str, Any]:
    """Return the parts of the component."""
    # ansible-doc loads filters where cryptography may not be installed.
    from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import (  # noqa: PLC0415 -- see above
        Authorities,
    )
    from ansible_collections.servertechnik.core.plugins.plugin_utils._pki_deployment import (  # noqa: PLC0415 -- see above
        component,
    )

    return component(
        wanted,
        found,
        Authorities.from_dict(authorities),
        due=due,
        issued=issued,
        lists=lists,
        anchors=anchors,
    )


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"pki_component": pki_component}
