# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""How an array becomes larger, or another level, while it is in use. Pure.

Source: mdadm(8), under "Grow mode"; super_1_rdev_size_change() of the kernel's md.
"""

from __future__ import annotations

from ansible_collections.servertechnik.core.plugins.module_utils._raid_draft import MIB, Draft, size
from ansible_collections.servertechnik.core.plugins.module_utils._raid_model import Array

# What mdadm rounds away, and what superblock and bitmap take at the end of a member.
SLACK = MIB
# From which level to which, and how the number of members has to change.
CONVERSIONS = {(1, 5): "two members, or more", (5, 6): "one more", (0, 10): "twice as many"}
_FAR = 0xFF00
# What an array of level 0 is while it grows, and stays when mdadm was cut off.
BETWEEN = 4


def grow(draft: Draft, array: Array, waiting: list[str]) -> None:
    """Plan what makes the array as large as its arguments say; `waiting` are its new members.

    Raises RaidError for what can't be had, and without `grow`.
    """
    wanted = draft.wanted
    count = len(wanted.members)
    if count <= array.devices and wanted.level == array.level:
        _enlarge(draft, array)
        return
    what = f"{count} members at level {wanted.level}"
    if not wanted.grow:
        raise draft.error(
            f"{array.devices} members at level {array.level}, wanted are {what}",
            "the same number and level, or grow: true",
        )
    _check_conversion(draft, array, count)
    if len(waiting) < count - array.devices:
        raise draft.error(
            f"{len(waiting)} new members for {what}",
            f"{count - array.devices}, beside complete ones at all {array.devices} places",
        )
    if reason := _not_now(array):
        draft.wait(f"grow to {what}", reason)
        return
    words = ["--grow", array.path]
    words += [f"--level={wanted.level}"] * (wanted.level != array.level)
    words += [f"--raid-devices={count}"] * (count != array.devices)
    draft.run(*words, *(["--add", *waiting] if array.level == 0 else []))


def finish(draft: Draft, array: Array) -> None:
    """Plan that an array is level 0 again after it has grown. Raises RaidError."""
    if draft.wanted.level != 0:
        raise draft.error(f"level {array.level}", "level 0, which this is while it grows")
    if array.busy:
        draft.wait("become level 0 again", f"it has grown ({array.busy})")
    else:
        draft.run("--grow", array.path, "--level=0")


def _check_conversion(draft: Draft, array: Array, count: int) -> None:
    change = (array.level, draft.wanted.level or 0)
    if change[0] == change[1]:
        return
    before = array.devices
    possible = {(1, 5): before == 2, (5, 6): count == before + 1, (0, 10): count == 2 * before}  # noqa: PLR2004 -- levels of md(4)
    if not possible.get(change):
        known = "; ".join(f"{a} to {b} with {how}" for (a, b), how in CONVERSIONS.items())
        raise draft.error(
            f"level {change[0]} to {change[1]} with {before} to {count} members", known
        )


def _enlarge(draft: Draft, array: Array) -> None:
    """Plan that the array uses all of its members, which were replaced with larger ones."""
    sizes = {one.real: one.size for one in draft.devices.values()}
    own = [sizes.get(one.path, 0) for one in array.members if one.slot is not None]
    details = array.details
    gain = min(own, default=0) - details.data_offset - details.component_size
    if not array.redundant or gain <= SLACK + array.chunk or not details.component_size:
        return
    what = f"use {size(gain)} more on each member"
    if not draft.wanted.grow:
        draft.warnings.append(f"array {draft.wanted.name}: grow: true would {what}")
    elif array.metadata == "1.0" and array.bitmap:
        raise draft.error(
            f"a bitmap with metadata 1.0, in the way of growth ({what})",
            "bitmap: false until it has grown",
        )
    elif array.level == 10 and array.details.layout & _FAR > 1 << 8:  # noqa: PLR2004 -- levels of md(4)
        draft.warnings.append(f"array {draft.wanted.name}: far copies at level 10 can't {what}")
    elif reason := _not_now(array):
        draft.wait(what, reason)
    else:
        draft.run("--grow", array.path, "--size=max")


def _not_now(array: Array) -> str:
    if array.busy:
        return f"the array is idle ({array.busy})"
    if len(array.in_sync()) < array.devices:
        return "all of its members are complete"
    return ""
