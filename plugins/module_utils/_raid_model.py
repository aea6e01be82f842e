# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A software RAID array: what it is, and what it can lose. Pure.

Sources: md(4), mdadm(8), Documentation/admin-guide/md.rst of the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._raid_wanted import (
    RaidError,
    Wanted,
)

# How many members a level can lose, whichever they are. Level 4 is what level 0 is while it grows.
_PARITY = {4: 1, 5: 1, 6: 2}
_LEVELS = {f"raid{level}": level for level in (0, 1, 4, 5, 6, 10)}
IN_SYNC = "in_sync"


@dataclass(frozen=True)
class Superblock:
    """What a member says of its array; `events` is 0 as long as that was never started."""

    uuid: str
    name: str
    level: str = ""
    devices: int = 0
    events: int = 0


@dataclass(frozen=True)
class Device:
    """A device that is or may become a member, as named by `path`; `real` is "" if not there.

    `holders` are the devices made of it (partitions too), `mounts` where it is mounted (or
    "[SWAP]"), and `signatures` what it holds beside the superblock of md.
    """

    path: str
    real: str
    size: int = 0
    read_only: bool = False
    holders: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    superblock: Superblock | None = None


@dataclass(frozen=True)
class Member:
    """A device in an array; `state` and `flags` as in the document of `disk_health`."""

    path: str
    slot: int | None
    state: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Details:
    """What the kernel says of an array beyond the document; sizes in bytes, speeds in KiB/s.

    `speed_min` and `speed_max` are 0 where the system's limits hold. `held_up` is what a reshape or
    resync is after a restart, until something is written to the array (array_state `read-auto`).
    """

    component_size: int = 0
    data_offset: int = 0
    layout: int = 0
    speed_min: int = 0
    speed_max: int = 0
    used: tuple[str, ...] = ()
    detached: tuple[str, ...] = ()
    held_up: bool = False


@dataclass(frozen=True, kw_only=True)
class Array:
    """An array of the kernel; `level` is -1 for one that this module doesn't make."""

    path: str
    name: str
    uuid: str
    level: int
    metadata: str
    bitmap: bool
    devices: int
    chunk: int
    size: int
    active: bool
    action: str
    done: float | None
    members: tuple[Member, ...]
    details: Details = field(default_factory=Details)

    @classmethod
    def of(cls, one: Mapping[str, Any], details: Details) -> Array:
        """Return an entry of the document's `arrays`, with what else is known of it."""
        states = list(one["state"])
        return cls(
            path=one["path"],
            name=str(one["name"]).removeprefix("/dev/md/"),
            uuid=one["uuid"],
            level=_LEVELS.get(one["level"], -1),
            metadata=one["metadata"],
            bitmap=one["bitmap"],
            devices=one["devices"],
            chunk=one["chunk"],
            size=one["size"],
            active=not {"inactive", "clear"} & set(states),
            action=one["sync"]["action"],
            done=one["sync"]["done"],
            members=tuple(
                Member(m["path"], m["slot"], m["state"], tuple(m["flags"]))
                for m in one["members"]
                if m["path"]
            ),
            details=details,
        )

    @property
    def busy(self) -> str:
        """What the kernel does with it, in words; empty when nothing."""
        if self.action in ("idle", "frozen", ""):
            return "held up since the restart" if self.details.held_up else ""
        return self.action + ("" if self.done is None else f", {self.done:.0%} done")

    @property
    def redundant(self) -> bool:
        """Whether it has more than one copy of anything."""
        return self.level in (1, 5, 6, 10)

    def member(self, path: str) -> Member | None:
        """The member of that real path."""
        return next((one for one in self.members if one.path == path), None)

    def in_sync(self, without: Iterable[str] = ()) -> set[int]:
        """The places whose data are complete, and stay so without the given members."""
        gone = set(without)
        return {
            one.slot
            for one in self.members
            if one.slot is not None and one.path not in gone and _complete(one)
        }

    def taken(self) -> set[int]:
        """The places that somebody has, complete or on the way."""
        return {m.slot for m in self.members if m.slot is not None and m.state != "faulty"}

    def survives(self, without: Iterable[str]) -> bool:
        """Whether every block is still on at least one complete member without these."""
        return survives(self.level, self.devices, self.details.layout, self.in_sync(without))


def _complete(member: Member) -> bool:
    return IN_SYNC in member.flags and member.state != "faulty"


def survives(level: int, devices: int, layout: int, in_sync: set[int]) -> bool:
    """Whether an array has all of its data when only the places `in_sync` are complete.

    `layout` is that of RAID 10 as the kernel has it: near copies in the low byte, far copies in
    the next. Unknown levels are taken to have no redundancy.
    """
    if level == 1:
        return bool(in_sync)
    if level in _PARITY:
        return len(in_sync) >= devices - _PARITY[level]
    if level == 10:  # noqa: PLR2004 -- levels of md(4)
        near, far = max(1, layout & 0xFF), max(1, layout >> 8 & 0xFF)
        return all(
            in_sync & {(start + n + f * near) % devices for n in range(near) for f in range(far)}
            for start in range(0, devices * near, near)
        )
    return len(in_sync) >= devices


def find(wanted: Wanted, arrays: Sequence[Array], real: str, configured: str = "") -> Array | None:
    """Return the array that is meant: by UUID, by name, or by `real`, where its path leads.

    `configured` is the UUID that mdadm.conf has for its name; the device may be called otherwise.
    Raises RaidError where another array has its name.
    """
    if uuid := wanted.uuid or configured:
        for one in arrays:
            if one.uuid == uuid:
                return one
    for one in arrays:
        if one.path == real or one.name == wanted.name:
            if wanted.uuid and one.uuid:
                raise RaidError(
                    f"array {wanted.name}: found one of that name with UUID {one.uuid}; accepted: "
                    f"{wanted.uuid}. Stop the other one, or take another name"
                )
            return one
    return None


def own_name(name: str, homehost: str, hostname: str, full: str) -> bool:
    """Whether a superblock's name `full` ("host:name") is that of the array on this host."""
    host, colon, last = full.rpartition(":")
    return last == name and (not colon or host in (homehost or hostname, "any"))
