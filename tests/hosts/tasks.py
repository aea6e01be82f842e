# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Short ways to write the tasks of a story, and what most stories look at."""

from __future__ import annotations

from typing import Any

from tests.conftest_hosts import Task

RECOVERY = "/servertechnik-recover.service"
WHAT = ("changed", "packages", "files", "units", "diff")


def component(task: str, /, *, check: bool = False, diff: bool = False, **options: Any) -> Task:
    """A task of that name with a component."""
    return {
        "name": task,
        "servertechnik.core.component": options,
        "check_mode": check,
        "diff": diff,
    }


def predicted(task: str, /, **options: Any) -> list[Task]:
    """A component in check mode, for real, and once more: NAME check, NAME, NAME again."""
    return [
        component(f"{task} check", check=True, diff=True, **options),
        component(task, diff=True, **options),
        component(f"{task} again", diff=True, **options),
    ]


def shell(task: str, script: str) -> Task:
    """A task of that name with a shell script."""
    return {"name": task, "ansible.builtin.shell": {"cmd": f"set -eu\n{script}"}}


def snapshot(task: str, *paths: str, units: tuple[str, ...] = ()) -> Task:
    """A task of that name that looks at whole trees and at units."""
    return {"name": task, "snapshot": {"paths": list(paths), "units": list(units)}}


def core(task: str, module: str, /, **options: Any) -> Task:
    """A task of that name with another module of ours."""
    return {"name": task, f"servertechnik.core.{module}": options}


def looks(result: dict[str, Any]) -> dict[str, Any]:
    """What a snapshot saw, as data to compare; the program for emergencies is there to stay."""
    files = {p: file for p, file in result["files"].items() if not p.endswith(RECOVERY)}
    return {"files": files, "units": result["units"]}


def timeless(result: dict[str, Any]) -> dict[str, Any]:
    """What a snapshot saw, but for the times of files."""
    found = looks(result)
    for file in found["files"].values():
        file.pop("mtime", None)
    return found


def assert_predicted(told: dict[str, Any], task: str) -> None:
    """The check foretold the run, which changed something, and the next run nothing."""
    check, run, again = (told[name] for name in (f"{task} check", task, f"{task} again"))
    assert not run.get("failed"), run
    assert {key: check[key] for key in WHAT} == {key: run[key] for key in WHAT}
    assert run["changed"]
    assert run["transaction"]
    assert check["transaction"] is None
    assert not again["changed"]
    assert [again[key] for key in ("files", "units", "diff")] == [[], [], []]
    assert again["packages"] == {"installed": [], "removed": []}
