# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What a host remembers, what can be put back, and what has drifted, on real hosts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest_hosts import Fleet, Results, Task
from tests.hosts.tasks import component, core, looks, shell, snapshot

RUNS = [f"20260101T00000{number}Z-abcd" for number in range(4)]
UNIT = "/etc/systemd/system/story.service"
SERVICE = "[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
WANTED = "/etc/systemd/system/multi-user.target.wants/story.service"
WATCHED = ("/etc/story", UNIT, WANTED)


def wanted(text: str) -> dict[str, Any]:
    """The arguments of a component with a service whose configuration is `text`."""
    return {
        "name": "story",
        "packages": ["lsof"],
        "files": [
            {"dest": "/etc/story/a", "content": text, "mode": "0640"},
            {"dest": "/etc/story/link", "link": text},
            {"dest": UNIT, "content": SERVICE},
        ],
        "validate": ["test -e /etc/story/a"],
        "units": [{"name": "story.service"}],
    }


def run(fleet: Fleet, number: int, *tasks: Task) -> Results:
    return fleet.play(tasks, environ={"SERVERTECHNIK_RUN": RUNS[number]})


def back(task: str, **options: Any) -> Task:
    return core(task, "transaction_revert", **options)


@pytest.fixture(scope="module")
def told(fleet: Fleet) -> Results:
    """Three runs, and how they are put back; then a state from which to drift."""
    look = snapshot("before", *WATCHED, units=("story.service",))
    other = component("other", name="other", files=[{"dest": "/etc/story-other", "content": "x"}])
    broken = [{"dest": "/etc/broken", "content": ""}]
    run(fleet, 0, component("one", **wanted("one")), other)
    run(fleet, 1, component("two", **wanted("two")))
    return run(
        fleet,
        2,
        look,
        component("broken", name="broken", files=broken, commands=["false"]),
        core("all", "transaction_info"),
        core("of one", "transaction_info", component="story"),
        core("last", "transaction_info", run="last"),
        shell("by hand", "echo mine > /etc/story/a"),
        {**look, "name": "changed by hand"},
        back("refused", run="last"),
        {**look, "name": "still changed by hand"},
        back("would", run="last", force=True) | {"check_mode": True},
        back("forced", run="last", force=True),
        {**look, "name": "after one"},
        shell("later", "mkdir -p /etc/story/sub; echo later > /etc/story/sub/later"),
        back("again", run="last"),
        {**look, "name": "after two"},
        back("nothing left", run="last"),
        core("at last", "transaction_info"),
    )


def test_transactions_are_remembered(told: Results, release: str) -> None:
    found = told[release]["all"]["transactions"]
    names = [(one["component"], one["state"], one["run"]) for one in found]
    assert names == [
        ("broken", "rolled back", RUNS[2]),
        ("story", "committed", RUNS[1]),
        ("other", "committed", RUNS[0]),
        ("story", "committed", RUNS[0]),
    ]
    assert found[0]["error"] == "activation: 'false' failed (1): (no output)"
    assert found[1]["paths"] == ["/etc/story/a", "/etc/story/link"]
    assert found[3]["packages"] == {"installed": ["lsof"], "removed": []}
    assert found[3]["units"] == ["story.service"]
    assert "@" in found[3]["by"]
    assert [one["run"] for one in told[release]["of one"]["transactions"]] == [RUNS[1], RUNS[0]]
    assert [one["run"] for one in told[release]["last"]["transactions"]] == [RUNS[1]]


def test_file_changed_since_is_not_overwritten(told: Results, release: str) -> None:
    refused = told[release]["refused"]
    assert refused["failed"]
    assert "/etc/story/a was changed since (content)" in refused["msg"]
    assert "Use force" in refused["msg"]
    same = [looks(told[release][f"{still}changed by hand"]) for still in ("", "still ")]
    assert same[0] == same[1]


def test_force_puts_the_last_run_back_as_foretold(told: Results, release: str) -> None:
    would, forced = told[release]["would"], told[release]["forced"]
    assert [would[key] for key in ("files", "units")] == [forced[key] for key in ("files", "units")]
    assert forced["changed"]
    files = told[release]["after one"]["files"]
    assert files[WANTED]["target"] == UNIT
    assert files["/etc/story/a"]["text"] == "one"
    assert files["/etc/story/link"]["target"] == "one"
    assert told[release]["after one"]["units"]["story.service"]["ActiveState"] == "active"


