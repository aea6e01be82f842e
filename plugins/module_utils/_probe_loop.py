# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Run thousands of probes side by side in one thread.

A probe is a generator that yields what it waits for. That is asyncio in miniature, for its price: a
connection costs a tenth of a millisecond, and a full firewall matrix has fifty thousand of them.
"""

from __future__ import annotations

import heapq
import itertools
import os
import queue
import resource
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, Union

READ = select.EPOLLIN | select.EPOLLERR
WRITE = select.EPOLLOUT | select.EPOLLERR
# Started between two looks at the sockets, so that no queue of the kernel overflows.
BURST = 64
SPARE_FILES = 128
THREADS = 64


class ProbeError(Exception):
    """A probe that can't be made; the text says why."""


class Wait(NamedTuple):
    """Wait until `file` is ready for `events` or the monotonic clock says `until`; sends which."""

    file: socket.socket
    events: int
    until: float


class Work(NamedTuple):
    """Wait for a function that blocks, run in a thread; sends its result, raises its OSError."""

    function: Callable[[], Any]


Values = dict[str, Any]
# Evaluated when it is read, unlike the hints below.
Steps = Generator[Union[Wait, Work], Any, Values]  # noqa: UP007 -- for ansible-test


class Outcome(NamedTuple):
    """What came of one probe: its values, or why there are none, and how long it took."""

    values: Values
    error: str
    seconds: float


def ready(file: socket.socket, events: int, until: float) -> Generator[Wait | Work, Any, bool]:
    """Wait for a socket; return False if it didn't become ready in time."""
    found: bool = yield Wait(file, events, until)
    return found


class _Task:
    """One probe under way."""

    __slots__ = ("index", "started", "steps", "turn")

    def __init__(self, index: int, steps: Steps) -> None:
        self.index = index
        self.steps = steps
        self.turn = 0
        self.started = time.monotonic()


class Loop:
    """Runs probes until all are done or the deadline has passed."""

    def __init__(self, *, parallel: int, deadline: float) -> None:
        """Have at most `parallel` probes under way, and end after `deadline` seconds."""
        self.parallel = parallel
        self.deadline = time.monotonic() + deadline
        self.limit = deadline
        self.poll = select.epoll()
        self.waiting: dict[int, _Task] = {}
        self.timers: list[tuple[float, int, int, int, _Task]] = []
        self.order = itertools.count()
        self.working: set[_Task] = set()
        self.work: queue.SimpleQueue[tuple[_Task, Work]] = queue.SimpleQueue()
        self.threads = 0
        self.done: deque[tuple[_Task, Any]] = deque()
        self.wake = os.eventfd(0, os.EFD_NONBLOCK)
        self.outcomes: list[Outcome | None] = []

    def run(self, probes: Sequence[Callable[[], Steps]]) -> list[Outcome]:
        """Return the outcome of each probe, in their order."""
        _allow_files(self.parallel)
        self.outcomes = [None] * len(probes)
        self.poll.register(self.wake, select.EPOLLIN)
        pending = deque(enumerate(probes))
        try:
            while (pending or self.waiting or self.working) and time.monotonic() < self.deadline:
                for _start in range(min(BURST, self.parallel - self._active())):
                    if pending:
                        index, probe = pending.popleft()
                        self._step(_Task(index, probe()), None)
                self._look(0 if pending and self._active() < self.parallel else None)
        finally:
            self._abandon()
        late = Outcome({}, f"not finished by the deadline ({self.limit:g} s)", self.limit)
        return [outcome or late for outcome in self.outcomes]

    def _active(self) -> int:
        return len(self.waiting) + len(self.working)

    def _look(self, patience: float | None) -> None:
        """Go on with what is ready, then with what has waited too long."""
        until = self.timers[0][0] if self.timers else self.deadline
        pause = max(0.0, min(until, self.deadline) - time.monotonic())
        for number, _events in self.poll.poll(pause if patience is None else patience):
            if number == self.wake:
                os.eventfd_read(self.wake)
            elif number in self.waiting:
                self._step(self.waiting.pop(number), True)
        while self.done:
            task, result = self.done.popleft()
            self.working.discard(task)
            self._step(task, result)
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            _until, _order, number, turn, task = heapq.heappop(self.timers)
            if task.turn == turn:
                del self.waiting[number]
                self._step(task, False)

    def _step(self, task: _Task, result: Any) -> None:
        """Send a result into a probe and see what it waits for next."""
        task.turn += 1
        try:
            if isinstance(result, OSError):
                step = task.steps.throw(result)
            else:
                step = task.steps.send(result)
        except StopIteration as stop:
            self._finish(task, stop.value, "")
        except (OSError, ProbeError, ValueError) as error:
            self._finish(task, {}, reason(error))
        else:
            if isinstance(step, Work):
                self._start(task, step)
            else:
                self._watch(task, step)

    def _watch(self, task: _Task, wait: Wait) -> None:
        number = wait.file.fileno()
        try:
            self.poll.register(number, wait.events | select.EPOLLONESHOT)
        except FileExistsError:
            self.poll.modify(number, wait.events | select.EPOLLONESHOT)
        self.waiting[number] = task
        heapq.heappush(self.timers, (wait.until, next(self.order), number, task.turn, task))

    def _start(self, task: _Task, work: Work) -> None:
        self.working.add(task)
        self.work.put((task, work))
        if self.threads < min(THREADS, len(self.working)):
            self.threads += 1
            # A daemon: what blocks for ever must not keep the module from ending.
            threading.Thread(target=self._labour, daemon=True).start()

    def _labour(self) -> None:
        """Do work that blocks, until the process ends."""
        while True:
            task, work = self.work.get()
            try:
                result = work.function()
            except OSError as error:
                result = error
            except (ValueError, ProbeError) as error:
                result = OSError(str(error))
            self.done.append((task, result))
            os.eventfd_write(self.wake, 1)

    def _finish(self, task: _Task, values: Values, error: str) -> None:
        self.outcomes[task.index] = Outcome(values, error, time.monotonic() - task.started)

    def _abandon(self) -> None:
        for task in [*self.waiting.values()]:
            task.steps.close()
        self.poll.close()
        # `wake` stays open: a thread that is late would write to whatever has its number by then.


def reason(error: BaseException) -> str:
    """Return what an error says, without Python's own ornaments."""
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def _allow_files(parallel: int) -> None:
    """Raise the soft limit of open files, within the hard one, to what is needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * parallel + SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
