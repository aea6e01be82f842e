# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""From one disk to an encrypted mirror that starts from either of its disks, BIOS and EFI."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest_hosts import RELEASES, Fleet, Results, Task
from tests.vm.conftest import Machines, Reached, skip_if_emulated
from tests.vm.machine import Machine
from tests.vm.qemu import Firmware

Saw = Callable[[str, object], None]

FIRMWARE: dict[str, Firmware] = {"bookworm": "bios", "trixie": "efi"}
DISKS = ("SER001", "SER002")
PHRASE = "not a secret, just a test"
PATIENCE = 900.0
# Two disks alike: what either firmware reads, /boot, and an encrypted root.
BUILD = f"""
cd /dev/disk/by-id
for disk in {" ".join(DISKS)}; do
  sfdisk --quiet virtio-$disk <<'END'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=64MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
size=256MiB, type=A19D880F-05FC-4D3B-A006-743F0F84911E
type=A19D880F-05FC-4D3B-A006-743F0F84911E
END
done
udevadm settle
make() {{
  mdadm --create --quiet --run --homehost=any --name="$1" --level=1 --raid-devices=2 \\
    --assume-clean --bitmap=none --metadata="$3" "/dev/md/$1" virtio-SER00?-part"$2"
}}
make efi 2 1.0
make boot 3 1.2
make system 4 1.2
cheap="--pbkdf pbkdf2 --pbkdf-force-iterations 1000"
printf %s {PHRASE!r} | cryptsetup luksFormat --batch-mode $cheap /dev/md/system -
printf %s {PHRASE!r} | cryptsetup open --key-file=- /dev/md/system root
mkfs.ext4 -q /dev/mapper/root
mkfs.ext4 -q /dev/md/boot
mkfs.vfat /dev/md/efi >/dev/null
"""
MOUNTS = {"/": "/dev/mapper/root", "/boot": "/dev/md/boot", "/boot/efi": "/dev/md/efi"}
MOVE: Task = {
    "name": "move",
    "servertechnik.core.system_move": {
        "file_systems": [{"mount": mount, "device": device} for mount, device in MOUNTS.items()],
        # A clone with EFI hasn't met it yet.
        "firmware": "{{ firmware }}",
    },
}
# What a technician would notice last: the second disk of a mirror doesn't start.
DAMAGE = """
if test -d /sys/firmware/efi; then
  number=$(efibootmgr | sed -n 's/^Boot\\(....\\)\\*.*SER002.*/\\1/p')
  efibootmgr --quiet --delete-bootnum --bootnum "$number"
else
  dd if=/dev/zero of=/dev/disk/by-id/virtio-SER002 bs=440 count=1 conv=fsync
fi
"""


class Booted(Reached):
    """A machine whose firmware Ansible knows."""

    @property
    def variables(self) -> dict[str, Any]:
        """How to reach it, and what it is started by."""
        return {**super().variables, "firmware": self.machine.spec.firmware}


@dataclass(frozen=True)
class Scene:
    """A machine of each release, and what Ansible has said as they moved."""

    machines: dict[str, Machine]
    fleet: Fleet
    results: Results
    took: float


def unlock(machine: Machine) -> None:
    """Answer the machine when it asks for its passphrase, and wait until it is there."""
    deadline = time.monotonic() + PATIENCE
    while "unlock disk root" not in machine.console:
        assert time.monotonic() < deadline, machine.console[-3000:]
        time.sleep(0.5)
    machine.type(f"{PHRASE}\n")
    machine.wait(PATIENCE)


def boot(scene: Scene, *disks: str) -> float:
    """Have all machines start by their firmware with these disks alone; seconds until SSH."""
    began = time.monotonic()
    # Not in the pool: a machine ends with the thread that started it.
    for machine in scene.machines.values():
        machine.cut()
        machine.start(disks, boot=disks)
    with ThreadPoolExecutor() as pool:
        list(pool.map(unlock, scene.machines.values()))
    return time.monotonic() - began


