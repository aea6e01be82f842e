# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._usage_growth import grown, growth
from ansible_collections.servertechnik.core.plugins.module_utils._usage_mounts import Figures

MIB, GIB = 1 << 20, 1 << 30


def test_a_folder_has_grown_where_those_inside_do_not_explain_it() -> None:
    before = {"/": 100 * MIB, "/srv": 50 * MIB, "/srv/a": 10 * MIB, "/var": 40 * MIB}
    now = {"/": 190 * MIB, "/srv": 80 * MIB, "/srv/a": 20 * MIB, "/srv/b": 20 * MIB,
           "/var": 100 * MIB, "/home": MIB // 2}  # fmt: skip
    assert grown(before, now, 2000, 10) == [
        {"path": "/", "bytes": 90 * MIB},
        {"path": "/var", "bytes": 60 * MIB},
        {"path": "/srv", "bytes": 30 * MIB},
        {"path": "/srv/b", "bytes": 20 * MIB},
        {"path": "/srv/a", "bytes": 10 * MIB},
    ]
    assert len(grown(before, now, 2000, 2)) == 2


def test_one_folder_inside_stands_for_those_above() -> None:
    before = {"/": 10 * MIB, "/a": 5 * MIB, "/a/b": 5 * MIB}
    now = {"/": 20 * MIB, "/a": 15 * MIB, "/a/b": 15 * MIB}
    assert grown(before, now, 2000, 10) == [{"path": "/a/b", "bytes": 10 * MIB}]


def test_a_folder_that_was_too_small_to_be_kept_is_no_new_one() -> None:
    before = {"/": 100 * MIB, "/large": 60 * MIB}
    now = {"/": 110 * MIB, "/large": 60 * MIB, "/small": 40 * MIB, "/new": 65 * MIB}
    told = {one["path"]: one["bytes"] for one in grown(before, now, 2, 10)}
    assert told == {"/": 10 * MIB, "/new": 5 * MIB}


FULL: Figures = {
    "size": 10 * GIB, "used": 10 * GIB, "available": 0, "reserved": 0, "percent": 100,
    "inodes": 1, "inodes_used": 1, "inodes_percent": 100,
}  # fmt: skip


def host(kind: str = "linear", free: int = 20 * GIB) -> dict[str, Any]:
    """The parts of a document of disk_health that matter."""
    return {
        "devices": [
            {"kind": "disk", "name": "/dev/vda", "mounts": []},
            {"kind": "lvm", "name": "/dev/main/srv", "mounts": [{"target": "/srv"}]},
        ],
        "volume_groups": [
            {
                "name": "main",
                "free": free,
                "extent": 4 * MIB,
                "volumes": [
                    {"name": "root", "path": "/dev/main/root", "type": "linear"},
                    {"name": "srv", "path": "/dev/main/srv", "type": kind},
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    ("at_most", "free", "by"),
    [
        (100 * GIB, 20 * GIB, int(2.5 * GIB)),  # 10 of 12.5 GiB are 80 %
        (GIB, 20 * GIB, GIB),
        (GIB + 1, 20 * GIB, GIB),
        (100 * GIB, 2 * GIB + 5 * MIB, 2 * GIB + 4 * MIB),
    ],
)
def test_how_far_a_volume_grows(at_most: int, free: int, by: int) -> None:
    found = growth(host(free=free), "/srv", "ext4", FULL, at_most=at_most, aim=80)
    assert found == {"vg": "main", "lv": "srv", "free": free, "by": by, "why": ""}


@pytest.mark.parametrize(
    ("document", "kind", "figures", "at_most", "why"),
    [
        (host(), "ext4", FULL, 0, "nobody has said by how much it may grow"),
        (host(), "btrfs", FULL, GIB, "btrfs is grown by hand after its volume"),
        (host("raid1"), "xfs", FULL, GIB, "it is a volume of type raid1, which is grown by hand"),
        (host(free=MIB), "ext4", FULL, GIB, "volume group main has nothing left"),
        (host(), "ext4", FULL | {"used": GIB}, GIB, "it is large enough"),
    ],
)
def test_why_a_volume_does_not_grow(
    document: dict[str, Any], kind: str, figures: Figures, at_most: int, why: str
) -> None:
    found = growth(document, "/srv", kind, figures, at_most=at_most, aim=80)
    assert found is not None
    assert found["by"] == 0
    assert found["why"].startswith(why)


def test_what_is_on_no_volume_can_not_grow() -> None:
    assert growth(host(), "/", "ext4", FULL, at_most=GIB, aim=80) is None
