# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The form of code and data; each tool sees the whole repository."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

TOOLS = {
    "ruff": ("ruff", "check", "."),
    "ruff-format": ("ruff", "format", "--check", "."),
    "mypy": ("mypy", "."),
    "yamllint": ("yamllint", "--strict", "."),
    "ansible-lint": ("ansible-lint", "--offline", "--strict"),
}


@pytest.mark.parametrize("command", TOOLS.values(), ids=TOOLS)
def test_lint(
    command: tuple[str, ...], run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = run(*command, NO_COLOR="1")
    assert done.returncode == 0, done.stdout + done.stderr
