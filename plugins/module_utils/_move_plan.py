# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What is copied where when a system moves onto other file systems, and why not. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import below, holder
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Device,
    Document,
)

ROOT, BOOT, EFI = "/", "/boot", "/boot/efi"
# Mounted anew on each start, or made by the move itself.
_OWN = (EFI,)
MARK = "/.servertechnik-move"


class MoveError(Exception):
    """A system that can't move; the text says why, and what is accepted."""


@dataclass(frozen=True)
class Target:
    """A file system that the system moves onto, and where it will be mounted."""

    mount: str
    device: Device
    type: str
    options: tuple[str, ...]

    @property
    def uuid(self) -> str:
        """Its identifier, by which fstab(5) names it."""
        return self.device["content"]["uuid"]

    def at(self, place: str) -> str:
        """Return where it is mounted during the move."""
        return place + ("" if self.mount == ROOT else self.mount)


@dataclass(frozen=True)
class Copy:
    """A file system of the old system, and what of it is not copied, from its own root."""

    source: str
    used: int
    without: tuple[str, ...]


def wanted(file_systems: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what the system moves onto, the root first.

    Raises MoveError.
    """
    found = {one["mount"]: dict(one) for one in file_systems if one["mount"] and not one["here"]}
    if ROOT not in found:
        there = ", ".join(sorted(found)) or "none that isn't in use"
        raise MoveError(f"file_systems: found {there}; accepted: one with mount / among them")
    return [found[mount] for mount in sorted(found)]


def targets(document: Document, asked: Sequence[Mapping[str, Any]], place: str) -> list[Target]:
    """Return the file systems that were asked for, each given by `path`, as they are.

    Raises MoveError for what can't be moved onto.
    """
    by_path = {device["path"]: device for device in document["devices"]}
    found = []
    for one in asked:
        device = by_path.get(one["path"])
        if not device:
            raise MoveError(f"{one['mount']}: {one['device']} is no block device of this host")
        target = Target(one["mount"], device, device["content"]["type"], tuple(one["options"]))
        if not target.uuid or target.type in ("swap", "LVM2_member", "linux_raid_member"):
            raise MoveError(
                f"{target.mount}: on {one['device']} is {target.type or 'nothing'}; accepted: a "
                "file system"
            )
        elsewhere = [
            mount["target"] for mount in device["mounts"] if mount["target"] != target.at(place)
        ]
        if elsewhere:
            raise MoveError(
                f"{target.mount}: {device['name']} is mounted at {elsewhere[0]}; accepted: a file "
                "system that nothing uses yet"
            )
        found.append(target)
    _must_start(document, found)
    return found


def _must_start(document: Document, found: Sequence[Target]) -> None:
    """GRUB reads a kernel from arrays and volumes, but from nothing that is encrypted."""
    by_mount = {target.mount: target for target in found}
    boot = by_mount.get(BOOT, by_mount[ROOT])
    if any(device["content"]["type"] == "crypto_LUKS" for device in below(document, boot.device)):
        raise MoveError(
            f"{boot.mount}: {boot.device['name']} is encrypted, and holds the kernel; accepted: a "
            "file system for /boot that is not"
        )


def is_there(document: Document, path: str) -> bool:
    """Whether the running system has its root on that device."""
    root = holder(document, ROOT)
    return bool(root) and root["path"] == path  # type: ignore[index]  # bool(root) comes first


def old_disks(document: Document) -> set[str]:
    """Return the disks that the running system's root lies on; none for one held in memory."""
    root = holder(document, ROOT)
    return {d["path"] for d in below(document, root) if d["kind"] == "disk"} if root else set()


def copies(document: Document, place: str) -> list[Copy]:
    """Return the file systems of the old system that are copied: those on its root's disks.

    Those on other disks stay where they are. Each is copied without what is mounted below it.
    """
    disks = old_disks(document)
    by_path = {device["path"]: device for device in document["devices"]}
    sources = [ROOT]
    for line in document["configured"]["fstab"]:
        device = by_path.get(line["path"])
        if not device or line["target"] in (ROOT, *_OWN):
            continue
        on = {one["path"] for one in below(document, device) if one["kind"] == "disk"}
        if (
            on
            and on <= disks
            and any(mount["target"] == line["target"] for mount in device["mounts"])
        ):
            sources.append(line["target"])
    used = {one["target"]: one["used"] for one in document["file_systems"]}
    return [
        Copy(source, used.get(source, 0), _without(source, [*sources, *_OWN, MARK, place]))
        for source in sources
    ]


def _without(source: str, paths: Sequence[str]) -> tuple[str, ...]:
    prefix = source.rstrip("/")
    inside = [one for one in paths if one.startswith(f"{prefix}/") and one != source]
    return tuple(one.removeprefix(prefix) + ("" if one == MARK else "/*") for one in inside)


def needs(found: Sequence[Target], copied: Sequence[Copy]) -> dict[str, int]:
    """Return how many bytes each target gets at most, by its mount.

    What isn't a file system of its own in the old system, such as /boot, counts for the root alone.
    """
    room = dict.fromkeys((target.mount for target in found), 0)
    for copy in copied:
        into = [mount for mount in room if copy.source == mount or _inside(copy.source, mount)]
        room[max(into, key=len)] += copy.used
    return room


def _inside(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")
