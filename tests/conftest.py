# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What all tests share: the collection on the path, and a way to run Ansible's commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "collections"))

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment() -> dict[str, str]:
    """The environment for Ansible's commands: the project's settings, plain output."""
    mine = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    return mine | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "ANSIBLE_NOCOLOR": "1",
        # A width at which the messages of warnings are not folded.
        "COLUMNS": "1000",
    }


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command of the project's Python environment; its streams come back as text."""

    def runner(
        *words: str | Path, cwd: Path = ROOT, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: PLW1510 -- each test looks at the return code itself
            [str(word) for word in words],
            cwd=cwd,
            env=environment() | variables,
            capture_output=True,
            text=True,
            timeout=600,
        )

    return runner


# What takes longest starts first, so that the last minutes keep every core busy.
_ORDER = ("vm", "fault", "hosts", "lab", "scenarios", "sanity", "lint", "bed", "unit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests in the order of `_ORDER`."""
    items.sort(key=lambda item: _ORDER.index(item.path.relative_to(ROOT / "tests").parts[0]))


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """One file, one process: its tests share hosts, a copy or a cache.

    Virtual machines are all in one process, since an emulated one keeps a core busy.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/vm/"):
            return "tests/vm"
        alone = nodeid.startswith(("tests/scenarios/", "tests/lint/"))
        return nodeid if alone else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Have the tests scheduled by file."""
    return _Scheduling(config, log)
