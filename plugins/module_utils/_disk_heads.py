# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The few bytes at the start of a device that say what no program prints in both releases. Pure.

Sources: fs/ext4/ext4.h, fs/xfs/libxfs/xfs_format.h, include/uapi/linux/btrfs_tree.h and
include/linux/swap.h of the kernel; LUKS2 On-Disk Format Specification, section 2.1.
"""

from __future__ import annotations

import binascii
import struct
from base64 import b64decode

from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import Raw
from ansible_collections.servertechnik.core.plugins.module_utils._disk_values import at, word

BLOCK = 4096
LENGTH = 512
_PAGE = 4096
# The place of the block that is looked at.
START = {"ext2": 0, "ext3": 0, "ext4": 0, "xfs": 0, "btrfs": 65536, "swap": 0, "crypto_LUKS": 0}
# Where in it ext4 and swap have what they say; the others begin with it.
_SECOND = 1024


def trimmed(block: bytes) -> bytes:
    """Return as much of a block as is of use."""
    return block[: _SECOND + LENGTH]


def head(raw: Raw, path: str) -> bytes:
    """Return what was read of a device; nothing if it wasn't."""
    try:
        return b64decode(word(at(raw, "heads", path)), validate=True)
    except (binascii.Error, ValueError):
        return b""


def size_of(kind: str, begins: bytes) -> int:
    """Return how many bytes a file system takes of its device; 0 where that isn't known."""
    if len(begins) < _SECOND + LENGTH:
        return 0
    second = begins[_SECOND:]
    if kind in ("ext2", "ext3", "ext4") and second[0x38:0x3A] == b"\x53\xef":
        low, exponent = struct.unpack_from("<I", second, 4)[0], second[0x18]
        high = struct.unpack_from("<I", second, 0x150)[0] if second[0x60] & 0x80 else 0
        return int(high << 32 | low) << 10 + min(exponent, 6)
    if kind == "xfs" and begins[:4] == b"XFSB":
        block, blocks = struct.unpack_from(">IQ", begins, 4)
        return int(block * blocks)
    if kind == "btrfs" and begins[0x40:0x48] == b"_BHRfS_M":
        return int(struct.unpack_from("<Q", begins, 0xD1)[0])  # of this device alone
    if kind == "swap":
        version, last_page = struct.unpack_from("<II", second)
        return (last_page + 1) * _PAGE if version == 1 else 0
    return 0


def epoch(begins: bytes) -> int:
    """Return the sequence number of a LUKS2 header; 0 where that isn't known."""
    if len(begins) < LENGTH or begins[:8] != b"LUKS\xba\xbe\x00\x02":
        return 0
    return int(struct.unpack_from(">Q", begins, 0x10)[0])
