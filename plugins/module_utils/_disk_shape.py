# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The document of `disk_health`: what the storage of a host is, and how it is doing.

Sizes and places are bytes, times are seconds, and unknown figures are None. Devices refer to each
other by the kernel's path (`/dev/dm-0`), which is only good for as long as the document is.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Verdict = Literal["healthy", "watch", "replace", "failed"]


class Content(TypedDict):
    """What is on a device: `type` as blkid(8) names it, empty where nothing was recognised.

    `size` is what a file system says of itself, read on demand; 0 where that isn't known.
    """

    type: str
    uuid: str
    label: str
    version: str
    size: int


class Mount(TypedDict):
    """Where a device is mounted; `[SWAP]` for swap that is in use."""

    target: str
    options: list[str]


class Signature(TypedDict):
    """One signature of wipefs(8), read on demand where udev has recognised nothing."""

    type: str
    offset: int
    uuid: str
    label: str


class Device(TypedDict):
    """A block device, whole disks included; `parents` are what it is made of."""

    path: str
    kind: str  # disk, part, raid, crypt, lvm, loop, rom or what else lsblk(8) says
    name: str  # /dev/md/system, /dev/mapper/x, /dev/VG/LV, or the path
    size: int
    parents: list[str]
    read_only: bool
    content: Content
    mounts: list[Mount]
    signatures: list[Signature]


class Partition(TypedDict):
    """A partition; `type` is the GUID of GPT (or the code of DOS), `name` that of GPT."""

    path: str
    number: int
    name: str
    type: str
    uuid: str
    start: int
    size: int


class SelfTest(TypedDict):
    """One line of a disk's log of self-tests, the newest first."""

    type: str
    status: str
    passed: bool | None
    hours: int | None


class Failing(TypedDict):
    """An attribute that is below its vendor's threshold, `now` or in the `past`."""

    id: int
    name: str
    when: str
    prefail: bool  # whether that means that the disk fails, and not just its age


class Smart(TypedDict):
    """What a disk says of itself, ATA, NVMe and SCSI alike."""

    available: bool
    why: str  # why not
    hangs: bool  # whether the disk didn't answer in time
    standby: bool
    protocol: str  # ATA, NVMe, SCSI
    firmware: str
    passed: bool | None  # the disk's own verdict
    status: str  # in its own words (SCSI)
    hours: int | None
    power_cycles: int | None
    temperature: int | None  # degrees Celsius
    temperature_limit: int | None
    wear: int | None  # percent of the endurance that is used
    spare: int | None  # percent of the spare blocks that is left
    spare_threshold: int | None
    written: int | None
    reallocated: int | None  # sectors, or the grown defects of SCSI
    pending: int | None
    offline_uncorrectable: int | None
    reported_uncorrectable: int | None  # errors that reached the host
    command_timeouts: int | None
    crc_errors: int | None
    media_errors: int | None
    logged_errors: int | None
    critical_warning: int | None  # the bits of NVMe
    failing: list[Failing]
    self_tests: list[SelfTest]
    self_test_left: int | None  # percent of the one that runs


class KernelErrors(TypedDict):
    """What the kernel's block layer has said of a disk since it came, or since boot."""

    read: int
    write: int
    medium: int  # of these, those that the disk itself has blamed on its medium
    last: str


class Disk(TypedDict):
    """A disk. One that a controller hides has a path that is no block device, and `reach`."""

    path: str
    links: list[str]
    serial: str
    wwn: str
    model: str
    vendor: str
    transport: str
    rotational: bool
    size: int
    logical_sector: int
    physical_sector: int
    removable: bool
    read_only: bool
    slot: str
    state: str  # running, offline, live, dead …, as the kernel's driver says; or empty
    table: str
    partitions: list[Partition]
    content: Content
    signatures: list[Signature]
    behind: str
    reach: str  # `smartctl --device` for a hidden disk
    smart: Smart
    kernel_errors: int
    kernel: KernelErrors
    io_errors: int | None  # ioerr_cnt of SCSI; counts refused commands too, so it is not judged
    verdict: Verdict
    reasons: list[str]


