# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""From one disk to an encrypted mirror that starts from either of its disks, BIOS and EFI."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest_hosts import RELEASES, Fleet, Task
from tests.vm.conftest import Machines, Reached, skip_if_emulated
from tests.vm.machine import Machine
from tests.vm.qemu import Firmware

Saw = Callable[[str, object], None]

FIRMWARE: dict[str, Firmware] = {"bookworm": "bios", "trixie": "efi"}
DISKS = ("SER001", "SER002")
PHRASE = "not a secret, just a test"
PATIENCE = 900.0
# Two disks alike: what firmware reads, /boot, and an encrypted root.
AREA = {
    "bios": "size=1MiB, type=21686148-6449-6E6F-744E-656564454649",
    "efi": "size=64MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
}
ESP = """
mdadm --create --quiet --run --homehost=any --name=efi /dev/md/efi \
  --level=1 --raid-devices=2 --metadata=1.0 --assume-clean virtio-SER00?-part1
apt-get -qq --yes install dosfstools >/dev/null
mkfs.vfat /dev/md/efi >/dev/null
"""
BUILD = """
cd /dev/disk/by-id
for disk in {disks}; do
  sfdisk --quiet virtio-$disk <<'END'
label: gpt
{area}
size=256MiB, type=A19D880F-05FC-4D3B-A006-743F0F84911E
type=A19D880F-05FC-4D3B-A006-743F0F84911E
END
done
udevadm settle
mdadm --create --quiet --run --homehost=any --name=boot /dev/md/boot \
  --level=1 --raid-devices=2 --bitmap=none --assume-clean virtio-SER00?-part2
mdadm --create --quiet --run --homehost=any --name=system /dev/md/system \
  --level=1 --raid-devices=2 --bitmap=internal --assume-clean virtio-SER00?-part3
cheap="--pbkdf pbkdf2 --pbkdf-force-iterations 1000"
printf %s {phrase!r} | cryptsetup luksFormat --batch-mode $cheap /dev/md/system -
printf %s {phrase!r} | cryptsetup open --key-file=- /dev/md/system root
mkfs.ext4 -q /dev/mapper/root
mkfs.ext4 -q /dev/md/boot
{esp}
"""
FILE_SYSTEMS = {"/": "/dev/mapper/root", "/boot": "/dev/md/boot"}
# What a technician would notice last: the second disk of a mirror that doesn't start.
DAMAGE = {
    "bios": "dd if=/dev/zero of=/dev/disk/by-id/virtio-SER002 bs=440 count=1 conv=fsync 2>&1",
    "efi": "efibootmgr | sed -n 's/^Boot\\(....\\)\\*.*SER002.*/\\1/p' "
    "| xargs -n1 efibootmgr --quiet --delete-bootnum --bootnum",
}
LOADER: Task = {"name": "loader", "servertechnik.core.boot_loader": {}}


@dataclass(frozen=True)
class Scene:
    """A machine of each release, and what Ansible has said as they moved."""

    machines: dict[str, Machine]
    fleet: Fleet
    moves: dict[str, Any]
    took: float


def build(machine: Machine) -> None:
    """Make the mirror, and what is on it, on the machine's blank disks."""
    firmware = machine.spec.firmware
    esp = ESP if firmware == "efi" else ""
    script = BUILD.format(disks=" ".join(DISKS), area=AREA[firmware], phrase=PHRASE, esp=esp)
    machine.sh(script, timeout=PATIENCE)


def tasks(firmware: str) -> list[Task]:
    """Move the system onto it."""
    mounts = FILE_SYSTEMS | ({"/boot/efi": "/dev/md/efi"} if firmware == "efi" else {})
    onto = [{"mount": mount, "device": device} for mount, device in mounts.items()]
    return [
        {"name": "rsync", "ansible.builtin.apt": {"name": "rsync"}},
        {"name": "move", "servertechnik.core.system_move": {"file_systems": onto}},
    ]


def boot(machine: Machine, disks: Sequence[str]) -> None:
    """Have the machine start by its firmware with these disks alone, and unlock its root."""
    machine.cut()
    machine.start(disks, boot=disks)
    deadline = time.monotonic() + PATIENCE
    while "unlock disk root" not in machine.console:
        assert time.monotonic() < deadline, machine.console[-3000:]
        time.sleep(0.5)
    machine.type(f"{PHRASE}\n")
    machine.wait(PATIENCE)


