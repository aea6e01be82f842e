# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Put a host back to where it was before a transaction. Can be interrupted and done again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

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

    Returns what a person has to look at: units that would not go back. While the host is booting,
    systemd is only told what to do, since it can't be waited for. Raises HostError or OSError when
    a file can't be put back; then the transaction stays unfinished and the next run tries again.
    """
    journal.error = journal.error or reason
    journal.state = "restoring"
    store.save(journal)
    host.release_services()
    for number in reversed(range(len(journal.files))):
        _put_file_back(host, store, journal, number)
    for folder in reversed(journal.folders):
        with contextlib.suppress(OSError):  # a service may have left something in it
            host.remove(folder)
    left = list(_put_units_back(host, journal, booting=booting))
    store.abandon(journal)
    return left


def told(journal: Journal, left: list[str]) -> str:
    """Return one sentence on what has been put back and what has not."""
    text = "The host is as before: files and units were put back"
    if left:
        text = f"All files were put back, but look at these: {'; '.join(left)}"
    if journal.owed:
        named = " ".join(journal.packages["installed"] + journal.packages["removed"])
        text += f" (packages stay as apt has left them: {named})"
    return f"{text}."


def _put_file_back(host: Host, store: Store, journal: Journal, number: int) -> None:
    entry = journal.files[number]
    path, before = entry["spec"]["path"], FileState.from_dict(entry["before"])
    candidate = journal.candidate(number)
    host.remove(candidate)
    now = host.file_state(path)
    if _same(now, before):
        return
    if now.kind == "directory" and before.kind != "directory":
        host.remove(path)
    if before.kind == "absent":
        host.remove(path)
    elif before.kind == "directory":
        if now.kind != "directory":
            host.remove(path)
        host.set_folder(path, before)
    elif before.kind == "link":
        host.link(str(before.target), candidate)
        host.move(candidate, path)
    else:
        host.write(candidate, store.kept(journal.id, number), before)
        host.move(candidate, path)


def _same(one: FileState, other: FileState) -> bool:
    parts = ("kind", "digest", "target", "owner", "group", "mode")
    return all(getattr(one, part) == getattr(other, part) for part in parts)


def _put_units_back(host: Host, journal: Journal, *, booting: bool) -> Iterator[str]:
    """Yield a line for each unit or command that would not go back."""
    affected = [
        u for u in journal.units if journal.activation or u["before"]["load"] == "not-found"
    ]
    if not affected and not (journal.activation and journal.commands):
        return
    if reload_due(journal):
        host.run(["systemctl", "daemon-reload"])
    present = host.units([u["spec"]["name"] for u in affected])
    verbs = [
        (verb, name)
        for unit in affected
        for verb, name in former_actions(unit, activated=journal.activation)
        if present[name].load != "not-found"
    ]
    try:
        set_units(host, verbs)
    except HostError as error:
        yield str(error)
    for command in journal.commands if journal.activation and not booting else ():
        try:
            run_command(host, journal, command)
        except HostError as error:
            yield str(error)
    for verb, name in verbs:
        if verb in SETTINGS:
            continue
        host.run(["systemctl", "reset-failed", "--", name])
        output = host.run(["systemctl", *(["--no-block"] if booting else []), verb, "--", name])
        if output.status:
            yield f"{name} could not {verb}: {output.text}"
