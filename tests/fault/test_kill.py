# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A transaction is killed (SIGKILL) at every one of its steps, on real hosts.

Afterwards the host is wholly as before, or wholly as ordered, never in between; and no restart of
a service is lost, nor made in vain. See `on_host/killing.py` for the transaction and the checks.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.conftest_hosts import BED, ROOT, Fleet

Rows = dict[str, list[dict[str, Any]]]
Killed = dict[str, Rows]
Saw = Callable[[str, object], None]

PLACE = "/opt/fault"
HARNESS = f"{PLACE}/tests/fault"
PACKAGE = f"{PLACE}/ansible_collections/servertechnik/core/plugins"


def send(name: str, folder: Path, place: str) -> None:
    """Copy a folder to a host."""
    packed = subprocess.run(
        ["tar", "-C", folder.parent, "--exclude=__pycache__", "-cf", "-", folder.name],
        check=True,
        capture_output=True,
    )
    unpack = f"mkdir -p {place} && tar -C {place} -xf -"
    words = [BED, "enter", "podman", "exec", "-i", name, "sh", "-c", unpack]
    subprocess.run(words, input=packed.stdout, check=True)


def on_both(fleet: Fleet, arguments: dict[str, list[str]]) -> Rows:
    """Run `killing.py` on both hosts at once."""
    started = {
        release: subprocess.Popen(
            [BED, "enter", "podman", "exec", fleet.hosts[release].name, "python3",
             f"{HARNESS}/on_host/killing.py", *words],
            stdout=subprocess.PIPE,
            text=True,
        )
        for release, words in arguments.items()
    }  # fmt: skip
    rows = {}
    for release, process in started.items():
        lines, _ = process.communicate(timeout=600)
        rows[release] = [json.loads(line) for line in lines.splitlines()]
        assert process.returncode == 0, f"{release}: see above"
    return rows


@pytest.fixture(scope="module")
def killed(fleet: Fleet) -> Killed:
    """What came of each kill, and of a second one during the recovery from the first."""
    for host in fleet.hosts.values():
        send(host.name, ROOT / "plugins" / "module_utils", PACKAGE)
        send(host.name, ROOT / "tests" / "fault" / "on_host", HARNESS)
    once = on_both(fleet, {release: [] for release in fleet.hosts})
    last = {
        release: {row["state"]: str(row["number"]) for row in rows}
        for release, rows in once.items()
    }
    sample = ("prepared", "activating", "committed")
    twice = {release: [last[release][state] for state in sample] for release in fleet.hosts}
    return {"once": once, "twice": on_both(fleet, twice)}


@pytest.mark.parametrize("times", ["once", "twice"])
def test_is_wholly_as_before_and_then_as_ordered(
    killed: Killed, release: str, times: str, record_property: Saw
) -> None:
    rows = killed[times][release]
    record_property("saw", table(rows))
    assert {row["step"]: row["problems"] for row in rows if row["problems"]} == {}


def test_was_killed_in_every_state(killed: Killed, release: str) -> None:
    states = [state for state, _ in groupby(row["state"] for row in killed["once"][release])]
    assert states == [
        *("none", "preparing", "prepared", "applied", "activating", "committed"),
        "none",
    ]


def test_was_killed_around_each_command(killed: Killed, release: str) -> None:
    steps = [row["step"] for row in killed["once"][release]]
    for command in ("systemctl daemon-reload", "systemctl enable", "systemctl restart", "grep"):
        found = Counter(step.split()[0] for step in steps if f" {command}" in step)
        assert found["before"] == found["during"] >= 1, command


def table(rows: list[dict[str, Any]]) -> str:
    """What people want to read of it."""
    lines = [f"{len(rows)} kills"]
    for state, group in groupby(rows, key=lambda row: row["state"]):
        mine = list(group)
        slowest = max(row["seconds"] for row in mine)
        lines.append(
            f"  {state:10} killed at {len(mine):3} steps, "
            f"{mine[0]['number']} to {mine[-1]['number']}; "
            f"put right in at most {slowest:.2f} s, {sum(bool(r['problems']) for r in mine)} wrong"
        )
    return "\n".join(lines)
