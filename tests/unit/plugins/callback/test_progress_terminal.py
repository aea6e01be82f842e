# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Real runs of ansible-playbook on a terminal, as a person sees them."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ansible_mitogen
import pytest

if TYPE_CHECKING:
    from tests.unit.plugins.callback.conftest import Project

_WIDTH = 90
_CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-9;?]*)?$")
# A session whose controlling terminal is the one given as standard input.
_LOGIN = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


class Screen:
    """Just enough of a terminal: lines that wrap, cursor up, erase line, carriage return."""

    def __init__(self) -> None:
        self.raw = ""
        self._rest = ""
        self.lines = [""]
        self.row = 0
        self.column = 0

    def feed(self, text: str) -> None:
        self.raw += text
        text = self._rest + text
        text, self._rest = _UNFINISHED.sub("", text), "".join(_UNFINISHED.findall(text))
        position = 0
        while position < len(text):
            if found := _CONTROL.match(text, position):
                self._control(found[1], found[2])
                position = found.end()
                continue
            self._character(text[position])
            position += 1

    def _control(self, parameter: str, letter: str) -> None:
        if letter == "A":
            self.row -= int(parameter or 1)
            assert self.row >= 0, "the bar moved above the screen"
        elif letter == "K":
            self.lines[self.row] = "" if parameter == "2" else self.lines[self.row][: self.column]
        else:
            assert letter == "m", f"unexpected control sequence {parameter}{letter}"

    def _character(self, character: str) -> None:
        if character == "\n":
            self.row += 1
            self.lines += [""] * (self.row + 1 - len(self.lines))
        elif character == "\r":
            self.column = 0
        else:
            if self.column == _WIDTH:
                self._character("\n")
                self.column = 0
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.screen = Screen()
        self._master = master
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def see(self, pattern: str) -> None:
        """Wait until `pattern` is on the screen."""
        self._read(lambda: re.search(pattern, self.screen.text) is not None, pattern)

    def finish(self) -> str:
        """Wait for the end, and return what is then on the screen."""
        self._read(lambda: self.process.poll() is not None, "the end")
        self._take(0)
        return self.screen.text

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def _read(self, enough: Callable[[], bool], awaited: str) -> None:
        deadline = time.monotonic() + 30
        while not enough():
            assert time.monotonic() < deadline, f"no {awaited!r} in:\n{self.screen.text}"
            self._take(0.1)

    def _take(self, seconds: float) -> None:
        while select.select([self._master], [], [], seconds)[0]:
            self.screen.feed(self._decoder.decode(os.read(self._master, 65536)))
            seconds = 0


@contextmanager
def terminal(project: Project, play: list[dict[str, Any]], **variables: str) -> Iterator[Terminal]:
    """Run a playbook on a terminal of 90 columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, _WIDTH, 0, 0))
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        [sys.executable, "-c", _LOGIN, *project.command(play)],
        cwd=project.root,
        env=project.environment(TERM="xterm-256color") | variables,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    try:
        shown = Terminal(process, master)
        yield shown
        assert termios.tcgetattr(slave) == before, "the terminal was not given back as it was"
    finally:
        process.kill()
        process.wait()
        os.close(slave)
        os.close(master)


WORK: list[dict[str, Any]] = [
    {
        "name": "Work",
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {"name": "Change", "answer": {"result": {"changed": True}, "warn": "mind the gap"}},
            {"name": "Sleep", "answer": {"result": {}, "seconds": 1.5}},
            {"name": "Change again", "answer": {"result": {"changed": True}}},
        ],
    }
]
DONE = """\
Play: Work (1 host)
[WARNING]: mind the gap
changed web1: Change
changed web1: Change again

Changed on 1 host
  web1
      Change
      Change again

play.yml done after """


@pytest.mark.parametrize("strategy", ["linear", "free", "mitogen_linear"])
def test_the_bar_leaves_no_trace(project: Project, strategy: str) -> None:
    plugins = Path(ansible_mitogen.__file__).parent / "plugins" / "strategy"
    variables = {"ANSIBLE_STRATEGY": strategy, "ANSIBLE_STRATEGY_PLUGINS": str(plugins)}
    with terminal(project, WORK, **variables) as shown:
        shown.see(r"\S Sleep +on web1\n━+ 0 of 1 host done · 1 changed · 0:0\d$")
        text = shown.finish()
    assert text.startswith(DONE)
    assert "\x1b[33m" in shown.screen.raw, "no color"
    assert "━" not in text


def test_the_second_run_knows_how_long_it_takes(project: Project) -> None:
    project.run(WORK)
    with terminal(project, WORK) as shown:
        shown.see(r"0:0\d, about 0:0\d left")
        shown.finish()


@pytest.mark.parametrize(
    "variables",
    [{"TERM": "dumb"}, {"SERVERTECHNIK_LIVE": "false", "NO_COLOR": "1"}],
    ids=["dumb", "plain"],
)
def test_a_terminal_without_bar_and_color(project: Project, variables: dict[str, str]) -> None:
    with terminal(project, WORK, **variables) as shown:
        text = shown.finish()
    assert text.startswith(DONE)
    assert "\x1b" not in shown.screen.raw


@pytest.mark.parametrize(
    ("variables", "bar"), [({"NO_COLOR": "1"}, True), ({"CI": "true"}, False)], ids=["color", "ci"]
)
def test_no_color_is_no_color_and_ci_gets_no_bar(
    project: Project, variables: dict[str, str], bar: bool
) -> None:
    with terminal(project, WORK, **variables) as shown:
        text = shown.finish()
    assert text.startswith(DONE)
    assert ("0 of 1 host done" in shown.screen.raw) is bar
    assert ("\x1b[33m" in shown.screen.raw) is not bar


def test_an_interrupted_run_gives_the_terminal_back(project: Project) -> None:
    play = [
        {
            **WORK[0],
            "tasks": [
                WORK[0]["tasks"][0],
                {"name": "Waits", "answer": {"result": {}, "touch": str(project.root / "waits")}},
            ],
        }
    ]
    with terminal(project, play) as shown:
        shown.see("Waits")
        project.wait_for(project.root / "waits")
        shown.type("\x03")
        text = shown.finish()
    assert "━" not in text
    assert "Waits" not in text
    assert "User interrupted execution" in text
    assert "play.yml stopped before its end after" in text
    assert "changed web1: Change\n" in text


def test_questions_are_asked_without_the_bar(project: Project) -> None:
    play = [
        *WORK,
        {
            "name": "Ask",
            "hosts": "all",
            "gather_facts": False,
            "vars_prompt": [{"name": "color", "prompt": "Which color", "private": False}],
            "tasks": [
                {"name": "Wait", "ansible.builtin.pause": {"prompt": "Go on"}},
                {"name": "Say", "ansible.builtin.debug": {"msg": "It is {{ color }}."}},
                {"name": "Sleep", "answer": {"result": {}, "seconds": 1}},
            ],
        },
    ]
    with terminal(project, play) as shown:
        shown.see(r"changed web1: Change again\n.*Which color:$")
        time.sleep(0.5)
        shown.type("green\n")
        shown.see(r"Go on:\n?$")
        time.sleep(0.5)
        assert "━" not in shown.screen.text
        shown.type("\n")
        shown.see(r"\S Sleep +on web1\n━")
        text = shown.finish()
    assert "Which color: green\n" in text
    assert "    It is green.\n" in text
    assert "━" not in text
