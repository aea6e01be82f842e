# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What firmware is told to start, as efibootmgr lists it, and what it should be told."""

from __future__ import annotations

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils import _boot_efi
from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import Place

from tests.unit.plugins.module_utils.mirrors import EFI, mirrored

LOADER = "\\EFI\\debian\\shimx64.efi"
GUIDS = ("21632554-ef20-4c3b-8e48-aedc3edd4995", "b4f2f6a7-0d0e-4a55-9b1e-2f1f0f2a0b11")
# `efibootmgr --verbose` of Debian 13 in a machine with OVMF, one line cut.
LISTED = r"""Timeout: 0 seconds
BootOrder: 0001,0000
Boot0000* UiApp	FvVol(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)/FvFile(462caa21-7614-4503-836e-8ab6f4662331)
      dp: 04 07 14 00 c9 bd b8 7c eb f8 34 4f aa ea 3e e4 af 65 16 a1 / 7f ff 04 00
Boot0001* debian (A)	HD(1,GPT,21632554-ef20-4c3b-8e48-aedc3edd4995,0x800,0x20000)/File(\EFI\debian\shimx64.efi)
"""  # noqa: E501 -- as it was printed


def places() -> list[Place]:
    """Disks A and B, their EFI partitions with the identifiers of the list."""
    found = mirrored(EFI).document["disks"][:2]
    for disk, guid in zip(found, GUIDS, strict=True):
        disk["partitions"][0]["uuid"] = guid
    return [Place(disk, disk["partitions"][0]) for disk in found]


def lacking(text: str) -> list[str]:
    found = _boot_efi.lacking(places(), LOADER, _boot_efi.entries(text))
    return [place.disk["serial"] for place, _area in found]


def test_entries_are_read() -> None:
    own, ours = _boot_efi.entries(LISTED)
    assert (own.label, own.partition, own.loader) == ("UiApp", "", "")
    assert ours == _boot_efi.Entry("0001", True, "debian (A)", GUIDS[0], LOADER)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (LISTED, ["B"]),
        ("", ["A", "B"]),
        (LISTED.replace("Boot0001*", "Boot0001 "), ["A", "B"]),
        (LISTED.replace("shimx64", "grubx64"), ["A", "B"]),
        (LISTED.replace("File(\\EFI\\debian\\shimx64.efi)", "\\EFI\\DEBIAN\\SHIMX64.EFI"), ["B"]),
        (LISTED.replace(GUIDS[0], GUIDS[0].upper()), ["B"]),
    ],
)
def test_firmware_is_told_of_each_disk_it_does_not_know(text: str, missing: list[str]) -> None:
    assert lacking(text) == missing


@pytest.mark.parametrize(
    ("text", "present", "gone"),
    [
        (LISTED, GUIDS, []),
        (LISTED, GUIDS[1:], ["0001"]),
        (LISTED.replace("debian (A)", "debian"), GUIDS[1:], []),
        (LISTED.replace("shimx64", "other"), GUIDS[1:], []),
    ],
)
def test_only_our_own_entries_for_disks_that_are_gone_are_stale(
    text: str, present: tuple[str, ...], gone: list[str]
) -> None:
    found = _boot_efi.stale(present, LOADER, "debian", _boot_efi.entries(text))
    assert [one.number for one in found] == gone


def test_firmware_is_told_by_disk_and_partition() -> None:
    place = places()[1]
    assert place.area
    words = " ".join(_boot_efi.create(place, place.area, LOADER, "debian"))
    assert "--disk /dev/sdb --part 1" in words
    assert words.endswith("--label debian (B)")
