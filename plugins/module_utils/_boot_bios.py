# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Whether a disk starts GRUB on a machine with BIOS. Pure, but for the reading it is given.

Source: GRUB 2.06 and 2.12, include/grub/i386/pc/boot.h and util/setup.c: what `grub-install`
changes of `boot.img` and `core.img` as it writes them to a disk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import Place

SECTOR = 512
# In boot.img, bytes: where it is told its successor's sector; what lies between is as it was built.
_NEXT = slice(0x5C, 0x64)
_CODE = slice(0x68, 0x1B8)
# In core.img, whose first two sectors are told where the rest is.
_TOLD = 2 * SECTOR

# Reads that many bytes from that place of a device; fewer at its end.
Read = Callable[[str, int, int], bytes]


@dataclass(frozen=True)
class Images:
    """What is to be on each disk: the first sector's code, and GRUB's core; empty for none."""

    boot: bytes
    core: bytes


def problem(place: Place, images: Images, read: Read) -> str:
    """Say why the disk doesn't start this GRUB, empty if it does."""
    path = place.disk["path"]
    if not images.core:
        return "GRUB was not installed from this system yet"
    first = read(path, 0, SECTOR)
    if first[_CODE] != images.boot[_CODE]:
        return "its first sector is not GRUB's"
    start = int.from_bytes(first[_NEXT], "little") * SECTOR
    area = place.area
    if area and not area["start"] <= start < area["start"] + area["size"]:
        return "its first sector leads to somewhere else"
    length = len(images.core) - _TOLD
    if read(path, start + _TOLD, length) != images.core[_TOLD:]:
        return "GRUB's core on it is another"
    return ""


def impossible(place: Place) -> str:
    """Say why GRUB can't be installed on the disk, empty if it can."""
    table = place.disk["table"]
    if table == "gpt" and not place.area:
        return "it has a GPT and no BIOS boot partition; accepted: one of type bios_boot, 1 MiB"
    if not table:
        return "it has no partition table; accepted: a GPT with a BIOS boot partition"
    return ""