@pytest.fixture(scope="module")
def scene(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Systems that have moved onto their mirrors, and still run where they were."""
    skip_if_emulated(15)
    specs = [
        machines.spec(release, disks=dict.fromkeys(DISKS, "2G"), firmware=firmware)
        for release, firmware in FIRMWARE.items()
    ]
    started = machines.start(*specs)
    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda machine: machine.sh(BUILD, timeout=PATIENCE), started))
    fleet = Fleet([Booted.of(machine) for machine in started], tmp_path_factory.mktemp("boot"))
    # Without hardware virtualisation a login alone takes some seconds.
    fleet.environ = {"ANSIBLE_TIMEOUT": "60"}
    run = fleet.start([MOVE])
    # Longer than a fleet waits; what is said is short enough for a pipe.
    run.wait(2 * PATIENCE)
    results = fleet.results(run)
    by_release = dict(zip(FIRMWARE, started, strict=True))
    return Scene(by_release, fleet, results, time.monotonic() - began)


def test_system_is_brought_over(scene: Scene, release: str, record_property: Saw) -> None:
    move = scene.results[release]["move"]
    assert move.get("state") == "ready", move
    record_property("saw", f"built and moved in {scene.took:.0f} s: {'; '.join(move['steps'])}")
    assert [disk["bootable"] for disk in move["disks"]] == [True, True]


@pytest.fixture(scope="module")
def moved(scene: Scene) -> Scene:
    """The same, started from the mirror by their firmware."""
    assert [scene.results[release]["move"].get("state") for release in RELEASES] == ["ready"] * 2
    boot(scene, *DISKS)
    return scene


def test_it_runs_from_the_mirror(moved: Scene, release: str) -> None:
    machine = moved.machines[release]
    assert machine.sh("findmnt --noheadings --output SOURCE /") == "/dev/mapper/root\n"
    assert machine.sh("cat /proc/mdstat").count("[UU]") == len(MOUNTS)


def test_firmware_is_told_of_both_disks(repaired: Results, release: str) -> None:
    told = repaired[release]["told"]
    assert [disk["bootable"] for disk in told["disks"]] == [True, True], told


@pytest.fixture(scope="module")
def repaired(moved: Scene) -> Results:
    """What was said of one more move, and then of a mirror whose second disk doesn't start."""
    loaders: list[Task] = [
        {"name": name, "servertechnik.core.boot_loader": {}, "check_mode": name == "predicted"}
        for name in ("predicted", "done", "again")
    ]
    damage: Task = {"name": "damage", "ansible.builtin.shell": DAMAGE}
    # Only now is there a firmware that can be told of the disks.
    told: Task = {"name": "told", "servertechnik.core.boot_loader": {}}
    return moved.fleet.play([told, MOVE, damage, *loaders])


def test_moving_once_more_has_nothing_to_do(repaired: Results, release: str) -> None:
    move = repaired[release]["move"]
    assert (move.get("state"), move["changed"]) == ("moved", False), move


def test_disk_that_does_not_start_is_found_and_repaired(repaired: Results, release: str) -> None:
    predicted, done, again = (repaired[release][name] for name in ("predicted", "done", "again"))
    assert [disk["state"] for disk in done["disks"]] == ["current", "installed"], done
    assert (predicted["steps"], predicted["changed"]) == (done["steps"], True)
    assert (again["steps"], again["changed"]) == ([], False)


@pytest.fixture(scope="module", params=reversed(DISKS))
def alone(request: pytest.FixtureRequest, moved: Scene, repaired: Results) -> tuple[str, float]:
    """Started with one disk of the mirror alone; which, and in how many seconds."""
    assert repaired
    return request.param, boot(moved, request.param)


def test_it_starts_from_either_disk_alone(
    alone: tuple[str, float], moved: Scene, release: str, record_property: Saw
) -> None:
    disk, took = alone
    record_property("saw", f"both have SSH {took:.0f} s after power came, with {disk} alone")
    machine = moved.machines[release]
    assert machine.sh("findmnt --noheadings --output SOURCE /") == "/dev/mapper/root\n"
    assert machine.sh("cat /proc/mdstat").count("[2/1]") == len(MOUNTS)
