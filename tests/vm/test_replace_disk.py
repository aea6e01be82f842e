# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A disk is pulled under load and replaced, whatever gets in between; another one fails by itself.

A mirror with LUKS and LVM on it and a RAID 5, on three disks. What was written and synced is
checked in the end, block by block.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from tests.conftest_hosts import RELEASES, Fleet, Results, Task
from tests.vm.conftest import Machines, Reached, skip_if_emulated
from tests.vm.machine import Machine

Saw = Callable[[str, object], None]

PULLED, FAILING = "SER002", "SER003"
SMALL, FULL, LAST = "SMALL1", "FULL1", "LAST1"
STATE = f"/var/lib/servertechnik/disks/{PULLED}.json"
PATIENCE = 300.0
# Nothing of a saved state helps a machine that starts again, and others may be starting as well.
START_TIME = 900.0
BUILD = """
cd /dev/disk/by-id
for disk in SER001 SER002 SER003; do
  sfdisk --quiet virtio-$disk <<'END'
label: gpt
size=80MiB, type=A19D880F-05FC-4D3B-A006-743F0F84911E, name="system"
size=120MiB, type=A19D880F-05FC-4D3B-A006-743F0F84911E, name="data"
size=16MiB, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F, name="swap"
END
done
udevadm settle
make="mdadm --create --quiet --run --homehost=any --bitmap=internal --assume-clean"
$make --name=system /dev/md/system --level=1 --raid-devices=2 virtio-SER00[23]-part1
$make --name=data /dev/md/data --level=5 --raid-devices=3 virtio-SER00[123]-part2
for name in system data; do
  uuid=$(mdadm --detail --export /dev/md/$name | sed -n s/^MD_UUID=//p)
  echo "ARRAY /dev/md/$name metadata=1.2 UUID=$uuid" >>/etc/mdadm/mdadm.conf
done
echo "not a secret, just a test" >/root/key
cryptsetup --batch-mode luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
  /dev/md/system /root/key
cryptsetup open --key-file /root/key /dev/md/system crypt
vgcreate -qq main /dev/mapper/crypt
lvcreate -qq --name srv --extents 80%VG main
mkfs.ext4 -q /dev/main/srv
mkfs.ext4 -q /dev/md/data
mkswap -q virtio-SER002-part3
swapon virtio-SER002-part3
"""
OPEN = """
udevadm settle
test -e /dev/mapper/crypt || cryptsetup open --key-file /root/key /dev/md/system crypt
udevadm settle
vgchange -qq --activate y main
mkdir -p /srv/system /srv/data
mount /dev/main/srv /srv/system
mount /dev/md/data /srv/data
"""
# Writes blocks in a ring and notes each one's digest once it is on disk; `check` reads them all.
LOAD = r"""
import hashlib, os, sys, time
BLOCK, RING = 16384, 256
def told(place):
    last = {}
    for line in open("/root/load-" + place):
        if line.endswith("\n"):
            number, digest = line.split()
            last[int(number) % RING] = (int(number), digest)
    return last
if sys.argv[1] == "check":
    open("/proc/sys/vm/drop_caches", "w").write("3")
    for place in ("system", "data"):
        last = told(place)
        # The block after the last one noted may have been half-way.
        unsure = (max(number for number, _ in last.values()) + 1) % RING
        file = open("/srv/" + place + "/load", "rb")
        bad = []
        for slot, (number, digest) in sorted(last.items()):
            file.seek(slot * BLOCK)
            same = hashlib.sha256(file.read(BLOCK)).hexdigest() == digest
            if not same and slot != unsure:
                bad.append(number)
        print(place, len(last), "blocks,", "lost:", *bad)
else:
    files = {}
    for place in ("system", "data"):
        data = os.open("/srv/" + place + "/load", os.O_CREAT | os.O_RDWR)
        notes = os.open("/root/load-" + place, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        files[place] = (data, notes)
    number = int(sys.argv[2])
    while True:
        block = os.urandom(BLOCK)
        for place, (data, notes) in files.items():
            if os.path.exists("/root/pause-" + place):
                continue
            os.pwrite(data, block, number % RING * BLOCK)
            os.fsync(data)
            os.write(notes, f"{number} {hashlib.sha256(block).hexdigest()}\n".encode())
            os.fsync(notes)
        number += 1
        time.sleep(0.1)
"""
START = "systemd-run --quiet --unit=load python3 /root/load.py write {number}"
GONE = "until grep -q '\\[U_\\]\\|\\[_U\\]' /proc/mdstat; do sleep 0.1; done"
RESYNC = "grep -q recovery /proc/mdstat"


