# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Controllers that hide disks. Channels and levels are those of the drivers' sources."""

from __future__ import annotations

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._disk_controllers import (
    behind,
    controllers,
)


@pytest.mark.parametrize(
    ("sysfs", "hctl", "wanted"),
    [
        ({"driver": "ahci"}, "0:0:0:0", ""),
        ({"driver": "mpt2sas"}, "0:0:3:0", ""),
        (None, "", ""),
        ({"driver": "megaraid_sas"}, "0:2:0:0", "megaraid"),
        ({"driver": "megaraid_sas"}, "0:0:8:0", ""),
        ({"driver": "mpi3mr"}, "0:1:0:0", "mpi3mr"),
        ({"driver": "aacraid"}, "0:0:0:0", "aacraid"),
        ({"driver": "aacraid"}, "0:1:0:0", ""),
        ({"driver": "hpsa", "raid_level": "RAID 1(1+0)"}, "0:1:0:0", "hpsa"),
        ({"driver": "smartpqi", "raid_level": "N/A"}, "0:0:0:0", ""),
        ({"driver": "3w-9xxx"}, "0:0:0:0", "3w-9xxx"),
    ],
)
def test_what_a_disk_is_behind(sysfs: dict[str, str] | None, hctl: str, wanted: str) -> None:
    assert behind(sysfs, hctl) == wanted


def test_controllers_are_named() -> None:
    raw = {
        "pci": {
            "0000:03:00.0": {"driver": "megaraid_sas", "remapped_nvme": None},
            "0000:00:17.0": {"driver": "ahci", "remapped_nvme": "1"},
            "0000:00:1f.2": {"driver": "ahci", "remapped_nvme": "0"},
        }
    }
    found = controllers(raw, {"megaraid": 8})
    assert [(one["address"], one["hidden"]) for one in found] == [
        ("0000:00:17.0", 1),
        ("0000:03:00.0", 8),
    ]
    assert "AHCI" in found[0]["advice"]
    assert "smartctl --device=megaraid,N" in found[1]["advice"]


def test_nobody_knows_how_many_are_hidden() -> None:
    raw = {"pci": {"0000:03:00.0": {"driver": "hpsa"}}}
    assert controllers(raw, {})[0]["hidden"] is None
