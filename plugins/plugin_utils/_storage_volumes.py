# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plan volume groups and their volumes: made, extended, grown, never reduced. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import (
    MIB,
    Group,
    Volume,
    told,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_disks import REPLACE
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_draft import (
    Draft,
    State,
    label,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_found import Entry

_GROUP = "community.general.lvg"
_VOLUME = "community.general.lvol"
_EXTENT = 4 * MIB  # of a new group (vgcreate(8))
_FEW = 4  # extents that are no reason to grow a volume that takes the rest


def plan_group(draft: Draft, group: Group) -> None:
    """Plan a volume group and its volumes; what is below has been planned."""
    state = draft.begin(group)
    found = draft.found.groups.get(group.ref)
    state.path = group.ref
    if found is None:
        _new(draft, group)
    else:
        _existing(draft, group, found)
    volumes = {v["name"]: v for v in found["volumes"]} if found and not state.absent else {}
    extent = int(found["extent"]) if found else _EXTENT
    # Thin volumes come after their pools, and what takes the rest comes last.
    order = sorted(group.volumes, key=lambda one: (one.type == "thin", one.size.is_rest))
    for volume in order:
        _volume(draft, group, volume, volumes.get(volume.name), extent)


def _new(draft: Draft, group: Group) -> None:
    state = draft.states[group.ref]
    if state.absent:
        draft.refuse(group, f"can't be made, since {state.absent}")
        return
    if _takes(draft, group, draft.below(group)):
        sizes = [_usable(below.size, _EXTENT) for below in draft.below(group)]
        state.size = sum(sizes)
        state.then = told(state.size)
        words = f"make volume group {group.ref} on {', '.join(group.devices)}"
        _step(draft, group, words)


def _takes(draft: Draft, group: Group, devices: Sequence[State]) -> bool:
    """Whether all these devices may become physical volumes of a group."""
    refs = [r for r in group.devices if any(draft.states[r] is one for one in devices)]
    # A physical volume of no group is what an interrupted step of ours leaves.
    return draft.must_be_blank(
        group, *(ref for ref in refs if draft.found.group_of(draft.states[ref].path) != "")
    )


def _existing(draft: Draft, group: Group, found: Entry) -> None:
    state = draft.states[group.ref]
    state.absent, lost = "", [r for r in group.devices if draft.states[r].absent]
    physical = {one["path"]: one for one in found["physical_volumes"]}
    state.size, state.there, extent = int(found["size"]), True, int(found["extent"])
    state.now = told(state.size)
    if not any(below.path in physical for below in draft.below(group)):
        paths = ", ".join(path or "what is missing" for path in physical)
        draft.refuse(group, f"there is a volume group of that name on {paths}")
        return
    if lost or found["missing"]:
        why = draft.states[lost[0]].absent if lost else "a physical volume is missing"
        draft.note(f"{label(group)} isn't whole: {why}. {REPLACE}")
        state.then = state.now
        return
    joining = [one for one in draft.below(group) if one.path not in physical]
    growing = [one for one in draft.below(group) if _grows(one, physical.get(one.path), extent)]
    if joining and not _takes(draft, group, joining):
        return
    if joining or growing:
        gains = [_usable(one.size, extent) for one in joining]
        gains += [_usable(one.size, extent) - int(physical[one.path]["size"]) for one in growing]
        state.size += sum(gains)
        _step(draft, group, f"grow volume group {group.ref} from {state.now} to {told(state.size)}")
    state.then = told(state.size)


def _grows(below: State, physical: Entry | None, extent: int) -> bool:
    return physical is not None and below.size - int(physical["size"]) > extent + 2 * MIB


def _usable(size: int, extent: int) -> int:
    """Return how much of a device a physical volume can use; 1 MiB of it is for metadata."""
    return max(0, size - MIB) // extent * extent


def _step(draft: Draft, group: Group, words: str) -> None:
    paths = [below.path for below in draft.below(group)]
    draft.step(group, words, _GROUP, vg=group.ref, pvs=paths, pvresize=True, remove_extra_pvs=False)


def _volume(draft: Draft, group: Group, volume: Volume, found: Entry | None, extent: int) -> None:
    state = draft.begin(volume)
    state.path = f"/dev/{group.ref}/{volume.name}"
    if state.absent:
        return
    if found is None:
        _make(draft, group, volume, extent)
    elif _type(found) != volume.type:
        draft.refuse(volume, f"is {found['type']}, not {volume.type}")
    else:
        _keep(draft, group, volume, found, extent)
    state.then = "" if state.absent else _words(volume, state.size)


def _type(found: Entry) -> str:
    """Return our word for what lvs(8) calls `thin-pool`, or by its layout `raid6_zr`."""
    return "thin_pool" if found["type"] == "thin-pool" else str(found["type"]).partition("_")[0]


def _make(draft: Draft, group: Group, volume: Volume, extent: int) -> None:
    state, free = draft.states[volume.ref], _free(draft, group)
    if draft.found.groups.get(group.ref, {}).get("missing"):
        draft.refuse(volume, f"can't be made while {label(group)} isn't whole: {REPLACE}")
        return
    whole = draft.states[group.ref].size
    wanted = volume.size.of(whole, _share(volume, free))
    state.size = (
        wanted // extent * extent if not volume.size.bytes else -(-wanted // extent) * extent
    )
    cost = _cost(volume, state.size) + _overhead(volume, extent) * (not volume.size.is_rest)
    if not volume.pool and (cost > free or not state.size):
        draft.refuse(volume, f"{volume.size} don't fit, {told(free)} of {told(whole)} are free")
        return
    size = {"size": "100%FREE" if volume.size.is_rest else f"{state.size}b"}
    name = {"thinpool": volume.pool or volume.name} if volume.type.startswith("thin") else {}
    draft.step(
        volume,
        f"make volume {volume.ref}: {_words(volume, state.size)}",
        _VOLUME,
        vg=group.ref,
        **({} if volume.type == "thin_pool" else {"lv": volume.name}),
        **name,
        **size,
        **_options(volume),
    )


def _options(volume: Volume) -> dict[str, Any]:
    words = [] if volume.type.startswith("thin") else ["--type", volume.type]
    words += ["--mirrors", str(volume.mirrors)] if volume.mirrors else []
    words += ["--stripes", str(volume.stripes)] if volume.stripes else []
    return {"opts": " ".join(words)} if words else {}


def _keep(draft: Draft, group: Group, volume: Volume, found: Entry, extent: int) -> None:
    state = draft.states[volume.ref]
    state.size, state.there = int(found["size"]), True
    # A pool has no device of its own.
    state.path = draft.found.device(state.path)["path"] or state.path
    state.now = _words(volume, state.size)
    size, rest = volume.size, _share(volume, _free(draft, group))
    wanted = size.of(draft.states[group.ref].size, state.size + rest)
    wanted = -(-wanted // extent) * extent if size.bytes else wanted // extent * extent
    if wanted < state.size and not size.is_rest:
        if size.bytes or state.size - wanted > _FEW * extent:
            words = f"{told(state.size)}, and {size} wanted: nothing is ever made smaller"
            draft.refuse(volume, words)
        return
    if wanted - state.size < (1 if size.bytes else _FEW * extent):
        return
    gain = wanted - state.size
    if not volume.pool and _cost(volume, gain) > _free(draft, group):
        words = f"{size} don't fit, {told(_free(draft, group))} are free beside {told(state.size)}"
        draft.refuse(volume, words)
        return
    text = "+100%FREE" if size.is_rest else f"{wanted}b"
    words = f"grow volume {volume.ref} from {told(state.size)} to {told(wanted)}"
    state.size = wanted
    draft.step(volume, words, _VOLUME, vg=group.ref, lv=volume.name, size=text, shrink=False)


def _free(draft: Draft, group: Group) -> int:
    """Return the bytes of a group that nothing has, once all that was planned so far is there."""
    found = draft.found.groups.get(group.ref)
    state = draft.states[group.ref]
    free = state.size - (int(found["size"]) - int(found["free"]) if found else 0)
    volumes = {v["name"]: int(v["size"]) for v in found["volumes"]} if found else {}
    extent = int(found["extent"]) if found else _EXTENT
    for volume in group.volumes:
        planned = draft.states.get(volume.ref)
        if planned and planned.then and not volume.pool:
            new = 0 if volume.name in volumes else _overhead(volume, extent)
            free -= _cost(volume, planned.size - volumes.get(volume.name, 0)) + new
    return max(0, free)


def _cost(volume: Volume, size: int) -> int:
    """Return what a volume of that size takes of its group, both in bytes."""
    return size * volume.images // max(1, volume.stripes)


def _overhead(volume: Volume, extent: int) -> int:
    """Return what the records of a new volume take of its group (lvmraid(7), lvmthin(7))."""
    if volume.type == "thin_pool":
        return 2 * extent
    return volume.images * extent if volume.type not in ("linear", "raid0", "thin") else 0


def _share(volume: Volume, free: int) -> int:
    """Return how large a volume is that takes so much of its group, both in bytes."""
    return free * max(1, volume.stripes) // volume.images


def _words(volume: Volume, size: int) -> str:
    kind = volume.type.replace("_", " ")
    return f"{told(size)}, {kind}{f' in {volume.pool}' if volume.pool else ''}"
