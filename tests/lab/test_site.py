# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The main job on the lab: `make site` as people run it, and what then holds on the hosts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BED = ROOT / "tests" / "bed" / "bed"
HOSTS = {
    "files1": "Files of the office",
    "time1": "The right time",
    "web1": "Web site of the company",
    "mail1": "Mail of the company",
}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def said(run: Run) -> Iterator[str]:
    """What `make site` says; a lab that wasn't there before is gone afterwards."""
    there = run(BED, "list").stdout
    collections = str(ROOT / "collections")
    done = run(sys.executable, "-m", "tests.lab.site", PYTHONPATH=collections)
    assert done.returncode == 0, done.stdout + done.stderr
    yield done.stdout
    if not any(line.split()[0] in HOSTS for line in there.splitlines()):
        run(BED, "down", "--inventory", ROOT / "inventories" / "lab")


def test_the_second_run_changes_nothing(said: str) -> None:
    assert "changed nothing: every host is and stays as the inventory says" in said


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize("name", HOSTS)
def test_the_host_lets_a_technician_in_and_says_what_it_is(name: str, run: Run) -> None:
    done = run(BED, "ssh", name, "hostname --fqdn && cat /etc/motd && sudo id --user --name")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"{name}.example.org"
    assert lines[-1] == "root"
    assert HOSTS[name] in done.stdout


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("files1", "198.51.100.11"),
        ("web1", "198.51.100.139"),
        ("mail1", "198.51.100.139"),
    ],
)
def test_the_time_comes_from_our_own_server(name: str, server: str, run: Run) -> None:
    # It asks every second until a source is chosen.
    done = run(BED, "ssh", name, "chronyc -n waitsync 60 0 0 1 && chronyc -n tracking")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"({server})" in done.stdout
