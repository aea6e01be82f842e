"""Networks between machines: each a hub inside a QEMU without a machine, over unix sockets.

A hub, unlike QEMU's multicast sockets, gives no frame back to its sender, which would look like
a second host with the same address.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.vm import qemu
from tests.vm.registry import SOCKETS
from tests.vm.wire import qmp

PLACE = SOCKETS / ".networks"
_LOOSE = "loose"


class Network:
    """A network that machines are linked to, as with cables into one hub."""

    def __init__(self, name: str) -> None:
        """Name the network; it must have been started, here or elsewhere."""
        self.name = name
        self._place = PLACE / name
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, name: str, *, tied: bool = True) -> Network:
        """Start a network; if `tied`, it ends with the calling thread.

        Raises:
            VmError: QEMU refused.
        """
        network = cls(name)
        shutil.rmtree(network._place, ignore_errors=True)
        network._place.mkdir(parents=True)
        log = network._place / "log"
        words = [qemu.QEMU, "-name", name, "-machine", "none", "-nodefaults", "-display", "none"]
        # A hub stops to listen to a port while no other takes frames; this one, which has no other
        # end, always does.
        words += ["-netdev", "hubport,id=open,hubid=0"]
        words += ["-qmp", f"unix:{network._place}/qmp,server=on,wait=off"]
        network._process = qemu.start(words, log, tied=tied)
        qemu.connect(network._process, network._place / "qmp", log).close()
        return network

    @classmethod
    def ensure(cls, name: str) -> Network:
        """The network of that name that `loose` lists, started if it isn't there."""
        there = [network for network in cls.loose() if network.name == name]
        if there:
            return there[0]
        network = cls.start(name, tied=False)
        (network._place / _LOOSE).touch()
        return network

    @classmethod
    def loose(cls) -> list[Network]:
        """Networks that run by themselves, tied to no process."""
        found = []
        for mark in sorted(PLACE.glob(f"*/{_LOOSE}")):
            with suppress(OSError), qmp(mark.with_name("qmp")):
                found.append(cls(mark.parent.name))
        return found

    def plug(self) -> Path:
        """A new socket of the hub, for one link."""
        end = f"p{secrets.token_hex(4)}"
        path = self._place / end
        with qmp(self._place / "qmp") as hub:
            address = {"type": "unix", "path": str(path)}
            hub("netdev_add", type="stream", id=end, server=True, addr=address)
            hub("netdev_add", type="hubport", id=f"hub-{end}", hubid=0, netdev=end)
        return path

    def end(self) -> None:
        """End the network; links keep their carrier, but what is sent gets nowhere."""
        with qmp(self._place / "qmp") as hub:
            hub("quit")
        if self._process:
            self._process.wait()
        shutil.rmtree(self._place, ignore_errors=True)
