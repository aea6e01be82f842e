# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plan file systems and swap space: made on blank devices alone, grown while mounted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import (
    MIB,
    ROOT,
    SWAP,
    FileSystem,
    told,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_draft import Draft, State
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_found import Entry
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_mounts import options_of

_MODULE = "community.general.filesystem"
# mkfs.xfs(8) and mkfs.btrfs(8) refuse less.
_LEAST = {"xfs": 300 * MIB, "btrfs": 115 * MIB}
_GROWING = ("ext4", "xfs", "btrfs")
# A last group of blocks that is too small for its own records stays unused.
_SLACK = 8 * MIB
# These hold the system itself: they come into use when the whole system moves (move_system.yml).
_SYSTEM = ("/usr", "/var", "/home", "/opt", "/root", "/tmp")  # noqa: S108 -- a mount point
BOOT = (ROOT, "/boot", "/boot/efi")
_QUOTAS = {"user": "usrquota", "group": "grpquota", "project": "prjquota"}


@dataclass(frozen=True)
class Mount:
    """A file system to be mounted, or swap space: its stable device, and the device just now.

    `is_here` tells that the role mounts it: it is no part of a system that is still elsewhere.
    """

    system: FileSystem
    device: str
    path: str
    is_here: bool


def plan_system(draft: Draft, system: FileSystem) -> None:
    """Plan a file system, whose device has been planned."""
    state = draft.begin(system)
    (below,) = draft.below(system)
    state.path, state.size = below.path, below.size
    if state.absent:
        draft.refuse(system, f"can't be had, since {state.absent}")
        return
    content = draft.found.content(below.path) if below.there else {"type": ""}
    if content["type"] == system.type:
        state.uuid, state.there = content["uuid"], True
        state.now = _words(draft, system, below)
        _grow(draft, system, below, int(content["size"] or 0))
    elif draft.must_be_blank(system, system.device):
        _make(draft, system, below)
    state.then = "" if state.absent else _words(draft, system, below, is_then=True)


def mounts_of(draft: Draft) -> Iterator[Mount]:
    """Yield what is to be mounted, swap space included, as written."""
    moved = _has_moved(draft)
    for system in draft.tree.every(FileSystem):
        state = draft.states[system.ref]
        if state.uuid and (system.mount or system.type == SWAP):
            is_system = system.mount in _SYSTEM or system.mount.startswith(
                tuple(f"{one}/" for one in _SYSTEM)
            )
            is_here = system.mount not in BOOT and (moved or not is_system)
            if is_here and _is_in_fstab(draft, system, state.path):
                what = system.mount or f"swap space on {system.device}"
                draft.note(f"{what} is in /etc/fstab: its line there counts")
                is_here = False
            yield Mount(system, f"/dev/disk/by-uuid/{state.uuid}", state.path, is_here)


def _has_moved(draft: Draft) -> bool:
    """Whether the system runs on the file system that is to be its root, if there is to be one."""
    roots = [one for one in draft.tree.every(FileSystem) if one.mount == ROOT]
    return not roots or _is_mounted(draft, roots[0])


def _is_in_fstab(draft: Draft, system: FileSystem, path: str) -> bool:
    entries = draft.found.document["configured"]["fstab"]
    device = draft.found.device(path)["path"]
    if system.type == SWAP:
        return any(entry["path"] == device != "" for entry in entries)
    return any(entry["target"] == system.mount for entry in entries)


def unoccupied(draft: Draft, mounts: Iterable[Mount]) -> Iterator[str]:
    """Yield mount points at which nothing is mounted yet; refuse those that another has."""
    for mount in mounts:
        path = mount.system.mount
        there = draft.found.mounted(path) if path and mount.is_here else None
        source = draft.found.device(there["source"])["path"] if there else ""
        if there and source != draft.found.device(mount.path)["path"]:
            words = f"{path} has {there['source']} mounted already: unmount that first"
            draft.refuse(mount.system, words)
        elif path and mount.is_here and not there:
            yield path


def _is_mounted(draft: Draft, system: FileSystem) -> bool:
    mounts = draft.found.device(draft.states[system.device].path)["mounts"]
    return any(mount["target"] in (system.mount or "[SWAP]",) for mount in mounts)


def _make(draft: Draft, system: FileSystem, below: State) -> None:
    state, least = draft.states[system.ref], _LEAST.get(system.type, 0)
    if below.size < least:
        draft.refuse(
            system, f"{told(below.size)} are too few for {system.type}, at least {told(least)}"
        )
        return
    identity = draft.identity(system)
    # A volume's serial number is all that vfat has (mkfs.vfat(8)).
    short = identity[:8].upper()
    state.uuid = f"{short[:4]}-{short[4:]}" if system.type == "vfat" else identity
    named = {"vfat": ("-i", short), "xfs": ("-m", f"uuid={identity}")}.get(
        system.type, ("-U", identity)
    )
    tag = ("-n" if system.type == "vfat" else "-L", system.label) if system.label else ()
    options = [*_with_quota(system), *named, *tag]
    draft.step(
        system,
        f"make {system.type} on {system.device}",
        _MODULE,
        dev=below.path,
        fstype=system.type,
        opts=" ".join(options),
    )


def _with_quota(system: FileSystem) -> list[str]:
    """Return the options for making it; of each option of mke2fs(8), the last one would win."""
    words = list(system.make_options)
    if not system.quota or system.type != "ext4":
        return words
    kinds = ":".join(_QUOTAS[one] for one in system.quota)
    features = "quota,project" if "project" in system.quota else "quota"
    for option, value in (("-O", features), ("-E", f"quotatype={kinds}")):
        if option in words[:-1]:
            words[words.index(option) + 1] += f",{value}"
        else:
            words += [option, value]
    return words


def quota_options(system: FileSystem) -> Sequence[str]:
    """Return the mount options by which quotas are enforced (ext4(5), xfs(5))."""
    return [_QUOTAS[one] for one in system.quota]


def _grow(draft: Draft, system: FileSystem, below: State, size: int) -> None:
    if not size or system.type not in _GROWING or below.size - size <= _SLACK:
        return
    if not draft.found.device(below.path)["mounts"]:
        draft.note(
            f"file system on {system.device} can grow to {told(below.size)} once it is mounted"
        )
        return
    draft.step(
        system,
        f"grow {system.type} on {system.device} from {told(size)} to {told(below.size)}",
        _MODULE,
        dev=below.path,
        fstype=system.type,
        resizefs=True,
    )


def _words(draft: Draft, system: FileSystem, below: State, *, is_then: bool = False) -> str:
    name = f"{system.type} {system.label!r}" if system.label else system.type
    mounts = draft.found.device(below.path)["mounts"]
    targets = [mount["target"] for mount in mounts]
    if is_then and system.mount and system.mount not in targets:
        later = system.mount in BOOT or not _has_moved(draft)
        return f"{name}, for {system.mount}" if later else f"{name}, at {system.mount}"
    if system.type == SWAP:
        return f"{name}, in use" if targets or is_then else name
    return f"{name}, at {', '.join(targets)}" if targets else f"{name}, not mounted"


def entry_of(mount: Mount) -> Entry:
    """Return a mount as data for playbooks, with all of its options."""
    system = mount.system
    given = [*quota_options(system), *system.options]
    return {
        "device": mount.device,
        "path": mount.path,
        "name": system.device,
        "mount": system.mount,
        "type": system.type,
        "options": options_of(system.mount, system.type, given) if system.mount else given,
        "here": mount.is_here,
    }
