# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Every kind of storage from blank disks, through a power cut, a second run, and growth in use."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest_hosts import RELEASES, Fleet, Results, Task
from tests.vm.conftest import Machines, Reached, skip_if_emulated
from tests.vm.machine import Machine

Saw = Callable[[str, object], None]

SECRET = "correct horse battery staple"  # noqa: S105 -- that of a test
FULL = "SER010"
SMALL, BIG = "128M", "1G"
DISKS = {
    "SER001": BIG,
    "SER002": BIG,
    "SER003": "512M",
    "SER004": "512M",
    "SER005": "64M",
    "SER006": "64M",
    "SER007": SMALL,
    "SER008": SMALL,
    "SER009": SMALL,
    FULL: "64M",
}
# Bytes that disks have later: those of the mirror below LUKS, of RAID 5, and of a partition in use.
GROWN = {"SER001": 1152 << 20, "SER002": 1152 << 20}
GROWN |= dict.fromkeys(("SER007", "SER008", "SER009"), 192 << 20) | {FULL: 96 << 20}


def striped(number: int, name: str, kind: str) -> dict[str, Any]:
    """A disk with a part in RAID 6, one in RAID 10, and the rest for something else."""
    raid = [{"name": part, "size": "64MiB", "type": "raid"} for part in ("six", "ten")]
    partitions = [*raid, {"name": name, "type": kind}]
    return {"name": f"d{number}", "serial": f"SER00{number}", "partitions": partitions}


def on(part: str, *numbers: int) -> list[str]:
    return [f"d{number}{part}" for number in numbers]


LAYOUT: dict[str, Any] = {
    "storage_disks": [
        *(striped(1, "one", "raid"), striped(2, "one", "raid")),
        *(striped(3, "far", "lvm"), striped(4, "far", "lvm")),
        *({"name": f"d{number}", "serial": f"SER00{number}"} for number in range(5, 10)),
        {"name": "full", "serial": FULL, "partitions": [{"name": "all"}]},
    ],
    "storage_arrays": [
        {"name": "zero", "level": 0, "members": on("", 5, 6)},
        {"name": "five", "level": 5, "members": on("", 7, 8, 9)},
        {"name": "six", "level": 6, "members": on("/six", 1, 2, 3, 4)},
        {"name": "ten", "level": 10, "members": on("/ten", 1, 2, 3, 4)},
        {"name": "one", "level": 1, "members": on("/one", 1, 2)},
    ],
    "storage_encrypted": [
        {
            "name": "secure",
            "device": "one",
            "passphrase": SECRET,
            "key_file": "/etc/cryptsetup-keys.d/secure.key",
        }
    ],
    "storage_volume_groups": [
        {
            "name": "main",
            "devices": ["secure"],
            "volumes": [
                {"name": "data", "size": "320MiB"},
                {"name": "pool", "type": "thin_pool", "size": "160MiB"},
                {"name": "thin", "type": "thin", "pool": "pool", "size": "1GiB"},
                {"name": "rest"},
            ],
        },
        {
            "name": "far",
            "devices": on("/far", 3, 4),
            "volumes": [
                {"name": "mirror", "type": "raid1", "size": "64MiB"},
                {"name": "plain", "size": "32MiB"},
            ],
        },
    ],
    "storage_file_systems": [
        {"device": "zero", "mount": "/srv/zero", "label": "zero"},
        {"device": "five", "mount": "/srv/five"},
        {"device": "six", "mount": "/srv/six"},
        {"device": "ten", "type": "swap"},
        {"device": "main/data", "type": "xfs", "mount": "/srv/data", "quota": ["user"]},
        {"device": "main/thin", "mount": "/srv/thin"},
        {"device": "main/rest", "type": "btrfs", "mount": "/srv/rest"},
        {"device": "far/mirror", "mount": "/srv/mirror", "quota": ["user", "group"]},
        {"device": "far/plain", "mount": "/srv/plain", "options": ["exec", "noatime"]},
        {"device": "full/all", "mount": "/srv/full"},
    ],
    "storage_tmpfs": [{"mount": "/srv/memory", "size": "16M"}],
}
MOUNTS = {
    "/srv/zero": "ext4", "/srv/five": "ext4", "/srv/six": "ext4", "/srv/data": "xfs",
    "/srv/thin": "ext4", "/srv/rest": "btrfs", "/srv/mirror": "ext4", "/srv/plain": "ext4",
    "/srv/full": "ext4", "/srv/memory": "tmpfs",
}  # fmt: skip
FILES = " ".join(f"{mount}/known" for mount in MOUNTS)
KNOWN = (
    f"for file in {FILES}; do head -c 1M /dev/urandom >$file; done; sha256sum {FILES} >/root/sums"
)
STATE = "lsblk --noheadings --raw --output NAME,FSTYPE,UUID,PARTUUID,SIZE; cat /proc/mdstat"
SIZES = "lsblk --noheadings --bytes --nodeps --output SIZE"


