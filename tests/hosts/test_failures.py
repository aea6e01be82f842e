# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Whatever step fails, on real hosts: everything is as before, and the message is enough."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest_hosts import Fleet, Results, Task
from tests.hosts.tasks import component, looks, shell, snapshot

TOP = "/etc/story"
FOLDER = "/etc/systemd/system"
UNITS = ("story.service", "other.service", "new.service")
SERVICE = "[Service]\nExecStart=sh -c '{command}'\n[Install]\nWantedBy=multi-user.target\n"
RUNS = SERVICE.format(command="exec sleep infinity")
BREAKS = "[Service]\nType=oneshot\nExecStart=sh -c 'echo last words; exit 3'\n"
GOOD: dict[str, Any] = {
    "name": "story",
    "files": [
        {"dest": f"{TOP}/plain", "content": "former", "owner": "games", "mode": "4750"},
        {"dest": f"{TOP}/link", "link": "plain"},
        {"dest": f"{FOLDER}/story.service", "content": RUNS},
        {"dest": f"{FOLDER}/other.service", "content": RUNS},
    ],
    "units": [
        {"name": "story.service"},
        {"name": "other.service", "state": "stopped", "enabled": False},
    ],
}
CHANGED: dict[str, Any] = {
    "name": "story",
    "files": [
        {"dest": f"{TOP}/plain", "link": "/etc/hostname"},
        {"dest": f"{TOP}/link", "content": "a file", "validate": "test -s %s"},
        {"dest": f"{TOP}/new/folder/file", "content": "new"},
        {"dest": f"{TOP}/full", "state": "directory", "mode": "0700"},
        {"dest": f"{TOP}/old", "state": "absent"},
        {"dest": f"{FOLDER}/story.service", "content": f"# changed\n{RUNS}"},
        {"dest": f"{FOLDER}/other.service", "content": f"# changed\n{RUNS}"},
        {"dest": f"{FOLDER}/new.service", "content": RUNS},
    ],
    "units": [{"name": name} for name in UNITS],
}
SEED = f"""
mkdir -p {TOP}/old/er; echo kept > {TOP}/old/er/file
touch -d '2020-02-29 12:00:00.123456789' {TOP}/old/er/file
chown games:games {TOP}/old/er/file; chmod 0600 {TOP}/old/er/file
"""


def with_file(dest: str, **changed: Any) -> dict[str, Any]:
    """The change with one file in another way."""
    others = [one for one in CHANGED["files"] if one["dest"] != dest]
    return {**CHANGED, "files": [*others, {"dest": dest, **changed}]}


# What fails, the component that does it, and the words that have to be in the message.
CASES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "file": (
        with_file(f"{TOP}/link", content="x", validate="grep -n wanted %s /nowhere"),
        ("story: files:", f"{TOP}/link is not valid", "(2)", "/nowhere: No such file"),
    ),
    "account": (
        with_file(f"{TOP}/link", content="x", owner="nobody-knows"),
        ("story: preparation:", "there is no such account on this host", "nobody-knows"),
    ),
    "component": (
        {**CHANGED, "validate": ["true", f"grep unwanted {TOP}/plain /nowhere"]},
        ("story: validation:", "grep unwanted", "failed (2)", "/nowhere: No such file"),
    ),
    "command": (
        {**CHANGED, "commands": ["true", f"grep -c former {TOP}/plain"]},
        (f"story: activation: 'grep -c former {TOP}/plain' failed (1): 0",),
    ),
    "unit": (
        with_file(f"{FOLDER}/story.service", content=BREAKS),
        ("story: activation: story.service could not restart", "last words", "status=3"),
    ),
    "new unit": (
        with_file(f"{FOLDER}/new.service", content=BREAKS),
        ("story: activation: new.service could not start", "last words"),
    ),
    "port": (
        {**CHANGED, "verify": [{"unit": "story.service"}, {"tcp": "localhost:9", "timeout": 1}]},
        ("story: verification: localhost:9 did not hold within 1 s", "Connection refused"),
    ),
    "check": (
        {**CHANGED, "verify": [{"command": "ls /nowhere", "timeout": 0}]},
        ("story: verification: ls /nowhere did not hold", "exit status 2", "No such file"),
    ),
    "steady unit": (
        {
            **with_file(f"{FOLDER}/new.service", content=SERVICE.format(command="echo oh; exit 1")),
            "verify": [{"unit": "new.service", "timeout": 1}],
        },
        ("story: verification: new.service did not hold", "it is failed (failed)", "oh"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def told(fleet: Fleet) -> Results:
    watched = snapshot("before", TOP, FOLDER, units=UNITS)
    tasks: list[Task] = []
    for name, (options, _) in CASES.items():
        tasks += [component(name, **options), {**watched, "name": f"after {name}"}]
    runs = "systemctl show -P MainPID story.service; systemctl show -P MainPID other.service"
    return fleet.play(
        [
            component("good", **GOOD),
            shell("seed", SEED),
            watched,
            *tasks,
            shell("processes", runs),
            component("at last", **CHANGED),
            {**watched, "name": "after all"},
        ]
    )


@pytest.mark.parametrize("case", CASES)
def test_everything_is_as_before(told: Results, release: str, case: str) -> None:
    result = told[release][case]
    assert result["failed"]
    assert not result["changed"]
    assert result["rolled_back"]
    assert "The host is as before: files and units were put back." in result["msg"]
    assert looks(told[release][f"after {case}"]) == looks(told[release]["before"])


@pytest.mark.parametrize("case", CASES)
def test_message_says_which_step_and_why(told: Results, release: str, case: str) -> None:
    message = told[release][case]["msg"]
    assert [words for words in CASES[case][1] if words not in message] == [], message


def test_what_ran_runs_and_nothing_else(told: Results, release: str) -> None:
    story, other = told[release]["processes"]["stdout_lines"]
    assert int(story) > 0
    assert other == "0"


def test_the_same_change_works_without_the_fault(told: Results, release: str) -> None:
    result = told[release]["at last"]
    assert not result.get("failed"), result
    units = told[release]["after all"]["units"]
    assert {units[name]["ActiveState"] for name in UNITS} == {"active"}
