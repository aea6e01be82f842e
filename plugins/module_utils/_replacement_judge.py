# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Whether a disk may be taken out: what redundancy is left, and what would be lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import (
    Json,
    Tree,
    name_of,
    title,
)

BAD = ("replace", "failed")
_WORKING = "in_sync"
_REPAIRABLE = ("raid1", "raid4", "raid5", "raid6", "raid10")
_MOVING = ("recover", "resync", "reshape", "repair")


@dataclass
class Judgement:
    """What stands against taking a disk out, what to know besides, and what would be lost."""

    refusals: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    # How many more disks may fail while this one is out, by array.
    left: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Wish:
    """What a person has allowed: `accept` holds loss, risk or worn."""

    accept: Sequence[str] = ()
    healthy_too: bool = False
    # Age of the last good backup in hours; None when nobody knows.
    backup_hours: float | None = None
    backup_limit: float = 26


def judge(tree: Tree, disk: Json, units: Sequence[Json], wish: Wish) -> Judgement:
    """Judge a disk that is there, by the units it carries. Nothing is read or changed."""
    found = Judgement()
    if disk.get("verdict") not in BAD and not wish.healthy_too and not _faulty(tree, units):
        found.refusals.append(
            f"{name_of(disk)} is {disk.get('verdict')}; a disk that hasn't failed is replaced "
            "with replace_healthy=true"
        )
    for unit in units:
        if unit["use"] == "array":
            _judge_array(tree, unit, wish, found)
        elif unit["use"] == "volumes":
            _judge_volumes(tree, unit, found)
        elif unit["use"] in ("encrypted", "file_system"):
            found.losses.append(_lost(unit))
    _judge_losses(found, wish)
    return found


def judge_gone(tree: Tree, units: Sequence[Json]) -> Judgement:
    """Say how it is without a disk that is gone already: what is left, and which others are bad."""
    found = Judgement()
    for unit in units:
        array = tree.array(unit["uuid"]) if unit["use"] == "array" else None
        if array is not None:
            found.left[title(array)] = spare_failures(array, [])
            if suspects := _suspects(tree, array, ""):
                found.notes.append(f"array {title(array)}: {'; '.join(suspects)}")
    return found


def working(array: Mapping[str, Any], without: Sequence[str] = ()) -> list[Json]:
    """Return the members of an array that hold everything, those at `without` left out."""
    return [
        member
        for member in array["members"]
        if member["state"] == _WORKING and member["path"] not in without
    ]


def spare_failures(array: Mapping[str, Any], without: Sequence[str]) -> int:
    """Return how many more disks may fail once those at `without` are out; below 0: data is lost.

    RAID 10 counts the worst case by its near copies (md(4)); other layouts are taken to have none.
    """
    wanted, level = int(array["devices"]), str(array["level"])
    there = working(array, without)
    if level == "raid1":
        return len(there) - 1
    missing = wanted - len(there)
    if level == "raid10":
        near = int(array.get("layout") or 0x102) & 0xFF
        if near > 1 and wanted % near == 0:
            slots = {member["slot"] for member in there}
            sets = [range(first, first + near) for first in range(0, wanted, near)]
            return min(sum(slot in slots for slot in one) for one in sets) - 1
        return -missing
    parity = {"raid4": 1, "raid5": 1, "raid6": 2}.get(level, 0)
    return parity - missing


def _judge_array(tree: Tree, unit: Json, wish: Wish, found: Judgement) -> None:
    array = tree.array(unit["uuid"])
    if array is None:
        return
    name, action = title(array), array["sync"]["action"]
    own = next((m for m in array["members"] if m["path"] == unit["device"]), None)
    if own is None or own["state"] != _WORKING:
        found.left[name] = spare_failures(array, [unit["device"]])
        return
    left = found.left[name] = spare_failures(array, [unit["device"]])
    if left < 0:
        carries = f" with {', '.join(unit['carries'])}" if unit["carries"] else ""
        found.losses.append(
            f"array {name} ({array['level']}){carries}: {unit['device']} is its last copy"
        )
        return
    if action in _MOVING:
        done = f", {array['sync']['done']:.0%} done" if array["sync"].get("done") else ""
        found.refusals.append(
            f"array {name} is busy ({action}{done}): wait until it is done, then run this again"
        )
    suspects = _suspects(tree, array, unit["device"])
    if not suspects:
        return
    words = f"array {name}: {'; '.join(suspects)}"
    if left > 0 or "risk" in wish.accept:
        found.notes.append(words)
    else:
        found.refusals.append(
            f"{words}. Without {unit['device']} everything would hang on it: make a backup now, "
            "then say accept=risk; or put the new disk in a free slot and have raid_array "
            "'replace' the worse one first"
        )


def _judge_volumes(tree: Tree, unit: Json, found: Judgement) -> None:
    group = tree.group_of(unit["device"])
    if group is None:
        return
    others = [v for v in group["physical_volumes"] if v["path"] != unit["device"]]
    own = next(v for v in group["physical_volumes"] if v["path"] == unit["device"])
    used = own["size"] - own["free"]
    if used <= 0:
        return
    free = sum(one["free"] for one in others if not one["missing"])
    broken = [v["name"] for v in group["volumes"] if v["health"] == "partial"]
    if broken:
        found.losses.append(
            f"volume group {group['name']}: {', '.join(broken)} lacks another disk already"
        )
    plain = [v["name"] for v in group["volumes"] if v["type"] not in _REPAIRABLE]
    if plain and free < used:
        found.losses.append(
            f"volume group {group['name']}: volumes that may be on this disk alone "
            f"({', '.join(plain)}); moving them needs {used} bytes free on its other disks, "
            f"there are {free}"
        )


def _judge_losses(found: Judgement, wish: Wish) -> None:
    if not found.losses:
        return
    words = "this would be lost: " + "; ".join(found.losses)
    if "loss" not in wish.accept:
        found.refusals.append(f"{words}. Save it first, or say accept=loss")
    elif wish.backup_hours is None:
        found.refusals.append(
            f"{words}. Its last good backup is unknown: name its file or record with backup=FILE"
        )
    elif wish.backup_hours > wish.backup_limit:
        found.refusals.append(
            f"{words}. Its last good backup is {wish.backup_hours:.0f} hours old; accepted: at "
            f"most {wish.backup_limit:.0f} (backup_hours)"
        )
    else:
        found.notes.append(words)


def _suspects(tree: Tree, array: Json, without: str) -> list[str]:
    found = []
    for member in array["members"]:
        if member["path"] == without or not member["path"]:
            continue
        if member["state"] == "faulty":
            found.append(f"its member {member['path']} is faulty as well")
            continue
        found += [
            f"its disk {name_of(disk)} is to be replaced as well ({'; '.join(disk['reasons'])})"
            for disk in tree.disks_below(member["path"])
            if disk.get("verdict") in BAD
        ]
    return found


def _faulty(tree: Tree, units: Sequence[Json]) -> bool:
    """Whether an array has already put a member on this disk aside."""
    devices = [unit["device"] for unit in units]
    return any(
        member["state"] == "faulty" and member["path"] in devices
        for array in tree.arrays
        for member in array["members"]
    )


def _lost(unit: Json) -> str:
    what = "encrypted data" if unit["use"] == "encrypted" else f"{unit['content']} file system"
    where = f" at {', '.join(unit['carries'])}" if unit["carries"] else ""
    return f"{unit['device']}: {what}{where}, which is on this disk alone"
