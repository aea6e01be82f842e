# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_result import (
    Outcome,
    Status,
    outcome_of,
    readable,
    visible,
)


def outcome(result: dict[str, Any], status: Status = Status.FAILED) -> Outcome:
    return outcome_of(result, host="web1", status=status)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("ring\a", "ring^G"),
        ("\x1b[2Jgone", "^[[2Jgone"),
        ("line\r\n", "line^M\n"),
        ("del\x7f", "del^?"),
        ("grün €", "grün €"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\aafter", "after"),
        ("10%\r20%\r\ndone", "10%\n20%\ndone"),
        ("bell\a", "bell^G"),
    ],
)
def test_readable(text: str, shown: str) -> None:
    assert readable(text) == shown


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"msg": "Task failed: Module failed: No such user"}, "No such user"),
        (
            {
                "msg": 'Task failed: Data could not be sent to remote host "192.0.2.1". Make sure '
                "this host can be reached over ssh: ssh: connect to host 192.0.2.1 port 22: "
                "Connection refused"
            },
            "ssh: connect to host 192.0.2.1 port 22: Connection refused",
        ),
        (
            {"msg": "The command exited with a non-zero return code.", "rc": 3, "stderr": "bad\n"},
            "The command ended with exit code 3\nbad",
        ),
        (
            {"msg": "non-zero return code", "rc": 1, "stdout": "why"},
            "The command ended with exit code 1\nwhy",
        ),
        ({"msg": "said: bad", "rc": 1, "stderr": "bad"}, "said: bad"),
        (
            {"msg": "MODULE FAILURE", "module_stderr": "sh: 1: python3: not found", "rc": 127},
            "MODULE FAILURE\nsh: 1: python3: not found",
        ),
        ({}, "it gave no reason"),
        ({"msg": "", "stderr": "\n".join(map(str, range(30)))}, "\n".join(map(str, range(18, 30)))),
        ({"censored": "hidden", "msg": "s3cret"}, "what it said is hidden (no_log)"),
    ],
)
def test_message_of_a_failure(result: dict[str, Any], message: str) -> None:
    assert outcome(result).message == message


def test_failing_items_are_named_unless_they_are_hidden() -> None:
    result = {
        "msg": "One or more items failed",
        "results": [
            {"item": "a", "changed": True},
            {"item": {"k": 1}, "_ansible_item_label": "second", "failed": True, "msg": "broken"},
            {"item": "third", "failed": True, "msg": "no"},
            {"item": "s3cret", "failed": True, "censored": "x", "_ansible_no_log": True},
        ],
    }
    found = outcome(result)
    assert found.message == "item second: broken\nitem third: no"
    assert found.items == (1, 4)


@pytest.mark.parametrize("status", [Status.OK, Status.CHANGED, Status.SKIPPED])
def test_a_fine_result_has_no_message(status: Status) -> None:
    assert outcome({"msg": "s3cret"}, status).message == ""


COMPONENT = {
    "packages": {"installed": ["chrony"], "removed": []},
    "files": [{"path": "/etc/a", "change": "content", "extra": "s3cret"}],
    "units": [
        {"name": "a.service", "actions": ["restarted"]},
        {"name": "b.service", "actions": []},
    ],
    "transaction": "t1",
    "rolled_back": False,
}
CHANGES: dict[str, list[Any]] = {
    "installed": ["chrony"],
    "files": [{"path": "/etc/a", "change": "content"}],
    "units": [{"name": "a.service", "actions": ["restarted"]}],
    "transactions": ["t1"],
}


@pytest.mark.parametrize(
    ("result", "component"),
    [
        (COMPONENT, CHANGES),
        (COMPONENT | {"_ansible_no_log": True}, {}),
        (
            COMPONENT | {"transaction": None},
            {key: CHANGES[key] for key in ("installed", "files", "units")},
        ),
        (COMPONENT | {"rolled_back": True}, CHANGES | {"rolled_back": True}),
        ({"results": [COMPONENT, COMPONENT]}, {key: value * 2 for key, value in CHANGES.items()}),
        (
            {"transaction": None, "outline": {"added": ["b", "c\x1b[1m"], "removed": ["a"]}},
            {"outline": ["- a", "+ b", "+ c"]},
        ),
        ({"files": ["/a"], "packages": 3}, {}),
        ({"files": ["/a"], "packages": 3, "transaction": None}, {}),
    ],
)
def test_changes_of_a_component(result: dict[str, Any], component: dict[str, Any]) -> None:
    assert outcome(result, Status.CHANGED).component == component


def test_findings_of_a_hidden_result_stay_hidden() -> None:
    result = {"findings": ["a.conf differs"]}
    assert outcome(result, Status.OK).findings == ("a.conf differs",)
    assert outcome({**result, "_ansible_no_log": True}, Status.OK).findings == ()
