# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Real hosts of both releases for tests, and Ansible runs on them whose results come as data.

A folder of tests on hosts has a `conftest.py` that imports the fixtures from here. Each test
module gets hosts of its own, so modules may run side by side.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import environment

ROOT = Path(__file__).resolve().parents[1]
BED = str(ROOT / "tests" / "bed" / "bed")
KEY = ROOT / ".cache" / "bed" / "id_ed25519"
RELEASES = ("bookworm", "trixie")

Task = dict[str, Any]
Results = dict[str, dict[str, Any]]


def up(names: Sequence[str]) -> list[Host]:
    """Have hosts, each given as NAME=RELEASE."""
    done = subprocess.run([BED, "up", *names], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    keys = ("name", "release", "address", "known_hosts")
    return [Host(**{key: one[key] for key in keys}) for one in json.loads(done.stdout)]


@dataclass(frozen=True)
class Host:
    """One host of the bed."""

    name: str
    release: str
    address: str
    known_hosts: str

    def sh(self, script: str, *, check: bool = True) -> str:
        """Run a shell script as root at the host's console, SSH or not; return what it prints."""
        words = [BED, "enter", "podman", "exec", "-i", self.name, "sh", "-euc", script]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        assert not check or done.returncode == 0, f"{self.name}: {script}\n{done.stderr}"
        return str(done.stdout)

    @property
    def variables(self) -> dict[str, Any]:
        """How Ansible reaches the host, as a technician does."""
        ssh = {
            "UserKnownHostsFile": self.known_hosts,
            "HostKeyAlias": self.name,
            "IdentitiesOnly": "yes",
        }
        return {
            "ansible_host": self.address,
            "ansible_user": "technician",
            "ansible_become": True,
            "ansible_ssh_private_key_file": str(KEY),
            "ansible_ssh_common_args": " ".join(f"-o {k}={v}" for k, v in ssh.items()),
        }


class Fleet:
    """A host of each release, and playbooks on them."""

    def __init__(self, hosts: Sequence[Host], folder: Path) -> None:
        """Keep playbooks and whatever they need in `folder`."""
        self.hosts = {host.release: host for host in hosts}
        self.folder = folder
        self.plays = 0
        self.strategy = "free"
        self.environ: dict[str, str] = {}
        inventory = {"all": {"hosts": {host.name: host.variables for host in hosts}}}
        (folder / "inventory.json").write_text(json.dumps(inventory))

    def start(
        self, tasks: Sequence[Task], *options: str, environ: dict[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a playbook of these tasks on all hosts; each host goes its own way to the end.

        Tasks go on after a failure: what failed is in the results.
        """
        play = {
            "name": "Test",
            "hosts": "all",
            "gather_facts": False,
            "strategy": self.strategy,
            "ignore_errors": True,
            "tasks": list(tasks),
        }
        self.plays += 1
        playbook = self.folder / f"playbook-{self.plays}.json"
        playbook.write_text(json.dumps([play]))
        variables = {
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_LIBRARY": str(ROOT / "tests" / "hosts" / "library"),
            # Hosts come and go, and so do their addresses.
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.folder / "ssh"),
        }
        words = ["ansible-playbook", "-i", str(self.folder / "inventory.json"), *options]
        return subprocess.Popen(
            [*words, str(playbook)],
            cwd=ROOT,
            env=environment() | variables | self.environ | (environ or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def results(self, started: subprocess.Popen[str]) -> Results:
        """Wait for a playbook; return its results by release and name of the task."""
        out, err = started.communicate(timeout=600)
        start = out.find("{")
        assert start >= 0, f"no results: {out}{err}"
        told = json.loads(out[start:])
        names = {host.name: host.release for host in self.hosts.values()}
        found: Results = {release: {} for release in self.hosts}
        for play in told["plays"]:
            for task in play["tasks"]:
                for name, result in task["hosts"].items():
                    found[names[name]][task["task"]["name"]] = result
        return found

    def play(
        self, tasks: Sequence[Task], *options: str, environ: dict[str, str] | None = None
    ) -> Results:
        """Run these tasks on all hosts; return their results by release and name of the task."""
        return self.results(self.start(tasks, *options, environ=environ))


@pytest.fixture(scope="module")
def fleet(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """Hosts of this test module alone; gone when it ends."""
    module = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    names = [f"test-{module}{worker}-{release}={release}" for release in RELEASES]
    try:
        yield Fleet(up(names), tmp_path_factory.mktemp(module))
    finally:
        subprocess.run([BED, "down", *(name.partition("=")[0] for name in names)], check=True)


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Each Debian release in turn."""
    return str(request.param)


@pytest.fixture
def host(fleet: Fleet, release: str) -> Host:
    """This module's host of one release."""
    return fleet.hosts[release]
