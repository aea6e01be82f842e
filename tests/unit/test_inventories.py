# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Every inventory that comes with the repository says only what the roles accept."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INVENTORIES = sorted(path.parent for path in ROOT.glob("inventories/*/hosts.yml"))
ROLES = {path.name for path in ROOT.glob("roles/*")}


@pytest.mark.parametrize("inventory", INVENTORIES, ids=lambda path: path.name)
def test_the_inventory_is_sound(
    inventory: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = run("ansible-playbook", "-i", inventory, "servertechnik.core.validate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr


def test_each_file_of_the_example_is_named_after_the_role_that_it_steers() -> None:
    files = list((ROOT / "inventories" / "example" / "group_vars").glob("*/*.yml"))
    steering = [path for path in files if path.stem != "connection"]
    assert {path.stem for path in steering} <= ROLES
    for path in steering:
        names = [line for line in path.read_text().splitlines() if line[:1].isalpha()]
        assert [name for name in names if not name.startswith(f"{path.stem}_")] == [], path
