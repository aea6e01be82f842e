# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Real runs of ansible-playbook against this machine, in a pipe."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._record import envelope

if TYPE_CHECKING:
    from tests.unit.plugins.callback.conftest import Project

SECRET = "s3cr3t-hunter2"  # noqa: S105  it must be found nowhere

COMPONENT = {
    "changed": True,
    "packages": {"installed": ["chrony"], "removed": []},
    "files": [{"path": "/etc/chrony/chrony.conf", "change": "content"}],
    "units": [{"name": "chrony.service", "actions": ["restarted"]}],
    "transaction": "20261124T083000Z-timesync",
    "rolled_back": False,
}

EVERYTHING = [
    {
        "name": "Everything",
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {"name": "Fine", "answer": {"result": {"changed": False}}},
            {"name": "Component", "answer": {"result": COMPONENT}, "notify": "Handler"},
            {
                "name": "Loop",
                "answer": {"result": {"changed": "{{ item == 'b' }}"}},
                "loop": ["a", "b", "c"],
            },
            {
                "name": "Ignored",
                "answer": {"result": {"failed": True, "msg": "left alone"}},
                "ignore_errors": True,
                "when": "inventory_hostname == 'web2'",
            },
            {
                "name": "Block",
                "block": [
                    {"name": "Breaks", "answer": {"result": {"failed": True, "msg": "broken"}}}
                ],
                "rescue": [{"name": "Repair", "answer": {"result": {"changed": False}}}],
            },
            {
                "name": "Elsewhere",
                "answer": {"result": {"changed": True}},
                "delegate_to": "web2",
                "run_once": True,
            },
            {
                "name": "Hidden",
                "answer": {"result": {"changed": True, "msg": SECRET, "stdout": SECRET}},
                "no_log": True,
            },
            {
                "name": "Hidden items",
                "answer": {"result": {"failed": True, "msg": "{{ item }}"}},
                "loop": [SECRET],
                "no_log": True,
                "ignore_errors": True,
            },
            {
                "name": "Fails",
                "answer": {
                    "result": {
                        "failed": True,
                        "msg": "\u001b[31mE: Could not get lock\u001b[0m\r\nx\ry",
                    }
                },
                "when": "inventory_hostname == 'web1'",
            },
        ],
        "handlers": [{"name": "Handler", "answer": {"result": {"changed": True}}}],
    }
]


@pytest.fixture(scope="module")
def everything(new_project: Callable[[], Project]) -> tuple[Project, str]:
    project = new_project()
    project.inventory(["web1", "web2"], off=["off"])
    shown = project.run(EVERYTHING)
    assert shown.stderr == ""
    assert shown.returncode == 4
    return project, shown.stdout


def test_a_whole_run_in_a_pipe(everything: tuple[Project, str]) -> None:
    project, shown = everything
    lines = shown.splitlines()
    assert lines[0] == "Play: Everything (3 hosts)"
    failures = lines.index("Failed on 2 of 3 hosts")
    assert set(lines[1:failures]) == {
        "UNREACHABLE off: Fine: ssh: connect to host 127.0.0.1 port 1: Connection refused",
        "changed web1, web2: Component: chrony installed; /etc/chrony/chrony.conf changed; "
        "chrony.service restarted",
        "changed web1, web2: Loop: 1 of 3 items",
        "failed, ignored web2: Ignored: left alone",
        "failed, rescue follows web1: Breaks: broken",
        "failed, rescue follows web2: Breaks: broken",
        "changed web1 -> web2: Elsewhere",
        "changed web1, web2: Hidden",
        "failed, ignored web1: Hidden items: what it said is hidden (no_log)",
        "failed, ignored web2: Hidden items: what it said is hidden (no_log)",
        "FAILED web1: Fails: E: Could not get lock",
        "    x",
        "    y",
        "changed web2: Handler",
        "",
    }
    assert lines[failures + 1] == "  off: can't be reached"
    assert lines[failures + 4] == "  web1: Fails"
    assert lines[failures + 8].startswith("      at play.yml:")
    assert "unattended-upgrades" in lines[failures + 9]
    rest = shown[shown.index("Failed, and the run went on as planned") :]
    assert "  web1, web2: Breaks\n      broken\n" in rest
    assert (
        "Changed on 2 hosts\n"
        "  web1, web2\n"
        "      Component: chrony installed; /etc/chrony/chrony.conf changed; "
        "chrony.service restarted\n"
        "      Loop: 1 of 3 items\n"
        "      Hidden\n"
        "  web1\n"
        "      Elsewhere (on web2)\n"
        "  web2\n"
        "      Handler\n" in rest
    )
    assert lines[-2].startswith("play.yml failed after ")
    assert lines[-2].endswith(": 3 hosts, 11 tasks")
    assert project.root / lines[-1].removeprefix("Record: ") == project.record_paths()[-1]