def test_a_second_time_the_run_before_it(told: Results, release: str) -> None:
    again = told[release]["again"]
    assert not again.get("failed"), again
    assert len(again["reverted"]) == 2
    # The folder was made for the component, but holds something else since.
    assert list(told[release]["after two"]["files"]) == [
        "/etc/story",
        "/etc/story/sub",
        "/etc/story/sub/later",
    ]
    state = told[release]["after two"]["units"]["story.service"]
    assert (state["LoadState"], state["ActiveState"]) == ("not-found", "inactive")
    assert not told[release]["nothing left"]["changed"]


def test_what_was_put_back_is_remembered(told: Results, release: str) -> None:
    found = told[release]["at last"]["transactions"]
    states = [(one["component"], one["state"], bool(one["reverts"])) for one in found]
    assert states == [
        ("story", "committed", True),
        ("other", "committed", True),
        ("story", "committed", True),
        ("broken", "rolled back", False),
        ("story", "reverted", False),
        ("other", "reverted", False),
        ("story", "reverted", False),
    ]


@pytest.fixture(scope="module")
def drift(fleet: Fleet, told: Results) -> Results:  # noqa: ARG001 -- after the other story
    program = "servertechnik drift --textfile /var/lib/story/drift.prom"
    return run(
        fleet,
        3,
        component("desired", **wanted("three")),
        component("quiet", name="quiet", files=[{"dest": "/etc/quiet", "content": "x"}]),
        component("dropin", name="folder", files=[
            {"dest": "/etc/story.d", "state": "directory", "purge": True},
            {"dest": "/etc/story.d/ours", "content": "x"},
        ]),
        core("none", "drift"),
        shell("none at the console", program),
        shell("by hand", """
            date -u +%Y-%m-%dT%H:%M:%S
            echo mine > /etc/story/a; chmod 0666 /etc/story/a
            ln -sfn elsewhere /etc/story/link
            echo more > /etc/story.d/more
            systemctl disable --now story.service
            dpkg --remove lsof
            chown games /etc/quiet
        """),
        core("some", "drift"),
        shell("some at the console", f"{program} || echo $?; cat /var/lib/story/drift.prom"),
        component("repaired", **wanted("three")),
    )  # fmt: skip


def test_no_drift(drift: Results, release: str) -> None:
    assert drift[release]["none"]["differences"] == []
    assert set(drift[release]["none"]["components"]) == {"story", "quiet", "folder"}
    said = json.loads(drift[release]["none at the console"]["stdout"])
    assert said["differences"] == []


def test_each_difference_is_found(drift: Results, release: str) -> None:
    found = {one["name"]: one for one in drift[release]["some"]["differences"]}
    told = {name: (one["component"], one["kind"], one["wanted"], one["found"])
            for name, one in found.items()}  # fmt: skip
    assert told.keys() == {
        "lsof", "story.service", "/etc/story/a", "/etc/story/link", "/etc/story.d/more",
        "/etc/quiet",
    }  # fmt: skip
    assert told["lsof"] == ("story", "package", "installed", "not installed")
    unit = ("story", "unit", "started, enabled", "inactive, disabled")
    assert told["story.service"] == unit
    assert told["/etc/story/link"][2:] == ("link to three", "link to elsewhere")
    assert told["/etc/story/a"][2].startswith("file root:root 0640 SHA-256 ")
    assert told["/etc/story/a"][3].startswith("file root:root 0666 SHA-256 ")
    assert told["/etc/story.d/more"][:3] == ("folder", "file", "absent")
    assert told["/etc/quiet"][3].startswith("file games:root 0644")


def test_differences_say_since_when(drift: Results, release: str) -> None:
    stamp = drift[release]["by hand"]["stdout_lines"][0]
    start = datetime.fromisoformat(stamp).replace(tzinfo=UTC)
    for one in drift[release]["some"]["differences"]:
        since = datetime.fromisoformat(one["since"])
        assert start <= since <= start + timedelta(minutes=5), one


def test_console_tells_people_and_monitoring(drift: Results, release: str) -> None:
    line, status, *metrics = drift[release]["some at the console"]["stdout_lines"]
    assert json.loads(line)["differences"] == drift[release]["some"]["differences"]
    assert status == "1"
    assert 'servertechnik_drift_differences{component="story"} 4' in metrics
    assert 'servertechnik_drift_differences{component="quiet"} 1' in metrics
    assert any(one.startswith("servertechnik_drift_checked_seconds 1") for one in metrics)


def test_run_puts_drift_right(drift: Results, release: str) -> None:
    repaired = drift[release]["repaired"]
    assert repaired["packages"]["installed"] == ["lsof"]
    assert [one["path"] for one in repaired["files"]] == ["/etc/story/a", "/etc/story/link"]
    assert repaired["units"] == [{"name": "story.service", "actions": ["enabled", "started"]}]
