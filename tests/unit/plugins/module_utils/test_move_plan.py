# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What a move copies, and what it refuses."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils import _move_plan
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import Document
from ansible_collections.servertechnik.core.plugins.module_utils._move_plan import MoveError

from tests.unit.plugins.module_utils.mirrors import mirrored
from tests.unit.plugins.module_utils.replacements import Machine

PLACE = "/run/place"


def targets(machine: Machine, **paths: str) -> list[_move_plan.Target]:
    """The root, and /boot, at these devices."""
    mounts = {"root": "/", "boot": "/boot"}
    asked: list[Any] = [
        {"mount": mounts[name], "device": path, "path": path, "options": [], "here": False}
        for name, path in ({"root": "/dev/dm-0", "boot": "/dev/md127"} | paths).items()
        if path
    ]
    document = cast(Document, machine.document)
    return _move_plan.targets(document, _move_plan.wanted(asked), PLACE)


def test_root_comes_first() -> None:
    assert [one.mount for one in targets(mirrored())] == ["/", "/boot"]


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        ({"root": ""}, "found /boot; accepted: one with mount /"),
        ({"root": "/dev/sda3"}, "is linux_raid_member; accepted: a file system"),
        ({"root": "/dev/nothing"}, "no block device of this host"),
        ({"root": "/dev/sdc1"}, "is mounted at /; accepted: a file system that nothing uses"),
        ({"boot": ""}, "/: /dev/mapper/root is encrypted, and holds the kernel; accepted: a file"),
    ],
)
def test_what_can_not_be_moved_onto_is_refused(paths: dict[str, str], words: str) -> None:
    with pytest.raises(MoveError, match=words):
        targets(mirrored(), **paths)


def test_what_is_mounted_for_the_move_already_is_no_obstacle() -> None:
    machine = mirrored()
    machine.holds("/dev/md127", "ext4", [f"{PLACE}/boot"], "new-boot")
    assert len(targets(machine)) == 2


def copies(machine: Machine) -> list[_move_plan.Copy]:
    return _move_plan.copies(cast(Document, machine.document), PLACE)


def mount(machine: Machine, path: str, target: str, used: int = 0) -> None:
    """Have a device in fstab, and mounted."""
    machine.holds(path, "ext4", [target])
    line = {"spec": path, "target": target, "type": "ext4", "path": path}
    machine.document["configured"]["fstab"].append(line)
    machine.document["file_systems"].append({"target": target, "used": used})


def test_file_systems_of_the_old_disk_are_copied_and_others_stay() -> None:
    machine = mirrored()
    machine.disk("DATA", ("srv", 100))
    mount(machine, "/dev/sdd1", "/srv")
    mount(machine, "/dev/sdc2", "/var", 7)
    root, var = copies(machine)
    assert (root.source, var.source, var.used) == ("/", "/var", 7)
    assert set(root.without) == {"/var/*", "/boot/efi/*", "/.servertechnik-move", "/run/place/*"}
    assert var.without == ()


@pytest.mark.parametrize(("boot", "needed"), [(0, [300 << 20, 0]), (5, [300 << 20, 5])])
def test_room_is_needed_where_a_file_system_goes(boot: int, needed: list[int]) -> None:
    machine = mirrored()
    found = targets(machine)
    if boot:
        mount(machine, "/dev/sdc2", "/boot", boot)
    assert list(_move_plan.needs(found, copies(machine)).values()) == needed


def test_system_that_has_moved_is_known() -> None:
    machine = mirrored()
    document = cast(Document, machine.document)
    assert _move_plan.is_there(document, "/dev/sdc1")
    assert not _move_plan.is_there(document, "/dev/dm-0")
