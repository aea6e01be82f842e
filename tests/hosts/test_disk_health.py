# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Disks as a host sees them that has none of the tools: the machine's own, and no more."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import environment
from tests.conftest_hosts import RELEASES, ROOT, Fleet, Host


@pytest.fixture(scope="module")
def shown(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What the playbook has printed, and its records by release."""
    folder = tmp_path_factory.mktemp("run")
    variables = {"SERVERTECHNIK_RECORDS": str(folder), "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder)}
    done = subprocess.run(
        [
            *("ansible-playbook", "-i", str(fleet.folder / "inventory.json")),
            "servertechnik.core.disk_health",
        ],
        cwd=ROOT,
        env=environment() | variables | fleet.environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    documents = [json.loads(path.read_text()) for path in folder.glob("disk_health/*.json")]
    names = {host.name: release for release, host in fleet.hosts.items()}
    return done.stdout, {names[one["host"]]: one["data"] for one in documents}


def test_each_host_has_its_record(shown: tuple[str, dict[str, Any]]) -> None:
    assert sorted(shown[1]) == sorted(RELEASES)


def test_file_systems_are_those_of_the_host(
    shown: tuple[str, dict[str, Any]], release: str, host: Host
) -> None:
    found = {one["target"]: one for one in shown[1][release]["file_systems"]}
    size = int(host.sh("stat --file-system --format='%b * %S' /run | xargs expr"))
    assert found["/run"]["size"] == size


def test_disks_are_those_of_the_machine(
    shown: tuple[str, dict[str, Any]], release: str, host: Host
) -> None:
    words = "lsblk --nodeps --noheadings --list --output KNAME,TYPE"
    rows = [line.split() for line in host.sh(words).splitlines()]
    listed = [name for name, kind in rows if kind == "disk"]
    real = {f"/dev/{name}" for name in listed if Path(f"/sys/block/{name}/device").exists()}
    assert {one["path"] for one in shown[1][release]["disks"]} == real


def test_verdicts_are_shown(shown: tuple[str, dict[str, Any]]) -> None:
    begun = shown[0].count("verdict  disk") + shown[0].count("no disks")
    assert begun == len(RELEASES)
