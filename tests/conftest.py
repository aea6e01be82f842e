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
_ORDER = ("scenarios", "fault", "hosts", "lab", "sanity", "lint", "bed", "unit")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests; those that share a host, a copy or a cache run in one process."""

    def folder(item: pytest.Item) -> str:
        return item.path.relative_to(ROOT / "tests").parts[0]

    items.sort(key=lambda item: _ORDER.index(folder(item)))
    for item in items:
        if folder(item) not in ("scenarios", "lint"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
