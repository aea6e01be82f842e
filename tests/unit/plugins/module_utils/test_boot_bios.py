# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A disk starts GRUB if its first sector and its core are GRUB's, apart from what GRUB changes."""

from __future__ import annotations

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._boot_bios import (
    Images,
    impossible,
    problem,
)
from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import (
    Place,
    places_bios,
)

from tests.unit.plugins.module_utils.mirrors import EFI, mirrored

IMAGES = Images(boot=bytes(range(256)) * 2, core=b"told" * 256 + b"core" * 1000)
START = 1 << 20


def place() -> Place:
    return places_bios(mirrored().document["disks"])[0]


def disk(*, core: bytes = IMAGES.core, start: int = START, code: bytes = IMAGES.boot) -> bytearray:
    """A disk as grub-install leaves it: with a table, told where the core is, the core told too."""
    found = bytearray(START * 2)
    found[:512] = code
    found[0x5C:0x64] = (start // 512).to_bytes(8, "little")
    found[0x1B8:512] = b"t" * (512 - 0x1B8)
    found[START : START + len(core)] = core
    found[START : START + 1024] = b"x" * 1024
    return found


def said(content: bytearray, images: Images = IMAGES) -> str:
    return problem(place(), images, lambda _path, at, size: bytes(content[at : at + size]))


def test_what_grub_changes_as_it_installs_itself_does_not_matter() -> None:
    assert said(disk()) == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bytearray(START * 2), "first sector is not GRUB's"),
        (disk(start=4 << 20), "leads to somewhere else"),
        (disk(core=IMAGES.core[:-1] + b"!"), "core on it is another"),
        (disk(core=b""), "core on it is another"),
    ],
)
def test_what_is_wrong_is_told(content: bytearray, words: str) -> None:
    assert words in said(content)


def test_no_disk_is_right_before_grub_was_installed() -> None:
    assert "not installed" in said(disk(), Images(IMAGES.boot, b""))


@pytest.mark.parametrize(
    ("table", "kind", "words"),
    [
        ("gpt", "", ""),
        ("gpt", EFI, "no BIOS boot partition"),
        ("dos", EFI, ""),
        ("", EFI, "no partition table"),
    ],
)
def test_disk_without_a_place_for_grub_is_unfit(table: str, kind: str, words: str) -> None:
    found = mirrored().document["disks"][0]
    found["table"] = table
    if kind:
        found["partitions"][0]["type"] = kind
    said = impossible(places_bios([found])[0])
    assert words in said
    assert bool(words) == bool(said)
