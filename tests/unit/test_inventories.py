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
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1Zs2M1kX5T5cN4m3m3wq9x2k8V1d0Qy7c5c6b3a2Zq"
ROLES = {path.name for path in ROOT.glob("roles/*")}


@pytest.mark.parametrize("inventory", INVENTORIES, ids=lambda path: path.name)
def test_the_inventory_is_sound(
    inventory: Path, tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    # The lab reads a key that the bed makes on its first use.
    (tmp_path / "id_ed25519.pub").write_text(KEY)
    words = ("ansible-playbook", "-i", inventory, "-e", f"bed_cache={tmp_path}")
    done = run(*words, "servertechnik.core.validate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr


def test_each_file_of_the_example_is_named_after_the_role_that_it_steers() -> None:
    files = list((ROOT / "inventories" / "example" / "group_vars").glob("*/*.yml"))
    steering = [path for path in files if path.stem != "connection"]
    assert {path.stem for path in steering} <= ROLES
    for path in steering:
        names = [line for line in path.read_text().splitlines() if line[:1].isalpha()]
        assert [name for name in names if not name.startswith(f"{path.stem}_")] == [], path
