# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What has to be done for an array to be as wanted; the same plan for check mode and the run. Pure.

Every refusal comes before the first step.
"""

from __future__ import annotations

from ansible_collections.servertechnik.core.plugins.module_utils._raid_draft import Draft
from ansible_collections.servertechnik.core.plugins.module_utils._raid_growth import (
    BETWEEN,
    finish,
    grow,
)
from ansible_collections.servertechnik.core.plugins.module_utils._raid_members import change, settle
from ansible_collections.servertechnik.core.plugins.module_utils._raid_model import (
    Array,
    Details,
    survives,
)
from ansible_collections.servertechnik.core.plugins.module_utils._raid_wanted import (
    MISSING,
)

_LIMITS = ("speed_min", "speed_max")


def plan(draft: Draft, configured: str = "") -> Draft:
    """Complete a draft; `configured` is the UUID that mdadm.conf has for the array's name.

    Raises RaidError for what can't be had or would lose data.
    """
    _check_distinct(draft)
    array = draft.array
    if draft.wanted.state == "stopped":
        _stop(draft)
        return draft
    if array is None or not array.active:
        _start(draft, configured)
        _speed(draft)
    else:
        if array.details.held_up:
            draft.run("--readwrite", array.path)
        _speed(draft)
        _bitmap(draft, array)
        if draft.wanted.members:
            _check_shape(draft, array)
            if array.level == BETWEEN:
                finish(draft, array)
            else:
                grow(draft, array, settle(draft, array))
        change(draft, array)
    _scrub(draft)
    return draft


def _check_distinct(draft: Draft) -> None:
    named = [one for one in (*draft.wanted.members, *draft.wanted.spares) if one != MISSING]
    seen: dict[str, str] = {}
    for path in named:
        if seen.setdefault(draft.real(path), path) != path or named.count(path) > 1:
            raise draft.error(f"{draft.real(path)} twice among its members", "each device once")


def _stop(draft: Draft) -> None:
    if draft.array is None:
        return
    if used := draft.array.details.used:
        raise draft.error(
            f"{draft.array.path} in use ({', '.join(used)})", "state: stopped when nothing uses it"
        )
    draft.run("--stop", draft.array.path)


def _start(draft: Draft, configured: str) -> None:
    wanted, array = draft.wanted, draft.array
    if not array and wanted.name.startswith("/"):
        raise draft.error("no array that runs", "its name, without a path")
    if array and not wanted.members:
        draft.run("--run", array.path)
        return
    if array:
        draft.run("--stop", array.path)
    named = [one for one in (*wanted.members, *wanted.spares) if one != MISSING]
    own = [one for one in named if draft.mine(draft.devices[one].superblock)]
    if any(_block_events(draft, one) for one in own):
        _assemble(draft, own, named)
    elif wanted.members:
        _create(draft)
    elif uuid := wanted.uuid or configured:
        draft.run("--assemble", wanted.path, "--run", f"--uuid={uuid}")
    else:
        raise draft.error(
            "none of that name", "one that runs or is in mdadm.conf, or level and members"
        )


def _block_events(draft: Draft, path: str) -> int:
    block = draft.devices[path].superblock
    return block.events if block else 0


def _assemble(draft: Draft, own: list[str], named: list[str]) -> None:
    """Plan that what there is of the array starts, and what was never written to it joins."""
    uuids = {block.uuid for one in own if (block := draft.devices[one].superblock)}
    if len(uuids) > 1:
        raise draft.error(f"members of different arrays, {', '.join(sorted(uuids))}", "one UUID")
    parts = [draft.must_fit(one) for one in own]
    fresh = [draft.must_fit(one) for one in named if one not in own and draft.there(one)]
    path = draft.wanted.path
    draft.run("--assemble", path, "--run", f"--uuid={uuids.pop()}", *parts)
    for real in fresh:
        draft.run(path, "--add", real)


def _create(draft: Draft) -> None:
    wanted = draft.wanted
    level, count = wanted.level or 0, len(wanted.members)
    there = {slot for slot, one in enumerate(wanted.members) if one != MISSING}
    if not survives(level, count, 0x102, there):  # near copies, mdadm's default
        raise draft.error(f"{len(there)} members of {count} at level {level}", "one missing less")
    members = [one if one == MISSING else draft.must_fit(one) for one in wanted.members]
    spares = [draft.must_fit(one) for one in wanted.spares]
    metadata = wanted.metadata or "1.2"
    words = ["--create", wanted.path, "--run", f"--metadata={metadata}", f"--level={level}"]
    words.append(f"--raid-devices={count}")
    words += [f"--spare-devices={len(spares)}"] * bool(spares)
    words += [f"--chunk={wanted.chunk}"] * bool(wanted.chunk)
    if level:
        words.append(f"--bitmap={'none' if wanted.bitmap is False else 'internal'}")
    words += [f"--homehost={wanted.homehost}"] * bool(wanted.homehost)
    words += [f"--uuid={wanted.uuid}"] * bool(wanted.uuid)
    draft.run(*words, *members, *spares)


def _check_shape(draft: Draft, array: Array) -> None:
    wanted = draft.wanted
    if array.level < 0:
        raise draft.error("an array of another level", "levels 0, 1, 5, 6 and 10")
    if wanted.metadata and wanted.metadata != array.metadata:
        raise draft.error(
            f"metadata {array.metadata}", f"{wanted.metadata}; it can't be changed, make a new one"
        )
    chunk = wanted.chunk * 1024
    if chunk and array.chunk and chunk != array.chunk:
        raise draft.error(f"a chunk of {array.chunk // 1024} KiB", f"{wanted.chunk} KiB")


def _bitmap(draft: Draft, array: Array) -> None:
    wanted = draft.wanted.bitmap
    if wanted is None or wanted == array.bitmap:
        return
    if not array.redundant:
        raise draft.error(f"a bitmap at level {array.level}", "none, for it has no redundancy")
    if array.busy:
        draft.wait(f"{'make' if wanted else 'remove'} the bitmap", f"it is idle ({array.busy})")
    else:
        draft.run("--grow", array.path, f"--bitmap={'internal' if wanted else 'none'}")


def _speed(draft: Draft) -> None:
    details = draft.array.details if draft.array else Details()
    for limit in _LIMITS:
        wanted = getattr(draft.wanted, limit)
        if wanted is not None and wanted != getattr(details, limit):
            draft.write(f"sync_{limit}", str(wanted) if wanted else "system")


def _scrub(draft: Draft) -> None:
    wanted, array = draft.wanted.scrub, draft.array
    if not wanted:
        return
    if array is None or not array.active:
        if wanted == "started":
            draft.wait("scrub", "the array has started")
        return
    if wanted == "stopped":
        if array.action == "check":
            draft.write("sync_action", "idle")
    elif not array.redundant:
        raise draft.error(
            f"level {array.level}", "levels with redundancy, there is nothing to scrub"
        )
    elif array.busy and array.action != "check":
        draft.wait("scrub", f"the array is idle ({array.busy})")
    elif array.action != "check":
        draft.write("sync_action", "check")
