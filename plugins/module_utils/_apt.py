# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Packages come and go through apt-get, without questions and without surprises."""

from __future__ import annotations

import glob
import os
import re
import time
from collections.abc import Sequence

from ansible_collections.servertechnik.core.plugins.module_utils._host import (
    Host,
    HostError,
    Output,
)
from ansible_collections.servertechnik.core.plugins.module_utils._packages import (
    needs_lists,
    surprises,
)

LISTS = "/var/lib/apt/lists"
STAMP = "/var/lib/servertechnik/apt-lists"
LISTS_LAST = 24 * 3600  # seconds

# apt-get(8), dpkg(1), needrestart(1): nothing asks, and nothing restarts services on its own.
ENVIRONMENT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "APT_LISTCHANGES_FRONTEND": "none",
    "NEEDRESTART_SUSPEND": "1",
}
APT = [
    "apt-get",
    "--quiet=2",
    "--assume-yes",
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
    "--option=Dpkg::Use-Pty=0",
]
LOCKED = re.compile(
    r"^(?:E|dpkg: error): (Could not get lock .*|Unable to lock .*|dpkg .* locked by .*)$",
    re.MULTILINE,
)
DPKG_FAILED = "Sub-process /usr/bin/dpkg returned an error code"
HOLDER = re.compile(r"(?:pid|process) (\d+)")


class Apt:
    """apt-get on one host; waits up to `wait` seconds for another program's lock."""

    def __init__(self, host: Host, wait: int) -> None:
        """Work on `host`."""
        self.host = host
        self.wait = wait

    def simulate(self, install: Sequence[str], remove: Sequence[str]) -> bool:
        """Return whether the host's package lists know all that is needed.

        Raises HostError when apt can't do it, or would remove what nobody named.
        """
        output = self._get("--simulate", *_request(install, remove))
        if output.status:
            if needs_lists(output.text):
                return False
            raise HostError(f"apt can't do this: {_errors(output.text)}")
        if others := surprises(output.text, {name.partition(":")[0] for name in remove}):
            raise HostError(
                f"apt would also remove {', '.join(others)}; list them in packages_absent if that "
                "is wanted"
            )
        return True

    def change(self, install: Sequence[str], remove: Sequence[str]) -> None:
        """Install and remove packages; refresh the package lists first if they are old or too few.

        Raises HostError; nothing has changed if apt found a reason before it began.
        """
        if os.listdir(self.host.at("/var/lib/dpkg/updates")):
            output = self.finish()
            if output.status:
                raise HostError(f"an interrupted dpkg could not be finished: {output.text[-2000:]}")
        refreshed = bool(install) and self.lists_are_old() and self._refresh()
        if remove and not self.simulate(install, remove) and not refreshed:
            refreshed = self._refresh()
            self.simulate(install, remove)
        # Nothing to remove: apt refuses by itself to, which spares a simulation.
        words = [*([] if remove else ["--no-remove"]), *_request(install, remove)]
        output = self._get(*words)
        if output.status and needs_lists(output.text) and not refreshed:
            self._refresh()
            output = self._get(*words)
        if output.status and DPKG_FAILED not in output.text:
            self.simulate(install, remove)  # says it in one sentence, with names
        if output.status:
            raise HostError(f"apt-get failed: {output.text[-4000:]}")

    def finish(self) -> Output:
        """Configure what was left half-way, once nobody else is at it. Raises HostError."""
        return self._patiently(["dpkg", "--configure", "-a", "--force-confdef", "--force-confold"])

    def lists_are_old(self) -> bool:
        """Whether the package lists are missing or were last refreshed over a day ago."""
        if not glob.glob(f"{self.host.at(LISTS)}/*_Packages*"):
            return True
        times = [
            os.stat(p).st_mtime for p in map(self.host.at, (LISTS, STAMP)) if os.path.exists(p)
        ]
        return time.time() - max(times) > LISTS_LAST

    def _refresh(self) -> bool:
        """Fetch the package lists; without a network the old ones have to do."""
        output = self._get("update")
        if output.status == 0:
            os.makedirs(os.path.dirname(self.host.at(STAMP)), mode=0o700, exist_ok=True)
            with open(self.host.at(STAMP), "wb"):
                os.utime(self.host.at(STAMP))
        return True

    def _get(self, *words: str) -> Output:
        return self._patiently([*APT, *words])

    def _patiently(self, words: list[str]) -> Output:
        """Run a command, again and again while another program holds a lock, then say who does."""
        deadline = time.monotonic() + self.wait
        while True:
            output = self.host.run(words, environment=ENVIRONMENT)
            locked = LOCKED.search(output.text) if output.status else None
            if not locked:
                return output
            if time.monotonic() >= deadline:
                raise HostError(
                    f"another program is at work, waited {self.wait} s: {self._named(locked[1])}"
                )
            time.sleep(1)

    def _named(self, said: str) -> str:
        """Return words about a lock, with the command line of the process that they name."""
        process = HOLDER.search(said)
        command = self.host.command_line(process[1]) if process else ""
        return f"{said}: {command}" if command else said


def _request(install: Sequence[str], remove: Sequence[str]) -> list[str]:
    return ["install", *install, *(f"{name}-" for name in remove)]


def _errors(text: str) -> str:
    """Return apt's own error lines, or the end of its output when it has none."""
    lines = [line.removeprefix("E: ") for line in text.splitlines() if line.startswith("E: ")]
    return "; ".join(lines) or text[-2000:]
