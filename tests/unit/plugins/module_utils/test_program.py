# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import ast
from pathlib import Path

from ansible_collections.servertechnik.core.plugins.module_utils import _program

FOLDER = Path(_program.__file__).parent


def imported_by(part: str) -> set[str]:
    """The parts that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse((FOLDER / f"{part}.py").read_text())):
        if isinstance(node, ast.ImportFrom):
            package, _, last = str(node.module).rpartition(".")
            if package.endswith("core.plugins.module_utils"):
                found.add(last)
            elif last == "module_utils":
                found |= {name.name for name in node.names}
    return found


def test_the_program_has_all_that_it_imports_and_nothing_else() -> None:
    found, left = set(), {"_cli"}
    while left:
        part = left.pop()
        found.add(part)
        left |= imported_by(part) - found
    assert sorted(found) == list(_program.PARTS)
