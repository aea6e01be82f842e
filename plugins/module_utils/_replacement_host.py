# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The host as the replacement of a disk sees it: reads documents, runs commands, remembers."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_judge import Wish
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_new import Choice
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_state import States
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import (
    Tree,
)

_BUSY = 20
_PAUSE = 0.5
# KiB/s; the kernel's own limits are 1000 and 200000 (md.rst).
SPEEDS = {
    "fast": ("2000000", "2000000"),
    "normal": ("system", "system"),
    "gentle": ("1000", "20000"),
}


class RefusalError(Exception):
    """The host could go on and won't, since data would be lost; the text says what to do."""


@dataclass(frozen=True)
class Order:
    """What one call asks for."""

    serial: str
    step: str
    wish: Wish = field(default_factory=Wish)
    choice: Choice = field(default_factory=Choice)
    # The disks of the inventory (storage_disks).
    expected: Sequence[Mapping[str, Any]] = ()
    run: str = ""
    # The last step of this call, if it goes on after the first.
    until: str = ""
    # Seconds of work that all calls have taken so far, as the controller saw them.
    worked: float = 0
    speed: str = "normal"
    # How many seconds the call may wait for something to happen.
    poll: float = 0
    scrub: bool = True
    boot_loader: bool = True
    check: bool = False


class Site:
    """A host, its cases, and what was done in this call."""

    def __init__(self, host: Host, read: Callable[[bool], Mapping[str, Any]], order: Order) -> None:
        """`read` returns the document of `disk_health`, with SMART if its argument is true."""
        self.host = host
        self.order = order
        self.states = States(host)
        self.did: list[str] = []
        # Seconds in which nothing was done but wait.
        self.slept = 0.0
        self._read = read
        self._seen: Tree | None = None
        self._with_smart = False

    def tree(self, *, smart: bool = False) -> Tree:
        """Look at the host as it is now; once, until something is done or waited for."""
        if self._seen is None or (smart and not self._with_smart):
            self._seen, self._with_smart = Tree(self._read(smart)), smart
        return self._seen

    def _did(self, what: str) -> None:
        self.did.append(what)
        self._seen = None

    def must(self, *words: str) -> str:
        """Run a command that changes something and has to succeed. Raises HostError."""
        self._did(" ".join(words))
        return self.host.must(*words)

    def must_soon(self, *words: str) -> str:
        """Run a command that has to succeed as soon as nothing holds it any more."""
        for _attempt in range(_BUSY):
            with contextlib.suppress(HostError):
                text = self.host.must(*words)
                self._did(" ".join(words))
                return text
            time.sleep(_PAUSE)
        return self.must(*words)

    def sleep(self, seconds: float) -> None:
        """Wait for something that others do."""
        time.sleep(seconds)
        self.slept += seconds
        self._seen = None

    def put(self, path: str, text: str) -> None:
        """Write to a file of the kernel. Raises HostError."""
        try:
            with open(self.host.at(path), "w", encoding="ascii") as file:
                file.write(text)
        except OSError as error:
            raise HostError(f"{path}: {text!r} is not taken: {error.strerror}") from error
        self._did(f"echo {text} >{path}")

    def got(self, path: str) -> str:
        """Return what a file of the kernel says; empty when it isn't there."""
        with contextlib.suppress(OSError):
            return self.host.content(path).decode(errors="replace").strip()
        return ""

    def has(self, program: str) -> bool:
        """Whether a program is installed."""
        folders = ("/usr/local/sbin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
        return any(os.access(self.host.at(f"{folder}/{program}"), os.X_OK) for folder in folders)

    def settle(self) -> None:
        """Wait until udev has seen what has changed."""
        self.host.run(["udevadm", "settle", "--timeout=30"])

    def set_speed(self, array: str, speed: str) -> None:
        """Have an array rebuilt at one of `SPEEDS`."""
        folder = md(array)
        for name, value in zip(("sync_speed_max", "sync_speed_min"), SPEEDS[speed], strict=True):
            # The smaller of both can't be the maximum, whichever is set first.
            with contextlib.suppress(HostError):
                if self.got(f"{folder}/{name}") != f"{value} (local)":
                    self.put(f"{folder}/{name}", value)


def md(array: str) -> str:
    """Return the folder in which the kernel tells of an array, given by its path."""
    return f"/sys/block/{os.path.basename(array)}/md"


def place(tree: Tree, serial: str, number: int) -> str:
    """Return the device that is a disk's part of that number now; empty when it isn't there."""
    disk = tree.disk(serial)
    if disk is None:
        return ""
    if not number:
        return str(disk["path"])
    return next((str(p["path"]) for p in disk["partitions"] if p["number"] == number), "")
