# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep a bar at the bottom of a terminal while Ansible prints above it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from rich.console import Console, RenderableType
from rich.live_render import LiveRender

_METHODS = ("display", "prompt", "prompt_until")
_SECONDS_BETWEEN = 0.2
# Columns kept free at the end of the bar: the terminal writes ^C there, and in the last column
# that would begin a new line.
_ECHO = 3


class LiveBar:
    """A bar that makes room for everything that goes through Ansible's display.

    All drawing happens under the display's own lock. Ansible holds that lock while it forks, so
    no worker inherits a terminal, or a lock of ours, in the middle of a drawing.
    """

    def __init__(self, display: Any, console: Console, draw: Callable[[], RenderableType]) -> None:
        """Prepare a bar on `console` that shows what `draw` returns, several times a second."""
        self._display = display
        self._console = console
        self._draw = draw
        self._shown: LiveRender | None = None
        self._hidden = 0
        self._end: threading.Event | None = None
        self._process = os.getpid()
        # Not every fork is Ansible's own (Mitogen has some), and a child that inherits this lock
        # from the drawing thread would wait for it forever.
        lock = display._lock
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )

    @property
    def running(self) -> bool:
        """Tell whether the bar is there."""
        return self._end is not None

    def start(self) -> None:
        """Show the bar and keep it up to date until `stop`."""
        for name in _METHODS:
            setattr(self._display, name, self._making_room(getattr(self._display, name)))
        self._end = threading.Event()
        threading.Thread(target=self._keep_drawing, args=(self._end,), daemon=True).start()

    def stop(self) -> None:
        """Take the bar away and give the display back as it was."""
        with self._display._lock:
            if self._end is None:
                return
            self._end.set()
            self._end = None
            self._erase()
            for name in _METHODS:
                vars(self._display).pop(name, None)

    def _making_room(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if os.getpid() != self._process:
                return method(*args, **kwargs)
            with self._room():
                return method(*args, **kwargs)

        return wrapper

    @contextmanager
    def _room(self) -> Iterator[None]:
        with self._display._lock:
            self._erase()
            self._hidden += 1
            try:
                yield
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                self._hidden -= 1
                self._show()

    def _keep_drawing(self, end: threading.Event) -> None:
        while not end.wait(_SECONDS_BETWEEN):
            with self._display._lock:
                if not end.is_set():
                    self._show()

    def _show(self) -> None:
        if self._hidden or self._end is None:
            return
        with self._console:
            if self._shown is None:
                self._shown = LiveRender(self._draw())
            else:
                self._console.control(self._shown.position_cursor())
                self._shown.set_renderable(self._draw())
            width = max(self._console.width - _ECHO, 1)
            self._console.print(self._shown, end="", width=width)

    def _erase(self) -> None:
        if self._shown is not None:
            self._console.control(self._shown.position_cursor())
            self._shown = None
