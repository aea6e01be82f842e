# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The action plugin in real runs; the writer behind it has tests of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Play = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def play(run: Run, tmp_path: Path) -> Play:
    """Run one task on two hosts that are this machine; records go to the test's directory."""

    def runner(task: dict[str, Any], *words: str) -> subprocess.CompletedProcess[str]:
        hosts = "".join(f"{name} ansible_connection=local\n" for name in ("web1", "2001:db8::1"))
        (tmp_path / "hosts").write_text(hosts)
        playbook = [{"hosts": "all", "gather_facts": False, "tasks": [task]}]
        (tmp_path / "play.yml").write_text(json.dumps(playbook))
        return run(
            "ansible-playbook",
            "-i",
            tmp_path / "hosts",
            tmp_path / "play.yml",
            *words,
            SERVERTECHNIK_RECORDS=str(tmp_path / "records"),
            SERVERTECHNIK_RUN="20261124T083000Z-1f3c",
        )

    return runner


def record(**arguments: Any) -> dict[str, Any]:
    return {"servertechnik.core.record": arguments}


GOOD = record(kind="stocktaking", data={"name": "{{ inventory_hostname }}", "disks": [1, None]})


def documents(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(tmp_path.glob("records/*/*.json"))]


def test_each_host_has_its_record(play: Play, tmp_path: Path) -> None:
    shown = play(GOOD, "-v")
    assert shown.returncode == 0, shown.stdout
    assert "changed=1" not in shown.stdout
    found = {document.pop("host"): document for document in documents(tmp_path)}
    assert set(found) == {"web1", "2001:db8::1"}
    assert found["web1"].pop("at").endswith("Z")
    assert found["web1"] == {
        "kind": "stocktaking",
        "schema": 1,
        "run": "20261124T083000Z-1f3c",
        "data": {"name": "web1", "disks": [1, None]},
    }
    for path in tmp_path.glob("records/*/*.json"):
        assert str(path) in shown.stdout


def test_once_and_elsewhere_it_is_still_the_host_of_the_task(play: Play, tmp_path: Path) -> None:
    play(GOOD | {"run_once": True, "delegate_to": "2001:db8::1"})
    assert [(d["host"], d["data"]["name"]) for d in documents(tmp_path)] == [("web1", "web1")]


def test_check_mode_records_nothing_and_judges_nothing(play: Play, tmp_path: Path) -> None:
    shown = play(record(kind="run", data={"no": "run"}), "--check")
    assert shown.returncode == 0, shown.stdout
    assert documents(tmp_path) == []


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            record(kind="run", data={"playbook": 3}),
            "The record 'run' for web1 doesn't fit: data: missing by, result, ",
        ),
        (
            record(kind="Disk health", data={}),
            "The record 'Disk health' for web1 doesn't fit: kind: found \"Disk health\", "
            "accepted: text like smart_report (a-z, 0-9, _)",
        ),
        (
            record(kind="run", schema=3, data={}),
            "The record 'run' for web1 doesn't fit: schema: found 3, accepted: 1",
        ),
        (record(kind="stocktaking"), "missing required arguments: data"),
        (record(kind="stocktaking", data={}, hosts="web2"), "Supported parameters include"),
    ],
)
def test_what_does_not_fit_is_one_clear_message(
    play: Play, tmp_path: Path, task: dict[str, Any], message: str
) -> None:
    shown = play(task, "-l", "web1")
    assert shown.returncode == 2
    assert message in shown.stdout
    assert documents(tmp_path) == []


def test_the_interface_is_documented(run: Run) -> None:
    shown = run("ansible-doc", "-j", "servertechnik.core.record")
    options = json.loads(shown.stdout)["servertechnik.core.record"]["doc"]["options"]
    assert set(options) == {"kind", "schema", "data"}
