"""Machines that run here, whoever started them: each has left word of how to reach it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bed.environment import ROOT
from tests.vm.images import CACHE
from tests.vm.wire import VmError, qmp

MACHINES = CACHE / "machines"
# Short, since the path of a socket has 107 characters at most (unix(7)); this checkout's alone.
SOCKETS = Path("/run/servertechnik-vm") / hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
_WORD = "machine.json"


@dataclass(frozen=True)
class Found:
    """How to reach a machine, and whether it ends with the process that started it."""

    name: str
    release: str
    port: int
    pid: int
    networks: Sequence[str]
    tied: bool

    @property
    def folder(self) -> Path:
        """Where its disks are, its log and its key."""
        return MACHINES / self.name

    @property
    def sockets(self) -> Path:
        """Where it is spoken to."""
        return SOCKETS / self.name

    def leave_word(self) -> None:
        """Have it found by others."""
        (self.folder / _WORD).write_text(json.dumps(asdict(self)))

    @property
    def runs(self) -> bool:
        """Whether its process is there, and is QEMU with that name."""
        with suppress(OSError):
            words = Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")
            return f"path={self.sockets}/agent".encode() in b",".join(words).split(b",")
        return False

    def forget(self) -> None:
        """Remove what is left of a machine that has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def end(self) -> None:
        """Cut its power, and forget it.

        Raises:
            VmError: the process that started it still holds it.
        """
        if self.tied:
            raise VmError(f"{self.name}: it ends with the tests that started it")
        with qmp(self.sockets / "qmp") as connection:
            connection("quit")
        self.forget()


def running() -> list[Found]:
    """All that run, by name."""
    words = (json.loads(path.read_text()) for path in sorted(MACHINES.glob(f"*/{_WORD}")))
    return [one for word in words if (one := Found(**word)).runs]


def find(name: str) -> Found:
    """The one of that name.

    Raises:
        VmError: none runs.
    """
    for one in running():
        if one.name == name:
            return one
    raise VmError(f"{name}: no such machine; `tests/vm/vm list` shows those that run")