def storage(name: str, wipe: str = "", **keywords: Any) -> Task:
    """The action alone, without mounts."""
    keys = ("disks", "arrays", "encrypted", "volume_groups", "file_systems")
    arguments = {key: LAYOUT[f"storage_{key}"] for key in keys}
    wiped = {"wipe": [wipe]} if wipe else {}
    return {"name": name, "servertechnik.core.storage": {**arguments, **wiped}, **keywords}


@dataclass
class Scene:
    """A machine of each release with blank disks, but for one."""

    fleet: Fleet
    folder: Path
    machines: dict[str, Machine]
    took: dict[str, float] = field(default_factory=dict)

    def role(self, **changed: Any) -> Task:
        """The role, with the layout and what is changed in it."""
        backups = {"storage_header_backups": str(self.folder / "headers")}
        return {
            "name": "storage",
            "ansible.builtin.include_role": {"name": "servertechnik.core.storage"},
            "vars": {**LAYOUT, **backups, "storage_wipe": [FULL], **changed},
        }

    def each(self, act: Callable[[Machine], Any]) -> dict[str, Any]:
        """Do something with all machines at once."""
        with ThreadPoolExecutor() as pool:
            return dict(zip(self.machines, pool.map(act, self.machines.values()), strict=True))

    def play(self, what: str, *tasks: Task) -> Results:
        """Run these tasks, and note how long they took."""
        began = time.monotonic()
        results = self.fleet.play(tasks, "--diff")
        self.took[what] = time.monotonic() - began
        return results


def of(results: dict[str, Any], task: str) -> dict[str, Any]:
    """The result of a task, by how its name ends."""
    found: dict[str, Any] = next(one for name, one in results.items() if name.endswith(task))
    return found


BUILD = "Build it from blank disks, and let it grow"
MOUNT = "Mount it"