def replace(name: str, **arguments: Any) -> Task:
    """A task that goes on with the replacement."""
    return {"name": name, "servertechnik.core.disk_replacement": {"poll": 1, **arguments}}


@dataclass
class Scene:
    """A machine of each release under load, and what was seen so far."""

    machines: dict[str, Machine]
    fleet: Fleet
    records: Path
    starts: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def each(self, act: Callable[[Machine], Any]) -> dict[str, Any]:
        """Do something with all machines side by side."""
        with ThreadPoolExecutor() as pool:
            return dict(zip(self.machines, pool.map(act, self.machines.values()), strict=True))

    def open(self) -> None:
        """Mount everything and have it written to."""
        self.each(lambda machine: machine.sh(OPEN + START.format(number=1000 * self.starts)))
        self.starts += 1

    def last(self, release: str) -> dict[str, Any]:
        """The newest record of a machine."""
        name = self.machines[release].name
        path = max((self.records / "disk_replacement").glob(f"*Z-{name}.json"))
        found: dict[str, Any] = json.loads(path.read_text())["data"]
        return found

    def phases(self, release: str, serial: str) -> list[str]:
        """The phases that a case has gone through, each once."""
        name = self.machines[release].name
        paths = sorted((self.records / "disk_replacement").glob(f"*Z-{name}.json"))
        data = [json.loads(path.read_text())["data"] for path in paths]
        return list(dict.fromkeys(one["phase"] for one in data if one["serial"] == serial))


@pytest.fixture(scope="module")
def scene(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Both machines with their arrays, under load."""
    disks = dict.fromkeys(("SER001", "SER002", "SER003"), "224M")
    started = machines.start(*(machines.spec(one, disks=disks) for one in RELEASES))
    folder = tmp_path_factory.mktemp("replace-disk")
    fleet = Fleet([Reached.of(machine) for machine in started], folder)
    fleet.environ = {"ANSIBLE_TIMEOUT": "30", "SERVERTECHNIK_RECORDS": str(folder / "records")}
    scene = Scene(dict(zip(RELEASES, started, strict=True)), fleet, folder / "records")
    script = f"cat >/root/load.py <<'PYTHON'\n{LOAD}\nPYTHON\n{BUILD}"
    scene.each(lambda machine: machine.sh(script, timeout=PATIENCE))
    scene.open()
    return scene


@pytest.fixture(scope="module")
def well(scene: Scene) -> Results:
    """All is well; nobody has any reason to replace a disk."""
    return scene.fleet.play(
        [
            replace("any"),
            replace("healthy", serial=PULLED),
            replace("unknown", serial="NOBODY"),
        ]
    )


def test_without_a_failed_disk_there_is_nothing_to_do(well: Results, release: str) -> None:
    assert well[release]["any"]["msg"] == "no disk has failed"


def test_healthy_disk_is_refused(well: Results, release: str) -> None:
    assert "SER002 is healthy; a disk that hasn't failed" in well[release]["healthy"]["msg"]


def test_unknown_disk_is_refused(well: Results, release: str) -> None:
    assert "no disk NOBODY, and nothing lacks one" in well[release]["unknown"]["msg"]


@pytest.fixture(scope="module")
def pulled(scene: Scene, well: Results) -> Results:
    """A disk was pulled under load, and its case is open up to the new disk, step by step."""
    assert set(well) == set(scene.machines)
    for machine in scene.machines.values():
        machine.sh("swapoff --all")
        machine.pull(PULLED)
    scene.each(lambda machine: machine.sh(GONE))
    steps = ("verify", "announce", "locate", "remove")
    return scene.fleet.play(
        [
            replace("whose"),
            *(replace(step, serial=PULLED, stop_after=step) for step in steps),
            replace("wait", wait=0),
        ]
    )


def test_serial_of_a_pulled_disk_is_asked_for(pulled: Results, release: str) -> None:
    assert (
        "accepted: its serial, as on its label, with disk=SERIAL"
        in (pulled[release]["whose"]["msg"])
    )


@pytest.mark.parametrize("step", ["verify", "announce", "locate", "remove"])
def test_stops_where_asked_and_goes_on_from_there(step: str, pulled: Results, release: str) -> None:
    done = pulled[release][step]["state"]["done"]
    assert done == ["verify", "announce", "locate", "remove"][: len(done)]
    assert done[-1] == step


def test_layout_comes_from_a_sibling(pulled: Results, release: str) -> None:
    state = pulled[release]["remove"]["state"]
    names = [part["name"] for part in state["layout"]["partitions"]]
    assert names == ["system", "data", "swap"]
    assert [unit["of"] for unit in state["units"]] == ["system", "data"]


def test_open_case_is_found_without_its_serial(pulled: Results, release: str) -> None:
    assert (
        "waiting for a new disk: that took too long. Run this again"
        in (pulled[release]["wait"]["msg"])
    )


@pytest.mark.usefixtures("pulled")
def test_sheets_are_there_to_print(scene: Scene, release: str) -> None:
    name = scene.machines[release].name
    pages = sorted((scene.records / "disk_replacement").glob(f"*-{name}-{PULLED}.*.html"))
    assert [page.suffixes[-2] for page in pages] == [".de", ".en"]


@pytest.fixture(scope="module")
def refused(scene: Scene, pulled: Results) -> Results:
    """Disks that don't do: too small, full of data, and both at once."""
    assert set(pulled) == set(scene.machines)
    for machine in scene.machines.values():
        machine.plug(SMALL, "200M")
        machine.plug(FULL, "240M")
    script = f"mkfs.ext4 -q -L precious /dev/disk/by-id/virtio-{FULL}; udevadm settle"
    scene.each(lambda machine: machine.sh(script))
    results = scene.fleet.play(
        [
            replace("both"),
            replace("small", new=SMALL),
            replace("full", new=FULL),
            replace("wrong", new=FULL, wipe=SMALL),
        ]
    )
    for machine in scene.machines.values():
        machine.pull(SMALL)
    return results


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("both", "found: 2 new disks ("),
        ("small", "too small: it has 210 MB (209715200 bytes), needed are 228 MB (227557888 bytes"),
        ("full", f"virtio-{FULL} is not empty"),
        ("wrong", "is not empty"),
    ],
)
def test_disk_that_doesnt_do_is_refused(
    task: str, words: str, refused: Results, release: str
) -> None:
    told = refused[release][task]
    assert words.replace(f"virtio-{FULL}", "") in told["msg"].replace(f"virtio-{FULL}", "")
    assert (told["failed"], told["refused"]) == (True, True)


