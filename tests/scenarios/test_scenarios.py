# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Every Molecule scenario from the first step to the last; what it said is shown on failure."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

MOLECULE = Path(__file__).parents[2] / "molecule"
SCENARIOS = sorted(path.parent.name for path in MOLECULE.glob("*/molecule.yml"))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str, run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run("molecule", "test", "--scenario-name", scenario, NO_COLOR="1")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_role_has_a_scenario() -> None:
    roles = {path.name for path in (MOLECULE.parent / "roles").iterdir()}
    assert roles <= set(SCENARIOS), f"without a scenario: {roles - set(SCENARIOS)}"
