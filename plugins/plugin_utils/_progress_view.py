# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a run looks: lines of styled text, the same on a terminal and in a pipe, and the bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_model import (
    Run,
    TaskRun,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_result import (
    Outcome,
    Status,
    visible,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_summary import (
    Change,
    Failure,
    Summary,
    change_line,
)
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

_WORDS = {
    Status.FAILED: ("FAILED", "bold red"),
    Status.UNREACHABLE: ("UNREACHABLE", "bold red"),
    Status.IGNORED: ("failed, ignored", "magenta"),
    Status.RESCUED: ("failed, rescue follows", "magenta"),
    Status.CHANGED: ("changed", "yellow"),
    Status.OK: ("ok", "green"),
    Status.SKIPPED: ("skipped", "cyan"),
}
_NAMED = 3


@dataclass(frozen=True)
class Line:
    """One line: `parts` of text and style, `indent` columns from the left, also when wrapped."""

    parts: tuple[tuple[str, str], ...]
    indent: int = 0

    @property
    def plain(self) -> str:
        """The line without any style."""
        return (" " * self.indent + "".join(part[0] for part in self.parts)).rstrip()

    @property
    def text(self) -> Text:
        """The line for a terminal, without its indent."""
        return Text.assemble(*self.parts)


def line(*parts: str | tuple[str, str], indent: int = 0) -> Line:
    """Make a line from strings and pairs of string and style; control characters show."""
    pairs = ((part, "") if isinstance(part, str) else part for part in parts)
    return Line(tuple((visible(text), style) for text, style in pairs), indent)


def paragraph(text: str, style: str = "", indent: int = 0) -> Iterator[Line]:
    """Make one line of each line of `text`."""
    for part in text.splitlines() or [""]:
        yield line((part, style), indent=indent)


def duration(seconds: float) -> str:
    """Say a duration as people do: ``0.8 s``, ``42 s``, ``3:07 min``, ``1:02:03 h``."""
    if seconds < 10:  # noqa: PLR2004  below ten seconds the tenths matter
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02} h"
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"


def failure_lines(task: TaskRun, outcome: Outcome) -> Iterator[Line]:
    """Tell a failure when it happens."""
    word, style = _WORDS[outcome.status]
    first, *rest = outcome.message.splitlines() or [""]
    yield line((word, style), f" {host_label(outcome)}: {task.label}: {first}")
    for text in rest:
        yield line(text, indent=4)


def task_lines(run: Run, task: TaskRun) -> Iterator[Line]:
    """Tell what a finished task of `run` changed, in one line; nothing if it changed nothing."""
    for check in (False, True):
        changed = [o for o in task.outcomes if o.status is Status.CHANGED and o.check is check]
        if not changed:
            continue
        labels = {outcome.host: host_label(outcome) for outcome in changed}
        hosts = ", ".join(labels[host] for host in run.in_order(labels))
        details = {change_line(outcome) for outcome in changed}
        detail = details.pop() if len(details) == 1 else ""
        yield line(
            ("would change" if check else "changed", "yellow"),
            f" {hosts}: {task.label}",
            (f": {detail}" if detail else "", "dim"),
        )


def result_line(task: TaskRun, outcome: Outcome, item: str = "") -> Line:
    """Name one result, for people who ask for all of them."""
    word, style = _WORDS[outcome.status]
    return line(
        (word, style), f" {host_label(outcome)}: {task.label}", f" ({item})" if item else ""
    )


def host_label(outcome: Outcome) -> str:
    """Name the host, and where the work was done if that is another one."""
    return f"{outcome.host} -> {outcome.delegate}" if outcome.delegate else outcome.host


def summary_lines(
    summary: Summary, run: Run, *, seconds: float, interrupted: bool, check: bool, record: str
) -> Iterator[Line]:
    """Sum a run up in plain words, failures first."""
    yield line()
    if summary.failures:
        hosts = len(run.failed)
        yield line((f"Failed on {hosts} of {hosts_text(len(run.hosts))}", "bold red"))
        for failure in summary.failures:
            yield from _failure(failure)
        yield line()
    if summary.survived:
        yield line(("Failed, and the run went on as planned", "bold magenta"))
        for failure in summary.survived:
            yield from _failure(failure)
        yield line()
    yield from _changes("Found", summary.findings)
    yield from _changes("Changed", [change for change in summary.changes if not change.check])
    yield from _changes("Would change", [change for change in summary.changes if change.check])
    yield from _rest(summary, run, complete=not (interrupted or run.failed))
    yield from _closing(run, seconds=seconds, interrupted=interrupted, check=check)
    if record:
        yield line((f"Record: {record}", "dim"))