class Member(TypedDict):
    """A member of an array; a missing one has a slot and no path."""

    path: str
    slot: int | None
    state: str  # in_sync, spare, rebuilding, faulty, missing, journal, replacement
    flags: list[str]  # all that the kernel says: in_sync, write_mostly, want_replacement …
    offset: int  # where the data begins
    errors: int  # read errors that were corrected from the other members
    bad_blocks: int
    serial: str


class Sync(TypedDict):
    """What an array is busy with; `left` is the estimate at the present speed."""

    action: str  # idle, recover, resync, check, repair, reshape, frozen
    done: float | None  # 0 to 1
    speed: int | None  # bytes in a second
    left: int | None


class Array(TypedDict):
    """A software RAID, as the kernel runs it; `uuid` in the form of mdadm.conf."""

    path: str
    name: str
    uuid: str
    level: str
    metadata: str
    bitmap: bool
    size: int
    component_size: int  # what each member gives
    chunk: int
    devices: int
    degraded: int
    state: list[str]
    members: list[Member]
    sync: Sync
    mismatches: int


class Luks(TypedDict):
    """An encrypted device; `name` is that of its mapping, empty while it is closed."""

    device: str
    name: str
    uuid: str
    version: int | None
    slots: list[int]
    cipher: str
    offset: int  # where the data begins
    epoch: int  # grows with each change of the header; read on demand, 0 where that isn't known


class PhysicalVolume(TypedDict):
    """A physical volume of LVM."""

    path: str
    uuid: str
    size: int
    free: int
    device_size: int
    missing: bool


class Volume(TypedDict):
    """A logical volume; hidden parts of others are left out."""

    name: str
    path: str
    uuid: str
    size: int
    type: str  # linear, striped, thin-pool, thin, raid1 …
    pool: str
    active: bool
    health: str  # empty when it is well
    data_percent: float | None
    metadata_percent: float | None
    sync_percent: float | None
    sync_action: str


class VolumeGroup(TypedDict):
    """A volume group of LVM; physical volumes of none are in one without a name."""

    name: str
    uuid: str
    size: int
    free: int
    extent: int
    missing: int
    physical_volumes: list[PhysicalVolume]
    volumes: list[Volume]


class FileSystem(TypedDict):
    """A file system where it is mounted; `errors` are those that ext4 has counted."""

    target: str
    source: str
    type: str
    options: list[str]
    size: int
    used: int
    available: int
    inodes: int
    inodes_free: int
    read_only: bool
    remounted_read_only: bool
    errors: int


class Controller(TypedDict):
    """A controller that may hide disks from the kernel."""

    driver: str
    address: str  # on the PCI bus
    hidden: int | None  # disks that are known to be hidden
    advice: str


class FstabEntry(TypedDict):
    """A line of fstab(5); `path` is the device that it means, empty if that isn't there."""

    spec: str
    target: str
    type: str
    options: list[str]
    path: str


class CrypttabEntry(TypedDict):
    """A line of crypttab(5)."""

    name: str
    device: str
    key: str
    options: list[str]


class MdadmEntry(TypedDict):
    """An ARRAY line of mdadm.conf(5)."""

    path: str
    uuid: str
    name: str


class Configured(TypedDict):
    """What files say that should be there after the next boot."""

    fstab: list[FstabEntry]
    crypttab: list[CrypttabEntry]
    mdadm: list[MdadmEntry]


class Document(TypedDict):
    """All of it; `unread` says what could not be read, and why."""

    disks: list[Disk]
    devices: list[Device]
    arrays: list[Array]
    luks: list[Luks]
    volume_groups: list[VolumeGroup]
    file_systems: list[FileSystem]
    configured: Configured
    controllers: list[Controller]
    tools: list[str]
    unread: list[str]


# What a host has said, before anybody has made sense of it: plain data, so that it can be recorded.
Raw = dict[str, Any]
