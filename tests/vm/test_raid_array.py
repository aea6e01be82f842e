# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The life of an array: made, damaged, mended, replaced, grown through a power cut, stopped."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest_hosts import RELEASES, Fleet, Results, Task
from tests.vm.conftest import Machines, Reached, skip_if_emulated
from tests.vm.machine import Machine

BY_ID = "/dev/disk/by-id/virtio-"
DISKS = {"R1": "96M", "R2": "96M", "R3": "128M", "R4": "128M", "FULL": "96M", "SMALL": "32M"}
UUID = "11111111:22222222:33333333:44444444"
KNOWN = "cd /srv && sha256sum --check --quiet /root/sum"
IDLE = "mdadm --wait /dev/md/data || true"
# What it is called after a restart, since the initramfs wasn't made anew.
DEVICE = "/dev/$(cd /sys/block; echo md*)"
# An emulated machine takes minutes to make an initramfs; the boot drills have a real one.
QUIET = """
printf '#!/bin/sh\\necho "$@" >>/root/initramfs\\n' >/usr/local/sbin/update-initramfs
chmod +x /usr/local/sbin/update-initramfs
"""

Saw = Callable[[str, object], None]


def at(*disks: str) -> list[str]:
    return [f"{BY_ID}{disk}" for disk in disks]


def array(task: str, *, check: bool = False, **options: Any) -> Task:
    return {
        "name": task,
        "servertechnik.core.raid_array": {"name": "data", **options},
        "check_mode": check,
    }


def mirror(task: str, *disks: str, check: bool = False, **options: Any) -> Task:
    return array(task, check=check, level=1, members=at(*disks), uuid=UUID, **options)


def shell(task: str, script: str) -> Task:
    return {"name": task, "ansible.builtin.shell": {"cmd": f"set -eu\n{script}"}}


SWAP = [{"old": f"{BY_ID}R1", "new": f"{BY_ID}R3"}]
LIFE = [
    shell("prepare", f"{QUIET}\nmkfs.ext4 -q -L precious {BY_ID}FULL; udevadm settle"),
    mirror("full", "R1", "FULL"),
    mirror("check", "R1", "R2", check=True),
    mirror("made", "R1", "R2"),
    mirror("again", "R1", "R2"),
    shell(
        "fill",
        f"{IDLE}; mkfs.ext4 -q /dev/md/data; mount /dev/md/data /srv; "
        "head -c 20M /dev/urandom >/srv/known; cd /srv; sha256sum known >/root/sum",
    ),
    array("both", remove=at("R1", "R2")),
    array("small", add=at("SMALL")),
    array("taken out", remove=at("R1")),
    array("last copy", fail=at("R2")),
    shell("write", "date >/srv/later; sync"),
    array("back", add=at("R1")),
    shell("rebuilt", IDLE),
    array("replace", replace=SWAP),
    array("replace again", replace=SWAP),
    shell("copied", IDLE),
    array("replaced", replace=SWAP),
    array("limit", scrub="started", speed_max=20000),
    shell("scrubbed", f"{IDLE}; cat /sys/block/md*/md/last_sync_action"),
    mirror("not asked", "R3", "R2", "R4"),
    array("grow", level=5, members=at("R3", "R2", "R4"), grow=True, speed_max=500),
]
AFTER = [
    shell("resumed", "cat /proc/mdstat"),
    array("while it grows", level=5, members=at("R3", "R2", "R4"), grow=True, speed_max=0),
    shell("grown", f"mdadm --wait {DEVICE} || true; mount {DEVICE} /srv; {KNOWN}"),
    array("settled", level=5, members=at("R3", "R2", "R4"), grow=True),
    array("in use", state="stopped"),
    shell("unused", "umount /srv"),
    array("stopped", state="stopped"),
    array("stopped again", state="stopped"),
    # As after a power cut before everything was written.
    shell("cut short", f"mdadm --zero-superblock {BY_ID}R4; udevadm settle"),
    array("finished", level=5, members=at("R3", "R2", "R4"), uuid=UUID),
    shell("complete", f"{IDLE}; mount /dev/md/data /srv; {KNOWN}; cat /proc/mdstat"),
    shell("files", "cat /etc/mdadm/mdadm.conf; cat /root/initramfs"),
]


@dataclass(frozen=True)
class Scene:
    """A machine of each release, and what came of the array until now."""

    fleet: Fleet
    machines: list[Machine]
    life: Results


