# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The log of the kernel: errors of disks, and disks that come."""

from __future__ import annotations

import json

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._disk_kernel import (
    errors,
    first_number,
    from_journal,
    from_ring,
)
from hypothesis import given
from hypothesis import strategies as st

READ = "I/O error, dev vdb, sector 2056 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2"
WRITE = "I/O error, dev vdb, sector 8 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2"
MEDIUM = (
    "critical medium error, dev nvme0n1, sector 64 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0"
)
CAME = "virtio_blk virtio5: [vdb] 2097152 512-byte logical blocks (1.07 GB/1.00 GiB)"


def test_errors_are_counted_by_disk_and_kind() -> None:
    found = errors(iter([CAME, READ, WRITE, READ, MEDIUM]))
    assert found == {
        "vdb": {"read": 2, "write": 1, "medium": 0, "last": READ},
        "nvme0n1": {"read": 1, "write": 0, "medium": 1, "last": MEDIUM},
    }


@pytest.mark.parametrize(
    "text",
    [
        "operation not supported error, dev vdb, sector 0 op 0x9:(WRITE_ZEROES) flags 0x800 ...",
        "critical target error, dev vdb, sector 2048 op 0x3:(DISCARD) flags 0x800 phys_seg 1 ...",
        "Buffer I/O error on dev vdb, logical block 0, async page read",
        "EXT4-fs (vdb): mounted filesystem with ordered data mode. Quota mode: none.",
    ],
)
def test_what_is_no_error_of_the_disk(text: str) -> None:
    assert errors(iter([text])) == {}


@pytest.mark.parametrize(
    "text",
    [
        CAME,
        "sd 2:0:0:0: [vdb] 7814037168 512-byte logical blocks: (4.00 TB/3.64 TiB)",
        "virtio_blk virtio5: [vdb] 512 4096-byte logical blocks (2.10 MB/2.00 MiB)",
    ],
)
def test_a_new_disk_is_not_blamed_for_the_old_one(text: str) -> None:
    assert errors(iter([READ, text])) == {}
    assert errors(iter([READ, text, WRITE]))["vdb"]["write"] == 1


def test_a_new_nvme_is_not_blamed_for_the_old_one() -> None:
    came = "nvme nvme0: pci function 0000:00:04.0"
    assert errors(iter([MEDIUM, came])) == {}
    assert errors(iter([MEDIUM.replace("nvme0", "nvme1"), came])) != {}


def test_a_disk_that_has_grown_is_the_same() -> None:
    grown = "virtio_blk virtio5: [vdb] new size: 4194304 512-byte logical blocks (2.15 GB/2.00 GiB)"
    assert errors(iter([READ, grown]))["vdb"]["read"] == 1


RING = f"""\
6,0,0,-;Linux version 6.1.0
3,712,35123456,-;{READ}
 SUBSYSTEM=block
 DEVICE=b254:16
4,713,35123460,-;a\\x0ab
"""


def test_messages_of_the_ring() -> None:
    assert list(from_ring(RING)) == ["Linux version 6.1.0", READ, "a\nb"]
    assert first_number(RING) == 0
    assert first_number(RING.partition("\n")[2]) == 712
    assert first_number("") == 0


def test_messages_of_the_journal() -> None:
    lines = [json.dumps({"MESSAGE": READ, "PRIORITY": "3"}), json.dumps({"MESSAGE": [1, 2]}), "{"]
    assert list(from_journal("\n".join(lines))) == [READ]


@given(st.text())
def test_damage_is_survived(text: str) -> None:
    errors(from_ring(text))
    errors(from_journal(text))
    first_number(text)
