# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Each plugin can be looked up with ansible-doc, and its documentation says what a person needs."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDERS = {"module": "modules", "filter": "filter", "callback": "callback", "lookup": "lookup"}
PLUGINS = sorted(
    (kind, path.stem)
    for kind, folder in FOLDERS.items()
    for path in ROOT.glob(f"plugins/{folder}/*.py")
    if not path.stem.startswith("_")
)
ROLES = sorted(path.parents[1].name for path in ROOT.glob("roles/*/meta/argument_specs.yml"))
Documentation = Callable[[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def documentation(run: Callable[..., subprocess.CompletedProcess[str]]) -> Documentation:
    """What ansible-doc knows of one plugin; it is asked once for each kind."""
    known: dict[str, dict[str, Any]] = {}

    def look_up(kind: str, name: str) -> dict[str, Any]:
        if kind not in known:
            names = [f"servertechnik.core.{other}" for of, other in PLUGINS if of == kind]
            done = run("ansible-doc", "--json", "-t", kind, *names)
            assert done.returncode == 0, done.stderr
            known[kind] = json.loads(done.stdout)
        assert f"servertechnik.core.{name}" in known[kind], f"ansible-doc finds no {kind} {name}"
        found: dict[str, Any] = known[kind][f"servertechnik.core.{name}"]
        return found

    return look_up


def walk(entries: Mapping[str, Any], inner: str, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every option or return value with its path, those inside others too."""
    for name, entry in (entries or {}).items():
        yield f"{place}{name}", entry
        yield from walk(entry.get(inner, {}), inner, f"{place}{name}.")


plugin = pytest.mark.parametrize(("kind", "name"), PLUGINS, ids=str)


@plugin
def test_options_are_described(kind: str, name: str, documentation: Documentation) -> None:
    options = dict(walk(documentation(kind, name)["doc"].get("options", {}), "suboptions"))
    assert [path for path, option in options.items() if not option.get("description")] == []
    assert [path for path, option in options.items() if not option.get("type")] == []


@pytest.mark.parametrize(("kind", "name"), [p for p in PLUGINS if p[0] != "callback"])
def test_examples_use_full_names(kind: str, name: str, documentation: Documentation) -> None:
    examples = documentation(kind, name)["examples"] or ""
    assert f"servertechnik.core.{name}" in examples
    tasks = yaml.safe_load(examples)
    keys = {key for task in tasks for key in task} if isinstance(tasks, list) else set()
    ours = {other for of, other in PLUGINS if of == "module"}
    assert keys & ours == set(), "a module of ours without its full name"


@pytest.mark.parametrize(("kind", "name"), [p for p in PLUGINS if p[0] != "callback"])
def test_what_comes_back_is_described(kind: str, name: str, documentation: Documentation) -> None:
    values = dict(walk(documentation(kind, name)["return"] or {}, "contains"))
    assert values
    assert [path for path, value in values.items() if not value.get("description")] == []
    assert [path for path, value in values.items() if not value.get("type")] == []
    if kind == "module":
        top = {path: value for path, value in values.items() if "." not in path}
        assert [path for path, value in top.items() if not value.get("returned")] == []
        shown = [path for path, value in top.items() if "sample" in value or "contains" in value]
        assert sorted(shown) == sorted(top)


@pytest.mark.parametrize("role", ROLES)
def test_roles_can_be_looked_up(
    role: str, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = run("ansible-doc", "-t", "role", f"servertechnik.core.{role}")
    assert done.returncode == 0, done.stderr
    assert re.search(rf"ROLE: .*servertechnik\.core\.{role}\b", done.stdout)
    assert f"{role}_" in done.stdout
