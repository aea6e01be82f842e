# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Sizes of file systems, from starts of devices that were made after the formats."""

from __future__ import annotations

import struct
from base64 import b64encode

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._disk_heads import (
    LENGTH,
    START,
    epoch,
    head,
    size_of,
    trimmed,
)
from hypothesis import given
from hypothesis import strategies as st


def block(*parts: tuple[int, bytes]) -> bytes:
    """The start of a device with these bytes at these places."""
    made = bytearray(4096)
    for place, content in parts:
        made[place : place + len(content)] = content
    return trimmed(bytes(made))


EXT4 = (1024 + 0x38, b"\x53\xef")


@pytest.mark.parametrize(
    ("kind", "begins", "size"),
    [
        # 10240 blocks of 4 KiB
        (
            "ext4",
            block(EXT4, (1028, struct.pack("<I", 10240)), (1024 + 0x18, b"\x02")),
            40 << 20,
        ),
        # and 2^32 more, which only the feature 64bit knows
        (
            "ext4",
            block(
                EXT4,
                (1028, struct.pack("<I", 10240)),
                (1024 + 0x18, b"\x02"),
                (1024 + 0x60, b"\x80"),
                (1024 + 0x150, b"\x01"),
            ),
            (40 << 20) + (1 << 44),
        ),
        ("ext4", block((1028, struct.pack("<I", 10240))), 0),
        ("xfs", block((0, b"XFSB" + struct.pack(">IQ", 4096, 76800))), 300 << 20),
        (
            "btrfs",
            block((0x40, b"_BHRfS_M"), (0xD1, struct.pack("<Q", 128 << 20))),
            128 << 20,
        ),
        ("swap", block((1024, struct.pack("<II", 1, 10239))), 40 << 20),
        ("swap", block((1024, struct.pack("<II", 0, 10239))), 0),
        ("vfat", block(), 0),
        ("xfs", b"XFSB", 0),
    ],
)
def test_size(kind: str, begins: bytes, size: int) -> None:
    assert size_of(kind, begins) == size


def test_epoch() -> None:
    assert epoch(block((0, b"LUKS\xba\xbe\x00\x02"), (16, struct.pack(">Q", 7)))) == 7
    assert epoch(block((0, b"LUKS\xba\xbe\x00\x01"), (16, struct.pack(">Q", 7)))) == 0
    assert epoch(b"") == 0


def test_what_was_not_read() -> None:
    assert head({}, "/dev/vda") == b""
    assert head({"heads": {"/dev/vda": "not base64"}}, "/dev/vda") == b""
    assert head({"heads": {"/dev/vda": b64encode(b"x").decode()}}, "/dev/vda") == b"x"


@given(st.sampled_from([*START, "", "zfs"]), st.binary(max_size=LENGTH * 4))
def test_damage_is_survived(kind: str, begins: bytes) -> None:
    assert size_of(kind, begins) >= 0
    assert epoch(begins) >= 0
