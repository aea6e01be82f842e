# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The failed disk is found, and what it carried, also when it is gone."""

from __future__ import annotations

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_case import (
    CaseError,
    case_of,
    find_failed,
)

from tests.unit.plugins.module_utils.replacements import Machine, mirror

INVENTORY = [{"name": "front", "serial": "A"}, {"name": "back", "serial": "X"}]


def gone() -> Machine:
    """A mirror and a RAID 5 that lack a disk; another disk has nothing to do with them."""
    machine = Machine()
    machine.disk("OTHER", ("srv", 900))
    machine.holds("/dev/sda1", "ext4", at=["/srv"])
    machine.disk("B", ("system", 300), ("data", 400), ("swap", 100))
    machine.disk("C", ("system", 300), ("data", 400), ("swap", 100))
    machine.array("system", "raid1", "/dev/sdb1", "-", at=["/"])
    machine.array("data", "raid5", "/dev/sdb2", "-", "/dev/sdc2")
    machine.holds("/dev/sdb3", "swap")
    return machine


def test_nothing_has_failed() -> None:
    assert find_failed(mirror().tree, []) == ""


@pytest.mark.parametrize("verdict", ["replace", "failed"])
def test_the_one_with_a_verdict(verdict: str) -> None:
    machine = mirror()
    machine.document["disks"][1]["verdict"] = verdict
    assert find_failed(machine.tree, []) == "B"


def test_the_one_that_an_array_has_put_aside() -> None:
    machine = mirror()
    machine.document["arrays"][0]["members"][1]["state"] = "faulty"
    assert find_failed(machine.tree, []) == "B"


def test_several_are_listed() -> None:
    machine = mirror(disks=3)
    machine.document["disks"][0] |= {"verdict": "failed", "reasons": ["it clicks"]}
    machine.document["disks"][2]["verdict"] = "replace"
    with pytest.raises(CaseError) as caught:
        find_failed(machine.tree, [])
    assert str(caught.value) == (
        "found: 2 disks that have failed: A at /dev/sda (it clicks); C at /dev/sdc; accepted: one "
        "at a time, named with disk=SERIAL"
    )


def test_one_that_is_gone_is_known_by_the_inventory() -> None:
    inventory = [{"name": "front", "serial": "B"}, {"name": "back", "serial": "X"}]
    assert find_failed(gone().tree, inventory) == "X"


def test_one_that_is_gone_and_unknown_is_asked_for() -> None:
    with pytest.raises(CaseError, match=r"nobody knows by name \(system, data lack one\)"):
        find_failed(gone().tree, [])


def test_a_disk_that_is_there() -> None:
    case = case_of(mirror().tree, "A")
    (unit,) = case["units"]
    assert (unit["use"], unit["of"], unit["carries"]) == ("array", "system", ["/"])
    assert (case["present"], case["before"], case["layout"]["table"]) == (True, ["B"], "gpt")
    assert "uuid" not in case["layout"]["partitions"][0]


def test_of_a_disk_that_is_gone_a_sibling_knows_what_it_carried() -> None:
    case = case_of(gone().tree, "X")
    assert [(unit["number"], unit["of"]) for unit in case["units"]] == [(1, "system"), (2, "data")]
    names = [part["name"] for part in case["layout"]["partitions"]]
    assert (case["present"], names) == (False, ["system", "data", "swap"])


def test_a_disk_that_nobody_misses() -> None:
    with pytest.raises(CaseError, match=r"no disk X, and nothing lacks one; accepted: one of A at"):
        case_of(mirror().tree, "X")


def test_arrays_without_any_disk_left() -> None:
    machine = Machine()
    machine.array("system", "raid1", "-", "-")
    with pytest.raises(CaseError, match="without any disk left to copy the layout from"):
        case_of(machine.tree, "X")


def test_what_lies_on_an_array_is_what_the_disk_carries() -> None:
    machine = mirror()
    machine.device("/dev/dm-0", "crypt", "/dev/md127")
    machine.device("/dev/dm-1", "lvm", "/dev/dm-0", at=["/srv"])
    assert case_of(machine.tree, "A")["units"][0]["carries"] == ["/", "/srv"]


@pytest.mark.parametrize(
    ("uuid", "uses"),
    [("1f2e3d4c-5b6a-7988-0011-223344556677", ["array"]), ("another", [])],
)
def test_a_member_that_was_thrown_out_keeps_its_place(uuid: str, uses: list[str]) -> None:
    machine = mirror()
    machine.document["arrays"][0]["members"].pop(0)
    machine.document["arrays"][0]["uuid"] = "1f2e3d4c:5b6a7988:00112233:44556677"
    machine.holds("/dev/sda1", "linux_raid_member", uuid=uuid)
    assert [unit["use"] for unit in case_of(machine.tree, "A")["units"]] == uses
