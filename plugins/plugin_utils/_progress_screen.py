# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put lines on the screen, with the bar below them where there is a terminal."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from ansible.utils import color
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_bar import LiveBar
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_estimate import Profile
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_model import Run
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_view import (
    Line,
    draw_bar,
)
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.spinner import Spinner


class Screen:
    """The screen of one process; everything goes through Ansible's `display`."""

    def __init__(self, display: Any) -> None:
        """Look at what standard output is; nothing is written yet."""
        self._display = display
        self._colored = bool(color.ANSIBLE_COLOR)
        self._console = Console(
            # Color in a pipe is what ANSIBLE_FORCE_COLOR asks for.
            force_terminal=self._colored or None,
            no_color=not self._colored,
            highlight=False,
            emoji=False,
        )
        self._spinner = Spinner("dots")
        self._bar = LiveBar(display, self._console, self._draw)
        self._run: Run | None = None
        self._profile: Profile | None = None

    @property
    def can_be_live(self) -> bool:
        """Tell whether a bar would be seen by a person, and not end up in a log."""
        terminal = sys.stdout.isatty() and not self._console.is_dumb_terminal
        return terminal and not os.environ.get("CI")

    def say(self, *lines: Line) -> None:
        """Print lines, wrapped to their indent where there is color, so on a terminal."""
        for line in lines:
            if not self._colored:
                self._display.display(line.plain)
                continue
            with self._console.capture() as captured:
                self._console.print(Padding(line.text, (0, 0, 0, line.indent)))
            shown = "\n".join(part.rstrip() for part in captured.get().splitlines())
            self._display.display(shown, screen_only=True)
            self._display.display(line.plain, log_only=True)

    def show_bar(self, run: Run, profile: Profile | None) -> None:
        """Keep a bar for `run` at the bottom until `hide_bar`."""
        self._run, self._profile = run, profile
        if not self._bar.running:
            self._bar.start()

    def hide_bar(self) -> None:
        """Take the bar away."""
        self._bar.stop()

    def _draw(self) -> RenderableType:
        run = self._run
        if run is None:
            return ""
        elapsed = time.monotonic() - run.started
        remaining = self._profile.remaining(run.marks, elapsed) if self._profile else None
        return draw_bar(run, elapsed, remaining, self._spinner)
