# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Block devices from what lsblk and wipefs print."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._blocks import (
    devices,
    links_of,
    listed,
    numbers,
    partitions,
    path_of,
    signatures,
    volume_path,
)
from hypothesis import given

from tests.unit.plugins.module_utils.damage import bent

LSBLK = {"blockdevices": [{"kname": "sda1", "type": "part", "maj:min": "8:1", "parttype": "0xef"}]}
SYSFS = {"sda1": {"at": "/sys/devices/x/block/sda/sda1", "partition": "1", "start": "2048"}}
# wipefs --no-act --json, on a disk that was ext4 once and holds swap now.
WIPEFS = """{"signatures": [
{"device":"vdc", "offset":"0xff6", "type":"swap", "uuid":"7b", "label":null},
{"device":"vdc", "offset":"0x438", "type":"ext4", "uuid":"9a", "label":"old"}]}"""


def test_signatures() -> None:
    assert signatures(WIPEFS, []) == {
        "/dev/vdc": [
            {"type": "swap", "offset": 0xFF6, "uuid": "7b", "label": ""},
            {"type": "ext4", "offset": 0x438, "uuid": "9a", "label": "old"},
        ]
    }
    assert signatures("", []) == {}


def test_signatures_are_those_of_their_device() -> None:
    raw = {
        "lsblk": '{"blockdevices": [{"kname": "vdb"}, {"kname": "vdc"}]}',
        "wipefs": {"/dev/vdc": WIPEFS},
    }
    found = devices(raw, listed(raw, []), {}, [])
    assert [len(one["signatures"]) for one in found] == [0, 2]


@pytest.mark.parametrize(
    ("mapping", "path"),
    [
        ("main-srv", "/dev/main/srv"),
        ("vg--a-lv", "/dev/vg-a/lv"),
        ("vg-lv--b--c", "/dev/vg/lv-b-c"),
        ("a----b-c", "/dev/a--b/c"),
    ],
)
def test_path_of_a_volume(mapping: str, path: str) -> None:
    assert volume_path(mapping) == path


def test_path_of_a_device_in_a_folder() -> None:
    assert path_of("cciss!c0d0") == "/dev/cciss/c0d0"


def test_links_are_the_stable_ones() -> None:
    links = {"/dev/disk/by-id/b": "sda", "/dev/disk/by-path/a": "sda", "/dev/mapper/x": "sda"}
    assert links_of({"links": {**links, "/dev/disk/by-id/other": "sdb"}}, "sda") == [
        "/dev/disk/by-id/b",
        "/dev/disk/by-path/a",
    ]


@pytest.mark.parametrize(
    ("kind", "wanted"), [("raid10", "raid"), ("linear", "raid"), ("lvm", "lvm"), ("part", "part")]
)
def test_kinds(kind: str, wanted: str) -> None:
    raw = {"lsblk": json.dumps({"blockdevices": [{"kname": "x", "type": kind}]})}
    assert devices(raw, listed(raw, []), {}, [])[0]["kind"] == wanted


def test_names_for_people() -> None:
    raw = {
        "lsblk": '{"blockdevices": [{"kname": "dm-0"}, {"kname": "md127"}, {"kname": "vda"}]}',
        "links": {
            "/dev/mapper/main-srv": "dm-0",
            "/dev/main/srv": "dm-0",
            "/dev/md/system": "md127",
            "/dev/disk/by-id/virtio-1": "vda",
        },
    }
    names = [one["name"] for one in devices(raw, listed(raw, []), {}, [])]
    assert names == ["/dev/main/srv", "/dev/md/system", "/dev/vda"]


def test_what_lsblk_did_not_say_is_named() -> None:
    unread: list[str] = []
    assert listed({"lsblk": '{"blockdevices": [{"kname": "sd'}, unread) == {}
    assert unread[0].startswith("lsblk: ")


@given(bent(LSBLK), bent(SYSFS))
def test_damage_is_survived(lsblk: Any, sysfs: Any) -> None:
    unread: list[str] = []
    raw = {"lsblk": json.dumps(lsblk), "sysfs": sysfs if isinstance(sysfs, dict) else {}}
    listing = listed(raw, unread)
    devices(raw, listing, {}, unread)
    partitions(raw, "sda", listing)
    numbers(listing)
    assert unread == [] or listing == {}


@given(bent(json.loads(WIPEFS)))
def test_damaged_signatures(said: Any) -> None:
    signatures(json.dumps(said), [])
