"""Saved states: a machine of each release that has just started, kept until anything differs.

Machines are clones of it. What makes them differ is plugged in when they run, and `vm-enrol`
gives each an identity of its own.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bed.environment import locked
from tests.vm import images, qemu
from tests.vm.images import CACHE, Image
from tests.vm.wire import Agent, Qmp, VmError

# Two cores, and other tests beside this one.
BOOT = 240.0
# Read once, so that each clone finds it in its memory.
_WARM = """
systemctl is-system-running --wait
python3 -c 'import base64, json, subprocess, tempfile, zipfile'
su --login technician --command true
sync
"""


@dataclass(frozen=True)
class State:
    """A saved state, in a folder named after everything it depends on."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The root disk as it was when the state was saved."""
        return self.folder / "root.qcow2"

    @property
    def memory(self) -> Path:
        """All the rest."""
        return self.folder / "memory"


def ensure(release: str) -> State:
    """The saved state of that release, made if it isn't there: one start of a machine.

    Raises:
        BedError: its image can't be built.
        VmError: it didn't come up; the text ends with what its console said.
    """
    image = images.ensure(release)
    accelerated = qemu.accelerator(image)
    state = State(CACHE / "states" / f"{release}-{_key(image, accelerated)}")
    with locked(f"vm-state-{release}"):
        if not state.folder.exists():
            began = time.monotonic()
            print(f"vm: starting {release} for the first time", file=sys.stderr)
            # Machines that run may be clones of the one before.
            there = sorted(
                state.folder.parent.glob(f"{release}-*"), key=lambda old: old.stat().st_mtime
            )
            for old in there[:-1]:
                shutil.rmtree(old)
            _make(image, state.folder, accelerated)
            print(f"vm: it took {time.monotonic() - began:.0f} s", file=sys.stderr)
    return state


def _key(image: Image, accelerated: list[str]) -> str:
    same = Path("/same")
    words = qemu.command(same / "disk", same, 0, accelerated)
    words += qemu.boot_words(image, same / "disk")
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "flags" in line][:1]
    parts = [qemu.version(), *words, *cpu, Path(__file__).read_text()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _make(image: Image, folder: Path, accelerated: list[str]) -> None:
    """Start a machine, wait for the end of its start, and write down what it is."""
    candidate = State(folder.with_suffix(".new"))
    shutil.rmtree(candidate.folder, ignore_errors=True)
    candidate.folder.mkdir(parents=True)
    qemu.overlay(image.disk, candidate.disk, "raw")
    with tempfile.TemporaryDirectory(prefix="vm-") as sockets:
        place, log = Path(sockets), candidate.folder / "qemu.log"
        words = qemu.command(candidate.disk, place, 0, accelerated)
        words += qemu.boot_words(image, candidate.disk)
        process = qemu.start(words, log, tied=True)
        qmp = qemu.connect(process, place / "qmp", log)
        agent = Agent(place / "agent")
        try:
            agent.wait(BOOT)
            _warm(agent)
            qmp("stop")
            qmp("migrate", uri=f"exec:cat >{candidate.memory}")
            _written(qmp)
        except VmError as error:
            console = (candidate.folder / "console.log").read_text(errors="replace")
            raise VmError(f"{folder.name}: {error}\n{console[-3000:]}") from error
        finally:
            qmp("quit")
            process.wait()
    candidate.folder.rename(folder)


def _warm(agent: Agent) -> None:
    done = agent.run("/bin/sh", "-c", _WARM, timeout=BOOT)
    if done.out.strip() != "running":
        failed = agent.run("systemctl", "--failed", "--no-legend").out
        raise VmError(f"it is {done.out.strip()}: {failed}{done.err}")


def _written(qmp: Qmp) -> None:
    while (told := qmp("query-migrate"))["status"] not in ("completed", "failed"):
        time.sleep(0.1)
    if told["status"] == "failed":
        raise VmError(f"its state can't be saved: {told.get('error-desc')}")
