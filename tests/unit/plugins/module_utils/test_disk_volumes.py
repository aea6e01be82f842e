# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""LUKS and LVM as cryptsetup and lvm of Debian 12 have told them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._blocks import devices, listed
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import Luks
from ansible_collections.servertechnik.core.plugins.module_utils._disk_volumes import (
    luks,
    volume_groups,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils.damage import damaged

RAW: dict[str, Any] = json.loads(
    (Path(__file__).parent / "disks" / "bookworm-built.json").read_text()
)


def of(raw: dict[str, Any], unread: list[str]) -> dict[str, Luks]:
    found = luks(raw, devices(raw, listed(raw, []), {}, []), unread)
    return {one["device"]: one for one in found}


def test_an_open_device_of_version_2() -> None:
    assert of(RAW, [])["/dev/md127"] == {
        "device": "/dev/md127",
        "name": "system",
        "uuid": "3117bc55-0796-4d02-b31e-c5891a0ed369",
        "version": 2,
        "slots": [0],
        "cipher": "aes-xts-plain64",
        "offset": 16777216,
        "epoch": 3,
    }


def test_a_closed_device_of_version_1() -> None:
    assert of(RAW, [])["/dev/dm-13"] == {
        "device": "/dev/dm-13",
        "name": "",
        "uuid": "99200c6f-3feb-4144-8a03-9d6974195c35",
        "version": 1,
        "slots": [0],
        "cipher": "aes-xts-plain64",
        "offset": 2097152,
        "epoch": 0,
    }


def test_a_header_that_can_not_be_read_is_named() -> None:
    unread: list[str] = []
    found = of({**RAW, "luks": {"/dev/md127": '{"keyslots":'}}, unread)
    assert (found["/dev/md127"]["version"], found["/dev/md127"]["slots"]) == (2, [])
    assert unread[0].startswith("LUKS header of /dev/md127: ")


def test_volumes_of_each_kind() -> None:
    groups = {one["name"]: one for one in volume_groups(RAW["lvm"], [])}
    kinds = {
        f"{name}/{one['name']}": (one["type"], one["pool"], one["path"])
        for name, group in groups.items()
        for one in group["volumes"]
    }
    assert kinds == {
        "copies/data": ("raid1", "", "/dev/copies/data"),
        "copies/old": ("linear", "", "/dev/copies/old"),
        "main/pool": ("thin-pool", "", ""),
        "main/srv": ("linear", "", "/dev/main/srv"),
        "main/swap": ("linear", "", "/dev/main/swap"),
        "main/thin-vol": ("thin", "pool", "/dev/main/thin-vol"),
    }
    assert (groups["main"]["size"], groups["main"]["free"]) == (390070272, 234881024)
    paths = [one["path"] for one in groups["copies"]["physical_volumes"]]
    assert paths == ["/dev/vdd", "/dev/vde"]
    (data, _old) = groups["copies"]["volumes"]
    assert (data["sync_percent"], data["sync_action"], data["size"]) == (100.0, "idle", 40 << 20)


# vgreduce was not run: of two disks one is away. The words are those of lvm(8) for it.
MISSING = {
    "report": [
        {
            "vg": [{"vg_name": "copies", "vg_missing_pv_count": "1"}],
            "pv": [
                {"pv_name": "/dev/vdd", "pv_missing": ""},
                {"pv_name": "[unknown]", "pv_missing": "missing"},
            ],
            "lv": [{"lv_name": "data", "lv_layout": "raid,raid1", "lv_health_status": "partial"}],
        },
        {"vg": [], "pv": [{"pv_name": "/dev/vdf", "pv_size": "4096"}], "lv": []},
        {"vg": [], "pv": [], "lv": []},
    ]
}


def test_disks_that_are_missing_and_those_of_nobody() -> None:
    copies, nobody = volume_groups(json.dumps(MISSING), [])
    assert [one["missing"] for one in copies["physical_volumes"]] == [False, True]
    assert (copies["missing"], copies["volumes"][0]["health"]) == (1, "partial")
    assert (nobody["name"], nobody["physical_volumes"][0]["size"]) == ("", 4096)


@given(st.one_of(damaged(RAW["lvm"]), damaged(json.dumps(MISSING))))
def test_damage_is_survived(text: str) -> None:
    volume_groups(text, [])


@given(damaged(RAW["luks"]["/dev/md127"]), st.text())
def test_damaged_headers(text: str, other: str) -> None:
    of({**RAW, "luks": {"/dev/md127": text, "/dev/dm-13": f"LUKS header{other}"}}, [])
