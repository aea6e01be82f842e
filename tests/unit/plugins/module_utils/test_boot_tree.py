# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Which disks a host starts from, and which part of each is for its boot loader."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import (
    BootError,
    Place,
    disks_below,
    holder,
    places_bios,
    places_efi,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import Document

from tests.unit.plugins.module_utils.mirrors import EFI, device, mirrored
from tests.unit.plugins.module_utils.replacements import Machine


def document(machine: Machine) -> Document:
    return cast(Document, machine.document)


def found(machine: Machine, path: str) -> list[str]:
    return [one["path"] for one in disks_below(document(machine), device(machine, path))]


@pytest.mark.parametrize(
    ("path", "disks"),
    [("/dev/dm-0", ["/dev/sda", "/dev/sdb"]), ("/dev/sdc1", ["/dev/sdc"])],
)
def test_disks_are_found_below_all_that_lies_on_them(path: str, disks: list[str]) -> None:
    assert found(mirrored(), path) == disks


def test_first_target_that_is_mounted_counts() -> None:
    machine = mirrored()
    assert holder(document(machine), "/boot", "/") is device(machine, "/dev/sdc1")
    machine.holds("/dev/md127", "ext4", ["/boot"])
    assert holder(document(machine), "/boot", "/") is device(machine, "/dev/md127")
    assert holder(document(machine), "/srv") is None


def parts(places: list[Place]) -> list[str]:
    return [one.area["path"] if one.area else "" for one in places]


def test_bios_boot_partition_is_known_by_its_type() -> None:
    machine = mirrored()
    machine.document["disks"][1]["partitions"][0]["type"] = EFI
    assert parts(places_bios(document(machine)["disks"][:2])) == ["/dev/sda1", ""]


def test_part_of_the_efi_mirror_is_found_on_each_disk() -> None:
    machine = mirrored(EFI)
    disks, esp = document(machine)["disks"], device(machine, "/dev/md125")
    assert parts(places_efi(document(machine), disks, esp)) == ["/dev/sda1", "/dev/sdb1", ""]


def test_efi_partition_may_be_no_array_at_all() -> None:
    machine = mirrored(EFI)
    disks, esp = document(machine)["disks"], device(machine, "/dev/sdb1")
    assert parts(places_efi(document(machine), disks, esp)) == ["", "/dev/sdb1", ""]


@pytest.mark.parametrize(
    ("level", "metadata"), [("raid1", "1.2"), ("raid1", "1.1"), ("raid0", "1.0")]
)
def test_efi_mirror_that_firmware_can_not_read_is_refused(level: str, metadata: str) -> None:
    machine = mirrored(EFI, metadata)
    machine.document["arrays"][-1]["level"] = level
    disks, esp = document(machine)["disks"], device(machine, "/dev/md125")
    with pytest.raises(BootError, match=f"is on {level} with metadata {metadata}; accepted: "):
        places_efi(document(machine), disks, esp)


@pytest.mark.parametrize(
    ("serial", "links", "link"),
    [
        ("A", ["by-id/wwn-1", "by-id/ata-X_A", "by-path/pci-1"], "/dev/disk/by-id/ata-X_A"),
        ("", ["by-id/wwn-1"], "/dev/disk/by-id/wwn-1"),
        ("A", ["by-path/pci-1"], "/dev/sda"),
    ],
)
def test_disk_is_named_by_what_stays(serial: str, links: list[str], link: str) -> None:
    disk: Any = {"path": "/dev/sda", "serial": serial, "links": [f"/dev/disk/{o}" for o in links]}
    assert Place(disk, None).link == link
