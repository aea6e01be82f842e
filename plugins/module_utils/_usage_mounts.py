# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Which file systems a host has and how full they are, without touching those of the network."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypedDict

_NETWORK = (
    "9p afs beegfs ceph cifs coda fuse.glusterfs fuse.rclone fuse.s3fs fuse.sshfs gfs2 glusterfs "
    "lustre ncpfs nfs nfs4 ocfs2 orangefs smb3 smbfs virtiofs"
)
_WITHOUT_DATA = (
    "autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs "
    "fuse.gvfsd-fuse fuse.lxcfs fuse.portal fusectl hugetlbfs iso9660 mqueue nsfs proc pstore "
    "ramfs rpc_pipefs securityfs selinuxfs squashfs sysfs tracefs udf"
)
# Whoever asks one of these may wait for a server that is gone.
NETWORK = frozenset(_NETWORK.split())
# They hold no data of their own, or none that anybody could remove.
WITHOUT_DATA = frozenset(_WITHOUT_DATA.split())


class UsageError(Exception):
    """What can't be looked at; the text says what was found and what is accepted."""


@dataclass(frozen=True)
class Mount:
    """A line of mountinfo (proc(5)); `device` is major:minor, `root` what of it is mounted."""

    number: int
    parent: int
    device: str
    root: str
    target: str
    options: tuple[str, ...]
    type: str
    source: str

    @property
    def is_local(self) -> bool:
        """Whether it holds data on this host, as far as people put some there."""
        of_system = self.target == "/dev" or self.target.startswith(("/proc/", "/sys/"))
        return not (is_network(self.type) or self.type in WITHOUT_DATA or of_system)

    @property
    def is_writable(self) -> bool:
        """Whether this mount can be written to."""
        return "rw" in self.options


class Figures(TypedDict):
    """How full a file system is, in bytes and inodes; none of these where it doesn't count them."""

    size: int
    used: int
    available: int  # for those who aren't root
    reserved: int  # for root alone
    percent: int  # as df(1) says it
    inodes: int
    inodes_used: int
    inodes_percent: int


def is_network(kind: str) -> bool:
    """Whether a type of file system lives on other hosts; unknown ones of FUSE may."""
    return kind in NETWORK or (kind.startswith("fuse.") and kind not in WITHOUT_DATA)


def parse(mountinfo: str) -> list[Mount]:
    """Return the mounts of a mountinfo in its order."""
    found = []
    for line in mountinfo.splitlines():
        before, _dash, after = line.partition(" - ")
        number, parent, device, root, target, options = before.split(" ")[:6]
        kind, source = after.split(" ")[:2]
        found.append(
            Mount(
                number=int(number),
                parent=int(parent),
                device=device,
                root=plain(root),
                target=plain(target),
                options=tuple(options.split(",")),
                type=kind,
                source=plain(source),
            )
        )
    return found


def visible(mounts: Iterable[Mount]) -> list[Mount]:
    """Return the mounts that can be reached by their names: nothing is mounted over them.

    The name of another leads elsewhere, maybe to a server that is gone.
    """
    mounts = list(mounts)
    on: dict[int, list[Mount]] = {}
    for mount in mounts:
        on.setdefault(mount.parent, []).append(mount)
    numbers = {mount.number for mount in mounts}
    left = [
        mount for mount in mounts if mount.parent not in numbers or mount.parent == mount.number
    ]
    found = set[int]()
    while left:
        mount = left.pop()
        inside = [one for one in on.get(mount.number, ()) if one is not mount]
        covered = any(one.target == mount.target for one in inside)
        if not covered:
            found.add(mount.number)
        left += [
            one
            for one in inside
            if (not covered or one.target == mount.target)
            and not any(_is_above(other.target, one.target) for other in inside)
        ]
    return [mount for mount in mounts if mount.number in found]


def _is_above(path: str, other: str) -> bool:
    return other != path and f"{other}/".startswith(f"{path.rstrip('/')}/")


def plain(text: str) -> str:
    """Return a path of mountinfo with its octal escapes undone."""
    raw = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), os.fsencode(text))
    return os.fsdecode(raw)


def holding(mounts: Iterable[Mount], path: str) -> Mount:
    """Return which of the visible mounts an absolute path is on, by its name. Raises UsageError."""
    found = None
    for mount in mounts:
        inside = mount.target == path or _is_above(mount.target, path)
        if inside and (found is None or len(mount.target) > len(found.target)):
            found = mount
    if found is None:
        raise UsageError(f"path: found {path!r}, accepted: an absolute path")
    return found


def whole(mounts: Iterable[Mount], of: Mount) -> Mount:
    """Return the mount that shows most of the file system that `of` is on."""
    same = [one for one in mounts if one.device == of.device]
    return min(same, key=lambda one: (len(one.root), len(one.target)))


def hiding(mounts: Iterable[Mount], of: Mount) -> list[str]:
    """Return the places on a file system at which something else is mounted."""
    root, target = of.root.rstrip("/"), of.target.rstrip("/")
    itself = {
        one.target
        for one in mounts
        if one.device == of.device and one.root == root + one.target.removeprefix(target)
    }
    return sorted({one.target for one in mounts} - itself - {of.target})


def local(mounts: Iterable[Mount]) -> list[Mount]:
    """Return one of the visible mounts of each file system that holds data on this host."""
    mounts = list(mounts)
    seen: dict[str, Mount] = {}
    for mount in mounts:
        if mount.is_local and mount.device not in seen:
            seen[mount.device] = whole(mounts, mount)
    return list(seen.values())


def figures(found: Any) -> Figures:
    """Return what statvfs(3) says, which a test may give as any object like it."""
    unit = found.f_frsize
    used = (found.f_blocks - found.f_bfree) * unit
    available = found.f_bavail * unit
    inodes_used = found.f_files - found.f_ffree
    return {
        "size": found.f_blocks * unit,
        "used": used,
        "available": available,
        "reserved": (found.f_bfree - found.f_bavail) * unit,
        "percent": share(used, used + available),
        "inodes": found.f_files,
        "inodes_used": inodes_used,
        "inodes_percent": share(inodes_used, found.f_files),
    }


def share(part: int, of: int) -> int:
    """Return a share in percent, rounded up like df(1) does."""
    return -(-100 * part // of) if of > 0 else 0