def test_no_control_character_reaches_a_pipe(everything: tuple[Project, str]) -> None:
    shown = everything[1]
    assert [c for c in shown if c != "\n" and not c.isprintable()] == []


def test_the_record_of_a_run(everything: tuple[Project, str]) -> None:
    project = everything[0]
    record = project.record()
    again = envelope(
        **{key: record[key] for key in ("kind", "schema", "host", "run", "data")},
        at=datetime.fromisoformat(record["at"]),
    )
    assert again == record
    data = record["data"]
    assert data["result"] == "failed"
    assert data["playbook"] == "play.yml"
    assert data["hosts"] == {
        "web1": {"ok": 2, "changed": 4, "skipped": 1, "failed": 1, "rescued": 1, "ignored": 1},
        "web2": {"ok": 2, "changed": 4, "skipped": 1, "rescued": 1, "ignored": 2},
        "off": {"unreachable": 1},
    }
    tasks = {task["name"]: task for task in data["tasks"]}
    component = tasks["Component"]["hosts"]["web1"]["component"]
    assert component["transactions"] == ["20261124T083000Z-timesync"]
    assert component["installed"] == ["chrony"]
    assert tasks["Loop"]["hosts"]["web1"]["items"] == {"changed": 1, "all": 3}
    assert tasks["Elsewhere"]["hosts"]["web1"]["delegate"] == "web2"
    assert tasks["Handler"]["handler"] is True
    assert set(tasks["Hidden"]["hosts"]["web1"]) == {"status", "seconds"}
    assert project.record_paths()[-1].stat().st_mode & 0o777 == 0o600


def test_a_secret_is_nowhere_however_much_is_asked_for(project: Project) -> None:
    words = ("-vvv", "-e", f"token={SECRET}")
    shown = project.run(EVERYTHING, *words, ANSIBLE_INJECT_INVOCATION="1")
    assert SECRET not in shown.stdout
    assert SECRET not in shown.stderr
    assert SECRET not in project.record_paths()[-1].read_text()
    assert "ok web1: Fine\n" in shown.stdout
    assert "\x1b" not in shown.stdout
    assert "invocation" not in shown.stdout


def test_results_are_shown_when_asked_for(project: Project) -> None:
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {"name": "Fine", "answer": {"result": {"changed": False, "disk": "sda"}}},
                {"name": "Each", "answer": {"result": {"changed": False}}, "loop": ["x"]},
                {"name": "Not here", "answer": {"result": {}}, "when": False},
            ],
        }
    ]
    shown = project.run(play, "-v").stdout
    assert 'ok web1: Fine\n    {"changed": false, "disk": "sda"}\n' in shown
    assert "ok web1: Each (item x)\n" in shown
    assert "skipped web1: Not here\n" in shown


def test_debug_is_shown_always(project: Project) -> None:
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {"name": "Say", "ansible.builtin.debug": {"msg": "two\nlines\u001b[2J"}},
                {"name": "Var", "ansible.builtin.debug": {"var": "inventory_hostname"}},
            ],
        }
    ]
    shown = project.run(play).stdout
    assert "ok web1: Say\n    two\n    lines\n" in shown
    assert '"inventory_hostname": "web1"' in shown


def test_check_mode_says_would(project: Project) -> None:
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [{"name": "Component", "answer": {"result": COMPONENT}}],
        }
    ]
    shown = project.run(play, "--check").stdout
    assert "would change web1: Component: chrony would be installed; " in shown
    assert "Would change on 1 host\n" in shown
    assert shown.splitlines()[-2].endswith("check mode: nothing was changed")
    data = project.record()["data"]
    assert data["check"] is True
    assert data["tasks"][0]["hosts"]["web1"]["check"] is True


def test_differences_are_shown_with_control_characters_visible(project: Project) -> None:
    diff = {"before": "a\r\n", "after": "a\nb\u001b[2J\n", "after_header": "/etc/a"}
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {"name": "One", "answer": {"result": {"changed": True, "diff": diff}}},
                {
                    "name": "Each",
                    "answer": {"result": {"changed": True, "diff": [diff]}},
                    "loop": [1, 2],
                },
                {
                    "name": "Hidden",
                    "answer": {
                        "result": {"changed": True, "diff": {"before": "", "after": SECRET}}
                    },
                    "no_log": True,
                },
            ],
        }
    ]
    shown = project.run(play, "--diff").stdout
    assert "web1: One\n--- before\n+++ after: /etc/a\n@@ -1 +1,2 @@\n-a^M\n+a\n+b^[[2J\n" in shown
    assert shown.count("web1: Each\n--- before") == 2
    assert SECRET not in shown
    assert "--- before" not in project.run(play).stdout


