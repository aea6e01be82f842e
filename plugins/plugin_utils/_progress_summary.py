# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a person wants to know at the end of a run, in the order they want to know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_hints import fix_for
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_model import (
    Run,
    TaskRun,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_result import (
    Outcome,
    Status,
)

_CHANGES = {"content": "changed", "attributes": "given another owner or mode"}


@dataclass(frozen=True)
class Failure:
    """The same failure of the same task on one or more hosts."""

    hosts: tuple[str, ...]
    status: Status
    task: str
    path: str
    message: str
    fix: str


@dataclass(frozen=True)
class Change:
    """The same changes, or findings, on one or more hosts; a line for each task, or finding."""

    hosts: tuple[str, ...]
    lines: tuple[str, ...]
    check: bool


@dataclass(frozen=True)
class Summary:
    """Failures first, then what was found, then changes, then the rest."""

    failures: tuple[Failure, ...]
    survived: tuple[Failure, ...]
    findings: tuple[Change, ...]
    changes: tuple[Change, ...]
    unchanged: tuple[str, ...]
    untouched: tuple[str, ...]


def summary_of(run: Run) -> Summary:
    """Sum up a closed run; hosts come in the order of the inventory."""
    findings = tuple(_findings(run))
    found = {host for group in findings for host in group.hosts}
    reached = {host for host, counts in run.hosts.items() if counts.total()} | run.represented
    return Summary(
        failures=tuple(_failures(run, {Status.FAILED, Status.UNREACHABLE})),
        survived=tuple(_failures(run, {Status.RESCUED, Status.IGNORED})),
        findings=findings,
        changes=(*_changes(run, check=False), *_changes(run, check=True)),
        unchanged=tuple(run.in_order(reached - run.changed - run.failed - found)),
        untouched=tuple(run.in_order(run.hosts.keys() - reached)),
    )


def _failures(run: Run, wanted: set[Status]) -> Iterable[Failure]:
    groups: dict[tuple[int, Status, str], list[str]] = {}
    for index, task in enumerate(run.tasks):
        for outcome in task.outcomes:
            if outcome.status in wanted:
                message = f"On {outcome.delegate}: " if outcome.delegate else ""
                key = (index, outcome.status, message + outcome.message)
                groups.setdefault(key, []).append(outcome.host)
    for (index, status, message), hosts in groups.items():
        task = run.tasks[index]
        names = tuple(run.in_order(hosts))
        yield Failure(names, status, task.label, task.path, message, fix_for(message))


def _changes(run: Run, *, check: bool) -> Iterable[Change]:
    lines: dict[str, list[str]] = {}
    for task in run.tasks:
        for outcome in task.outcomes:
            if outcome.status is Status.CHANGED and outcome.check is check:
                lines.setdefault(outcome.host, []).append(_change(task, outcome))
    yield from _alike(run, lines, check=check)


def _findings(run: Run) -> Iterable[Change]:
    lines: dict[str, list[str]] = {}
    for task in run.tasks:
        for outcome in task.outcomes:
            if outcome.findings:
                lines.setdefault(outcome.host, []).extend(outcome.findings)
    return _alike(run, lines, check=False)


def _alike(run: Run, lines: Mapping[str, list[str]], *, check: bool) -> Iterable[Change]:
    """Say each line once, with all hosts that have it, and put lines of the same hosts together."""
    owners: dict[str, list[str]] = {}
    for host in run.in_order(lines):
        for text in dict.fromkeys(lines[host]):
            owners.setdefault(text, []).append(host)
    alike: dict[tuple[str, ...], list[str]] = {}
    for text, hosts in owners.items():
        alike.setdefault(tuple(hosts), []).append(text)
    for hosts_alike, texts in alike.items():
        yield Change(hosts_alike, tuple(texts), check)


def _change(task: TaskRun, outcome: Outcome) -> str:
    where = f" (on {outcome.delegate})" if outcome.delegate else ""
    detail = change_line(outcome)
    told = f"{task.label}{where}" + (f": {detail}" if detail else "")
    return "\n".join([told, *(f"  {line}" for line in outcome.component.get("outline", ()))])


def change_line(outcome: Outcome) -> str:
    """Say in words what was changed (in check mode: what would be); empty if that's unknown."""
    done: dict[str, list[str]] = {}
    for key in ("installed", "removed"):
        for package in outcome.component.get(key, ()):
            done.setdefault(key, []).append(package)
    for file in outcome.component.get("files", ()):
        change = str(file["change"])
        done.setdefault(_CHANGES.get(change, change), []).append(file["path"])
    for unit in outcome.component.get("units", ()):
        for action in unit["actions"]:
            done.setdefault(str(action), []).append(unit["name"])
    if done:
        would = "would be " if outcome.check else ""
        return "; ".join(f"{', '.join(names)} {would}{verb}" for verb, names in done.items())
    if outcome.items:
        return f"{outcome.items[0]} of {outcome.items[1]} items"
    return ""
