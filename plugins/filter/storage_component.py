# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""File systems, swap space and memory as units of systemd."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_mounts import component_of

DOCUMENTATION = r"""
name: storage_component
version_added: 0.1.0
short_description: File systems, swap space and memory as units of systemd
description:
  - Turns what M(servertechnik.core.storage) says is to be mounted, and variables of the role
    P(servertechnik.core.storage#role), into files and units of M(servertechnik.core.component).
  - What belongs to a system that still runs elsewhere is left out, and so is what C(/etc/fstab)
    mounts.
positional: file_systems, tmpfs, encrypted
options:
  _input:
    description: RV(servertechnik.core.storage#module:mounts) of the module.
    type: list
    elements: dict
    required: true
  file_systems:
    description: V(storage_file_systems), for those that are to be mounted no longer.
    type: list
    elements: dict
    default: []
  tmpfs:
    description: V(storage_tmpfs).
    type: list
    elements: dict
    default: []
  encrypted:
    description: V(storage_encrypted), for key files that are written from a passphrase.
    type: list
    elements: dict
    default: []
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Mount what was built
  servertechnik.core.component:
    name: storage
    files: "{{ parts['files'] }}"
    units: "{{ parts['units'] }}"
    verify: "{{ parts['verify'] }}"
  vars:
    parts: "{{ built['mounts'] | servertechnik.core.storage_component(storage_file_systems) }}"
"""

RETURN = r"""
_value:
  description: C(files), C(units) and C(verify).
  type: dict
"""


def storage_component(
    mounts: Iterable[Mapping[str, Any]],
    file_systems: Sequence[Mapping[str, Any]] = (),
    tmpfs: Sequence[Mapping[str, Any]] = (),
    encrypted: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the parts of the component."""
    absent = [str(one["mount"]) for one in (*file_systems, *tmpfs) if one.get("state") == "absent"]
    there = [one for one in tmpfs if one.get("state", "present") == "present"]
    parts = component_of([one for one in mounts if one["here"]], there, absent)
    keys = [
        {
            "dest": one["key_file"],
            "content": one["passphrase"],
            "mode": "0400",
            "sensitive": True,
            "units": [],
        }
        for one in encrypted
        if one.get("key_file") and one.get("passphrase")
    ]
    return {**parts, "files": [*keys, *parts["files"]]}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"storage_component": storage_component}
