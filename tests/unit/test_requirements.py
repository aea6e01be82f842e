# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""requirements.yml names the collections that tasks here use, in the installed versions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import ansible
import pytest
import yaml

ROOT = Path(__file__).parents[2]
COLLECTIONS = {
    entry["name"]: entry["version"]
    for entry in yaml.safe_load((ROOT / "requirements.yml").read_text())["collections"]
}
OURS = {"ansible.builtin", "servertechnik.core"}
MODULE = re.compile(r"^[ -]*([a-z_]+\.[a-z_]+)\.[a-z_]+:", re.M)


def used() -> set[str]:
    """Collections whose modules stand in a task of ours."""
    rooms = ("roles", "playbooks", "molecule")
    files = [path for room in rooms for path in ROOT.glob(f"{room}/**/*.yml")]
    return {name for path in files for name in MODULE.findall(path.read_text())} - OURS


def test_what_is_used_is_required_and_nothing_else() -> None:
    assert set(COLLECTIONS) == used()


@pytest.mark.parametrize(("name", "version"), COLLECTIONS.items())
def test_versions_are_those_of_the_ansible_package(name: str, version: str) -> None:
    site = Path(ansible.__file__).parents[1] / "ansible_collections"
    manifest = json.loads((site / name.replace(".", "/") / "MANIFEST.json").read_text())
    assert manifest["collection_info"]["version"] == version
