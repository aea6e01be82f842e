# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A replaced disk against the inventory: what a person has to change there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._inventory import origin_of


def left_to_do(expected: Sequence[Mapping[str, Any]], state: Mapping[str, Any]) -> list[str]:
    """Return what of `storage_disks` doesn't fit any more, with the place where it stands."""
    former, new = state["disk"], state["replacement"]
    if not new:
        return []
    found = []
    for disk in expected:
        for key in ("serial", "wwn", "path"):
            named = disk.get(key)
            if named and named in (former.get(key), former["serial"]):
                place = origin_of(named) or "storage_disks"
                wanted = new.get(key) or new["serial"]
                found.append(f"{place}: the disk {disk['name']} has {key} {wanted} now")
                found += _parts(disk, state["layout"]["partitions"], place)
    return found


def _parts(
    disk: Mapping[str, Any], layout: Iterable[Mapping[str, Any]], place: str
) -> Iterable[str]:
    there = [part["name"] for part in layout]
    wanted = [part["name"] for part in disk.get("partitions") or []]
    if there != wanted:
        yield (
            f"{place}: the disk {disk['name']} has partitions {', '.join(there) or 'none'}; the "
            f"inventory wants {', '.join(wanted) or 'none'}"
        )
