# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plan disks and their partitions: made on blank disks alone, grown at their end alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import (
    MIB,
    PARTITION_FLAGS,
    PARTITION_TYPES,
    Array,
    Disk,
    Group,
    Partition,
    told,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_draft import (
    Draft,
    label,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_found import (
    Entry,
    partition_path,
)

REPLACE = "run playbooks/replace_disk.yml"
# Partitions begin at whole MiB, which suits every sector, page and stripe (parted, `-a optimal`);
# the last MiB is the copy of the table. What is smaller than two of these is no difference.
_SLACK = 2 * MIB
# community.general.parted makes a partition in one call, called so, and names it in the next.
_UNNAMED = ("", "primary")


def plan_disk(draft: Draft, disk: Disk) -> None:
    """Plan a disk and all of its partitions."""
    state = draft.begin(disk)
    found = draft.found.disk(disk)
    if len(found) != 1:
        _unfound(draft, disk, found)
        return
    one = found[0]
    twin = next((r for r, s in draft.states.items() if s.path == one["path"]), None)
    state.path, state.size, state.there = one["path"], int(one["size"]), True
    state.pending = one["path"] in draft.found.fresh
    state.now = state.then = f"{one['serial'] or disk.value}, {told(state.size)}, {state.path}"
    if twin:
        draft.refuse(disk, f"{disk.by} {disk.value} is the same disk as {twin}")
    elif one["behind"]:
        hidden = f"is hidden behind a {one['behind']} controller"
        draft.refuse(disk, f"{hidden}: make a volume of it there, or have it passed through")
    if state.absent:
        for partition in disk.partitions:
            draft.begin(partition)
    elif disk.partitions:
        _partitions(draft, disk, one)
    elif one["table"]:
        empty = f"an empty {one['table']} partition table"
        _full(draft, disk, draft.found.on(state.path) or empty)


def _unfound(draft: Draft, disk: Disk, found: Sequence[Entry]) -> None:
    """A disk that isn't there may have failed: whoever can do without it says so."""
    state = draft.states[disk.ref]
    if found:
        paths = " and ".join(one["path"] for one in found)
        draft.refuse(disk, f"{disk.by} {disk.value} is that of {paths}; name it by another")
    else:
        there = ", ".join(
            f"{one['serial'] or 'no serial'} ({one['path']})" for one in draft.found.disks
        )
        state.absent = (
            f"disk {disk.ref} ({disk.by} {disk.value}) isn't there; there are: {there or 'none'}"
        )
    for partition in disk.partitions:
        draft.begin(partition)


def _partitions(draft: Draft, disk: Disk, one: Entry) -> None:
    matched = {p.number: e for p in disk.partitions for e in one["partitions"] if _same(p, e)}
    foreign = [e for e in one["partitions"] if e not in matched.values()]
    missing = [p for p in disk.partitions if p.number not in matched]
    path, on = str(one["path"]), draft.found.on(one["path"])
    if missing and one["table"] in ("", "gpt") and not one["partitions"] and not on:
        if _replaces(draft, disk):
            draft.note(f"{label(disk)} is blank, what was on it runs without: {REPLACE}")
            for partition in disk.partitions:
                draft.begin(partition).absent = f"{label(disk)} is blank"
            return
    elif missing and (foreign or not matched or one["table"] != "gpt"):
        _full(draft, disk, on)
    elif missing and missing[0].number <= max(matched):
        draft.refuse(
            disk, f"{missing[0].ref} is missing before {disk.partitions[max(matched) - 1].ref}"
        )
    end = MIB
    for partition in disk.partitions:
        state = draft.begin(partition)
        if draft.states[disk.ref].absent:
            continue
        entry = matched.get(partition.number)
        state.path = entry["path"] if entry else partition_path(path, partition.number)
        if entry:
            _existing(draft, disk, partition, entry, one)
            end = int(entry["start"]) + int(entry["size"])
        else:
            end = _missing(draft, disk, partition, -(-end // MIB) * MIB)


def _full(draft: Draft, disk: Disk, on: str) -> None:
    draft.refuse(disk, f"{draft.states[disk.ref].path} is not blank, it holds {on}", (disk.ref,))


def _same(wanted: Partition, found: Entry) -> bool:
    """Whether a partition is the wanted one, maybe one that has not got its name yet."""
    return found["number"] == wanted.number and found["name"] in (wanted.name, *_UNNAMED)


def _replaces(draft: Draft, disk: Disk) -> bool:
    """Whether a blank disk is in the place of one that others now run without."""
    users = [one for p in disk.partitions for one in draft.tree.above(p.ref)]
    users += draft.tree.above(disk.ref)
    for user in users:
        if isinstance(user, Array):
            array = draft.found.array_of(_paths(draft, user), user.ref)
            if array and (array["degraded"] or "degraded" in array["state"]):
                return True
        elif isinstance(user, Group) and draft.found.groups.get(user.ref, {}).get("missing"):
            return True
    return False


def _paths(draft: Draft, array: Array) -> list[str]:
    """Return the devices of an array that are known, maybe before their turn."""
    paths = []
    for ref in array.below:
        thing, disk = draft.tree.things[ref], draft.tree.things[draft.tree.disks_of(ref)[0]]
        for one in draft.found.disk(disk) if isinstance(disk, Disk) else ():
            parts = one["partitions"] if isinstance(thing, Partition) else ()
            paths += [e["path"] for e in parts if isinstance(thing, Partition) and _same(thing, e)]
            paths += [] if isinstance(thing, Partition) else [one["path"]]
    return paths


def _missing(draft: Draft, disk: Disk, partition: Partition, start: int) -> int:
    """Plan a partition that is to be made at `start`; return its end. Both in bytes."""
    state, whole = draft.states[partition.ref], draft.states[disk.ref].size
    last = whole // MIB * MIB - MIB
    end = start + partition.size.of(whole, last - start) // MIB * MIB
    if end > last or end <= start:
        wanted = told(partition.size.bytes) if partition.size.bytes else str(partition.size)
        found = f"{told(max(0, last - start))} of {told(whole)} are left for it"
        draft.refuse(partition, f"{wanted} don't fit, {found}")
        return last
    state.size = end - start
    state.then = _words(partition, state.size)
    draft.step(
        partition,
        f"make partition {partition.number} {partition.ref} on {draft.states[disk.ref].path}: "
        f"{told(state.size)}, {partition.type}",
        "community.general.parted",
        device=draft.states[disk.ref].path,
        label="gpt",
        state="present",
        number=partition.number,
        name=partition.name,
        part_start=f"{start // MIB}MiB",
        part_end=f"{end // MIB}MiB",
        flags=list(PARTITION_FLAGS[partition.type]),
        unit="MiB",
    )
    return end


def _existing(draft: Draft, disk: Disk, partition: Partition, entry: Entry, one: Entry) -> None:
    state, whole = draft.states[partition.ref], draft.states[disk.ref].size
    start, state.size, state.there = int(entry["start"]), int(entry["size"]), True
    state.now = _words(partition, state.size)
    is_last = all(e["start"] <= start for e in one["partitions"])
    last = whole // MIB * MIB - MIB
    wanted = partition.size.of(whole, last - start if is_last else state.size) // MIB * MIB
    if wanted < state.size - _SLACK and not partition.size.is_rest:
        draft.refuse(
            partition,
            f"{told(state.size)}, and {partition.size} wanted: nothing is ever made smaller",
        )
    elif wanted > state.size + _SLACK and is_last:
        wanted = min(wanted, last - start)
        _grow(draft, disk, partition, start + wanted)
        state.size = wanted
    elif wanted > state.size + _SLACK and partition.size.bytes:
        after = min((e for e in one["partitions"] if e["start"] > start), key=lambda e: e["start"])
        draft.refuse(
            partition,
            f"{told(state.size)}, and {partition.size} wanted: it can't grow, since partition "
            f"{after['name'] or after['number']} follows it",
        )
    # A partition without a flag may have any type: parted couldn't give it back another.
    has_type = entry["type"].lower() == PARTITION_TYPES[partition.type]
    is_named = entry["name"] == partition.name
    if not is_named or (PARTITION_FLAGS[partition.type] and not has_type):
        _name(draft, disk, partition, entry)
    state.then = _words(partition, state.size)


def _grow(draft: Draft, disk: Disk, partition: Partition, end: int) -> None:
    state = draft.states[partition.ref]
    draft.step(
        partition,
        f"grow partition {partition.ref} from {told(state.size)} to the end of {disk.ref}"
        if partition.size.is_rest
        else f"grow partition {partition.ref} from {told(state.size)} to {partition.size}",
        "ansible.builtin.command",
        **_resizing(draft, disk, partition, end),
    )


def _resizing(draft: Draft, disk: Disk, partition: Partition, end: int) -> dict[str, Any]:
    """Return the call of parted(8) that moves the end, and the copy of the table to the disk's."""
    path, number = draft.states[disk.ref].path, str(partition.number)
    words = [path, "resizepart", number, f"{end // MIB}MiB"]
    if not draft.found.device(draft.states[partition.ref].path)["mounts"]:
        return {"argv": ["parted", "--script", "--fix", *words]}
    # A script may not touch what is mounted; so these are the answers to what it asks a person.
    return {"argv": ["parted", "---pretend-input-tty", *words], "stdin": "Fix\nYes"}


def _name(draft: Draft, disk: Disk, partition: Partition, entry: Entry) -> None:
    """Finish a partition whose making was interrupted, or that somebody else has made."""
    draft.step(
        partition,
        f"mark partition {partition.ref} as {partition.type}",
        "community.general.parted",
        device=draft.states[disk.ref].path,
        label="gpt",
        state="present",
        number=entry["number"],
        name=partition.name,
        flags=list(PARTITION_FLAGS[partition.type]),
    )


def _words(partition: Partition, size: int) -> str:
    return f"{told(size)}, {partition.type}"
