# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Machines are like servers: disks and links come and go, and the power may fail."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.conftest_hosts import RELEASES
from tests.vm.conftest import Machines, reaches
from tests.vm.devices import Disk
from tests.vm.enrolment import ssh_words
from tests.vm.machine import Machine
from tests.vm.registry import MACHINES
from tests.vm.wire import VmError

SERIAL = "SER001"
BY_ID = "/dev/disk/by-id/virtio-"

Pair = dict[str, Machine]
Saw = Callable[[str, object], None]


@pytest.fixture(scope="module")
def pair(machines: Machines) -> Pair:
    """A machine of each release, from saved states, on one network."""
    lan = machines.network("lan")
    specs = [machines.spec(one, disks={SERIAL: "64M"}, networks=[lan]) for one in RELEASES]
    pair = dict(zip(RELEASES, machines.start(*specs), strict=True))
    for number, machine in enumerate(pair.values(), 1):
        machine.sh(f"ip link set eno2 up; ip address add 198.51.100.{number}/24 dev eno2")
    return pair


@pytest.fixture
def machine(pair: Pair, release: str) -> Machine:
    return pair[release]


def test_technician_comes_in(machine: Machine) -> None:
    words = [*ssh_words(machine.name, machine.port, machine.known_hosts), "sudo hostname"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == (f"{machine.name}\n", 0), done.stderr


def test_release_is_the_one_asked_for(machine: Machine, release: str) -> None:
    assert f"VERSION_CODENAME={release}" in machine.sh("cat /etc/os-release")


def test_clock_is_right(machine: Machine) -> None:
    before, there = time.time(), float(machine.sh("date +%s.%N"))
    assert before - 10 <= there <= time.time() + 1


@pytest.mark.parametrize(
    "command",
    [
        "hostname",
        "cat /etc/machine-id",
        "cat /etc/ssh/ssh_host_ed25519_key.pub",
        "od -N 9 /dev/urandom",
    ],
)
def test_no_two_machines_share_an_identity(command: str, pair: Pair) -> None:
    assert len({machine.sh(command) for machine in pair.values()}) == len(pair)


def test_script_that_fails_is_told(machine: Machine) -> None:
    with pytest.raises(VmError, match=r"\(3\) no good"):
        machine.sh("echo no good; exit 3")
    assert machine.sh("echo no good; exit 3", check=False) == "no good\n"


def test_link_has_the_carrier_it_is_given(pair: Pair) -> None:
    first, second = pair.values()
    assert reaches(first, "198.51.100.2")
    second.carrier("eno2", up=False)
    second.sh("until grep -q 0 /sys/class/net/eno2/carrier; do sleep 0.1; done")
    assert not reaches(first, "198.51.100.2")
    second.carrier("eno2", up=True)
    second.sh("until grep -q 1 /sys/class/net/eno2/carrier; do sleep 0.1; done")
    assert reaches(first, "198.51.100.2")


def test_disk_is_found_by_its_serial_and_pulled_and_replaced(machine: Machine) -> None:
    size = f"blockdev --getsize64 {BY_ID}"
    assert machine.sh(size + SERIAL) == f"{64 << 20}\n"
    machine.pull(SERIAL)
    machine.sh(f"while test -e {BY_ID}{SERIAL}; do sleep 0.1; done")
    machine.plug("SER002", "32M")
    assert machine.sh(size + "SER002") == f"{32 << 20}\n"


def test_disk_that_was_pulled_comes_back_with_what_is_on_it(machine: Machine) -> None:
    machine.plug("SER003", "32M")
    machine.sh(f"echo kept >{BY_ID}SER003; sync")
    machine.pull("SER003")
    machine.plug("SER003")
    assert machine.sh(f"head -n 1 {BY_ID}SER003") == "kept\n"
    machine.pull("SER003")


def test_disk_fails_where_and_as_long_as_it_is_told_to(machine: Machine) -> None:
    machine.plug("SER004", "32M")
    machine.fail("SER004", "read", [8])
    assert [reads(machine, block) for block in (0, 1, 2)] == [True, False, True]
    machine.fail("SER004", "write")
    assert reads(machine, 1)
    write = f"dd if=/dev/zero of={BY_ID}SER004 bs=4k count=1 oflag=direct"
    with pytest.raises(VmError, match="Input/output error"):
        machine.sh(write)
    machine.heal("SER004")
    machine.sh(write)
    machine.pull("SER004")


def reads(machine: Machine, block: int) -> bool:
    """Whether that block of 4 KiB of the disk can be read."""
    read = f"dd if={BY_ID}SER004 of=/dev/null bs=4k skip={block} count=1 iflag=direct 2>/dev/null"
    return machine.sh(f"{read} && echo read || true") == "read\n"


def test_nvme_disk_is_found_by_its_serial(machine: Machine) -> None:
    disk = Disk("32M", "nvme")
    machine.plug("SER005", disk)
    assert machine.sh(f"blockdev --getsize64 {disk.link('SER005')}") == f"{32 << 20}\n"
    machine.pull("SER005")


@pytest.fixture(scope="module")
def again(pair: Pair) -> float:
    """Both wrote something before their power was cut, and have it again; seconds that took."""
    for machine in pair.values():
        machine.sh(f"echo kept >/root/kept; echo kept >{BY_ID}SER002; sync")
        machine.cut()
    began = time.monotonic()
    for machine in pair.values():
        machine.start()
    for machine in pair.values():
        machine.wait()
    return time.monotonic() - began


def test_power_cut_keeps_what_was_synced(
    again: float, machine: Machine, record_property: Saw
) -> None:
    record_property("saw", f"both have SSH {again:.0f} s after they had power again")
    assert machine.sh(f"cat /root/kept; head -n 1 {BY_ID}SER002") == "kept\nkept\n"


def test_machine_ends_with_who_started_it(machines: Machines) -> None:
    spec = machines.spec("trixie", "orphan")
    script = (
        "import os, signal; from tests.vm.machine import Machine; from tests.vm.spec import Spec; "
        f"print(Machine(Spec({spec.name!r}, {spec.release!r})).pid, flush=True); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    deadline = time.monotonic() + 20
    while runs(done.stdout.strip()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    shutil.rmtree(MACHINES / spec.name)


def runs(pid: str) -> bool:
    """Whether there is such a process, other than one that has ended and waits to be noticed."""
    try:
        return bool(Path("/proc", pid, "cmdline").read_bytes())
    except FileNotFoundError:
        return False
