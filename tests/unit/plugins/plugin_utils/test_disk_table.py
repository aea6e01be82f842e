# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What a technician reads of a host's disks."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._disk_table import (
    duration,
    size,
    table,
)


def disk(path: str, **other: Any) -> dict[str, Any]:
    smart = {"hours": 41233, "temperature": 34, "wear": None} | other.pop("smart", {})
    return {
        "path": path,
        "slot": "Slot 03",
        "serial": "SER001",
        "vendor": "",
        "model": "EXAMPLE 4TB",
        "size": 4000787030016,
        "behind": "",
        "reach": "",
        "verdict": "healthy",
        "reasons": [],
        "smart": smart,
        **other,
    }


def document(**other: Any) -> dict[str, Any]:
    names = ("disks", "arrays", "volume_groups", "controllers", "file_systems", "unread")
    return {name: [] for name in names} | other


def array(**sync: Any) -> dict[str, Any]:
    return {
        "name": "/dev/md/system",
        "level": "raid1",
        "devices": 2,
        "state": ["clean", "degraded"],
        "members": [{"state": "in_sync"}, {"state": "rebuilding"}],
        "sync": {"action": "recover", "done": None, "speed": None, "left": None} | sync,
    }


def space(target: str, **other: Any) -> dict[str, Any]:
    return {
        "target": target,
        "type": "ext4",
        "size": 1 << 30,
        "used": 10,
        "available": 90,
        "inodes": 1000,
        "inodes_free": 990,
        "read_only": False,
        "remounted_read_only": False,
        "errors": 0,
        **other,
    }


def test_the_worst_disk_comes_first_with_its_reasons() -> None:
    disks = [
        disk("/dev/sda"),
        disk("/dev/nvme0n1", slot="", verdict="watch", smart={"wear": 92}),
        disk("/dev/sdb", serial="SER002", verdict="failed", reasons=["it has gone", "and so on"]),
    ]
    assert table(document(disks=disks)) == [
        "verdict  disk          slot     serial  model        size     hours  °C  wear",
        "failed   /dev/sdb      Slot 03  SER002  EXAMPLE 4TB  3.6 TiB  41233  34  -",
        "  it has gone",
        "  and so on",
        "watch    /dev/nvme0n1  -        SER001  EXAMPLE 4TB  3.6 TiB  41233  34  92 %",
        "healthy  /dev/sda      Slot 03  SER001  EXAMPLE 4TB  3.6 TiB  41233  34  -",
    ]


def test_disks_and_volumes_of_hardware_raid() -> None:
    disks = [
        disk("/dev/sda", behind="megaraid"),
        disk("/dev/bus/0", behind="megaraid", reach="megaraid,8"),
    ]
    text = "\n".join(table(document(disks=disks)))
    assert "/dev/sda (volume of megaraid)" in text
    assert "/dev/bus/0 (megaraid,8)" in text


@pytest.mark.parametrize(
    ("sync", "said"),
    [
        (
            {"done": 0.42, "speed": 181231616, "left": 12803},
            "recover 42.0 %, 173 MiB/s, 3 h 33 min left",
        ),
        ({"done": 0.5}, "recover 50.0 %"),
        ({}, "recover, waiting"),
        ({"action": "idle"}, "-"),
    ],
)
def test_arrays(sync: dict[str, Any], said: str) -> None:
    lines = table(document(arrays=[array(**sync)]))
    assert lines[-1] == f"/dev/md/system  raid1  1 of 2   clean, degraded  {said}"


def test_file_systems_the_fullest_first() -> None:
    systems = [
        space("/"),
        space("/cache", type="tmpfs"),
        space("/run", type="tmpfs", used=95, available=5),
        space("/srv", used=90, available=1, remounted_read_only=True, read_only=True, errors=2),
        space("/var", inodes_free=50),
        space("/boot/efi", inodes=0, inodes_free=0, read_only=True),
    ]
    assert table(document(file_systems=systems))[2:] == [
        "file system  size     used  inodes",
        "/srv         1.0 GiB  99 %  1 %     READ-ONLY, AND SHOULD NOT BE, errors: 2",
        "/run         1.0 GiB  95 %  1 %",
        "/var         1.0 GiB  10 %  95 %",
        "/            1.0 GiB  10 %  1 %",
        "/boot/efi    1.0 GiB  10 %  -       read-only",
    ]


def test_what_is_wrong_elsewhere() -> None:
    pool: dict[str, Any] = {"name": "pool", "path": "", "type": "thin-pool", "health": ""}
    volumes = [
        {**pool, "data_percent": 95.4, "metadata_percent": 12.0},
        {**pool, "name": "data", "path": "/dev/main/data", "type": "raid1", "health": "partial"},
    ]
    volumes[1] |= {"data_percent": None, "metadata_percent": None}
    group = {"name": "main", "missing": 1, "volumes": volumes}
    controller = {"driver": "hpsa", "address": "0000:03:00.0", "hidden": None, "advice": "ssacli"}
    lines = table(
        document(volume_groups=[group], controllers=[controller], unread=["lvm is not installed"])
    )
    assert lines == [
        "no disks",
        "",
        "volume group main: physical volumes missing: 1",
        "thin pool pool: 95 % of its data is used",
        "volume /dev/main/data: partial",
        "controller hpsa at 0000:03:00.0 may hide disks: ssacli",
        "",
        "not read: lvm is not installed",
    ]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (150 << 20, "150 MiB"),
        (1 << 70, "1048576 PiB"),
    ],
)
def test_size(number: int, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (12803, "3 h 33 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_duration(seconds: int, text: str) -> None:
    assert duration(seconds) == text