@pytest.mark.usefixtures("refused")
def test_full_disk_still_has_its_data(scene: Scene, release: str) -> None:
    script = f"blkid --match-tag LABEL --output value /dev/disk/by-id/virtio-{FULL}"
    # What is written later is gone by then: this must come before it.
    assert scene.seconds or scene.machines[release].sh(script) == "precious\n"


@dataclass(frozen=True)
class Cut:
    """How it was when the power went, and what came of it."""

    during: dict[str, str]
    lost: dict[str, str]
    results: Results


@pytest.fixture(scope="module")
def cut(scene: Scene, refused: Results) -> Cut:
    """The controller is killed, then the power is cut during the rebuild; then it goes on."""
    skip_if_emulated(10)
    assert set(refused) == set(scene.machines)
    # Slow enough to be in the middle.
    scene.each(lambda machine: machine.sh("sysctl -q dev.raid.speed_limit_max=2000"))
    began = time.monotonic()
    killed = scene.fleet.start([replace("killed", new=FULL, wipe=FULL)])
    scene.each(lambda machine: machine.sh(f"until {RESYNC}; do sleep 0.2; done", timeout=PATIENCE))
    scene.seconds["start to rebuild"] = time.monotonic() - began
    kill(killed)
    # A RAID 5 that lacks a disk doesn't start after a power cut amid a write (md(4)).
    scene.each(lambda machine: machine.sh("touch /root/pause-data; sleep 2"))
    during = scene.each(lambda machine: machine.sh("cat /proc/mdstat"))
    for machine in scene.machines.values():
        machine.cut()
    for machine in scene.machines.values():
        machine.start()
    scene.each(lambda machine: machine.wait(START_TIME))
    lost = scene.each(lambda machine: machine.sh(f"{OPEN}python3 /root/load.py check"))
    scene.each(lambda machine: machine.sh("umount /srv/system /srv/data; rm /root/pause-data"))
    scene.open()
    results = scene.fleet.play([replace("again"), replace("once more", serial=PULLED)])
    return Cut(during, lost, results)


def kill(run: Popen[str]) -> None:
    """Kill a controller with all its processes; what it began on hosts goes on by itself."""
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    for pid in (run.pid, *map(int, children)):
        os.kill(pid, signal.SIGKILL)
    run.communicate()


