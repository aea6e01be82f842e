"""JSON, one document a line, over a unix socket: how QEMU and its guest agent are spoken to."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any


class VmError(Exception):
    """A machine can't do what was asked; the text says why."""


class Wire:
    """A connection on which each command gets one answer."""

    def __init__(self, path: Path, timeout: float = 30.0) -> None:
        """Connect to the socket at `path`; an answer may take `timeout` seconds.

        Raises:
            OSError: nobody listens there.
        """
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self.timeout = timeout
        self._rest = b""

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def send(self, document: Mapping[str, Any], prefix: bytes = b"") -> None:
        """Send one document, after bytes that are no part of it."""
        self._socket.settimeout(self.timeout)
        self._socket.sendall(prefix + json.dumps(document).encode() + b"\n")

    def receive(self, timeout: float | None = None) -> dict[str, Any]:
        """The next document.

        Raises:
            TimeoutError: none came within `timeout` seconds.
            VmError: the other side hung up.
        """
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while b"\n" not in self._rest:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            more = self._socket.recv(65536)
            if not more:
                raise VmError("the machine has ended")
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        # The agent marks with 0xFF where what it said before a restart ends.
        document: dict[str, Any] = json.loads(line.rpartition(b"\xff")[2])
        return document


class Qmp:
    """QEMU's machine protocol (QEMU, "QEMU Machine Protocol Specification")."""

    def __init__(self, path: Path) -> None:
        """Connect to the QEMU that listens at `path`.

        Raises:
            OSError: nobody listens there.
        """
        self._wire = Wire(path)
        self._events: list[dict[str, Any]] = []
        self._wire.receive()
        self("qmp_capabilities")

    def close(self) -> None:
        """Let somebody else speak to this QEMU."""
        self._wire.close()

    def __call__(self, command: str, /, **arguments: Any) -> Any:
        """Run a command; `_` in a name of its arguments stands for `-`. What it returns.

        Raises:
            VmError: QEMU refused.
        """
        given = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._wire.send({"execute": command, "arguments": given})
        while "event" in (answer := self._wire.receive()):
            self._events.append(answer)
        if "error" in answer:
            raise VmError(f"{command} {given}: {answer['error']['desc']}")
        return answer["return"]

    def event(self, name: str, timeout: float = 30.0, **data: Any) -> dict[str, Any]:
        """Wait for an event of that name with that data, past ones included; each is told once.

        Raises:
            TimeoutError: it didn't come within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            for event in self._events:
                told = event.get("data", {})
                if event["event"] == name and data.items() <= told.items():
                    self._events.remove(event)
                    return event
            self._events.append(self._wire.receive(max(deadline - time.monotonic(), 0.0)))


@dataclass(frozen=True)
class Done:
    """What a program in the machine said, and its exit status."""

    status: int
    out: str
    err: str


class Agent:
    """The guest agent, by which programs run in the machine without any network.

    Source: QEMU Guest Agent Protocol Reference.
    """

    def __init__(self, path: Path) -> None:
        """Connect to the machine's channel at `path`, whether or not the agent runs yet.

        Raises:
            OSError: there is no such channel.
        """
        self._wire = Wire(path)
        self._numbers = count(int(time.time() * 1000))

    def close(self) -> None:
        """End the connection."""
        self._wire.close()

    def wait(self, timeout: float) -> None:
        """Wait until the agent answers, and forget answers to whatever was asked before.

        Raises:
            VmError: it doesn't within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            number = next(self._numbers)
            ask = {"execute": "guest-sync-delimited", "arguments": {"id": number}}
            # The channel takes no more once it is full of what nobody has read yet.
            with suppress(TimeoutError):
                self._wire.send(ask, b"\xff")
                while self._wire.receive(1.0).get("return") != number:
                    pass
                return
        raise VmError(f"its agent doesn't answer within {timeout:.0f} s")

    def run(self, *words: str, stdin: bytes = b"", timeout: float = 120.0) -> Done:
        """Run a program in the machine as root, to its end.

        Raises:
            VmError: the agent refused, or the program didn't end within `timeout` seconds.
        """
        started = self._call(
            "guest-exec",
            {
                "path": words[0],
                "arg": list(words[1:]),
                "input-data": base64.b64encode(stdin).decode(),
                "capture-output": True,
            },
        )
        for _ in _until(timeout):
            state = self._call("guest-exec-status", {"pid": started["pid"]})
            if state["exited"]:
                out, err = (_text(state.get(f"{stream}-data", "")) for stream in ("out", "err"))
                return Done(state.get("exitcode", -state.get("signal", 0)), out, err)
        raise VmError(f"{' '.join(words)} didn't end within {timeout:.0f} s")

    def _call(self, command: str, arguments: Mapping[str, Any]) -> Any:
        self._wire.send({"execute": command, "arguments": arguments})
        answer = self._wire.receive()
        if "error" in answer:
            raise VmError(f"{command}: {answer['error']['desc']}")
        return answer["return"]


@contextmanager
def qmp(path: Path) -> Iterator[Qmp]:
    """A connection to the QEMU at `path` for a few commands."""
    connection = Qmp(path)
    try:
        yield connection
    finally:
        connection.close()


def _until(timeout: float) -> Iterator[None]:
    """Come back ever less often, for `timeout` seconds."""
    deadline, pause = time.monotonic() + timeout, 0.01
    while time.monotonic() < deadline:
        yield
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode(errors="replace")
