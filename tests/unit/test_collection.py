# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The repository works in place, and as a collection that is built, installed and run elsewhere."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PLAYBOOKS = sorted(path.stem for path in ROOT.glob("playbooks/*.yml"))
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run_there(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Run:
    """Run a command where there is the built collection, a plain ansible.cfg and one host."""
    place = tmp_path_factory.mktemp("elsewhere")
    built = run("ansible-galaxy", "collection", "build", "--output-path", place)
    assert built.returncode == 0, built.stderr
    (archive,) = place.glob("servertechnik-core-*.tar.gz")
    (place / "hosts.yml").write_text("all: {hosts: {web1.example.org: }}")
    settings = place / "ansible.cfg"
    settings.write_text("[defaults]\ncollections_path = ./collections\ninventory = hosts.yml\n")

    def runner(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        return run(*words, cwd=place, ANSIBLE_CONFIG=str(settings), **variables)

    words = ("ansible-galaxy", "collection", "install", archive, "-p", "collections")
    installed = runner(*words, "--no-deps", "--offline")
    assert installed.returncode == 0, installed.stderr
    return runner


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_playbooks_are_found_by_their_full_names(playbook: str, run: Run, run_there: Run) -> None:
    words = ("ansible-playbook", f"servertechnik.core.{playbook}")
    for done in (run(*words, "--list-tasks"), run_there(*words, "--syntax-check")):
        assert done.returncode == 0, done.stderr


def test_the_installed_collection_checks_an_inventory(run_there: Run) -> None:
    sound = run_there("ansible-playbook", "-v", "servertechnik.core.validate")
    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert "1 hosts" in sound.stdout
    wrong = run_there(
        "ansible-playbook", "servertechnik.core.validate", "-e", "base_timezone=Berlin"
    )
    assert wrong.returncode != 0
    assert "web1.example.org: base_timezone: found 'Berlin'" in wrong.stdout + wrong.stderr


def test_the_callback_runs_there(run_there: Run) -> None:
    words = ("ansible-playbook", "servertechnik.core.validate")
    done = run_there(*words, ANSIBLE_STDOUT_CALLBACK="servertechnik.core.progress")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_installed_is_what_people_need(run_there: Run) -> None:
    found = run_there("ls", "-A", "collections/ansible_collections/servertechnik/core")
    rooms = set(found.stdout.split())
    assert {"plugins", "roles", "playbooks", "meta", "README.md", "LICENSE"} <= rooms
    assert not rooms & {"collections", "molecule", "records", "tests", "Makefile"}
    assert [name for name in rooms if name.startswith(".")] == []


def test_the_version_is_the_same_everywhere() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    assert f'version = "{galaxy["version"]}"' in (ROOT / "pyproject.toml").read_text()


def test_the_changelog_is_sound(run: Run) -> None:
    done = run("antsibull-changelog", "lint")
    assert done.returncode == 0, done.stdout + done.stderr
