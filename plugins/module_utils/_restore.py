# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Put a host back to where it was before a transaction. Can be interrupted and done again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils import _live_network
from ansible_collections.servertechnik.core.plugins.module_utils._activation import (
    SETTINGS,
    former_actions,
    reload_due,
    run_command,
    set_units,
)
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Journal, Store
from ansible_collections.servertechnik.core.plugins.module_utils._model import FileState


def put_back(
    host: Host, store: Store, journal: Journal, reason: str, *, booting: bool = False
) -> list[str]:
    """Give every file its former content, owner and mode, and every unit its former state.

    Returns what a person has to look at: what would not go back. While the host is booting,
    systemd is only told what to do, since it can't be waited for. Raises HostError or OSError when
    a file can't be put back; then the transaction stays unfinished and the next run tries again.
    """
    journal.error = journal.error or reason
    journal.state = "restoring"
    store.save(journal)
    host.release_services()
    # Units that were not there have to go before their own files do.
    new = [u for u in journal.units if u["before"]["load"] == "not-found"]
    left = list(_put_units_back(host, journal, new, booting=booting))
    for number in sorted(range(len(journal.files)), key=lambda n: _order(journal.files[n])):
        _put_file_back(host, store, journal, number)
    left += _remove_folders(host, journal)
    if journal.activation or new:
        if reload_due(journal):
            host.run(["systemctl", "daemon-reload"])
        left += _activate_back(host, journal, booting=booting)
    # A boot has begun from the files; what was alive before it is gone.
    if journal.live is not None and journal.activation and not booting:
        left += _live_network.put_back(host, journal.live)
    store.abandon(journal)
    return left


def told(journal: Journal, left: list[str]) -> str:
    """Return one sentence on what has been put back and what has not."""
    text = "The host is as before: files and units were put back"
    if left:
        text = f"Files were put back, but look at these: {'; '.join(left)}"
    if journal.owed:
        named = " ".join(journal.packages["installed"] + journal.packages["removed"])
        text += f" (packages stay as apt has left them: {named})"
    return f"{text}."


def _order(entry: dict[str, Any]) -> tuple[bool, str]:
    """Sort folders that have to be there before all that is in them."""
    return entry["before"]["kind"] != "directory", entry["spec"]["path"]


def _put_file_back(host: Host, store: Store, journal: Journal, number: int) -> None:
    """Put back what was at one path; folders that are new stay for now."""
    entry = journal.files[number]
    path, before = entry["spec"]["path"], FileState.from_dict(entry["before"])
    candidate = journal.candidate(number)
    host.remove(candidate)
    now = host.file_state(path)
    if _same(now, before):
        return
    if before.kind == "absent":
        if now.kind != "directory":
            host.remove(path)
    elif before.kind == "directory":
        host.set_folder(path, before)
    elif before.kind == "link":
        host.link(str(before.target), candidate, before)
        host.move(candidate, path)
    else:
        host.write(candidate, store.kept(journal.id, number), before)
        host.move(candidate, path)


def _remove_folders(host: Host, journal: Journal) -> Iterator[str]:
    """Remove folders that were not there, from below; yield those that hold what is not ours."""
    new = {e["spec"]["path"] for e in journal.files if e["before"]["kind"] == "absent"}
    for path in sorted({*new, *journal.folders}, key=len, reverse=True):
        if host.file_state(path).kind == "directory" and not host.remove_empty(path):
            yield f"{path} was not there before, but is not empty"


def _same(one: FileState, other: FileState) -> bool:
    parts = ("kind", "digest", "target", "owner", "group", "mode")
    return all(getattr(one, part) == getattr(other, part) for part in parts)


def _activate_back(host: Host, journal: Journal, *, booting: bool) -> Iterator[str]:
    """Let commands and units that were there before follow the files once more."""
    if not journal.activation:
        return
    for command in journal.commands if not booting else ():
        try:
            run_command(host, journal, command)
        except HostError as error:
            yield str(error)
    old = [u for u in journal.units if u["before"]["load"] != "not-found"]
    yield from _put_units_back(host, journal, old, booting=booting)


def _put_units_back(
    host: Host, journal: Journal, units: list[dict[str, Any]], *, booting: bool
) -> Iterator[str]:
    """Yield a line for each unit that would not go back."""
    present = host.units([u["spec"]["name"] for u in units])
    verbs = [
        (verb, name)
        for unit in units
        for verb, name in former_actions(unit, activated=journal.activation)
        if present[name].load != "not-found"
    ]
    try:
        set_units(host, verbs)
    except HostError as error:
        yield str(error)
    for verb, name in verbs:
        if verb in SETTINGS:
            continue
        # A unit that failed too often can't be started, and one that was not there must not stay.
        reset = ["systemctl", "reset-failed", "--", name]
        host.run(reset)
        output = host.run(["systemctl", *(["--no-block"] if booting else []), verb, "--", name])
        if output.status:
            yield f"{name} could not {verb}: {output.text}"
        if verb == "stop":
            host.run(reset)
