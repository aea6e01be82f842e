# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What a host remembers of a disk that is being replaced, over restarts and power cuts."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._model import FileSpec

FOLDER = "/var/lib/servertechnik/disks"
VERSION = 1
_PATIENCE = 300
_PAUSE = 0.5
STEPS = ("verify", "announce", "locate", "remove", "insert", "copy", "rebuild", "check")

Json = dict[str, Any]


class States:
    """The cases of a host, one JSON file each, for root alone."""

    def __init__(self, host: Host) -> None:
        """Look at the files of a host."""
        self._host = host

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other calls out meanwhile. Raises HostError when one is under way."""
        self._host.make_folder(FOLDER, 0o700)
        handle = os.open(self._host.at(FOLDER), os.O_RDONLY | os.O_DIRECTORY)
        try:
            _lock(handle)
            yield
        finally:
            os.close(handle)

    def path(self, serial: str, ending: str = "json") -> str:
        """Return the file of a case; what a file name can't hold becomes `_`."""
        return f"{FOLDER}/{re.sub(r'[^A-Za-z0-9._-]', '_', serial)}.{ending}"

    def load(self, serial: str) -> Json | None:
        """Return the case of a disk, or nothing. Raises HostError for a file of another form."""
        path = self.path(serial)
        try:
            state: Json = json.loads(self._host.content(path))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise HostError(f"{path} is no JSON: {error}; remove it to begin anew") from None
        if state.get("version") != VERSION:
            raise HostError(
                f"{path}: found version {state.get('version')}, accepted: {VERSION}; finish with "
                "the release that began it"
            )
        return state

    def open_cases(self) -> list[str]:
        """Return the names of disks whose replacement was begun and isn't finished."""
        folder = self._host.at(FOLDER)
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        cases = []
        for name in names:
            if name.endswith(".json"):
                state = json.loads(self._host.content(f"{FOLDER}/{name}"))
                cases += [] if state.get("closed") else [str(state["disk"]["serial"])]
        return cases

    def save(self, state: Json) -> None:
        """Have a case on disk, whole, before anything else happens."""
        self.keep(self.path(state["disk"]["serial"]), json.dumps(state, indent=1) + "\n")

    def keep(self, path: str, text: str) -> None:
        """Write a file for root alone, whole or not at all."""
        candidate = f"{path}.new"
        self._host.make_folder(FOLDER, 0o700)
        self._host.write(candidate, text.encode(), FileSpec(path=path, mode=0o600))
        self._host.move(candidate, path)


def _lock(handle: int) -> None:
    """Wait for another call; that of a controller which was killed comes to its end by itself."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise HostError(
                    f"another run has been replacing a disk on this host for {_PATIENCE} s; "
                    "accepted: one at a time"
                ) from None
            time.sleep(_PAUSE)
        else:
            return


def opened(case: Json, *, run: str) -> Json:
    """Return the first state of a case."""
    return {"version": VERSION, "run": run, "opened": now(), "closed": "", "done": []} | {
        "steps": {},
        "worked": 0,
        "replacement": None,
        "scrub": {},
        "selftest": "",
        "notes": [],
        **case,
    }


def now() -> str:
    """Return the time, in UTC, to the second."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def next_step(state: Json) -> str:
    """Return the first step that isn't done; empty when all are."""
    return next((step for step in STEPS if step not in state["done"]), "")