@pytest.fixture(scope="module")
def scene(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Systems that have moved onto their mirrors, and still run where they were."""
    skip_if_emulated(15)
    specs = [
        machines.spec(release, disks=dict.fromkeys(DISKS, "2G"), firmware=firmware)
        for release, firmware in FIRMWARE.items()
    ]
    started = dict(zip(FIRMWARE, machines.start(*specs), strict=True))
    began = time.monotonic()
    folder = tmp_path_factory.mktemp("boot")

    def move(release: str) -> Any:
        machine = started[release]
        build(machine)
        fleet = fleet_of([machine], folder / release)
        return fleet.play(tasks(machine.spec.firmware))[release]

    with ThreadPoolExecutor() as pool:
        moves = dict(zip(started, pool.map(move, started), strict=True))
    took = time.monotonic() - began
    return Scene(started, fleet_of(list(started.values()), folder / "both"), moves, took)


def fleet_of(started: Sequence[Machine], folder: Path) -> Fleet:
    """These machines as hosts of Ansible's."""
    folder.mkdir()
    fleet = Fleet([Reached.of(machine) for machine in started], folder)
    fleet.environ = {"ANSIBLE_TIMEOUT": "60"}
    return fleet


def test_system_is_brought_over(scene: Scene, release: str, record_property: Saw) -> None:
    move = scene.moves[release]["move"]
    record_property("saw", f"built and moved in {scene.took:.0f} s: {'; '.join(move['steps'])}")
    assert move.get("state") == "ready", move
    assert [disk["bootable"] for disk in move["disks"]] == [True, True]


@pytest.fixture(scope="module")
def moved(scene: Scene) -> Scene:
    """The same, started from the mirror by their firmware."""
    for release, move in scene.moves.items():
        assert move["move"].get("state") == "ready", (release, move)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda machine: boot(machine, DISKS), scene.machines.values()))
    return scene


def test_it_runs_from_the_mirror(moved: Scene, release: str) -> None:
    machine = moved.machines[release]
    assert machine.sh("findmnt --noheadings --output SOURCE /") == "/dev/mapper/root\n"
    assert machine.sh("lsblk --noheadings --output NAME,TYPE /dev/md/system | head -1").endswith(
        "raid1\n"
    )


def test_moving_once_more_has_nothing_to_do(moved: Scene) -> None:
    for release, firmware in FIRMWARE.items():
        machine = moved.machines[release]
        fleet = fleet_of([machine], moved.fleet.folder / release)
        move = fleet.play(tasks(firmware)[1:])[release]["move"]
        assert (move.get("state"), move["changed"]) == ("moved", False), move


@pytest.fixture(scope="module")
def repaired(moved: Scene) -> dict[str, list[dict[str, Any]]]:
    """What was said of a mirror whose second disk doesn't start: check, run, and run again."""
    for machine in moved.machines.values():
        machine.sh(DAMAGE[machine.spec.firmware])
    plays = [moved.fleet.play([LOADER], *words) for words in (["--check"], [], [])]
    return {release: [play[release]["loader"] for play in plays] for release in RELEASES}


def test_disk_that_does_not_start_is_found_and_repaired(
    repaired: dict[str, list[dict[str, Any]]], release: str
) -> None:
    predicted, done, again = repaired[release]
    assert [disk["state"] for disk in done["disks"]] == ["current", "installed"], done
    assert (predicted["steps"], predicted["changed"]) == (done["steps"], True)
    assert (again["steps"], again["changed"]) == ([], False)


@pytest.mark.usefixtures("repaired")
@pytest.mark.parametrize("disk", reversed(DISKS))
def test_it_starts_from_either_disk_alone(moved: Scene, disk: str, record_property: Saw) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda machine: boot(machine, [disk]), moved.machines.values()))
    record_property("saw", f"both have SSH {time.monotonic() - began:.0f} s after power came")
    for machine in moved.machines.values():
        assert machine.sh("findmnt --noheadings --output SOURCE /") == "/dev/mapper/root\n"
        assert "[2/1]" in machine.sh("cat /proc/mdstat")
