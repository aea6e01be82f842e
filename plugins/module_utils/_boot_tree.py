# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Which disks a host boots from, and which part of each is for its boot loader. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Device,
    Disk,
    Document,
    Partition,
)

# The type GUIDs of GPT partitions (UEFI specification 5.3.3; GRUB manual, "BIOS installation").
EFI_SYSTEM = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
BIOS_BOOT = "21686148-6449-6e6f-744e-656564454649"
_BY_ID = "/dev/disk/by-id/"
# Read by firmware as if there were no array: their superblock is at the end.
READABLE = ("1.0", "0.90")


class BootError(Exception):
    """A host that can't be made to boot; the text says why, and what is accepted."""


@dataclass(frozen=True)
class Place:
    """A disk of the boot mirror, and its partition for the boot loader, if it has one."""

    disk: Disk
    area: Partition | None

    @property
    def called(self) -> str:
        """What people call the disk: its path and serial."""
        serial = self.disk["serial"]
        return f"{self.disk['path']} ({serial})" if serial else self.disk["path"]

    @property
    def link(self) -> str:
        """A path of the disk that stays, the serial's before others."""
        links = [one for one in self.disk["links"] if one.startswith(_BY_ID)]
        serial = self.disk["serial"]
        named = [one for one in links if serial and one.endswith(serial)]
        return next(iter(named or links), self.disk["path"])


def holder(document: Document, *targets: str) -> Device | None:
    """Return the device that is mounted at the first of `targets` at which one is."""
    for target in targets:
        for device in document["devices"]:
            if any(mount["target"] == target for mount in device["mounts"]):
                return device
    return None


def below(document: Document, device: Device) -> list[Device]:
    """Return the device and all that it is made of, each once."""
    by_path = {one["path"]: one for one in document["devices"]}
    found = {device["path"]: device}

    def walk(one: Device) -> Iterator[Device]:
        for path in one["parents"]:
            if path in by_path and path not in found:
                found[path] = by_path[path]
                yield by_path[path]
                yield from walk(by_path[path])

    return [device, *walk(device)]


def disks_below(document: Document, device: Device) -> list[Disk]:
    """Return the disks that a device lies on, in the document's order."""
    paths = {one["path"] for one in below(document, device)}
    return [disk for disk in document["disks"] if disk["path"] in paths]


def places_bios(disks: list[Disk]) -> list[Place]:
    """Return the disks with the partition that GRUB's core goes into; none with a DOS table."""
    return [Place(disk, _typed(disk, BIOS_BOOT)) for disk in disks]


def places_efi(document: Document, disks: list[Disk], esp: Device) -> list[Place]:
    """Return the disks with the partition of each that holds the EFI system partition `esp`.

    Raises BootError where the firmware couldn't read it.
    """
    for array in document["arrays"]:
        if array["path"] == esp["path"] and (
            array["level"] != "raid1" or array["metadata"] not in READABLE
        ):
            raise BootError(
                f"the EFI system partition {esp['name']} is on {array['level']} with metadata "
                f"{array['metadata']}; accepted: a partition, or raid1 with metadata 1.0, for the "
                "firmware knows no arrays"
            )
    paths = {one["path"] for one in below(document, esp)}
    return [
        Place(disk, next((one for one in disk["partitions"] if one["path"] in paths), None))
        for disk in disks
    ]


def _typed(disk: Disk, guid: str) -> Partition | None:
    return next((one for one in disk["partitions"] if one["type"].lower() == guid), None)
