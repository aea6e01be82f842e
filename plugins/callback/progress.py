# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tell a person, or a log, how a run goes, and write its record."""
# ruff: noqa: E402  documentation stands before imports, as in every Ansible plugin

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: a live bar, a readable summary, and a record of every run
version_added: 0.1.0
author:
  - The Servertechnik authors (@servertechnik)
description:
  - On a terminal, two lines at the bottom show the current role and task, the hosts it waits for,
    and the elapsed and remaining time, which is learned from earlier runs.
  - In a pipe, and on a terminal that can't do more (E(TERM=dumb)), there are plain lines without
    control characters. A CI job (environment variable E(CI)) gets no bar even on a terminal.
  - Every change and every failure is one line when it happens; results that are fine are not
    shown unless asked for with C(-v). Module arguments are never shown.
  - At the end, and also when the run is interrupted, a summary names failures first, with what
    usually helps, then what changed on which hosts, then the rest.
  - Each run of a playbook in which at least one task ran is written as a record of the kind
    C(run); C(docs/records.md) describes it. Results under C(no_log) contribute nothing but their
    status, and the values of extra variables are left out.
  - Colors follow Ansible's own settings, E(NO_COLOR) among them.
requirements:
  - rich and jsonschema on the controller
  - set as C(stdout_callback) in the configuration
extends_documentation_fragment:
  - result_format_callback
options:
  records:
    description:
      - The directory for records. A relative path starts at the directory of the C(ansible.cfg)
        in use, without one at the current directory.
    type: str
    default: records
    ini:
      - section: servertechnik
        key: records
    env:
      - name: SERVERTECHNIK_RECORDS
  history:
    description:
      - The file that keeps how long earlier runs took; relative like O(records). It can be deleted
        at any time.
    type: str
    default: .cache/progress.json
    ini:
      - section: servertechnik
        key: history
    env:
      - name: SERVERTECHNIK_HISTORY
  live:
    description:
      - Whether a terminal gets a live bar. Without it there are plain lines, in color.
    type: bool
    default: true
    ini:
      - section: servertechnik
        key: live
    env:
      - name: SERVERTECHNIK_LIVE
