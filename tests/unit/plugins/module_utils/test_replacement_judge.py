# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Taking a disk out is refused wherever data would be lost, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_judge import (
    Judgement,
    Wish,
    judge,
    spare_failures,
)

from tests.unit.plugins.module_utils.replacements import Machine, mirror

ANYWAY = Wish(healthy_too=True)
LOSE = {"accept": ["loss"], "healthy_too": True}


def judged(machine: Machine, wish: Wish = ANYWAY, serial: str = "A") -> Judgement:
    tree = machine.tree
    disk = tree.disk(serial)
    assert disk
    return judge(tree, disk, tree.units(disk), wish)


@pytest.mark.parametrize(
    ("level", "devices", "gone", "left"),
    [
        ("raid1", 2, [0], 0),
        ("raid1", 3, [0], 1),
        ("raid1", 2, [0, 1], -1),
        ("raid5", 3, [0], 0),
        ("raid5", 3, [0, 1], -1),
        ("raid6", 4, [0], 1),
        ("raid6", 4, [0, 1], 0),
        ("raid10", 4, [0], 0),
        ("raid10", 4, [0, 2], 0),
        ("raid10", 4, [0, 1], -1),
        ("raid0", 2, [0], -1),
        ("linear", 2, [0], -1),
    ],
)
def test_how_many_more_may_fail(level: str, devices: int, gone: list[int], left: int) -> None:
    members = [{"path": str(n), "slot": n, "state": "in_sync"} for n in range(devices)]
    array = {"level": level, "devices": devices, "members": members}
    assert spare_failures(array, [str(n) for n in gone]) == left


def test_a_healthy_disk_is_replaced_only_on_request() -> None:
    assert judged(mirror(), Wish()).refusals == [
        "A is healthy; a disk that hasn't failed is replaced with replace_healthy=true"
    ]
    assert judged(mirror()).refusals == []


def test_a_bad_disk_leaves_the_mirror_with_one_copy() -> None:
    machine = mirror()
    machine.document["disks"][0] |= {"verdict": "failed", "reasons": ["it clicks"]}
    found = judged(machine, Wish())
    assert (found.refusals, found.left) == ([], {"system": 0})


def test_a_disk_that_an_array_has_put_aside_needs_no_verdict() -> None:
    machine = mirror()
    machine.document["arrays"][0]["members"][0]["state"] = "faulty"
    assert judged(machine, Wish()).refusals == []


def test_the_last_copy_is_refused() -> None:
    machine = mirror()
    machine.document["arrays"][0]["members"][1] |= {"path": "", "state": "missing"}
    (words,) = judged(machine).refusals
    assert "this would be lost: array system (raid1) with /: /dev/sda1 is its last copy" in words


@pytest.mark.parametrize("action", ["recover", "resync", "reshape"])
def test_an_array_that_is_busy_is_refused(action: str) -> None:
    machine = mirror()
    machine.document["arrays"][0]["sync"] |= {"action": action, "done": 0.42}
    (words,) = judged(machine).refusals
    assert words.startswith(f"array system is busy ({action}, 42% done): wait")


def test_a_comparison_is_no_reason_to_wait() -> None:
    machine = mirror()
    machine.document["arrays"][0]["sync"]["action"] = "check"
    assert judged(machine).refusals == []


def test_another_bad_disk_is_refused_unless_the_risk_is_taken() -> None:
    machine = mirror()
    machine.document["disks"][1] |= {"verdict": "replace", "reasons": ["8 sectors pending"]}
    (words,) = judged(machine).refusals
    assert words.startswith(
        "array system: its disk B is to be replaced as well (8 sectors pending). Without /dev/sda1 "
    )
    found = judged(machine, Wish(accept=["risk"], healthy_too=True))
    assert (found.refusals, len(found.notes)) == ([], 1)


def test_with_redundancy_left_another_bad_disk_is_a_note() -> None:
    machine = mirror(disks=3)
    machine.document["disks"][1] |= {"verdict": "replace", "reasons": ["8 sectors pending"]}
    found = judged(machine)
    assert (found.refusals, len(found.notes), found.left) == ([], 1, {"system": 1})


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"healthy_too": True}, "Save it first, or say accept=loss"),
        (LOSE, "Its last good backup is unknown: name its file or record with backup=FILE"),
        ({**LOSE, "backup_hours": 49}, "backup is 49 hours old; accepted: at most 26"),
        ({**LOSE, "backup_hours": 3}, ""),
    ],
)
def test_what_is_on_this_disk_alone(wish: dict[str, Any], words: str) -> None:
    machine = Machine()
    machine.disk("A", ("srv", 500))
    machine.holds("/dev/sda1", "ext4", at=["/srv"])
    found = judged(machine, Wish(**wish))
    assert found.losses == ["/dev/sda1: ext4 file system at /srv, which is on this disk alone"]
    if words:
        assert words in found.refusals[0]
    else:
        assert found.refusals == []


def test_a_volume_that_lacks_a_copy_already() -> None:
    machine = Machine()
    machine.disk("A", ("lvm", 900))
    group = machine.group("main", ("srv", "raid1"), sda1=(900, 400))
    group["volumes"][0]["health"] = "partial"
    assert judged(machine).losses == ["volume group main: srv lacks another disk already"]


@pytest.mark.parametrize(
    ("volumes", "free", "lost"),
    [
        ([("srv", "linear")], 600, False),
        ([("srv", "linear")], 400, True),
        ([("srv", "raid1")], 400, False),
        ([("srv", "raid1"), ("tmp", "linear")], 400, True),
    ],
)
def test_volumes_need_redundancy_or_room(
    volumes: list[tuple[str, str]], free: int, lost: bool
) -> None:
    machine = Machine()
    machine.disk("A", ("lvm", 900))
    machine.disk("B", ("lvm", 900))
    machine.group("main", *volumes, sda1=(900, 400), sdb1=(900, free))
    assert bool(judged(machine).losses) == lost
