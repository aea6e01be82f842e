# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may stand on what in a storage tree, how often, and how many of it are needed. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import (
    REDUNDANT,
    SWAP,
    Array,
    Disk,
    Encrypted,
    FileSystem,
    Group,
    Partition,
    Thing,
    Tree,
    Volume,
)

# A place in a variable, what was found there, what is accepted.
Broken = tuple[str, str, str]
# md(4): with fewer members there is no such level.
_FEWEST = {0: 2, 1: 2, 5: 3, 6: 4, 10: 2}
_LONGEST_LABEL = {"ext4": 16, "xfs": 12, "btrfs": 255, "vfat": 11, SWAP: 15}
_WITH_QUOTA = ("ext4", "xfs")
_VOLUME_NEEDS = {"mirrors": ("raid1", "raid10"), "stripes": ("raid0", "raid5", "raid6", "raid10")}
# Of each kind of partition, what may use it.
_FOR = {
    "efi": "a vfat file system or an array with metadata 1.0",
    "raid": "an array",
    "lvm": "a volume group",
    "luks": "a container of storage_encrypted",
    "swap": "swap space or a container",
    "linux": "a file system or a container",
}


def broken_uses(tree: Tree) -> Iterator[Broken]:
    """Yield what is wrong between the things of a tree whose references are known."""
    for ref, thing in tree.things.items():
        yield from _uses(tree, ref, thing)
        if isinstance(thing, Array):
            yield from _array(tree, thing)
        elif isinstance(thing, Encrypted) and not thing.passphrase and not thing.key_file:
            yield thing.place, "no key to encrypt with", "a passphrase"
        elif isinstance(thing, Group):
            yield from _group(thing)
        elif isinstance(thing, Volume):
            yield from _volume(tree, thing)
        elif isinstance(thing, FileSystem):
            yield from _file_system(thing)


def _uses(tree: Tree, ref: str, thing: Thing) -> Iterator[Broken]:
    """Yield users that a thing can't have, and each beyond the first."""
    users = [one for one in tree.above(ref) if not isinstance(one, Partition | Volume)]
    for user in users:
        if isinstance(thing, Disk) and thing.partitions:
            wanted = f"one of its partitions: {', '.join(p.ref for p in thing.partitions)}"
            yield user.place, f"{ref!r}, a disk with partitions", wanted
        elif isinstance(thing, Group) or (isinstance(thing, Volume) and thing.type == "thin_pool"):
            what = "a volume group" if isinstance(thing, Group) else "a pool"
            yield user.place, f"{ref!r}, {what}", "what holds data itself, such as a volume in it"
        elif isinstance(user, Array) and not isinstance(thing, Disk | Partition):
            yield user.place, f"{ref!r} as a member", "disks and partitions"
        elif isinstance(thing, Partition) and not _fits(thing, user):
            wanted = _FOR.get(thing.type, "nothing: the boot loader has it for itself")
            found = f"{ref!r}, a partition of type {thing.type}"
            yield user.place, found, f"another type, or for {thing.type}: {wanted}"
    for user in users[1:]:
        yield user.place, f"{ref!r}, which {users[0].place} uses already", "each thing once"
    for user in users:
        if user.below.count(ref) > 1:
            yield user.place, f"{ref!r} twice", "each thing once"


def _fits(partition: Partition, user: Thing) -> bool:
    kind = partition.type
    if isinstance(user, Array):
        return kind == "raid" or (kind == "efi" and user.metadata == "1.0")
    if isinstance(user, Group):
        return kind == "lvm"
    if isinstance(user, Encrypted):
        return kind in ("luks", "linux", SWAP)
    if isinstance(user, FileSystem):
        return kind == {"vfat": "efi", SWAP: SWAP}.get(user.type, "linux") or kind == "linux"
    return False


def _array(tree: Tree, array: Array) -> Iterator[Broken]:
    count, fewest = len(array.members), _FEWEST[array.level]
    if count < fewest:
        wanted = f"at least {fewest} for level {array.level}"
        yield f"{array.place}.members", f"{count} of them", wanted
    if array.level not in REDUNDANT:
        if array.spares:
            yield f"{array.place}.spares", "spares with level 0", "none: no member can be replaced"
        if array.bitmap:
            yield f"{array.place}.bitmap", "a bitmap with level 0", "none: there is no redundancy"
    if array.chunk and array.level == 1:
        yield f"{array.place}.chunk", f"{array.chunk} with level 1", "none: nothing is striped"
    owners: dict[str, str] = {}
    for ref in array.below:
        for disk in tree.disks_of(ref):
            if owners.setdefault(disk, ref) != ref:
                found = f"{owners[disk]} and {ref}, both on disk {disk}"
                yield f"{array.place}.members", found, "each on a disk of its own"


def _group(group: Group) -> Iterator[Broken]:
    if not group.devices:
        yield f"{group.place}.devices", "nothing", "at least one of what is there"
    for volume in group.volumes:
        if volume.images > len(group.devices):
            found = f"{volume.type} on {len(group.devices)} of {group.ref}"
            yield volume.place, found, f"a group on at least {volume.images}"


def _volume(tree: Tree, volume: Volume) -> Iterator[Broken]:
    pool = tree.things.get(f"{volume.group}/{volume.pool}") if volume.pool else None
    if volume.type == "thin":
        if not isinstance(pool, Volume) or pool.type != "thin_pool":
            found = repr(volume.pool) if volume.pool else "no pool"
            yield f"{volume.place}.pool", found, "a volume of type thin_pool in the same group"
        if not volume.size.bytes:
            yield f"{volume.place}.size", str(volume.size), 'a size of its own ("20GiB")'
    elif volume.pool:
        yield f"{volume.place}.pool", f"a pool with type {volume.type}", "none, or type thin"
    for key, kinds in _VOLUME_NEEDS.items():
        if getattr(volume, key) and volume.type not in kinds:
            found = f"{getattr(volume, key)} with type {volume.type}"
            yield f"{volume.place}.{key}", found, f"none, or one of {', '.join(kinds)}"


def _file_system(system: FileSystem) -> Iterator[Broken]:
    longest = _LONGEST_LABEL[system.type]
    if len(system.label.encode()) > longest:
        found = f"{system.label!r}, {len(system.label.encode())} bytes"
        yield f"{system.place}.label", found, f"at most {longest} for {system.type}"
    if system.quota and system.type not in _WITH_QUOTA:
        wanted = f"none, or type {' or '.join(_WITH_QUOTA)}"
        yield f"{system.place}.quota", f"quotas with {system.type}", wanted
    if system.mount == "/boot/efi" and system.type != "vfat":
        yield f"{system.place}.type", f"{system.type} for /boot/efi", "vfat, which firmware reads"
