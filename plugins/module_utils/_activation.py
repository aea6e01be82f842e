# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Make the running services follow the files: reload, enable, command, start, verify."""

from __future__ import annotations

import shlex
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import (
    Host,
    HostError,
    Output,
)
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Journal, Store
from ansible_collections.servertechnik.core.plugins.module_utils._model import (
    Check,
    UnitState,
)

SETTINGS = ("unmask", "mask", "enable", "disable")
UNIT_FOLDERS = (
    "/etc/systemd/system/",
    "/etc/systemd/system.conf",
    "/run/systemd/system/",
    "/usr/lib/systemd/",
    "/usr/local/lib/systemd/",
    "/etc/fstab",
)
STEADY = 0.3  # seconds after which a unit that is active is looked at again
LINES = 20


def activate(host: Host, store: Store, journal: Journal) -> None:
    """Carry out what the journal says of units and commands. Raises HostError."""
    journal.activation = True
    journal.state = "activating"
    store.save(journal)
    if reload_due(journal):
        host.must("systemctl", "daemon-reload")
    set_units(host, [(a, u["spec"]["name"]) for u in journal.units for a in u["actions"]])
    for command in journal.commands:
        run_command(host, journal, command)
    for unit in journal.units:
        for action in unit["actions"]:
            if action not in SETTINGS:
                _move_unit(host, journal, unit["spec"]["name"], action)


def verify(host: Host, journal: Journal) -> None:
    """Wait until all holds that has to hold afterwards. Raises HostError."""
    for check in journal.desired["verify"]:
        _verify(host, journal, Check.from_dict(check))


def reload_due(journal: Journal) -> bool:
    """Whether systemd has to read its units again: one of its files changed, or it says so."""
    return any(f["spec"]["path"].startswith(UNIT_FOLDERS) for f in journal.files) or any(
        unit["before"]["stale"] for unit in journal.units
    )


def set_units(host: Host, actions: Iterable[tuple[str, str]]) -> None:
    """Mask, unmask, enable and disable units, one call for each verb. Raises HostError."""
    actions = list(actions)
    for verb in SETTINGS:
        if names := [name for action, name in actions if action == verb]:
            host.must("systemctl", verb, "--", *names)


def run_command(host: Host, journal: Journal, command: str) -> None:
    """Run one of the component's commands. Raises HostError with its output."""
    output = host.run(shlex.split(command))
    if output.status:
        raise HostError(f"'{command}' failed ({output.status}): {spoken(journal, output)}")


def spoken(journal: Journal, output: Output) -> str:
    """Return a command's words, unless the component has files that are not to be shown."""
    if journal.discreet:
        return "(its output is withheld, since the component has sensitive files)"
    return output.text[-4000:] or "(no output)"


def _move_unit(host: Host, journal: Journal, name: str, action: str) -> None:
    output = host.run(["systemctl", action, "--", name])
    if output.status:
        raise HostError(f"{name} could not {action}: {_last_words(host, journal, name)}")


def _last_words(host: Host, journal: Journal, name: str) -> str:
    """Return what a unit has written to the journal since the transaction began."""
    since = journal.at[:19].replace("T", " ") + " UTC"
    output = host.run(
        ["journalctl", f"--unit={name}", f"--lines={LINES}", f"--since={since}", "--quiet",
         "--no-pager", "--output=cat"]
    )  # fmt: skip
    return spoken(journal, output)


def _verify(host: Host, journal: Journal, check: Check) -> None:
    """Wait until a check holds. Raises HostError that says what was found instead."""
    probe: Callable[[Host, Check], str] = _unit if check.unit else _tcp if check.tcp else _command
    deadline = time.monotonic() + check.timeout
    while found := probe(host, check):
        if time.monotonic() >= deadline:
            subject = check.unit or check.tcp or check.command
            if journal.discreet and check.command:
                found = "(its output is withheld, since the component has sensitive files)"
            if check.unit:
                found += f": {_last_words(host, journal, check.unit)}"
            raise HostError(f"{subject} did not hold within {check.timeout} s: {found}")
        time.sleep(0.2)


def _unit(host: Host, check: Check) -> str:
    name = str(check.unit)
    first = host.units([name])[name]
    if first.is_active and first.active != "activating":
        time.sleep(STEADY)
        second = host.units([name])[name]
        if second.is_active and second.since == first.since:
            return ""
        first = second
    return f"it is {first.active} ({first.sub})"


def _tcp(_host: Host, check: Check) -> str:
    try:
        socket.create_connection(check.endpoint(), timeout=2).close()
    except OSError as error:
        return f"no connection: {error.strerror or error}"
    return ""


def _command(host: Host, check: Check) -> str:
    output = host.run(shlex.split(str(check.command)))
    return f"exit status {output.status}: {output.text[-2000:]}" if output.status else ""


def former_actions(unit: dict[str, Any], *, activated: bool) -> list[tuple[str, str]]:
    """Return the verbs that bring a unit of a journal back to its former state."""
    before, spec = unit["before"], unit["spec"]
    masked = before["file_state"].startswith("masked")
    enabled = before["file_state"] in ("enabled", "enabled-runtime")
    verbs = []
    if "mask" in unit["actions"] or "unmask" in unit["actions"]:
        verbs.append("mask" if masked else "unmask")
    if before["load"] == "not-found" or "enable" in unit["actions"]:
        verbs += [] if enabled else ["disable"]
    if "disable" in unit["actions"] and enabled:
        verbs.append("enable")
    # A one-shot that had run is not undone by a stop: it has to run with its former files.
    if before["active"] in ("inactive", "failed") and not UnitState.from_dict(before).is_active:
        verbs.append("stop")
    elif activated and set(unit["actions"]) - set(SETTINGS):
        verbs.append("restart" if spec["on_change"] == "restart" else "reload-or-restart")
    return [(verb, spec["name"]) for verb in verbs]
