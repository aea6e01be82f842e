# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors

from __future__ import annotations

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_model import (
    Run,
    TaskRun,
    record_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_result import (
    Outcome,
    Status,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_summary import (
    Change,
    change_line,
    summary_of,
)


def task(name: str, role: str = "", started: float = 0.0) -> TaskRun:
    return TaskRun("Everything", role, name, "ansible.builtin.command", "site.yml:3", started)


def play(run: Run, *steps: tuple[str, dict[str, Status]], hosts: str = "web1 web2 db1") -> Run:
    """Run tasks one after the other, each on its hosts."""
    run.start_play("Everything", hosts.split(), hosts.split())
    for name, statuses in steps:
        run.start_task(name, task(name))
        for host in statuses:
            run.start_host(name, host, 0.0)
        for host, status in statuses.items():
            run.finish_host(name, Outcome(host=host, status=status), 1.0)
    return run


def new() -> Run:
    return Run("site.yml", 0.0)


@pytest.mark.parametrize(
    ("thought", "failures", "known"),
    [
        ("failed failed", {"web1": 0}, "rescued rescued"),
        ("failed failed", {"web1": 1}, "rescued failed"),
        ("rescued failed", {"web1": 2}, "failed failed"),
        ("rescued rescued", {"web1": 1}, "rescued failed"),
        ("rescued failed", {}, "rescued failed"),
        ("rescued failed", None, "rescued failed"),
        ("ignored failed", {"web1": 1}, "ignored failed"),
        ("unreachable", {"web1": 0}, "unreachable"),
    ],
)
def test_what_was_rescued(thought: str, failures: dict[str, int] | None, known: str) -> None:
    steps = [(str(i), {"web1": Status(status)}) for i, status in enumerate(thought.split())]
    run = play(new(), *steps)
    run.close(failures)
    assert [str(step.outcomes[0].status) for step in run.tasks] == known.split()
    counted = {str(status): count for status, count in run.hosts["web1"].items() if count}
    assert counted == {status: known.split().count(status) for status in known.split()}


def test_serial_batches_are_tasks_of_their_own() -> None:
    run = new()
    for host in ("web1", "web2"):
        run.start_play("Everything", [host], ["web1", "web2"])
        run.start_task("id", task("Same task"))
        run.start_host("id", host, 0.0)
        run.finish_host("id", Outcome(host=host, status=Status.OK), 1.0)
    assert [[o.host for o in step.outcomes] for step in run.tasks] == [["web1"], ["web2"]]
    assert run.batch == ["web2"]
    assert list(run.hosts) == ["web1", "web2"]


def test_a_free_strategy_announces_a_task_once_for_each_host() -> None:
    run = new()
    run.start_play("Everything", ["web1", "web2"], ["web1", "web2"])
    for host in ("web1", "web2"):
        run.start_task("id", task("Same task"))
        run.start_host("id", host, 0.0)
    run.finish_host("id", Outcome(host="web1", status=Status.CHANGED), 1.0)
    assert run.settled() == []
    assert run.busy == {"web2"}
    run.finish_host("id", Outcome(host="web2", status=Status.CHANGED), 2.0)
    assert [len(step.outcomes) for step in run.settled()] == [2]
    assert run.settled() == []


def test_a_handler_that_runs_twice_is_told_twice() -> None:
    run = play(new(), ("handler", {"web1": Status.CHANGED}))
    assert len(run.settled()) == 1
    run.start_task("handler", task("handler"))
    run.finish_host("handler", Outcome(host="web1", status=Status.CHANGED), 3.0)
    assert len(run.settled()) == 1


def test_an_include_counts_for_nothing() -> None:
    run = play(new())
    run.start_task("include", task("include"))
    run.start_host("include", "web1", 0.0)
    run.drop_host("include", "web1")
    assert run.busy == set()
    assert record_of(run, 1.0)["tasks"] == []
    assert run.marks == []


def test_a_result_of_an_unknown_task_is_left_out() -> None:
    run = play(new())
    assert run.finish_host("never", Outcome(host="web1", status=Status.OK), 1.0) is None


def test_times() -> None:
    run = Run("site.yml", 100.0)
    run.start_play("Everything", ["web1", "web2"], ["web1", "web2"])
    run.start_task("id", task("Slow", "servertechnik.core.sshd", 101.0))
    run.start_host("id", "web1", 101.5)
    first = run.finish_host("id", Outcome(host="web1", status=Status.OK), 103.0)
    run.finish_host("id", Outcome(host="web2", status=Status.OK), 104.0)
    assert run.marks == [3.0, 4.0]
    assert first
    assert first.label == "sshd: Slow"
    record = record_of(run, 110.0)
    assert record["seconds"] == 10.0
    assert record["tasks"][0]["seconds"] == 3.0
    assert {host: out["seconds"] for host, out in record["tasks"][0]["hosts"].items()} == {
        "web1": 1.5,
        "web2": None,
    }


def test_summary_puts_like_hosts_together_in_the_order_of_the_inventory() -> None:
    changed, ok = Status.CHANGED, Status.OK
    run = play(
        new(),
        ("One", {"db1": changed, "web2": changed, "web1": changed}),
        ("Two", {"web2": changed, "web1": changed, "mail": ok}),
        ("Three", {"web1": Status.UNREACHABLE, "db1": Status.IGNORED}),
        hosts="web1 web2 db1 mail spare",
    )
    summary = summary_of(run)
    assert summary.changes == (
        Change(("web1", "web2", "db1"), ("One",), check=False),
        Change(("web1", "web2"), ("Two",), check=False),
    )
    assert [failure.hosts for failure in summary.failures] == [("web1",)]
    assert [failure.hosts for failure in summary.survived] == [("db1",)]
    assert summary.unchanged == ("mail",)
    assert summary.untouched == ("spare",)


def test_the_same_failure_is_told_once() -> None:
    run = play(new())
    run.start_task("id", task("Install"))
    for host, message in (
        ("web2", "No space left on device"),
        ("db1", "other"),
        ("web1", "No space left on device"),
    ):
        run.finish_host("id", Outcome(host=host, status=Status.FAILED, message=message), 1.0)
    told = {failure.hosts: failure.fix for failure in summary_of(run).failures}
    assert set(told) == {("web1", "web2"), ("db1",)}
    assert "df -h" in told["web1", "web2"]
    assert told["db1",] == ""


def test_work_done_elsewhere_is_named() -> None:
    run = play(new())
    run.start_task("id", task("Add to the load balancer"))
    run.finish_host("id", Outcome(host="web1", status=Status.CHANGED, delegate="lb1"), 1.0)
    run.start_task("bad", task("Add to DNS"))
    outcome = Outcome(host="web1", status=Status.FAILED, delegate="dns1", message="no")
    run.finish_host("bad", outcome, 1.0)
    summary = summary_of(run)
    assert summary.changes[0].lines == ("Add to the load balancer (on lb1)",)
    assert summary.failures[0].message == "On dns1: no"


COMPONENT = {
    "installed": ["chrony", "gpsd"],
    "files": [
        {"path": "/etc/a", "change": "created"},
        {"path": "/etc/b", "change": "content"},
        {"path": "/etc/c", "change": "attributes"},
    ],
    "units": [{"name": "a.service", "actions": ["enabled", "restarted"]}],
}


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Outcome(host="h", status=Status.CHANGED), ""),
        (Outcome(host="h", status=Status.CHANGED, items=(2, 5)), "2 of 5 items"),
        (
            Outcome(host="h", status=Status.CHANGED, component=COMPONENT, items=(1, 1)),
            "chrony, gpsd installed; /etc/a created; /etc/b changed; "
            "/etc/c given another owner or mode; a.service enabled; a.service restarted",
        ),
        (
            Outcome(host="h", status=Status.CHANGED, component={"removed": ["ntp"]}, check=True),
            "ntp would be removed",
        ),
    ],
)
def test_changes_in_words(outcome: Outcome, text: str) -> None:
    assert change_line(outcome) == text