"""

import atexit
import os
import signal
import time
from collections.abc import Mapping
from types import FrameType
from typing import Any

from ansible import constants, context
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback import CallbackBase
from ansible_collections.servertechnik.core.plugins.plugin_utils import _progress_view as view
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_ansible import (
    count_hosts,
    is_rescued,
    load_jinja_plugins,
    play_hosts,
    short_path,
    task_run,
    visible_diffs,
    write_run_record,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_estimate import (
    History,
    Profile,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_model import (
    Run,
    TaskRun,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_result import (
    Outcome,
    Status,
    is_hidden,
    outcome_of,
    readable,
    visible,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_screen import Screen
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_summary import (
    summary_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._record import (
    RecordError,
    directory_of,
)

_ADHOC = "__adhoc_playbook__"
_DEBUG = {"debug", "ansible.builtin.debug", "ansible.legacy.debug"}
_TRACEBACKS = 3


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no type information
    """Translate Ansible's events into the model of a run, and the model into lines.

    Events come from two threads and the bar is drawn by a third, so all work is done under the
    lock of Ansible's display, which also keeps it out of forks.
    """

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "servertechnik.core.progress"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Prepare for a process that may run several playbooks, one after the other."""
        super().__init__(*args, **kwargs)
        self._run = Run("", 0.0)
        self._open = False
        self._adhoc = False
        self._profile: Profile | None = None
        self._process = os.getpid()
        self._lock = self._display._lock
        self._screen = Screen(self._display)
        atexit.register(self._stop_early)

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Begin to watch a playbook; the bar comes with its first play."""
        self._adhoc = playbook._file_name == _ADHOC
        self._run = Run(short_path(playbook._file_name), time.monotonic())
        self._open = True
        load_jinja_plugins()
        self._profile = self._history().find(self._job(), count_hosts(playbook))
        self._watch_termination()

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Begin a play, or its next batch."""
        batch, everyone = play_hosts(play)
        name = play.get_name().strip()
        with self._lock:
            self._tell_settled()
            self._run.start_play(name, batch, everyone)
            if not self._adhoc:
                title = f"Play: {name}"
                self._screen.say(view.line((title, "bold"), f" ({view.hosts_text(len(batch))})"))
            if self._wants_bar(play):
                self._screen.show_bar(self._run, self._profile)

    def v2_playbook_on_vars_prompt(self, *_: Any, **__: Any) -> None:
        """Tell all there is to tell before a question is asked."""
        with self._lock:
            self._tell_settled()

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """Say that a play has nobody to work on."""
        self._screen.say(view.line(("No host matches this play", "magenta"), indent=4))

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        """Remember that everybody failed."""
        self._run.stopped_early = True

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002  Ansible passes it by name
        """Begin a task."""
        self._start_task(task, handler=False)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """Begin a handler."""
        self._start_task(task, handler=True)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        """Name an included file, for people who want to see everything."""
        if self._display.verbosity:
            hosts = ", ".join(host.name for host in included_file._hosts)
            path = short_path(included_file._filename)
            self._screen.say(view.line(("included", "cyan"), f" {path} for {hosts}"))

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Sum up a playbook that came to its end."""
        self._finish({host: stats.summarize(host)["failures"] for host in stats.processed})

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """Note that a host begins its task."""
        with self._lock:
            self._run.start_host(task._uuid, host.get_name(), time.monotonic())

    def v2_runner_on_ok(self, result: Any) -> None:
        """Take a result that is fine."""
        if isinstance(result.task, TaskInclude):
            with self._lock:
                self._run.drop_host(result.task._uuid, result.host.get_name())
        else:
            self._take(result, Status.CHANGED if result.is_changed() else Status.OK)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Take a failure."""
        fatal = Status.RESCUED if is_rescued(result.task) else Status.FAILED
        self._take(result, Status.IGNORED if ignore_errors else fatal)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Take a host that can't be reached."""
        ignored = result.task.ignore_unreachable
        self._take(result, Status.IGNORED if ignored else Status.UNREACHABLE)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Take a task that was not for this host."""
        self._take(result, Status.SKIPPED)

    def v2_runner_retry(self, result: Any) -> None:
        """Show that a task is tried again."""
        with self._lock:
            if task := self._run.task(result.task._uuid):
                tried, tries = result.result.get("attempts"), result.result.get("retries")
                task.note = f"attempt {tried} of {tries} failed"
                if self._display.verbosity:
                    host = result.host.get_name()
                    self._screen.say(view.line(f"{host}: {task.label}: {task.note}"))

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Show one item of a loop, if results are wanted."""
        if not isinstance(result.task, TaskInclude):
            self._tell_item(result, Status.CHANGED if result.is_changed() else Status.OK)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Show one item of a loop, if results are wanted."""
        self._tell_item(result, Status.FAILED)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        """Show one item of a loop, if results are wanted."""
        self._tell_item(result, Status.SKIPPED)

    def v2_on_file_diff(self, result: Any) -> None:
        """Show a difference; in a loop each item has its own."""
        diff = result.result.get("diff")
        if diff and result.result.get("changed") and not is_hidden(result.result):
            text = self._get_diff(visible_diffs(diff)).rstrip("\n")
            if text:
                title = f"{result.host.get_name()}: {result.task_name}"
                with self._lock:
                    self._screen.say(view.line((title, "bold")))
                    self._display.display(text)

    def _wants_bar(self, play: Any) -> bool:
        debugged = constants.ENABLE_TASK_DEBUGGER or "debug" in play.strategy
        wanted = self.get_option("live") and not self._adhoc and not debugged
        return bool(wanted) and self._screen.can_be_live

    def _start_task(self, task: Any, *, handler: bool) -> None:
        with self._lock:
            self._tell_settled()
            self._run.start_task(task._uuid, task_run(task, self._run.play, handler=handler))
            if task.run_once:
                self._run.represented.update(self._run.batch)
            if task.debugger:
                self._screen.hide_bar()

    def _take(self, result: Any, status: Status) -> None:
        outcome = self._outcome(result, status)
        with self._lock:
            task = self._run.finish_host(result.task._uuid, outcome, time.monotonic())
            if task is None:
                return
            if not is_hidden(result.result):
                self._handle_warnings(result.result)
                if self._display.verbosity >= _TRACEBACKS:
                    self._handle_exception(result.result)
            if outcome.message:
                self._screen.say(*view.failure_lines(task, outcome))
            self._tell_result(task, outcome, result)

    def _outcome(self, result: Any, status: Status) -> Outcome:
        own = result.host.get_name()
        delegate = str(result.task.delegate_to or "")
        return outcome_of(
            result.result,
            host=own,
            status=status,
            check=bool(result.task.check_mode),
            delegate="" if delegate == own else delegate,
        )

    def _tell_item(self, result: Any, status: Status) -> None:
        with self._lock:
            if task := self._run.task(result.task._uuid):
                label = readable(str(self._get_item_label(result.result)))
                self._tell_result(task, self._outcome(result, status), result, f"item {label}")

    def _tell_result(self, task: TaskRun, outcome: Outcome, result: Any, item: str = "") -> None:
        """Show a whole result to those who ask for it: with -v, by debug, in an ad-hoc command."""
        if not (self._adhoc or self._run_is_verbose(result)):
            return
        self._screen.say(view.result_line(task, outcome, item))
        if is_hidden(result.result):
            return
        shown = {k: v for k, v in result.result.items() if k not in {"invocation", "results"}}
        self._clean_results(shown, result.task.action)
        if isinstance(text := shown.get("msg"), str) and result.task.action in _DEBUG:
            self._screen.say(*view.paragraph(readable(text), indent=4))
        elif any(not key.startswith("_ansible") for key in shown):
            text = visible(self._dump_results(shown).strip("\n"))
            self._screen.say(*view.paragraph(text, indent=4))

    def _tell_settled(self) -> None:
        for task in self._run.settled():
            self._screen.say(*view.task_lines(self._run, task))

    def _finish(self, failures: Mapping[str, int] | None) -> None:
        """Sum up once; `failures` is None when the run did not come to its end."""
        with self._lock:
            self._screen.hide_bar()
            self._tell_settled()
            was_open, self._open = self._open, False
        run, ended = self._run, failures is not None
        if not was_open or self._adhoc or not (run.marks or ended):
            return
        now = time.monotonic()
        run.close(failures)
        if ended and run.marks and not run.failed:
            profile = Profile.of(run.marks, now - run.started)
            self._history().learn(self._job(), len(run.hosts), profile)
        lines = view.summary_lines(
            summary_of(run),
            run,
            seconds=now - run.started,
            interrupted=not ended,
            check=bool(context.CLIARGS.get("check")),
            record=self._write_record(now, interrupted=not ended) if run.marks else "",
        )
        self._screen.say(*lines)

    def _write_record(self, now: float, *, interrupted: bool) -> str:
        directory = directory_of(self.get_option("records"), constants.CONFIG_FILE)
        try:
            path = write_run_record(
                self._run, now, context.CLIARGS, directory, interrupted=interrupted
            )
        except RecordError as error:
            self._display.warning(str(error))
            return ""
        return short_path(str(path))

    def _stop_early(self) -> None:
        if os.getpid() == self._process:
            self._finish(None)

    def _watch_termination(self) -> None:
        """Sum up before Ansible ends itself on SIGTERM, which no other event announces."""
        former = signal.getsignal(signal.SIGTERM)

        def stop(number: int, _frame: FrameType | None) -> None:
            self._stop_early()
            signal.signal(number, former)
            os.kill(os.getpid(), number)

        signal.signal(signal.SIGTERM, stop)

    def _history(self) -> History:
        return History(directory_of(self.get_option("history"), constants.CONFIG_FILE))

    def _job(self) -> str:
        return self._run.playbook + (" --check" if context.CLIARGS.get("check") else "")