def test_power_is_cut_during_the_rebuild(
    cut: Cut, scene: Scene, release: str, record_property: Saw
) -> None:
    # With the new disk there: verified, wiped, partitioned and added, the slower host counts.
    record_property("seconds from the playbook's start", scene.seconds["start to rebuild"])
    assert "recovery" in cut.during[release]


def test_power_cut_loses_nothing_that_was_synced(cut: Cut, release: str) -> None:
    assert [line.partition("lost:")[2] for line in cut.lost[release].splitlines()] == ["", ""]


def test_goes_on_after_the_power_cut(cut: Cut, release: str) -> None:
    told = cut.results[release]["again"]
    assert told["msg"].endswith("has been replaced by FULL1. Everything is as it should be.")
    assert told["state"]["closed"]


def test_finished_case_stays_finished(cut: Cut, release: str) -> None:
    told = cut.results[release]["once more"]
    assert (told["changed"], "has been replaced by FULL1" in told["msg"]) == (False, True)


def test_every_copy_is_there_again(cut: Cut, scene: Scene, release: str) -> None:
    mdstat = scene.machines[release].sh("cat /proc/mdstat")
    assert ("[UU]" in mdstat, "[UUU]" in mdstat, "_" in mdstat.partition("unused")[0]) == (
        True,
        True,
        False,
    )
    assert all(one["done"] for one in cut.results[release]["again"]["state"]["scrub"].values())


@pytest.mark.usefixtures("cut")
def test_new_disk_has_identifiers_of_its_own(scene: Scene, release: str) -> None:
    # Links of two partitions with the same identifier would be one.
    assert len(scene.machines[release].sh("ls /dev/disk/by-partuuid").split()) == 9


@pytest.mark.usefixtures("cut")
def test_status_pages_know_every_phase(scene: Scene, release: str) -> None:
    phases = scene.phases(release, PULLED)
    assert phases[:2] == ["open", "waiting"]
    assert phases[-1] == "closed"
    assert "refused" in phases


@pytest.fixture(scope="module")
def failing(scene: Scene, cut: Cut) -> Results:
    """A disk fails to write; it is found, taken out, and replaced while the playbook waits."""
    assert set(cut.results) == set(scene.machines)
    # Slow enough for the rebuild to be seen.
    scene.each(lambda machine: machine.sh("sysctl -q dev.raid.speed_limit_max=10000"))
    for machine in scene.machines.values():
        machine.fail(FAILING, "write")
    scene.each(lambda machine: machine.sh("until grep -q '(F)' /proc/mdstat; do sleep 0.2; done"))
    # The mirror may not have been written to yet.
    running = scene.fleet.start([replace("failed", wait=600)])
    gone = f'until grep -q \'"remove",\\|"remove"$\' {STATE.replace(PULLED, FAILING)}'
    for machine in scene.machines.values():
        machine.sh(f"{gone}; do sleep 0.5; done", timeout=PATIENCE)
        machine.pull(FAILING)
        machine.plug(LAST, "224M")
    return scene.fleet.results(running)


def test_disk_that_fails_is_found_and_replaced(failing: Results, release: str) -> None:
    told = failing[release]["failed"]
    assert told["msg"].endswith("has been replaced by LAST1. Everything is as it should be.")


@pytest.mark.usefixtures("failing")
def test_nothing_is_lost_under_load(scene: Scene, release: str) -> None:
    # It has written all the time, and must not while its blocks are compared.
    script = "systemctl is-active load; systemctl stop load; python3 /root/load.py check"
    active, *told = scene.machines[release].sh(script).splitlines()
    assert active == "active"
    assert [line.partition("lost:")[2] for line in told] == ["", ""], told


def test_seconds_of_each_step(
    failing: Results, scene: Scene, release: str, record_property: Saw
) -> None:
    steps = failing[release]["failed"]["state"]["steps"]
    for name, times in steps.items():
        record_property(f"{release}: seconds of {name} on the host", times["host"])
    name = scene.machines[release].name
    paths = sorted((scene.records / "disk_replacement").glob(f"*Z-{name}.json"))
    data = [json.loads(path.read_text())["data"] for path in paths]
    running = next(one for one in data if one["serial"] == FAILING and one["phase"] == "rebuilding")
    record_property(f"{release}: seconds of work until the rebuild runs", running["worked"])
    assert list(steps) == [
        "verify",
        "announce",
        "locate",
        "remove",
        "insert",
        "copy",
        "rebuild",
        "check",
    ]
