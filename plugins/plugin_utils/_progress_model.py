# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state of a run, kept up to date from callback events. Times are seconds of one clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_result import (
    Outcome,
    Status,
)

_FAILURES = frozenset({Status.FAILED, Status.UNREACHABLE})
_RESCUABLE = frozenset({Status.FAILED, Status.RESCUED})


@dataclass
class TaskRun:
    """One task of one play (of one batch, with ``serial``) on all its hosts."""

    play: str
    role: str
    name: str
    action: str
    path: str
    started: float
    handler: bool = False
    ended: float | None = None
    told: bool = False
    note: str = ""
    waiting: dict[str, float] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The role without its collection, and the task's name."""
        return f"{self.role.rpartition('.')[2]}: {self.name}" if self.role else self.name


class Run:
    """What has happened so far in one run of one playbook."""

    def __init__(self, playbook: str, now: float) -> None:
        """Start a run of `playbook` at time `now`."""
        self.playbook = playbook
        self.started = now
        self.play = ""
        self.batch: list[str] = []
        self.hosts: dict[str, Counter[Status]] = {}
        self.tasks: list[TaskRun] = []
        self.current: TaskRun | None = None
        self.marks: list[float] = []
        self.stopped_early = False
        # Hosts for which a task ran once, on one of them.
        self.represented: set[str] = set()
        self._open: dict[str, TaskRun] = {}

    def start_play(self, name: str, batch: Iterable[str], hosts: Iterable[str]) -> None:
        """Begin a play, or with ``serial`` its next `batch`; `hosts` are all the play is for."""
        self.play = name
        self.batch = list(batch)
        for host in (*hosts, *self.batch):
            self.hosts.setdefault(host, Counter())
        self._open.clear()

    def start_task(self, key: str, task: TaskRun) -> TaskRun:
        """Begin `task`; a strategy may announce the same task (`key`) again for other hosts."""
        known = self._open.get(key)
        if known is None or known.told:
            known = self._open[key] = task
            self.tasks.append(task)
        self.current = known
        return known

    def task(self, key: str) -> TaskRun | None:
        """Return the task announced as `key` in the present play."""
        return self._open.get(key)

    def start_host(self, key: str, host: str, now: float) -> None:
        """Note that `host` begins a task that was announced before."""
        if task := self._open.get(key):
            task.waiting.setdefault(host, now)

    def finish_host(self, key: str, outcome: Outcome, now: float) -> TaskRun | None:
        """Take the final result of a task on one host; returns the task it belongs to."""
        task = self._open.get(key)
        if task is None:
            return None
        begun = task.waiting.pop(outcome.host, None)
        outcome.seconds = None if begun is None else now - begun
        task.note = ""
        task.ended = now
        task.outcomes.append(outcome)
        self.hosts.setdefault(outcome.host, Counter())[outcome.status] += 1
        self.marks.append(now - self.started)
        return task

    def settled(self) -> list[TaskRun]:
        """Return the tasks that no host works on any more and that weren't asked for before."""
        ready = [task for task in self.tasks if task.outcomes and not task.told]
        ready = [task for task in ready if not task.waiting]
        for task in ready:
            task.told = True
        return ready

    def drop_host(self, key: str, host: str) -> None:
        """Forget that `host` works on a task whose result says nothing (an include)."""
        if task := self._open.get(key):
            task.waiting.pop(host, None)

    def in_order(self, hosts: Iterable[str]) -> list[str]:
        """Return `hosts` in the order of the inventory."""
        order = {host: number for number, host in enumerate(self.hosts)}
        return sorted(hosts, key=lambda host: order.get(host, len(order)))

    @property
    def busy(self) -> set[str]:
        """The hosts that work on some task right now."""
        return {host for task in self._open.values() for host in task.waiting}

    @property
    def failed(self) -> set[str]:
        """The hosts that failed or can't be reached."""
        return {name for name, counts in self.hosts.items() if any(counts[s] for s in _FAILURES)}

    @property
    def changed(self) -> set[str]:
        """The hosts on which something was changed."""
        return {name for name, counts in self.hosts.items() if counts[Status.CHANGED]}

    def close(self, failures: Mapping[str, int] | None) -> None:
        """Decide which failures were rescued, whatever was thought when they happened.

        `failures` are Ansible's own counts of final failures for each host. A host is taken out
        of the run by a final failure, so the last ones are those. Without the counts (the run
        did not come to its end) what was known when the failures happened stands.
        """
        bad: dict[str, list[Outcome]] = {}
        for task in self.tasks:
            for outcome in task.outcomes:
                if outcome.status in _RESCUABLE:
                    bad.setdefault(outcome.host, []).append(outcome)
        for host, final in (failures or {}).items():
            outcomes = bad.get(host, [])
            for left, outcome in zip(range(len(outcomes), 0, -1), outcomes, strict=True):
                self.hosts[host][outcome.status] -= 1
                outcome.status = Status.FAILED if left <= final else Status.RESCUED
                self.hosts[host][outcome.status] += 1


def record_of(run: Run, now: float) -> dict[str, Any]:
    """Return the tasks and hosts of a closed run as a run record holds them."""
    return {
        "playbook": run.playbook,
        "seconds": round(now - run.started, 3),
        "hosts": {
            host: {str(status): count for status, count in counts.items() if count}
            for host, counts in run.hosts.items()
        },
        "tasks": [_task_record(task, now) for task in run.tasks if task.outcomes],
    }


def _task_record(task: TaskRun, now: float) -> dict[str, Any]:
    return {
        "play": task.play,
        "role": task.role,
        "name": task.name,
        "action": task.action,
        "handler": task.handler,
        "seconds": round((now if task.ended is None else task.ended) - task.started, 3),
        "hosts": {outcome.host: _outcome_record(outcome) for outcome in task.outcomes},
    }


def _outcome_record(outcome: Outcome) -> dict[str, Any]:
    record: dict[str, Any] = {
        "status": str(outcome.status),
        "seconds": None if outcome.seconds is None else round(outcome.seconds, 3),
    }
    if outcome.check:
        record["check"] = True
    if outcome.items:
        record["items"] = {"changed": outcome.items[0], "all": outcome.items[1]}
    for key in ("delegate", "message", "component"):
        if value := getattr(outcome, key):
            record[key] = value
    return record
