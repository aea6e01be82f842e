# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Arrays as /sys shows them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._blocks import devices, listed
from ansible_collections.servertechnik.core.plugins.module_utils._disk_arrays import (
    arrays,
    as_mdadm,
    left_out,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import Array
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils.damage import bent

UUID = "6ab2c3f1-0a1b-2c3d-1111-111122222222"
LSBLK = """{"blockdevices": [
{"kname": "vda2", "type": "part", "fstype": "linux_raid_member", "uuid": "UUID", "size": 9},
{"kname": "vdb2", "type": "part", "fstype": "linux_raid_member", "uuid": "UUID", "size": 9},
{"kname": "vdc2", "type": "part", "fstype": "linux_raid_member", "uuid": "UUID", "size": 9},
{"kname": "md127", "type": "raid1", "size": 407896064}]}""".replace("UUID", UUID)


def member(state: str, slot: str, **other: str) -> dict[str, str]:
    return {"state": state, "slot": slot, "errors": "0", "bad_blocks": "", "offset": "2048"} | other


def md(**other: Any) -> dict[str, Any]:
    return {
        "array_state": "active",
        "bitmap/location": "+8",
        "chunk_size": "0",
        "component_size": "398336",
        "degraded": "0",
        "level": "raid1",
        "metadata_version": "1.2",
        "mismatch_cnt": "0",
        "raid_disks": "2",
        "sync_action": "idle",
        "sync_completed": "none",
        "sync_speed": "none",
        "members": {"dev-vda2": {}},
        **other,
    }


def read(array: dict[str, Any]) -> Array:
    raw = {"lsblk": LSBLK, "sysfs": {"md127": {"md": array}}, "links": {"/dev/md/system": "md127"}}
    listing = listed(raw, [])
    found = devices(raw, listing, {}, [])
    (one,) = arrays(raw, listing, found, {"/dev/vda2": "SER001"})
    return one


BOTH = {"vda2": member("in_sync", "0"), "vdb2": member("in_sync", "1")}


def test_an_array_that_is_well() -> None:
    one = read(md(members=BOTH))
    assert one["members"][0] == {
        "path": "/dev/vda2",
        "slot": 0,
        "state": "in_sync",
        "flags": ["in_sync"],
        "offset": 1048576,
        "errors": 0,
        "bad_blocks": 0,
        "serial": "SER001",
    }
    assert {key: value for key, value in one.items() if key != "members"} == {
        "path": "/dev/md127",
        "name": "/dev/md/system",
        "uuid": "6ab2c3f1:0a1b2c3d:11111111:22222222",
        "level": "raid1",
        "metadata": "1.2",
        "bitmap": True,
        "size": 407896064,
        "component_size": 407896064,
        "chunk": 0,
        "devices": 2,
        "degraded": 0,
        "state": ["active"],
        "sync": {"action": "idle", "done": None, "speed": None, "left": None},
        "mismatches": 0,
    }


def test_a_rebuild_with_its_estimate() -> None:
    said = md(
        degraded="1",
        sync_action="recover",
        sync_completed="199168 / 796672",
        sync_speed="1000",
        members={"vda2": member("in_sync", "0"), "vdb2": member("spare", "1")},
    )
    one = read(said)
    assert one["state"] == ["active", "degraded", "recover"]
    assert [member["state"] for member in one["members"]] == ["in_sync", "rebuilding"]
    # 597504 sectors are 298752 KiB
    assert one["sync"] == {"action": "recover", "done": 0.25, "speed": 1024000, "left": 298}


@pytest.mark.parametrize("completed", ["delayed", "none", "", "0 / 0"])
def test_a_rebuild_that_waits(completed: str) -> None:
    one = read(md(sync_action="recover", sync_completed=completed, sync_speed="0"))
    assert one["sync"] == {"action": "recover", "done": None, "speed": None, "left": None}


def test_a_rebuild_that_stands_still_has_no_estimate() -> None:
    one = read(md(sync_action="check", sync_completed="1 / 4", sync_speed="0"))
    assert one["sync"] == {"action": "check", "done": 0.25, "speed": None, "left": None}


@pytest.mark.parametrize(
    ("state", "slot", "wanted"),
    [
        ("faulty,timeout", "none", "faulty"),
        ("faulty,in_sync", "1", "faulty"),
        ("spare", "none", "spare"),
        ("in_sync,write_mostly,want_replacement", "1", "in_sync"),
        ("replacement", "1", "replacement"),
        ("journal", "none", "journal"),
        ("", "1", "rebuilding"),
    ],
)
def test_states_of_members(state: str, slot: str, wanted: str) -> None:
    one = read(md(members={"vdb2": member(state, slot)}))
    assert [two["state"] for two in one["members"] if two["path"]] == [wanted]


def test_members_that_are_missing() -> None:
    said = md(degraded="1", members={"vda2": member("in_sync", "0"), "vdb2": member("faulty", "1")})
    one = read(said)
    assert [(two["path"], two["slot"], two["state"]) for two in one["members"]] == [
        ("/dev/vda2", 0, "in_sync"),
        ("", 1, "missing"),
        ("/dev/vdb2", 1, "faulty"),
    ]


def test_a_reshape_says_old_and_new() -> None:
    assert read(md(raid_disks="4 (3)", members=BOTH))["devices"] == 4


def test_bad_blocks_are_counted() -> None:
    said = md(members={"vdb2": member("in_sync", "1", bad_blocks="20 8\n64 8\n", errors="3")})
    one = next(two for two in read(said)["members"] if two["path"])
    assert (one["bad_blocks"], one["errors"]) == (2, 3)


def test_devices_that_should_be_in_an_array() -> None:
    raw = {
        "lsblk": LSBLK,
        "sysfs": {"md127": {"md": md(members=BOTH)}},
        "links": {"/dev/md/system": "md127"},
    }
    listing = listed(raw, [])
    found = devices(raw, listing, {}, [])
    assert left_out(found, arrays(raw, listing, found, {})) == {"/dev/vdc2": "/dev/md/system"}


def test_uuid_of_an_array_whose_members_show_none() -> None:
    uuid = "bfa70a86:c4845e08:eb6f4868:0d3d0b2b"
    raw = {"sysfs": {"md1": {"md": md()}}, "links": {f"/dev/disk/by-id/md-uuid-{uuid}": "md1"}}
    assert [one["uuid"] for one in arrays(raw, {}, [], {})] == [uuid]


def test_uuid_of_mdadm() -> None:
    assert as_mdadm("not-one") == ""


@given(bent(md(members=BOTH)))
def test_damage_is_survived(said: Any) -> None:
    raw = {"lsblk": LSBLK, "sysfs": {"md127": {"md": said}}}
    listing = listed(raw, [])
    arrays(raw, listing, devices(raw, listing, {}, []), {})


@given(st.text())
def test_any_text_may_be_a_uuid(text: str) -> None:
    as_mdadm(text)
