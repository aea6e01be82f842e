"""One virtual machine: started from a saved state or from nothing, reached with SSH and without.

Whoever starts a machine ends it too: the kernel kills QEMU when the thread that started it is
gone (unless `tied` is off), so no machine is left over.
"""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tests.bed.environment import run
from tests.vm import devices, enrolment, images, qemu, states
from tests.vm.devices import Disk
from tests.vm.registry import MACHINES, SOCKETS, Found, running
from tests.vm.spec import Spec
from tests.vm.wire import Agent, VmError

Failing = Literal["read", "write"]

_PATIENCE = 30.0


class Machine:
    """A machine that runs, or stands without power.

    Its links are `eno2`, `eno3` … in the order of its networks; `eno1` is the way in for SSH. A
    disk is `/dev/disk/by-id/virtio-SERIAL`, `…/nvme-QEMU_NVMe_Ctrl_SERIAL` or
    `…/ata-QEMU_HARDDISK_SERIAL`.
    """

    def __init__(self, spec: Spec, *, tied: bool = True) -> None:
        """Start the machine; `wait` returns when it is there.

        Raises:
            BedError: its image can't be built.
            VmError: one of that name runs, or it can't be started.
        """
        if any(one.name == spec.name for one in running()):
            raise VmError(f"{spec.name}: a machine of that name runs already")
        self.spec = spec
        self.name = spec.name
        self.folder = MACHINES / spec.name
        self._sockets = SOCKETS / spec.name
        self._image = images.ensure(spec.release)
        self._tied = tied
        self._enrolled = False
        state = states.ensure(spec.release) if spec.cloned else None
        for folder in (self.folder, self._sockets):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        self._root = self.folder / "root.qcow2"
        below, form = (state.disk, "qcow2") if state else (self._image.disk, "raw")
        qemu.overlay(below, self._root, form)
        if spec.firmware == "efi":
            qemu.make_variables(self._root)
        # What is plugged in at which slot, in this order; it is there again after a power cut.
        self._slots: dict[str, str] = {}
        # All disks that there are, in the machine or pulled out of it.
        self._disks = {serial: Disk.of(disk) for serial, disk in spec.disks.items()}
        self.port = _free_port()
        links = [f"eno{number}" for number in range(2, len(spec.networks) + 2)]
        self._networks = dict(zip(links, spec.networks, strict=True))
        for device in (*links, *spec.disks):
            self._take_slot(device)
        for serial, disk in self._disks.items():
            self.make_disk(serial, disk.size)
        self._start(state)

    def wait(self, timeout: float = states.BOOT, *, ssh: bool = True) -> None:
        """Wait until the machine has started, sees what is plugged in, and answers to SSH.

        Raises:
            VmError: not within `timeout` seconds; the text ends with the console's last lines.
        """
        deadline = time.monotonic() + timeout
        try:
            self.agent.wait(timeout)
            if not self._enrolled:
                enrolment.enrol(self.agent, self.name, self.known_hosts)
                self._enrolled = True
            ready = "systemctl is-system-running --wait >/dev/null || true; " + "".join(
                f"until test -e {self._path(device)}; do sleep 0.1; done; "
                for device in self._slots
            )
            self.agent.run("/bin/sh", "-c", ready, timeout=deadline - time.monotonic())
            while ssh and not self.answers():
                _in_time(deadline, "SSH doesn't answer")
                time.sleep(0.1)
        except VmError as error:
            raise VmError(f"{self.name}: {error}\n{self.console[-3000:]}") from error

    def sh(self, script: str, *, check: bool = True, timeout: float = 120.0) -> str:
        """Run a shell script as root, network or not; what it prints.

        Raises:
            VmError: it failed and `check` is set, or didn't end within `timeout` seconds.
        """
        done = self.agent.run("/bin/sh", "-euc", script, timeout=timeout)
        if check and done.status:
            raise VmError(f"{self.name}: {script}\n({done.status}) {done.out}{done.err}")
        return done.out

    def answers(self) -> bool:
        """Whether SSH answers just now, at the forwarded port of loopback."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.settimeout(2)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    @property
    def pid(self) -> int:
        """The process that the machine is."""
        return self._process.pid

    @property
    def known_hosts(self) -> Path:
        """The file that has the machine's own key, under its name."""
        return self.folder / "known_hosts"

    @property
    def console(self) -> str:
        """Everything that the machine has said on its serial line."""
        return (self.folder / "console.log").read_text(errors="replace")

    def make_disk(self, serial: str, size: str) -> Path:
        """Make a blank disk of that size (`10G`), or blank the one there is; where it is kept."""
        path = self.folder / f"{serial}.img"
        path.unlink(missing_ok=True)
        run("qemu-img", "create", "-q", "-f", "raw", path, size)
        return path

    def plug(self, serial: str, disk: str | Disk = "") -> None:
        """Plug a new disk into the running machine, and wait until it is seen.

        Without a size it is one that was pulled out, with all that is on it.

        Raises:
            VmError: there is no slot left, no such disk, or it can't be plugged in at run time.
        """
        if disk:
            self._disks[serial] = Disk.of(disk)
            self.make_disk(serial, self._disks[serial].size)
        if serial not in self._disks:
            raise VmError(f"{self.name}: no disk {serial} was pulled; a new one needs a size")
        self._take_slot(serial)
        self._do(self._parts(serial))
        self.sh(f"until test -e {self._path(serial)}; do sleep 0.1; done", timeout=_PATIENCE)

    def pull(self, serial: str) -> None:
        """Pull a disk out of the running machine; what is on it stays in its file."""
        name = devices.device_name(serial)
        self.qmp("device_del", id=name)
        self.qmp.event("DEVICE_DELETED", _PATIENCE, device=name)
        self.heal(serial)
        for node in ("node", "file"):
            self.qmp("blockdev-del", node_name=f"{node}-{serial}")
        del self._slots[serial]

    def fail(self, serial: str, what: Failing, sectors: Sequence[int] = ()) -> None:
        """Have every read or write of a disk fail, or those of some sectors (of 512 bytes).

        It ends with `heal`, another `fail`, or when the disk or the power goes.
        """
        self.heal(serial)
        self._do(devices.failing_parts(serial, what, sectors))
        self._failing.add(serial)

    def heal(self, serial: str) -> None:
        """Have no read or write of a disk fail any more."""
        if serial in self._failing:
            self._do(devices.healing_parts(serial))
            self._failing.remove(serial)

    def carrier(self, link: str, *, up: bool) -> None:
        """Give a link its carrier, or take it away, as at the other end of the cable."""
        self.qmp("set_link", name=devices.device_name(link), up=up)

    def type(self, text: str) -> None:
        """Type on the serial line."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self._sockets / "console"))
            line.sendall(text.encode())

    def reset(self) -> None:
        """Press the reset button; `wait` returns when the machine has started again."""
        self.qmp("system_reset")
        self.restarted()

    def restarted(self, timeout: float = _PATIENCE) -> None:
        """Wait until the machine, by itself, goes down and begins to start again.

        Raises:
            TimeoutError: it didn't within `timeout` seconds.
        """
        self.qmp.event("RESET", timeout)

    def cut(self) -> None:
        """Cut the power: what the machine hadn't written to its disks is gone."""
        self.qmp("quit")
        self._process.wait()
        self.qmp.close()
        self.agent.close()

    def start(self, disks: Sequence[str] | None = None, *, boot: Sequence[str] = ()) -> None:
        """Give power again after `cut`; `wait` returns when the machine is there.

        With `disks` it has these alone, others being pulled. With `boot` its firmware boots from
        these disks, in that order: the disk and the kernel that it came with are gone.
        """
        if disks is not None:
            for serial in [one for one in self._slots if one in self._disks]:
                del self._slots[serial]
            for serial in disks:
                self._take_slot(serial)
        self._start(None, boot)

    def end(self) -> None:
        """End the machine for good, and forget its disks."""
        if self._process.poll() is None:
            self.cut()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _start(self, state: states.State | None, boot: Sequence[str] = ()) -> None:
        self._failing: set[str] = set()
        accelerated = qemu.accelerator(self._image)
        words = qemu.command(self._root, self._sockets, self.port, accelerated)
        words += [] if boot else qemu.boot_words(self._image, self._root)
        met = boot or not self.spec.cloned
        words += qemu.firmware_words(self.spec.firmware if met else "bios", self._root)
        parts = [part for device in self._slots for part in self._parts(device, boot)]
        later = ["-incoming", f"exec:cat {state.memory}"] if state else devices.words(parts)
        log = self.folder / "qemu.log"
        self._process = qemu.start([*words, "-S", *later], log, tied=self._tied)
        self.qmp = qemu.connect(self._process, self._sockets / "qmp", log)
        while state and self.qmp("query-migrate").get("status") != "completed":
            time.sleep(0.02)
        if state:
            self._do(parts)
        self.qmp("cont")
        self.agent = Agent(self._sockets / "agent")
        networks = [network.name for network in self.spec.networks]
        found = Found(self.name, self.spec.release, self.port, self.pid, networks, self._tied)
        found.leave_word()

    def _take_slot(self, device: str) -> None:
        sata = device in self._disks and self._disks[device].kind == "sata"
        there = qemu.SATA if sata else qemu.FREE
        free = [slot for slot in there if slot not in self._slots.values()]
        if not free:
            raise VmError(f"{self.name}: no slot left for {device}, there are {len(there)}")
        self._slots[device] = free[0]

    def _path(self, device: str) -> str:
        disk = self._disks.get(device)
        return disk.link(device) if disk else f"/sys/class/net/{device}"

    def _parts(self, device: str, boot: Sequence[str] = ()) -> list[devices.Part]:
        slot, disk = self._slots[device], self._disks.get(device)
        if not disk:
            return devices.link_parts(self.name, device, self._networks[device].plug(), slot)
        order = boot.index(device) if device in boot else None
        return disk.parts(device, self.folder / f"{device}.img", slot, order)

    def _do(self, parts: Sequence[devices.Part]) -> None:
        for command, given in parts:
            self.qmp(command, **given)


def _in_time(deadline: float, problem: str) -> None:
    if time.monotonic() > deadline:
        raise VmError(problem)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