@pytest.fixture(scope="module")
def scene(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    skip_if_emulated(12)
    specs = [machines.spec(release, disks=DISKS) for release in RELEASES]
    started = dict(zip(RELEASES, machines.start(*specs), strict=True))
    folder = tmp_path_factory.mktemp("storage")
    fleet = Fleet([Reached.of(machine) for machine in started.values()], folder)
    fleet.environ = {"ANSIBLE_TIMEOUT": "60"}
    scene = Scene(fleet, folder, started)
    scene.each(lambda machine: machine.sh(f"mkfs.ext4 -q -L old /dev/disk/by-id/virtio-{FULL}"))
    return scene


@dataclass(frozen=True)
class First:
    """What a look at the disks said, and what was on them before and after it."""

    results: Results
    before: dict[str, str]
    after: dict[str, str]


@pytest.fixture(scope="module")
def first(scene: Scene) -> First:
    before = scene.each(lambda machine: machine.sh(STATE))
    results = scene.play(
        "look", storage("refused"), storage("predicted", wipe=FULL, check_mode=True)
    )
    return First(results, before, scene.each(lambda machine: machine.sh(STATE)))


def test_disk_that_is_full_is_refused_and_nothing_is_done(first: First, release: str) -> None:
    refused = first.results[release]["refused"]
    assert refused["failed"]
    assert "disk full: /dev/" in refused["msg"]
    assert "is not blank, it holds ext4 'old'" in refused["msg"]
    assert f"storage_wipe: [{FULL}]" in refused["msg"]
    assert refused["msg"].endswith("Nothing was changed.")
    assert first.after[release] == first.before[release]


def test_check_mode_shows_the_tree(first: First, release: str) -> None:
    diff = first.results[release]["predicted"]["diff"]
    assert "disk full: SER010, 64 MiB, /dev/" in diff["before"]
    assert "  ext4 'old'\n" in diff["before"]
    assert "array six: 128 MiB, RAID 6 of d1/six, d2/six, d3/six, d4/six\n" in diff["after"]
    assert "    volume group main: " in diff["after"]
    assert SECRET not in str(first.results)


@dataclass(frozen=True)
class Built:
    """What came of the run after the power cut, and of one more."""

    cut: dict[str, str]
    finished: Results
    again: Results
    calls: dict[str, int]


@pytest.fixture(scope="module")
def built(scene: Scene, first: First) -> Built:
    assert first
    run = scene.fleet.start([scene.role()])

    def cut_power(machine: Machine) -> str:
        while not machine.sh("test -e /dev/md/six && ls /dev/md", check=False):
            if run.poll() is not None:
                return ""
            time.sleep(1)
        there = machine.sh("ls /dev/md")
        machine.cut()
        return there

    cut = scene.each(cut_power)
    results = scene.fleet.results(run)
    assert all(cut.values()), f"it ended before: {results}"
    # Not in a pool: a machine ends with the thread that started it.
    for machine in scene.machines.values():
        machine.start()
    scene.each(Machine.wait)
    finished = scene.play("finish", scene.role())
    scene.each(lambda machine: machine.sh(KNOWN))
    since = scene.each(lambda machine: machine.sh("date +@%s").strip())
    again = scene.play("second run", scene.role())
    calls = {
        release: int(
            machine.sh(f"journalctl --since={since[release]} | grep -c ': Invoked with' || true")
        )
        for release, machine in scene.machines.items()
    }
    return Built(cut, finished, again, calls)


def test_it_is_finished_after_a_power_cut(built: Built, release: str, record_property: Saw) -> None:
    done = of(built.finished[release], BUILD)
    assert not done.get("failed"), done["msg"]
    record_property(
        "saw", f"{release}: cut with {built.cut[release].split()}; then {done['steps']}"
    )
    assert not any("make partition 1 d1/six" in step for step in done["steps"])
    assert not of(built.finished[release], MOUNT).get("failed")


def test_check_mode_predicted_what_was_left(built: Built, first: First, release: str) -> None:
    predicted = first.results[release]["predicted"]["steps"]
    made = {step.partition(":")[0] for step in of(built.finished[release], BUILD)["steps"]}
    known = {step.partition(":")[0] for step in predicted}
    # Paths of arrays are known only once there are any.
    assert {step for step in made if "make " in step} <= known


def test_second_run_changes_nothing_with_one_call_for_reading(
    built: Built, scene: Scene, release: str, record_property: Saw
) -> None:
    build, mount = of(built.again[release], BUILD), of(built.again[release], MOUNT)
    assert not build.get("failed"), build["msg"]
    assert (build["changed"], build["steps"], mount["changed"]) == (False, [], False)
    assert built.calls[release] == 2  # one of them reads, the other is the component
    record_property("saw", {what: f"{took:.0f} s" for what, took in scene.took.items()})


@pytest.mark.parametrize("mount", MOUNTS)
def test_it_is_mounted(built: Built, scene: Scene, release: str, mount: str) -> None:
    assert built
    words = f"findmnt --noheadings --raw --output FSTYPE,OPTIONS --mountpoint {mount}"
    kind, options = scene.machines[release].sh(words).split()
    assert kind == MOUNTS[mount]
    strict = {"nodev", "nosuid"} - set(options.split(","))
    assert not strict


def test_options_and_quotas(built: Built, scene: Scene, release: str) -> None:
    assert built
    machine = scene.machines[release]
    assert "noatime" in machine.sh("findmnt --noheadings --output OPTIONS /srv/plain")
    for mount in ("/srv/mirror", "/srv/data"):
        told = machine.sh(f"quotaon --print-state {mount}", check=False)
        assert re.search(r"user quota on .* is on", told), told


def test_arrays_and_swap(built: Built, scene: Scene, release: str) -> None:
    assert built
    text = scene.machines[release].sh("cat /proc/mdstat; swapon --show=TYPE --noheadings")
    for level in ("raid0", "raid1", "raid5", "raid6", "raid10"):
        assert f" {level} " in text
    assert "partition" in text


def test_header_is_kept_on_the_controller(built: Built, scene: Scene, release: str) -> None:
    assert built
    machine = scene.machines[release]
    (copy,) = (scene.folder / "headers" / machine.name).iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600
    identity = machine.sh("cryptsetup luksUUID /dev/md/one").strip()
    assert copy.name == f"secure-{identity}.luks"
    assert copy.read_bytes()[:6] == b"LUKS\xba\xbe"


def test_key_file_opens_it(built: Built, scene: Scene, release: str) -> None:
    assert built
    words = "cryptsetup open --test-passphrase --key-file /etc/cryptsetup-keys.d/secure.key"
    scene.machines[release].sh(f"{words} /dev/md/one")


def test_no_log_has_the_passphrase(built: Built, scene: Scene, release: str) -> None:
    assert SECRET not in str(built)
    words = f"journalctl --boot=all | grep -c '{SECRET}' || true"
    assert scene.machines[release].sh(words) == "0\n"


@pytest.fixture(scope="module")
def grown(scene: Scene, built: Built) -> Results:
    """Bigger disks, and a bigger volume, with everything in use."""
    assert built

    def grow(machine: Machine) -> None:
        for serial, size in GROWN.items():
            machine.qmp("block_resize", node_name=f"node-{serial}", size=size)
            disk = f"/dev/disk/by-id/virtio-{serial}"
            machine.sh(f"until test $(blockdev --getsize64 {disk}) = {size}; do sleep 0.1; done")
        machine.sh("mdadm --wait /dev/md/* || true")

    scene.each(grow)
    groups = [dict(group) for group in LAYOUT["storage_volume_groups"]]
    data, *others = groups[0]["volumes"]
    groups[0]["volumes"] = [{**data, "size": "384MiB"}, *others]
    plain = {"name": "plain", "size": "96MiB"}
    groups[1]["volumes"] = [groups[1]["volumes"][0], plain]
    return scene.play("growth", scene.role(storage_volume_groups=groups))


@pytest.mark.parametrize(
    ("device", "at_least"),
    [
        ("/dev/md/one", 980 << 20),
        ("/dev/mapper/secure", 960 << 20),
        ("/dev/main/data", 384 << 20),
        ("/dev/main/rest", 360 << 20),
        ("/dev/far/plain", 96 << 20),
        ("/dev/md/five", 360 << 20),
    ],
)
def test_it_has_grown(
    grown: Results, scene: Scene, release: str, device: str, at_least: int
) -> None:
    done = of(grown[release], BUILD)
    assert not done.get("failed"), done["msg"]
    assert int(scene.machines[release].sh(f"{SIZES} {device}")) >= at_least


@pytest.mark.parametrize(
    ("mount", "at_least"),
    [
        ("/srv/data", 370),
        ("/srv/rest", 350),
        ("/srv/five", 320),
        ("/srv/plain", 80),
        ("/srv/full", 80),
    ],
)
def test_file_system_has_grown(
    grown: Results, scene: Scene, release: str, mount: str, at_least: int
) -> None:
    assert grown
    words = f"df --block-size=1M --output=size {mount} | tail -n 1"
    assert int(scene.machines[release].sh(words)) >= at_least


def test_nothing_was_lost(grown: Results, scene: Scene, release: str, record_property: Saw) -> None:
    record_property("saw", f"{release}: {of(grown[release], BUILD)['steps']}")
    scene.machines[release].sh("sha256sum --check --quiet /root/sums")
