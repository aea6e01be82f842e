# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plan software RAID arrays: made of blank members, grown, left alone when one is lost. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import (
    MIB,
    REDUNDANT,
    Array,
    told,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_disks import REPLACE
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_draft import (
    Draft,
    State,
    label,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_found import Entry

_MEMBER = "linux_raid_member"


def plan_array(draft: Draft, array: Array) -> None:
    """Plan an array, whose members have been planned."""
    state = draft.begin(array)
    below = {ref: draft.states[ref] for ref in array.below}
    found = draft.found.array_of((one.path for one in below.values() if one.path), array.ref)
    if found is None or "inactive" in found["state"]:
        _new(draft, array, below)
    elif found["level"] != f"raid{array.level}":
        state.path = found["path"]
        draft.refuse(array, f"{found['path']} is {found['level']}, not raid{array.level}")
    elif not _is_its(found, below):
        draft.refuse(array, f"{found['name']} is there and has none of its members")
    else:
        _running(draft, array, found, below)


def _is_its(found: Entry, below: dict[str, State]) -> bool:
    """Whether an array of that name has a member of ours, or each that it has lost may be one."""
    members = {member["path"] for member in found["members"]}
    return bool(members & {one.path for one in below.values() if one.path})


def _new(draft: Draft, array: Array, below: dict[str, State]) -> None:
    state = draft.states[array.ref]
    state.path = f"/dev/md/{array.ref}"
    sizes = [draft.states[ref].size for ref in array.members]
    state.size = _size(array.level, sizes)
    state.then = _words(array, state.size)
    if state.absent:
        draft.refuse(array, f"can't be made, since {state.absent}")
        return
    if _is_begun(draft, array, below):
        _step(draft, array, below, f"start array {array.ref}: {_words(array, state.size)}")
        return
    if draft.must_be_blank(array, *below):
        _step(draft, array, below, f"make array {array.ref}: {_words(array, state.size)}")


def _is_begun(draft: Draft, array: Array, below: dict[str, State]) -> bool:
    """Whether the devices are members of this array, which was only not started, or blank.

    `raid_array` looks more closely: it makes anew only what has never run (no event so far).
    """
    contents = [draft.found.content(one.path) for one in below.values() if one.there]
    members = [one for one in contents if one["type"] == _MEMBER]
    blank = [one for one in below.values() if one.there and not draft.found.on(one.path)]
    named = {one["label"].rpartition(":")[2] for one in members} == {array.ref}
    is_one = len({one["uuid"] for one in members}) == 1
    return named and is_one and len(members) + len(blank) == len(below)


def _running(draft: Draft, array: Array, found: Entry, below: dict[str, State]) -> None:
    state = draft.states[array.ref]
    state.path, state.size, state.there = found["path"], int(found["size"]), True
    state.absent, lost = "", [r for r, one in below.items() if one.absent]
    members = {member["path"]: member for member in found["members"] if member["path"]}
    broken = [ref for ref, one in below.items()
              if members.get(one.path, {}).get("state") == "faulty"]  # fmt: skip
    outside = [r for r, one in below.items() if not one.absent and one.path not in members]
    degraded = bool(found["degraded"] or broken)
    state.now = _words(array, state.size)
    for ref in lost:
        draft.note(f"{label(array)} runs without {ref}: {below[ref].absent}. {REPLACE}")
    for ref in broken:
        draft.note(f"{label(array)} has lost {ref}, which is faulty: {REPLACE}")
    ours = [ref for ref in outside if _joins(draft, array, ref, below[ref])]
    if ours and array.level not in REDUNDANT:
        draft.refuse(array, f"{', '.join(ours)} can't be added to level {array.level}")
    elif ours:
        why = " in place of what it lost" if degraded else ""
        _step(draft, array, below, f"add {', '.join(ours)} to array {array.ref}{why}")
    elif not lost and not broken and found["bitmap"] != array.bitmap and array.level in REDUNDANT:
        word = "keep" if array.bitmap else "drop"
        _step(draft, array, below, f"{word} the write-intent bitmap of array {array.ref}")
    if not lost and not degraded:
        _grown(draft, array, found, below)
    state.then = _words(array, state.size)


def _joins(draft: Draft, array: Array, ref: str, member: State) -> bool:
    """Whether a device that isn't in the array is to be; whatever is on it stays otherwise."""
    if not member.there:
        return True
    on = draft.found.on(member.path)
    if on and draft.found.content(member.path)["type"] == _MEMBER:
        draft.note(f"{label(array)} runs without {ref}, which holds {on}: {REPLACE}")
    else:
        draft.must_be_blank(array, ref)
    return not on


def _grown(draft: Draft, array: Array, found: Entry, below: dict[str, State]) -> None:
    """Have an array take all of members that have grown."""
    state = draft.states[array.ref]
    offsets = {member["path"]: int(member["offset"] or 0) for member in found["members"]}
    rooms = [below[r].size - offsets.get(below[r].path, 0) for r in array.members]
    former = int(found["component_size"])
    # A superblock at the end and whole chunks take some of it.
    slack = 2 * MIB + int(found["chunk"])
    if former and array.level in REDUNDANT and min(rooms) > former + slack:
        state.size += int(state.size * (min(rooms) - former) / former) // MIB * MIB
        words = f"grow array {array.ref} from {told(int(found['size']))} to {told(state.size)}"
        _step(draft, array, below, words, grow=True)


def _size(level: int, sizes: Sequence[int]) -> int:
    """Return about how much an array of new members holds, in bytes."""
    count, least = len(sizes), min(sizes, default=0) // MIB * MIB
    data = {0: count, 1: 1, 5: count - 1, 6: count - 2, 10: count / 2}[level]
    return int(data * least) // MIB * MIB


def _step(
    draft: Draft, array: Array, below: dict[str, State], words: str, *, grow: bool = False
) -> None:
    more = {"chunk": array.chunk} if array.chunk else {}
    draft.step(
        array,
        words,
        "servertechnik.core.raid_array",
        name=array.ref,
        level=array.level,
        members=[below[ref].path for ref in array.members if not below[ref].absent],
        spares=[below[ref].path for ref in array.spares if not below[ref].absent],
        metadata=array.metadata,
        grow=grow,
        **({"bitmap": array.bitmap} if array.level in REDUNDANT else {}),
        **more,
    )


def _words(array: Array, size: int) -> str:
    spares = f" with {len(array.spares)} spare" if array.spares else ""
    return f"{told(size)}, RAID {array.level}{spares} of {', '.join(array.members)}"