@pytest.fixture(scope="module")
def scene(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    skip_if_emulated(10)
    started = machines.start(*(machines.spec(release, disks=DISKS) for release in RELEASES))
    fleet = Fleet([Reached.of(one) for one in started], tmp_path_factory.mktemp("raid"))
    fleet.environ = {"ANSIBLE_TIMEOUT": "60"}
    return Scene(fleet, started, fleet.play(LIFE))


def cut(machine: Machine) -> None:
    """Cut the power once what is known is on the disks."""
    machine.sh("sync")
    machine.cut()


@pytest.fixture(scope="module")
def later(scene: Scene) -> Results:
    with ThreadPoolExecutor() as pool:
        list(pool.map(cut, scene.machines))
        # Not in the pool: a machine ends with the thread that started it.
        for machine in scene.machines:
            machine.start()
        list(pool.map(Machine.wait, scene.machines))
    return scene.fleet.play(AFTER)


@pytest.fixture
def life(scene: Scene, release: str) -> dict[str, Any]:
    return scene.life[release]


@pytest.fixture
def after(later: Results, release: str) -> dict[str, Any]:
    return later[release]


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("full", f"{BY_ID}FULL (/dev/vd"),
        ("full", 'it holds ext4 "precious"; accepted: an empty one'),
        ("both", "only 1 of 2 members are complete, and without it all data of the array"),
        ("small", "it has 32.0 MiB (33554432 bytes); accepted: 9"),
        ("last copy", "can't go: only 1 of 2 members are complete"),
        ("not asked", "wanted are 3 members at level 1; accepted: the same number and level, or"),
    ],
)
def test_what_would_lose_data_is_refused(life: dict[str, Any], task: str, words: str) -> None:
    assert life[task]["failed"]
    assert words in life[task]["msg"]
    assert not life[task]["changed"]


def test_check_mode_predicts_and_second_run_changes_nothing(life: dict[str, Any]) -> None:
    assert not life["made"].get("failed"), life["made"]["msg"]
    assert life["check"]["steps"] == life["made"]["steps"]
    assert life["check"]["array"] == {}
    assert life["made"]["array"]["uuid"] == UUID
    assert (life["again"]["changed"], life["again"]["steps"]) == (False, [])


def test_member_goes_and_comes_back(life: dict[str, Any]) -> None:
    out = [step.split()[2] for step in life["taken out"]["steps"]]
    assert out == ["--fail", "--remove"]
    assert life["taken out"]["array"]["degraded"] == 1
    assert [step.split()[2] for step in life["back"]["steps"]] == ["--add"]
    assert life["replace"]["array"]["degraded"] == 0


def test_replacement_keeps_redundancy(life: dict[str, Any]) -> None:
    first, second, last = (life[one] for one in ("replace", "replace again", "replaced"))
    assert [step.split()[2] for step in first["steps"]] == ["--add", "--replace"]
    assert first["pending"]
    assert not any("--replace" in step for step in second["steps"])
    removed = [*second["steps"], *last["steps"]]
    assert [step.split()[2] for step in removed] == ["--remove"]
    assert last["array"]["degraded"] == 0


def test_scrub_and_limit(life: dict[str, Any]) -> None:
    assert life["limit"]["steps"] == ["sync_speed_max = 20000", "sync_action = check"]
    assert life["scrubbed"]["stdout"] == "check"


def test_mirror_grows_to_raid_5(life: dict[str, Any]) -> None:
    assert not life["grow"].get("failed"), life["grow"]["msg"]
    assert any("--level=5 --raid-devices=3" in step for step in life["grow"]["steps"])


def test_growth_goes_on_after_a_power_cut(after: dict[str, Any], record_property: Saw) -> None:
    record_property("saw", f"after the cut: {after['resumed']['stdout']}")
    assert not after["while it grows"].get("failed"), after["while it grows"]["msg"]
    assert not any("--raid-devices" in step for step in after["while it grows"]["steps"])
    assert not after["grown"].get("failed"), after["grown"]
    settled = after["settled"]
    assert (settled["array"]["level"], settled["array"]["devices"]) == ("raid5", 3)
    assert settled["changed"] is False


def test_array_in_use_is_not_stopped(after: dict[str, Any]) -> None:
    assert after["in use"]["failed"]
    assert "in use (mounted at /srv)" in after["in use"]["msg"]
    assert [step.split()[1] for step in after["stopped"]["steps"]] == ["--stop"]
    assert after["stopped again"]["changed"] is False


def test_what_was_cut_short_is_finished(after: dict[str, Any]) -> None:
    done = after["finished"]
    assert not done.get("failed"), done["msg"]
    assert [step.split()[1] for step in done["steps"]] == ["--assemble", "/dev/md/data"]
    assert not after["complete"].get("failed"), after["complete"]
    assert "[UUU]" in after["complete"]["stdout"]


def test_next_boot_knows_the_array(after: dict[str, Any]) -> None:
    text = after["files"]["stdout"]
    assert f"ARRAY /dev/md/data metadata=1.2 UUID={UUID}" in text
    assert "HOMEHOST <system>" in text
    assert text.count("-u -k all") == 1