def test_batches_includes_and_several_plays(project: Project) -> None:
    (project.root / "more.yml").write_text(
        json.dumps([{"name": "Included {{ n }}", "answer": {"result": {"changed": True}}}])
    )
    project.inventory(["a1", "a2", "a3"])
    play = [
        {
            "name": "In batches",
            "hosts": "all",
            "gather_facts": False,
            "serial": 2,
            "tasks": [
                {"name": "More", "ansible.builtin.include_tasks": "more.yml", "vars": {"n": 1}},
            ],
        },
        {
            "name": "At their own pace",
            "hosts": "all",
            "gather_facts": False,
            "strategy": "ansible.builtin.free",
            "tasks": [{"name": "Freely", "answer": {"result": {"changed": True}}}],
        },
        {"name": "Nobody", "hosts": "none", "gather_facts": False, "tasks": []},
    ]
    run = project.run(play)
    assert run.stderr == "[WARNING]: Could not match supplied host pattern, ignoring: none\n"
    shown = run.stdout
    lines = shown.splitlines()
    assert lines[:4] == [
        "Play: In batches (2 hosts)",
        "changed a1, a2: Included 1",
        "Play: In batches (1 host)",
        "changed a3: Included 1",
    ]
    assert "Play: Nobody (0 hosts)\n    No host matches this play\n" in shown
    assert "Changed on 3 hosts\n  a1, a2, a3\n      Included 1\n      Freely\n" in shown
    assert project.record()["data"]["hosts"] == {
        name: {"changed": 2} for name in ("a1", "a2", "a3")
    }


def test_too_many_failed(project: Project) -> None:
    project.inventory(["web1", "web2"])
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "max_fail_percentage": 0,
            "tasks": [
                {
                    "name": "Fails",
                    "answer": {"result": {"failed": "{{ inventory_hostname == 'web1' }}"}},
                },
                {"name": "Never", "answer": {"result": {"changed": True}}},
            ],
        }
    ]
    shown = project.run(play).stdout
    assert "Stopped early, because too many hosts failed\n" in shown
    assert "Unchanged so far: web2\n" in shown
    assert "Never" not in shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_summed_up(project: Project, number: signal.Signals) -> None:
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {"name": "Done", "answer": {"result": {"changed": True}}},
                {"name": "Waits", "answer": {"result": {}, "touch": str(project.root / "waits")}},
            ],
        }
    ]
    process = project.start(play)
    project.wait_for(project.root / "waits")
    process.send_signal(number)
    shown, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Changed on 1 host\n  web1\n      Done\n" in shown
    assert "play.yml stopped before its end after " in shown
    assert project.record()["data"]["result"] == "interrupted"


def test_a_playbook_that_never_starts_leaves_no_record(project: Project) -> None:
    play = [{"hosts": "{{ no_such_variable }}", "tasks": []}]
    shown = project.run(play)
    assert shown.returncode != 0
    assert "stopped before its end" not in shown.stdout
    assert project.record_paths() == []


def test_records_that_cannot_be_written_are_a_warning(project: Project) -> None:
    (project.root / "records").write_text("")
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [{"name": "Fine", "answer": {"result": {}}}],
        }
    ]
    shown = project.run(play)
    assert shown.returncode == 0
    assert "can't be written to" in shown.stderr
    assert "play.yml done after" in shown.stdout


def test_a_broken_history_does_no_harm(project: Project) -> None:
    project.history.write_text("{broken")
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [{"name": "Fine", "answer": {"result": {}}}],
        }
    ]
    shown = project.run(play)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert list(json.loads(project.history.read_text())) == ["play.yml#1"]


def test_warnings_of_modules_are_shown_but_not_of_hidden_results(project: Project) -> None:
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {"name": "Open", "answer": {"result": {}, "warn": "mind the gap"}},
                {"name": "Hidden", "answer": {"result": {}, "warn": SECRET}, "no_log": True},
            ],
        }
    ]
    shown = project.run(play)
    assert "mind the gap" in shown.stderr
    assert SECRET not in shown.stderr


def test_an_ad_hoc_command_shows_its_result_and_leaves_no_record(project: Project) -> None:
    shown = project.ansible(
        "ansible",
        "all",
        "-m",
        "answer",
        "-a",
        '{"result": {"disk": "sda"}}',
        ANSIBLE_LOAD_CALLBACK_PLUGINS="1",
    )
    assert '"disk": "sda"' in shown.stdout
    assert project.record_paths() == []


def test_the_documentation_is_complete(project: Project) -> None:
    shown = project.ansible("ansible-doc", "-t", "callback", "-j", "servertechnik.core.progress")
    documented: dict[str, Any] = json.loads(shown.stdout)
    options = documented["servertechnik.core.progress"]["doc"]["options"]
    assert {"records", "history", "live", "result_format"} <= set(options)
