# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The storage of a host as its variables describe it: one tree, from disks to mounts. Pure.

Things refer to each other by name: a disk, array or container by its own, a partition as
`DISK/PARTITION`, a logical volume as `GROUP/VOLUME`. `_storage_read.py` makes a tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

MIB = 1 << 20
UNITS = {"KiB": 1 << 10, "MiB": MIB, "GiB": 1 << 30, "TiB": 1 << 40, "PiB": 1 << 50}
REDUNDANT = (1, 5, 6, 10)
ROOT = "/"
SWAP = "swap"
# How `community.general.parted` marks a partition, by our word for what it is for.
PARTITION_FLAGS: Mapping[str, tuple[str, ...]] = {
    "efi": ("esp",),
    "bios_boot": ("bios_grub",),
    "raid": ("raid",),
    "lvm": ("lvm",),
    "swap": ("swap",),
    "luks": (),
    "linux": (),
}
# The type GUIDs that these flags become (UEFI specification 5.3.3, systemd's gpt.h).
PARTITION_TYPES: Mapping[str, str] = {
    "efi": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
    "bios_boot": "21686148-6449-6e6f-744e-656564454649",
    "raid": "a19d880f-05fc-4d3b-a006-743f0f84911e",
    "lvm": "e6d6d379-f507-44c2-a23c-238f2a3df928",
    "swap": "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",
    "luks": "0fc63daf-8483-4772-8e79-3d69d8477de4",
    "linux": "0fc63daf-8483-4772-8e79-3d69d8477de4",
}


class StorageError(ValueError):
    """A tree that can't be: where it is written, what was found there, what is accepted."""

    def __init__(self, path: str, found: str, accepted: str) -> None:
        """Keep the parts, for those who want to tell them in another form."""
        super().__init__(f"{path}: found {found}; accepted: {accepted}")
        self.path = path
        self.found = found
        self.accepted = accepted


@dataclass(frozen=True)
class Size:
    """So many bytes, or so many percent of what is below; neither is all the rest."""

    bytes: int = 0
    percent: int = 0

    @property
    def is_rest(self) -> bool:
        """Whether it is whatever the others leave."""
        return not self.bytes and not self.percent

    def of(self, whole: int, rest: int) -> int:
        """Return it in bytes, where `whole` bytes are below and `rest` are left by the others."""
        return rest if self.is_rest else self.bytes or whole * self.percent // 100

    def __str__(self) -> str:
        """In words: `20 GiB`, `50%`, `rest`."""
        return "rest" if self.is_rest else f"{self.percent}%" if self.percent else told(self.bytes)


def told(size: int) -> str:
    """Return bytes in words with at most one decimal place: `512 MiB`, `1.5 TiB`."""
    for unit, factor in reversed(UNITS.items()):
        if size >= factor:
            return f"{size / factor:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} B"


@dataclass(frozen=True, kw_only=True)
class Thing:
    """What a tree is made of: what others may stand on, by its `ref`; `place` is where written."""

    ref: str
    place: str = ""

    @property
    def below(self) -> tuple[str, ...]:
        """What it stands on."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Disk(Thing):
    """A disk, found by one of serial, wwn and path."""

    by: str
    value: str
    partitions: tuple[Partition, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Partition(Thing):
    """A partition of a disk; `number` counts from 1, `type` is a key of PARTITION_TYPES."""

    disk: str
    name: str
    number: int
    size: Size
    type: str

    @property
    def below(self) -> tuple[str, ...]:
        """Its disk."""
        return (self.disk,)


@dataclass(frozen=True, kw_only=True)
class Array(Thing):
    """A software RAID array; `chunk` in KiB, 0 is mdadm's own choice."""

    level: int
    members: tuple[str, ...]
    spares: tuple[str, ...] = ()
    bitmap: bool = True
    chunk: int = 0
    metadata: str = "1.2"

    @property
    def below(self) -> tuple[str, ...]:
        """Its members and spares."""
        return self.members + self.spares


