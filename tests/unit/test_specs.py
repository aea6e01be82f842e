# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The specification of each role, its defaults, its formats and its README can't drift apart."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible_collections.servertechnik.core.plugins.plugin_utils._formats import format_named
from ansible_collections.servertechnik.core.plugins.plugin_utils._inventory import Checker
from ansible_collections.servertechnik.core.plugins.plugin_utils._specs import Specification

ROOT = Path(__file__).parents[2]
ROLES = sorted(path.parents[1] for path in ROOT.glob("roles/*/tasks/main.yml"))
TYPES = {"str", "path", "int", "float", "bool", "list", "dict", "raw"}

pytestmark = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text()) if path.exists() else {}
    return loaded or {}


def options_of(role: Path) -> dict[str, Any]:
    entry = load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]
    options: dict[str, Any] = entry.get("options", {})
    return options


def walk(options: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every option with its path as formats.yml writes it, the nested ones and entries of lists."""
    for name, option in options.items():
        here = f"{place}{name}"
        yield here, option
        if option.get("type") == "list":
            here = f"{here}[]"
            yield here, {"type": option.get("elements"), "description": "an entry"}
        yield from walk(option.get("options", {}), f"{here}.")


def test_defaults_are_those_of_the_specification(role: Path) -> None:
    required = [name for name, option in options_of(role).items() if option.get("required")]
    stated = {name: option.get("default") for name, option in options_of(role).items()}
    defaults = load(role / "defaults" / "main.yml")
    assert defaults == {name: stated[name] for name in stated if name not in required}
    assert list(defaults) == [name for name in stated if name not in required]


def test_defaults_are_accepted(role: Path) -> None:
    formats = load(role / "meta" / "formats.yml")
    # Without its default an option is checked like any other value; only an empty one may stay so.
    options = {
        name: {key: option[key] for key in option if key != "default" or option[key] in ("", None)}
        for name, option in options_of(role).items()
        if not option.get("required")
    }
    loader = DataLoader()
    path = str(role / "defaults" / "main.yml")
    defaults = loader.load_from_file(path, trusted_as_template=True) or {}
    host = {
        "inventory_dir": "/inventory",
        "inventory_hostname": "web1.example.org",
        "inventory_hostname_short": "web1",
    }
    mistakes = Checker().mistakes(
        defaults | host, Specification(role.name, options, formats), loader
    )
    assert list(map(str, mistakes)) == []


def test_every_variable_has_one_comment_and_one_default(role: Path) -> None:
    lines = (role / "defaults" / "main.yml").read_text().splitlines()
    at = [number for number, line in enumerate(lines) if re.match(r"\w+:", line)]
    bare = [lines[n] for n in at if not lines[n - 1].startswith("# ")]
    long = [lines[n] for n in at if lines[n - 2].startswith("#") and lines[n - 1].startswith("#")]
    assert bare == long == []


def test_every_name_has_the_prefix_of_the_role(role: Path) -> None:
    assert [n for n in options_of(role) if not n.startswith(f"{role.name}_")] == []
    internal = load(role / "vars" / "main.yml")
    assert [n for n in internal if not n.startswith(f"__{role.name}_")] == []


def test_the_specification_says_all_that_a_person_needs(role: Path) -> None:
    every = dict(walk(options_of(role)))
    assert [path for path, option in every.items() if not option.get("description")] == []
    assert {p: o.get("type") for p, o in every.items() if o.get("type") not in TYPES} == {}
    # A role sees what was written, under the name that was written.
    assert [path for path, option in every.items() if "aliases" in option] == []


def test_formats_exist_and_belong_to_an_option(role: Path) -> None:
    paths = dict(walk(options_of(role)))
    formats = load(role / "meta" / "formats.yml")
    assert [path for path in formats if path not in paths] == []
    assert all(format_named(name).words for name in formats.values())
    lists = [path for path in formats if paths[path].get("type") in ("list", "dict")]
    assert lists == [], "a format is of one value; write name[] for the entries of a list"


def test_the_readme_is_what_make_docs_writes(role: Path) -> None:
    sys.path.insert(0, str(ROOT))
    from docs.role_readmes import document  # noqa: PLC0415 -- found only through the line above

    assert (role / "README.md").read_text() == document(role), "stale: run `make docs`"
