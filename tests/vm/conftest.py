# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Virtual machines for tests: made when asked for, gone with the test module, heard when it fails.

@pytest.fixture(scope="module")
def pair(machines: Machines) -> list[Machine]:
    lan = machines.network("lan")
    return machines.start(
        machines.spec("bookworm", "a", disks={"SER001": "2G"}, networks=[lan]),
        machines.spec("trixie", "b", networks=[lan]),
    )
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest_hosts import RELEASES, Host
from tests.vm import images, qemu, states
from tests.vm.devices import Disk
from tests.vm.machine import Machine
from tests.vm.networks import Network
from tests.vm.qemu import Firmware
from tests.vm.spec import Spec

_LINES = 60
_ASKED = "SERVERTECHNIK_VM_DRILLS"
_MADE = pytest.StashKey["Machines"]()


@dataclass(frozen=True)
class Reached(Host):
    """A machine as a host of the fleet: Ansible comes by SSH, tests by the machine's agent."""

    machine: Machine

    @classmethod
    def of(cls, machine: Machine) -> Reached:
        """That machine."""
        spec = machine.spec
        return cls(spec.name, spec.release, "127.0.0.1", str(machine.known_hosts), machine)

    def sh(self, script: str, *, check: bool = True) -> str:
        """Run a shell script as root in the machine, network or not; what it prints."""
        return self.machine.sh(script, check=check)

    @property
    def variables(self) -> dict[str, Any]:
        """How Ansible reaches the machine, as a technician does."""
        return {**super().variables, "ansible_port": self.machine.port}


class Machines:
    """Makes machines and networks with names that are one test module's alone."""

    def __init__(self, prefix: str, stack: ExitStack) -> None:
        """Have everything end with `stack`."""
        self._prefix = prefix
        self._stack = stack
        self.all: list[Machine] = []

    def network(self, name: str) -> Network:
        """Start a network."""
        network = Network.start(f"{self._prefix}-{name}")
        self._stack.callback(network.end)
        return network

    def spec(
        self,
        release: str,
        name: str = "",
        *,
        disks: Mapping[str, str | Disk] | None = None,
        networks: Sequence[Network] = (),
        saved: bool = True,
        firmware: Firmware = "bios",
    ) -> Spec:
        """A machine of that release; `saved` off has it start from nothing."""
        whole = f"{self._prefix}-{name or release}"
        return Spec(whole, release, disks or {}, networks, saved, firmware)

    def start(self, *specs: Spec) -> list[Machine]:
        """Start machines, and wait for all of them side by side."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(states.ensure, {spec.release for spec in specs if spec.cloned}))
            # Not in the pool: a machine ends with the thread that started it.
            started = [self._start(spec) for spec in specs]
            list(pool.map(Machine.wait, started))
        return started

    def _start(self, spec: Spec) -> Machine:
        machine = Machine(spec)
        self._stack.callback(machine.end)
        self.all.append(machine)
        return machine


@pytest.fixture(scope="module")
def machines(request: pytest.FixtureRequest) -> Iterator[Machines]:
    """Machines of this test module alone; gone when it ends."""
    module = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    with ExitStack() as stack:
        made = Machines(f"test-{module}{worker}", stack)
        request.node.stash[_MADE] = made
        yield made


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Each Debian release in turn."""
    return str(request.param)


def skip_if_emulated(minutes: int) -> None:
    """Skip what takes that long in emulated machines, unless it is asked for."""
    if _ASKED not in os.environ and "kvm" not in " ".join(
        qemu.accelerator(images.ensure("trixie"))
    ):
        pytest.skip(f"emulated machines take {minutes} minutes for it; {_ASKED}=1 runs it")


def reaches(machine: Machine, address: str) -> bool:
    """Whether the machine comes as far as SSH at that address."""
    ask = f"timeout 5 bash -c 'read -rN4 word </dev/tcp/{address}/22; echo $word'"
    return machine.sh(ask, check=False) == "SSH-\n"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the consoles of the module's machines with a test that fails."""
    report = yield
    module = item.getparent(pytest.Module)
    made = module.stash.get(_MADE, None) if module else None
    if report.failed and made:
        for machine in made.all:
            lines = machine.console.splitlines()[-_LINES:]
            report.sections.append((f"console of {machine.name}", "\n".join(lines)))
    return report