@dataclass(frozen=True, kw_only=True)
class Encrypted(Thing):
    """A LUKS2 container. The passphrase never appears in a text made of this."""

    device: str
    passphrase: str = field(default="", repr=False)
    key_file: str = ""
    options: tuple[str, ...] = ()

    @property
    def below(self) -> tuple[str, ...]:
        """What is encrypted."""
        return (self.device,)


@dataclass(frozen=True, kw_only=True)
class Group(Thing):
    """An LVM volume group."""

    devices: tuple[str, ...]
    volumes: tuple[Volume, ...] = ()

    @property
    def below(self) -> tuple[str, ...]:
        """Its physical volumes."""
        return self.devices


@dataclass(frozen=True, kw_only=True)
class Volume(Thing):
    """A logical volume; `mirrors` are copies beside the first, `stripes` are data stripes."""

    group: str
    name: str
    size: Size
    type: str = "linear"
    pool: str = ""
    mirrors: int = 0
    stripes: int = 0

    @property
    def below(self) -> tuple[str, ...]:
        """Its pool, or else its group."""
        return (f"{self.group}/{self.pool}",) if self.pool else (self.group,)

    @property
    def images(self) -> int:
        """On how many physical volumes it lies, each with an equal part; 1 is any."""
        parity = {"raid5": 1, "raid6": 2}.get(self.type, 0)
        copies = self.mirrors + 1 if self.type in ("raid1", "raid10") else 1
        return max(1, self.stripes) * copies + parity


@dataclass(frozen=True, kw_only=True)
class FileSystem(Thing):
    """A file system or swap space; `mount` is empty where it is made and not mounted."""

    device: str
    type: str
    label: str = ""
    mount: str = ""
    options: tuple[str, ...] = ()
    quota: tuple[str, ...] = ()
    make_options: tuple[str, ...] = ()

    @property
    def below(self) -> tuple[str, ...]:
        """What it is made on."""
        return (self.device,)


@dataclass(frozen=True, kw_only=True)
class Tmpfs:
    """A file system in memory; `size` as tmpfs takes it (`512M`, `50%`), empty is half of all."""

    mount: str
    size: str = ""
    mode: str = ""
    options: tuple[str, ...] = ()


ThingT = TypeVar("ThingT", bound=Thing)


@dataclass(frozen=True, kw_only=True)
class Tree:
    """All that a host is to have. `things` are in an order in which each stands on former ones."""

    things: Mapping[str, Thing] = field(default_factory=dict)
    tmpfs: tuple[Tmpfs, ...] = ()
    # Mount points that are to be mounted no longer.
    unmounted: tuple[str, ...] = ()

    def every(self, kind: type[ThingT]) -> tuple[ThingT, ...]:
        """Return all things of one kind."""
        return tuple(thing for thing in self.things.values() if isinstance(thing, kind))

    def disks_of(self, ref: str) -> tuple[str, ...]:
        """Return the names of the disks that a thing stands on in the end, each once."""
        return self._disks[ref]

    def above(self, ref: str) -> tuple[Thing, ...]:
        """Return what stands directly on a thing."""
        return self._above.get(ref, ())

    def below(self, ref: str) -> frozenset[str]:
        """Return everything that a thing stands on, down to the disks."""
        direct = self.things[ref].below
        return frozenset(direct).union(*(self.below(one) for one in direct))

    @cached_property
    def _disks(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for ref, thing in self.things.items():
            under = (disk for below in thing.below for disk in found[below])
            found[ref] = (ref,) if isinstance(thing, Disk) else tuple(dict.fromkeys(under))
        return found

    @cached_property
    def _above(self) -> dict[str, tuple[Thing, ...]]:
        found: dict[str, tuple[Thing, ...]] = {}
        for thing in self.things.values():
            for below in thing.below:
                found[below] = (*found.get(below, ()), thing)
        return found
