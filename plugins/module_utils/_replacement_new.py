# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Which disk is the new one, and whether it may be taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._replacement_layout import (
    misfits,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import (
    Json,
    Tree,
    name_of,
)

FRESH = "healthy"


class NewDiskError(Exception):
    """The disk that was put in can't be taken; the text says what to do."""


@dataclass(frozen=True)
class Choice:
    """What a person said of the new disk: its name, whether it may be wiped, whether it is worn."""

    new: str = ""
    wipe: str = ""
    accept: Sequence[str] = ()


def choose(tree: Tree, case: Mapping[str, Any], choice: Choice) -> Json | None:
    """Return the disk that is to succeed the one of the case, or nothing while there is none.

    A disk counts as new that wasn't there when the case was opened, or that is named. Raises
    NewDiskError when there are several, or when the one there is doesn't do.
    """
    failed = case["disk"]["serial"]
    if choice.new == failed:
        raise NewDiskError(
            f"new={failed} names the failed disk itself; accepted: the serial of another one"
        )
    if choice.new:
        chosen = tree.disk(choice.new)
        if chosen is None:
            return None
    else:
        known = {*case["before"], failed}
        found = [disk for disk in tree.disks if name_of(disk) not in known]
        if not found:
            return None
        if len(found) > 1:
            names = ", ".join(f"{name_of(disk)} at {disk['path']}" for disk in found)
            raise NewDiskError(
                f"found: {len(found)} new disks ({names}); accepted: one, or its name with "
                "new=SERIAL"
            )
        chosen = found[0]
    _judge(tree, chosen, case, choice)
    return chosen


def blank_ones(tree: Tree, case: Mapping[str, Any]) -> list[str]:
    """Return the names of empty disks that fit and were there before, for a hint."""
    return [
        name_of(disk)
        for disk in tree.disks
        if not tree.holds(disk)
        and name_of(disk) != case["disk"]["serial"]
        and not misfits(disk, case["layout"], members_of(tree, case))
    ]


def members_of(tree: Tree, case: Mapping[str, Any]) -> list[int]:
    """Return what arrays that use whole disks need of a member, in bytes."""
    sizes = []
    for unit in case["units"]:
        array = tree.array(unit["uuid"]) if unit["use"] == "array" else None
        if array and not unit["number"]:
            offset = max((member["offset"] or 0 for member in array["members"]), default=0)
            sizes.append(array["component_size"] + offset)
    return sizes


def _judge(tree: Tree, disk: Json, case: Mapping[str, Any], choice: Choice) -> None:
    name = name_of(disk)
    where = f"the new disk {name} at {disk['path']}"
    if reasons := misfits(disk, case["layout"], members_of(tree, case)):
        raise NewDiskError(f"{where}: {'; '.join(reasons)}. Put in another one")
    if disk.get("verdict", FRESH) != FRESH and "worn" not in choice.accept:
        raise NewDiskError(
            f"{where} is not like new, it is {disk['verdict']}: {'; '.join(disk['reasons'])}. "
            "Put in another one, or say accept=worn"
        )
    if (case.get("replacement") or {}).get("serial") == name:
        return
    if used := in_use(tree, disk):
        raise NewDiskError(f"{where} is in use: {', '.join(used)}. Put in another one")
    holds = tree.holds(disk)
    if holds and choice.wipe != name:
        raise NewDiskError(
            f"{where} is not empty: {'; '.join(holds)}. Put in another one; if all of that may be "
            f"destroyed, say wipe={name}"
        )


def in_use(tree: Tree, disk: Json) -> list[str]:
    """Return what is going on on a disk that nobody may wipe: mounts, and parts of other things."""
    used = []
    for path in (disk["path"], *(part["path"] for part in disk["partitions"])):
        used += tree.mounts(path)
        for above in tree.above(path):
            others = [d for d in tree.disks_below(above["path"]) if d["path"] != disk["path"]]
            if others and above["kind"] != "part":
                used.append(f"{above['name']} is also on {', '.join(map(name_of, others))}")
    return sorted(set(used))
