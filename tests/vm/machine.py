"""One virtual machine: started from a saved state or from nothing, reached with SSH and without.

Whoever starts a machine ends it too: the kernel kills QEMU when the thread that started it is
gone (unless `tied` is off), so no machine is left over.
"""

from __future__ import annotations

import hashlib
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bed.environment import run
from tests.vm import enrolment, images, qemu, states
from tests.vm.networks import Network
from tests.vm.registry import MACHINES, SOCKETS, Found, running
from tests.vm.wire import Agent, VmError

_PATIENCE = 30.0


@dataclass(frozen=True)
class Spec:
    """A machine that is wanted: its disks, serial and size, and its links, one network each."""

    name: str
    release: str
    disks: Mapping[str, str] = field(default_factory=dict)
    networks: Sequence[Network] = ()
    saved: bool = True


class Machine:
    """A machine that runs, or stands without power.

    Its links are `eno2`, `eno3` … in the order of its networks; `eno1` is the way in for SSH. Its
    disks are `/dev/disk/by-id/virtio-SERIAL`.
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
        state = states.ensure(spec.release) if spec.saved else None
        for folder in (self.folder, self._sockets):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        self._root = self.folder / "root.qcow2"
        below, form = (state.disk, "qcow2") if state else (self._image.disk, "raw")
        qemu.overlay(below, self._root, form)
        # What is plugged in at which slot, in this order; it is there again after a power cut.
        self._slots: dict[str, str] = {}
        self.port = _free_port()
        links = [f"eno{number}" for number in range(2, len(spec.networks) + 2)]
        self._networks = dict(zip(links, spec.networks, strict=True))
        for device in (*links, *spec.disks):
            self._take_slot(device)
        for serial, size in spec.disks.items():
            self.make_disk(serial, size)
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
            devices = [self._path(device) for device in self._slots]
            ready = "systemctl is-system-running --wait >/dev/null || true; " + "".join(
                f"until test -e {path}; do sleep 0.1; done; " for path in devices
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

    def plug(self, serial: str, size: str) -> None:
        """Plug a new disk into the running machine, and wait until it is seen.

        Raises:
            VmError: there is no slot left.
        """
        self.make_disk(serial, size)
        self._take_slot(serial)
        self._plug(serial)
        self.sh(f"until test -e {self._path(serial)}; do sleep 0.1; done", timeout=_PATIENCE)

    def pull(self, serial: str) -> None:
        """Pull a disk out of the running machine; what is on it stays in its file."""
        self.qmp("device_del", id=_device(serial))
        self.qmp.event("DEVICE_DELETED", _PATIENCE, device=_device(serial))
        self.qmp("blockdev-del", node_name=f"node-{serial}")
        del self._slots[serial]

    def carrier(self, link: str, *, up: bool) -> None:
        """Give a link its carrier, or take it away, as at the other end of the cable."""
        self.qmp("set_link", name=_device(link), up=up)

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

    def start(self) -> None:
        """Give power again after `cut`; `wait` returns when the machine is there."""
        self._start(None)

    def end(self) -> None:
        """End the machine for good, and forget its disks."""
        if self._process.poll() is None:
            self.cut()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _start(self, state: states.State | None) -> None:
        accelerated = qemu.accelerator(self._image)
        words = qemu.command(self._image, self._root, self._sockets, self.port, accelerated)
        log = self.folder / "qemu.log"
        later = ["-incoming", f"exec:cat {state.memory}"] if state else []
        self._process = qemu.start([*words, "-S", *later], log, tied=self._tied)
        self.qmp = qemu.connect(self._process, self._sockets / "qmp", log)
        while state and self.qmp("query-migrate").get("status") != "completed":
            time.sleep(0.02)
        for device in self._slots:
            self._plug(device)
        self.qmp("cont")
        self.agent = Agent(self._sockets / "agent")
        networks = [network.name for network in self.spec.networks]
        found = Found(self.name, self.spec.release, self.port, self.pid, networks, self._tied)
        found.leave_word()

    def _take_slot(self, device: str) -> None:
        free = [slot for slot in qemu.FREE if slot not in self._slots.values()]
        if not free:
            raise VmError(f"{self.name}: no slot left for {device}, there are {len(qemu.FREE)}")
        self._slots[device] = free[0]

    def _path(self, device: str) -> str:
        linked = device in self._networks
        return f"/sys/class/net/{device}" if linked else f"/dev/disk/by-id/virtio-{device}"

    def _plug(self, device: str) -> None:
        where = {"id": _device(device), "bus": self._slots[device]}
        if device in self._networks:
            digits = hashlib.sha256(f"{self.name} {device}".encode()).hexdigest()
            address = ":".join(["02", *(digits[at : at + 2] for at in range(0, 10, 2))])
            end = {"type": "unix", "path": str(self._networks[device].plug())}
            self.qmp("netdev_add", type="stream", id=f"net-{device}", server=False, addr=end)
            nic = {"driver": "virtio-net-pci", "mac": address, "romfile": "", **where}
            self.qmp("device_add", netdev=f"net-{device}", acpi_index=int(device[3:]), **nic)
        else:
            node = f"node-{device}"
            file = {"driver": "file", "filename": str(self.folder / f"{device}.img")}
            self.qmp("blockdev-add", driver="raw", node_name=node, discard="unmap", file=file)
            self.qmp("device_add", driver="virtio-blk-pci", drive=node, serial=device, **where)


def _in_time(deadline: float, problem: str) -> None:
    if time.monotonic() > deadline:
        raise VmError(problem)


def _device(name: str) -> str:
    return f"plugged-{name}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
