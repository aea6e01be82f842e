# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Count all that a process does to the world outside it, and kill it at one of these steps."""

from __future__ import annotations

import builtins
import os
import signal
import subprocess
import time
import traceback
from collections.abc import Callable
from typing import Any

FUNCTIONS = (
    *("replace", "unlink", "rmdir", "mkdir", "symlink", "write", "pwrite", "fsync", "ftruncate"),
    *("chmod", "chown", "fchown", "fchmod", "utime", "setxattr"),
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Steps:
    """The steps of the process that it is installed in; `last` is killed before it happens."""

    def __init__(self, last: int, tell: int) -> None:
        """Kill at step `last` (from 1; 0 never) and write its name to the file descriptor."""
        self.last = last
        self.tell = tell
        self.number = 0

    def take(self, name: str, *arguments: object) -> None:
        """Count one step, and die before it if it is the last one."""
        self.number += 1
        if self.number != self.last:
            return
        told(self.tell, " ".join([name, *(str(a) for a in arguments if isinstance(a, str))]))
        os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Count from now on."""
        for name in FUNCTIONS:
            setattr(os, name, self._counted(name, getattr(os, name)))
        plain_open, plain_file, plain_popen = os.open, builtins.open, subprocess.Popen.__init__

        def counted_open(path: Any, flags: int, *rest: Any, **named: Any) -> int:
            if flags & WRITING and path != os.devnull:
                self.take("open", path)
            return plain_open(path, flags, *rest, **named)

        def counted_file(path: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
            if set(mode) & set("wax+"):
                self.take("open", path)
            return plain_file(path, mode, *rest, **named)

        def counted_popen(popen: Any, words: list[str], *rest: Any, **named: Any) -> None:
            self.take("before", *words)
            plain_popen(popen, words, *rest, **named)
            self.take("during", *words)

        for place, name, counted in (
            (os, "open", counted_open),
            (builtins, "open", counted_file),
            (subprocess.Popen, "__init__", counted_popen),
        ):
            setattr(place, name, counted)

    def _counted(self, name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.take(name, *arguments)
            return plain(*arguments, **named)

        return counted


PLAIN_WRITE = os.write


def told(descriptor: int, text: str) -> None:
    """Write text through a pipe, uncounted."""
    PLAIN_WRITE(descriptor, text.encode())


def attempt(work: Callable[[], object], last: int) -> str | None:
    """Do `work` in a process that is killed at step `last`; the step's name, or none if it ended.

    What the process had started itself is left to end by itself. Raises RuntimeError with a
    traceback if `work` failed.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(work, last, writing)
    os.close(writing)
    text = b""
    _, status = os.waitpid(pid, 0)
    _wait_for_orphans(pid)
    while part := os.read(reading, 65536):
        text += part
    os.close(reading)
    if os.WIFSIGNALED(status):
        return text.decode()
    if status:
        raise RuntimeError(text.decode())
    return None


def _child(work: Callable[[], object], last: int, tell: int) -> None:
    try:
        os.setsid()
        Steps(last, tell).install()
        work()
    except BaseException:
        told(tell, traceback.format_exc())
        os._exit(1)
    os._exit(0)


def _wait_for_orphans(group: int) -> None:
    while True:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.005)
