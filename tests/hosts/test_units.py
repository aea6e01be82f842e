# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Units that come, change, are slow or break, on real hosts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest_hosts import Fleet, Results
from tests.hosts.tasks import (
    assert_predicted,
    component,
    core,
    looks,
    predicted,
    shell,
    snapshot,
    timeless,
)

FOLDER = "/etc/systemd/system"
SLOW = """\
[Unit]
Description={description}
[Service]
Type=notify
NotifyAccess=all
ExecStart=sh -c 'cat /etc/story.conf; sleep 1.5; systemd-notify --ready; sleep infinity'
ExecReload=sh -c 'cat /etc/story.conf'
[Install]
WantedBy=multi-user.target
"""
LOOP = "[Service]\nRestart=always\nRestartSec=100ms\nExecStart=sh -c 'sleep 0.1; exit 1'\n"
UNIT = "story.service"
SAID = f"journalctl -u {UNIT} -o cat -t sh -t cat"
STATES = f"systemctl is-active {UNIT} || true; systemctl is-enabled {UNIT} || true"


def slow(description: str, config: str, **unit: Any) -> dict[str, Any]:
    """The arguments of a component with a service that takes its time."""
    return {
        "name": "story",
        "files": [
            {"dest": f"{FOLDER}/{UNIT}", "content": SLOW.format(description=description)},
            {"dest": "/etc/story.conf", "content": config},
            {"dest": "/etc/story.unrelated", "content": config, "units": []},
        ],
        "units": [{"name": UNIT, **unit}],
        "verify": [{"unit": UNIT}],
    }


@pytest.fixture(scope="module")
def told(fleet: Fleet) -> Results:
    loop = {"dest": f"{FOLDER}/loop.service", "content": LOOP}
    units: dict[str, Any] = {"units": [{"name": "loop.service"}]}
    watched = snapshot("before loop", FOLDER, units=("loop.service",))
    at_first = snapshot("at first", FOLDER, units=(UNIT, "rsync.service", "loop.service"))
    return fleet.play(
        [
            at_first,
            *predicted("come", **slow("first", "one\n")),
            snapshot("come seen", FOLDER, units=(UNIT,)),
            *predicted("change", **slow("second", "two\n", on_change="reload")),
            snapshot("change seen", units=(UNIT,)),
            shell("said", SAID),
            *predicted("restart", **slow("second", "three\n")),
            shell("said after restart", SAID),
            component("elsewhere", **{**slow("second", "three\n"), "commands": ["true"]}),
            shell("stopped by hand", f"systemctl disable --now {UNIT}"),
            *predicted("start", **slow("second", "three\n")),
            *predicted("mask", name="mask", units=[{"name": "rsync.service", "masked": True}]),
            *predicted("stop", **{
                **slow("second", "three\n", state="stopped", enabled=False), "verify": [],
            }),
            shell("stopped", STATES),
            watched,
            component("loop", name="loop", files=[loop], **units,
                      verify=[{"unit": "loop.service", "timeout": 2}]),
            {**watched, "name": "after loop"},
            core("revert", "transaction_revert", run="last"),
            {**at_first, "name": "reverted"},
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("task", "actions"),
    [
        ("come", ["enabled", "started"]),
        ("change", ["reloaded"]),
        ("restart", ["restarted"]),
        ("start", ["enabled", "started"]),
        ("stop", ["disabled", "stopped"]),
    ],
)
def test_check_mode_foretells_the_run(
    told: Results, release: str, task: str, actions: list[str]
) -> None:
    assert_predicted(told[release], task)
    assert told[release][task]["units"] == [{"name": UNIT, "actions": actions}]


def test_unit_that_comes_along_starts_once_it_says_that_it_is_ready(
    told: Results, release: str
) -> None:
    state = told[release]["come seen"]["units"][UNIT]
    assert (state["ActiveState"], state["SubState"]) == ("active", "running")
    assert state["UnitFileState"] == "enabled"


def test_units_are_read_again_and_the_running_service_is_only_reloaded(
    told: Results, release: str
) -> None:
    assert told[release]["change seen"]["units"][UNIT]["Description"] == "second"
    assert told[release]["said"]["stdout_lines"] == ["one", "two"]
    assert told[release]["said after restart"]["stdout_lines"] == ["one", "two", "three"]


def test_mask(told: Results, release: str) -> None:
    assert_predicted(told[release], "mask")
    assert told[release]["mask"]["units"] == [{"name": "rsync.service", "actions": ["masked"]}]


def test_commands_alone_change_nothing(told: Results, release: str) -> None:
    assert not told[release]["elsewhere"]["changed"]


def test_stopped_and_disabled(told: Results, release: str) -> None:
    assert told[release]["stopped"]["stdout_lines"] == ["inactive", "disabled"]


def test_unit_that_keeps_crashing_is_not_taken_for_active(told: Results, release: str) -> None:
    result = told[release]["loop"]
    assert result["failed"]
    assert result["rolled_back"]
    assert "loop: verification: loop.service did not hold within 2 s" in result["msg"]
    assert "exit-code" in result["msg"]
    before, after = (looks(told[release][f"{task} loop"]) for task in ("before", "after"))
    assert after == before


def test_all_of_a_run_can_be_put_back(told: Results, release: str) -> None:
    revert = told[release]["revert"]
    assert not revert.get("failed"), revert
    assert len(revert["reverted"]) == 6
    assert timeless(told[release]["reverted"]) == timeless(told[release]["at first"])
