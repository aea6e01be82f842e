# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""LUKS containers that are open, from the table that the kernel has of them. Pure."""

from __future__ import annotations

SECTOR = 512
_FIELDS = 8


def mapping_of(table: str) -> tuple[str, int, int]:
    """Return device (`8:1`), offset and size in bytes from `dmsetup table NAME`.

    The line is `0 SECTORS crypt CIPHER KEY IV_OFFSET DEVICE OFFSET [OPTIONS]` (kernel,
    admin-guide/device-mapper/dm-crypt.rst). Raises ValueError for what is no container.
    """
    words = table.split()
    if len(words) < _FIELDS or words[2] != "crypt":
        raise ValueError(f"no open LUKS container: {table.strip() or 'nothing'}")
    return words[6], int(words[7]) * SECTOR, int(words[1]) * SECTOR
