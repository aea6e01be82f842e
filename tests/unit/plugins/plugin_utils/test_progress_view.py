# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors

from __future__ import annotations

import io

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils import _progress_view as view
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_model import (
    Run,
    TaskRun,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_result import (
    Outcome,
    Status,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_summary import (
    summary_of,
)
from rich.console import Console
from rich.spinner import Spinner


def running(*outcomes: Outcome, hosts: str = "web1 web2 db1") -> tuple[Run, TaskRun]:
    run = Run("playbooks/site.yml", 0.0)
    run.start_play("Everything", hosts.split(), hosts.split())
    task = TaskRun("Everything", "servertechnik.core.sshd", "Keep the door", "x", "a.yml:3", 0.0)
    run.start_task("id", task)
    for host in hosts.split():
        run.start_host("id", host, 0.0)
    for outcome in outcomes:
        run.finish_host("id", outcome, 1.0)
    return run, task


def summary(run: Run, *, interrupted: bool = False, check: bool = False) -> str:
    lines = view.summary_lines(
        summary_of(run), run, seconds=61.2, interrupted=interrupted, check=check, record="r.json"
    )
    return "\n".join(line.plain for line in lines)


def bar(run: Run, elapsed: float, remaining: float | None, width: int = 80) -> list[str]:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(view.draw_bar(run, elapsed, remaining, Spinner("dots")))
    return captured.get().splitlines()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (10.2, "10 s"),
        (59.4, "59 s"),
        (59.6, "1:00 min"),
        (187, "3:07 min"),
        (3723, "1:02:03 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert view.duration(seconds) == text


def test_a_summary_has_failures_first() -> None:
    run, _ = running(
        Outcome(host="db1", status=Status.CHANGED, component={"installed": ["ssh"]}),
        Outcome(host="web1", status=Status.FAILED, message="sshd -t:\n\x1b[2Jline 3"),
        Outcome(host="web2", status=Status.UNREACHABLE, message="Connection refused"),
    )
    assert summary(run).splitlines() == [
        "",
        "Failed on 2 of 3 hosts",
        "  web1: sshd: Keep the door",
        "      sshd -t:",
        "      ^[[2Jline 3",
        "      at a.yml:3",
        "  web2: can't be reached",
        "      Connection refused",
        "      What helps: The host answers but nothing listens on that port. Check ansible_port "
        "and, on the console, systemctl status ssh.",
        "",
        "Changed on 1 host",
        "  db1",
        "      sshd: Keep the door: ssh installed",
        "",
        "site.yml failed after 1:01 min: 3 hosts, 1 task",
        "Record: r.json",
    ]


def test_a_summary_of_a_check_says_would() -> None:
    run, _ = running(Outcome(host="db1", status=Status.CHANGED, check=True), hosts="db1")
    text = summary(run, check=True)
    assert "Would change on 1 host\n" in text
    assert (
        "site.yml checked after 1:01 min: 1 host, 1 task, check mode: nothing was changed" in text
    )


def test_a_summary_says_what_a_change_means_below_it() -> None:
    component = {"files": [{"path": "/a", "change": "content"}], "outline": ["- ssh", "+ http"]}
    run, _ = running(
        Outcome(host="db1", status=Status.CHANGED, component=component),
        Outcome(host="web1", status=Status.CHANGED, component=component),
    )
    assert summary(run).splitlines()[1:6] == [
        "Changed on 2 hosts",
        "  web1, db1",
        "      sshd: Keep the door: /a changed",
        "        - ssh",
        "        + http",
    ]


def test_a_summary_of_a_quiet_run_is_short() -> None:
    run, _ = running(Outcome(host="web1", status=Status.OK), hosts="web1 web2")
    run.stopped_early = True
    assert summary(run, interrupted=True).splitlines() == [
        "",
        "Unchanged so far: web1",
        "Not reached by any task: web2",
        "Stopped early, because too many hosts failed",
        "site.yml stopped before its end after 1:01 min: 2 hosts, 1 task",
        "Record: r.json",
    ]


def test_a_summary_tells_what_was_found_and_where_nothing_was() -> None:
    run, _ = running(
        Outcome(host="web1", status=Status.OK, findings=("a.conf differs", "b.conf differs")),
        Outcome(host="web2", status=Status.OK, findings=("a.conf differs",)),
        Outcome(host="db1", status=Status.OK),
    )
    assert summary(run).splitlines()[1:8] == [
        "Found on 2 hosts",
        "  web1, web2",
        "      a.conf differs",
        "  web1",
        "      b.conf differs",
        "",
        "Nothing to do on db1",
    ]


def test_a_run_with_nothing_to_do_says_so() -> None:
    run, _ = running(Outcome(host="web1", status=Status.OK), hosts="web1")
    assert summary(run).splitlines()[1] == "Nothing to do on web1"


def test_a_task_that_runs_once_speaks_for_all() -> None:
    run, _ = running(Outcome(host="web1", status=Status.OK), hosts="web1 web2")
    run.represented = {"web1", "web2"}
    assert summary(run).splitlines()[1] == "Nothing to do on web1, web2"
    assert "Not reached" not in summary(run)


def test_one_line_tells_what_a_task_changed() -> None:
    run, task = running(
        Outcome(host="db1", status=Status.CHANGED, items=(1, 2)),
        Outcome(host="web1", status=Status.CHANGED, items=(1, 2), delegate="lb1"),
        Outcome(host="web2", status=Status.OK),
    )
    lines = [line.plain for line in view.task_lines(run, task)]
    assert lines == ["changed web1 -> lb1, db1: sshd: Keep the door: 1 of 2 items"]


def test_a_task_that_changed_nothing_is_quiet() -> None:
    run, task = running(Outcome(host="db1", status=Status.OK))
    assert list(view.task_lines(run, task)) == []


def test_different_changes_are_left_to_the_summary() -> None:
    run, task = running(
        Outcome(host="db1", status=Status.CHANGED, items=(1, 2)),
        Outcome(host="web1", status=Status.CHANGED, items=(2, 2)),
    )
    assert [line.plain for line in view.task_lines(run, task)] == [
        "changed web1, db1: sshd: Keep the door"
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 300])
def test_the_bar_has_two_lines_at_any_width(width: int) -> None:
    run, task = running(Outcome(host="db1", status=Status.FAILED, message="x"))
    task.note = "attempt 1 of 5 failed"
    lines = bar(run, 10.0, 30.0, width)
    assert len(lines) == 2
    assert all(len(line) <= width for line in lines)


def test_the_bar_tells_where_we_are() -> None:
    run, _ = running(
        Outcome(host="db1", status=Status.FAILED, message="x"),
        Outcome(host="web1", status=Status.CHANGED),
        hosts="web1 web2 db1 a b c",
    )
    first, second = bar(run, 65.0, 70.0, 100)
    assert "sshd: Keep the door" in first
    assert first.endswith("on a, b, c and 1 more")
    assert second.endswith("1 of 6 hosts done · 1 changed · 1 failed · 1:05, about 1:10 left")


@pytest.mark.parametrize(
    ("hosts", "text"), [("a", "on a"), ("a b c", "on a, b, c"), ("d c b a", "on all 4 hosts")]
)
def test_the_bar_names_whom_it_waits_for(hosts: str, text: str) -> None:
    run, _ = running(hosts=hosts)
    assert bar(run, 1.0, None)[0].endswith(f" {text}")


def test_the_bar_claims_no_end_that_it_does_not_know() -> None:
    run, _ = running()
    assert "left" not in bar(run, 65.0, None)[1]


def test_the_bar_before_the_first_task() -> None:
    assert "starting" in bar(Run("site.yml", 0.0), 0.0, None)[0]