def _failure(failure: Failure) -> Iterator[Line]:
    style = _WORDS[failure.status][1]
    what = "can't be reached" if failure.status is Status.UNREACHABLE else failure.task
    yield line((", ".join(failure.hosts), "bold"), ": ", (what, style), indent=2)
    for text in failure.message.splitlines():
        yield line(text, indent=6)
    if failure.status is not Status.UNREACHABLE and failure.path:
        yield line((f"at {failure.path}", "dim"), indent=6)
    if failure.fix:
        yield line(("What helps: ", "bold green"), failure.fix, indent=6)


def _changes(title: str, changes: Sequence[Change]) -> Iterator[Line]:
    if not changes:
        return
    hosts = len({host for change in changes for host in change.hosts})
    yield line((f"{title} on {hosts_text(hosts)}", "bold yellow"))
    for change in changes:
        yield line((", ".join(change.hosts), "bold"), indent=2)
        for text in change.lines:
            for part in text.splitlines():
                yield line(part, indent=6)
    yield line()


def _rest(summary: Summary, run: Run, *, complete: bool) -> Iterator[Line]:
    if summary.unchanged:
        word = "Nothing to do on " if complete else "Unchanged so far: "
        yield line((word, "green"), ", ".join(summary.unchanged))
    if summary.untouched:
        yield line(("Not reached by any task: ", "magenta"), ", ".join(summary.untouched))
    if run.stopped_early:
        yield line(("Stopped early, because too many hosts failed", "magenta"))


def _closing(run: Run, *, seconds: float, interrupted: bool, check: bool) -> Iterator[Line]:
    if interrupted:
        word, style = "stopped before its end", "bold red"
    elif run.failed:
        word, style = "failed", "bold red"
    else:
        word, style = ("checked" if check else "done"), "bold green"
    count = sum(bool(task.outcomes) for task in run.tasks)
    tasks = f"{count} task{'' if count == 1 else 's'}"
    yield line(
        (f"{PurePath(run.playbook).name} {word}", style),
        f" after {duration(seconds)}: {hosts_text(len(run.hosts))}, {tasks}",
        ", check mode: nothing was changed" if check else "",
    )


def hosts_text(count: int) -> str:
    """Say how many hosts."""
    return f"{count} host{'' if count == 1 else 's'}"


def draw_bar(run: Run, elapsed: float, remaining: float | None, spinner: Spinner) -> Table:
    """Draw the two lines that stay at the bottom of a terminal while a run is under way."""
    task = run.current
    label, note, waiting = (task.label, task.note, task.waiting) if task else ("starting", "", {})
    on = _names(sorted(waiting), everybody=len(run.batch))
    first = Table.grid(expand=True, padding=(0, 1))
    first.add_column(width=1)
    first.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    first.add_column(justify="right", no_wrap=True, overflow="ellipsis")
    detail = " ".join(filter(None, (note, f"on {on}" if on else "")))
    first.add_row(spinner, Text(visible(label), style="bold"), Text(visible(detail), style="cyan"))

    second = Table.grid(expand=True, padding=(0, 1))
    second.add_column(ratio=1)
    second.add_column(justify="right", no_wrap=True)
    share = 0.0 if remaining is None else elapsed / max(elapsed + remaining, 0.1)
    progress = ProgressBar(total=1.0, completed=share)
    second.add_row(progress, _counts(run, elapsed, remaining))
    both = Table.grid(expand=True)
    both.add_row(first)
    both.add_row(second)
    return both


def _names(hosts: Sequence[str], *, everybody: int) -> str:
    if len(hosts) <= _NAMED:
        return ", ".join(hosts)
    if len(hosts) == everybody:
        return f"all {everybody} hosts"
    return f"{', '.join(hosts[:_NAMED])} and {len(hosts) - _NAMED} more"


def _counts(run: Run, elapsed: float, remaining: float | None) -> Text:
    failed = len(run.failed)
    ready = len(set(run.batch) - run.busy - run.failed)
    left = f", about {_clock(remaining)} left" if remaining is not None else ""
    return Text.assemble(
        f"{ready} of {hosts_text(len(run.batch))} done",
        (f" · {len(run.changed)} changed", "yellow") if run.changed else "",
        (f" · {failed} failed", "bold red") if failed else "",
        f" · {_clock(elapsed)}{left}",
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
