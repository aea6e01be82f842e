# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Small projects in directories of their own, with this machine as their hosts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[4]

# Returns what the test wants; `touch` says that it has begun and waits to be interrupted.
_ANSWER = """
import pathlib, time
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(
    {"result": {"type": "dict"}, "warn": {}, "touch": {}, "seconds": {"type": "float"}},
    supports_check_mode=True,
)
time.sleep(module.params["seconds"] or 0)
if module.params["warn"]:
    module.warn(module.params["warn"])
if module.params["touch"]:
    pathlib.Path(module.params["touch"]).touch()
    time.sleep(60)
result = module.params["result"] or {}
module.fail_json(**result) if result.get("failed") else module.exit_json(**result)
"""


class Project:
    """Playbooks are given as data; a module `answer` returns what a test wants."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.history = root / "history.json"
        (root / "library").mkdir()
        (root / "library" / "answer.py").write_text(_ANSWER)
        (root / "ansible.cfg").write_text(
            "[defaults]\n"
            f"collections_path = {ROOT / 'collections'}\n"
            "stdout_callback = servertechnik.core.progress\n"
            "interpreter_python = /usr/bin/python3\n"
            "library = ./library\n"
            "[servertechnik]\n"
            "history = history.json\n"
        )
        self.inventory(["web1"])

    def inventory(self, hosts: Iterable[str], off: Iterable[str] = ()) -> None:
        """Have `hosts` on this machine, and `off` where nothing listens."""
        lines = [f"{host} ansible_connection=local" for host in hosts]
        lines += [f"{host} ansible_host=127.0.0.1 ansible_port=1" for host in off]
        (self.root / "hosts").write_text("\n".join(lines) + "\n")

    def environment(self, **variables: str) -> dict[str, str]:
        """The environment of a person at a plain terminal."""
        unwanted = ("ANSIBLE_", "SERVERTECHNIK_", "CI", "NO_COLOR", "COLUMNS")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return kept | {"PATH": path, "ANSIBLE_DEPRECATION_WARNINGS": "0"} | variables

    def command(self, play: list[dict[str, Any]], *words: str) -> list[str]:
        """Write a playbook, and return the command that runs it."""
        (self.root / "play.yml").write_text(json.dumps(play, indent=1))
        return ["ansible-playbook", "-i", "hosts", "play.yml", *words]

    def run(
        self, play: list[dict[str, Any]], *words: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook in a pipe."""
        return self._finish(self.command(play, *words), variables)

    def ansible(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run another of Ansible's commands in a pipe."""
        inventory = () if words[0] == "ansible-doc" else ("-i", "hosts")
        return self._finish([words[0], *inventory, *words[1:]], variables)

    def _finish(
        self, command: list[str], variables: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def start(self, play: list[dict[str, Any]], *words: str) -> subprocess.Popen[str]:
        """Begin to run a playbook in a pipe."""
        return subprocess.Popen(
            self.command(play, *words),
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def wait_for(path: Path) -> None:
        """Wait until `path` exists."""
        deadline = time.monotonic() + 60
        while not path.exists():
            assert time.monotonic() < deadline, f"{path} did not appear"
            time.sleep(0.05)

    def record_paths(self) -> list[Path]:
        """Return the records of runs, oldest first."""
        return sorted(self.root.glob("records/run/*.json"))

    def record(self) -> dict[str, Any]:
        """Return the newest record of a run."""
        record: dict[str, Any] = json.loads(self.record_paths()[-1].read_text())
        return record


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with the host web1."""
    return Project(tmp_path)


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    """Make projects for more than one test."""
    return lambda: Project(tmp_path_factory.mktemp("project"))
