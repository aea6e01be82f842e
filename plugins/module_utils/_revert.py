# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Look back at transactions, and put one back as a transaction of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Journal, Store
from ansible_collections.servertechnik.core.plugins.module_utils._model import (
    Desired,
    FileSpec,
    FileState,
    InputError,
    UnitSpec,
    UnitState,
)
from ansible_collections.servertechnik.core.plugins.module_utils._order import Order
from ansible_collections.servertechnik.core.plugins.module_utils._plan import Plan
from ansible_collections.servertechnik.core.plugins.module_utils._transaction import transact


def transactions(store: Store, component: str | None, run: str | None) -> list[dict[str, Any]]:
    """Return the journal in brief, newest first; run `last` is the newest that still stands."""
    journals = [store.load(name) for name in store.ids()]
    if run == "last":
        standing = (j.run for j in journals if j.state == "committed" and not j.reverts)
        run = next(standing, "")
    return [
        _brief(journal)
        for journal in journals
        if component in (None, journal.component) and run in (None, journal.run)
    ]


def _brief(journal: Journal) -> dict[str, Any]:
    keys = ("id", "component", "at", "state", "by", "run", "packages", "error", "reverts")
    return {
        **{key: getattr(journal, key) for key in keys},
        "paths": [entry["spec"]["path"] for entry in journal.files],
        "units": [entry["spec"]["name"] for entry in journal.units],
    }


def revert(host: Host, name: str, *, force: bool, **options: Any) -> dict[str, Any]:
    """Put transaction `name` back, as ordered by `options`, and return the module's results.

    Raises HostError, InputError or TransactionError; then the host is as before.
    """
    store = Store(host)
    journal = store.load(name)
    if journal.state != "committed":
        raise InputError(f"transaction {name} is {journal.state}; accepted: a committed one")
    if not force and (reasons := list(_reasons(host, store, journal))):
        raise HostError(f"{name} was not put back: {'; '.join(reasons)}. Use force to do it anyway")
    if journal.confirm and not options["confirm"]:
        options["confirm"] = journal.confirm["timeout"]
    result = transact(
        host,
        Order(
            desired=_former(host, journal),
            contents=_contents(store, journal),
            reverts=name,
            **options,
        ),
    )
    return {**result, "reverted": [name], "timeout": options["confirm"]}


def _reasons(host: Host, store: Store, journal: Journal) -> Iterator[str]:
    """Yield why it would not be safe to put a transaction back."""
    record = store.record(journal.component) or {}
    if record.get("transaction") not in (None, journal.id):
        yield f"{record['transaction']} came after it, put that back first"
    # Only the files are compared, so the units that they concern don't matter here.
    specs = [replace(FileSpec.from_dict(entry["spec"]), units=None) for entry in journal.files]
    as_left = Desired(name=journal.component, files=tuple(specs))
    for change in Plan.between(host.read(as_left), as_left).files:
        yield f"{change.spec.path} was changed since ({change.change})"
    ours = {*journal.folders, *(spec.path for spec in specs)}
    for entry in journal.files:
        path = entry["spec"]["path"]
        created = entry["spec"]["kind"] == "directory" and entry["change"] == "created"
        if created and host.file_state(path).kind == "directory":
            for later in sorted(set(host.below(path)) - ours):
                yield f"{later} came since, and would go with {path}"


def _former(host: Host, journal: Journal) -> Desired:
    """Return the component as it was before the transaction, as far as that touched it."""
    former = Desired.from_dict(journal.former["desired"]) if journal.former else None
    files = [_former_file(entry) for entry in journal.files]
    for path in reversed(journal.folders):
        if os.path.isdir(host.at(path)) and _holds_only(host, path, files):
            files.append(FileSpec(path=path, kind="absent"))
    return Desired(
        name=journal.component,
        files=tuple(files),
        validate=former.validate if former else (),
        commands=tuple(journal.desired["commands"]),
        units=tuple(_former_unit(entry) for entry in journal.units),
        live=tuple(journal.desired.get("live", ())),
    )


def _holds_only(host: Host, path: str, files: list[FileSpec]) -> bool:
    return set(host.below(path)) <= {spec.path for spec in files if spec.kind == "absent"}


def _former_file(entry: Mapping[str, Any]) -> FileSpec:
    spec, before = FileSpec.from_dict(entry["spec"]), FileState.from_dict(entry["before"])
    return FileSpec(
        path=spec.path,
        kind=before.kind,  # type: ignore[arg-type]  # nothing else was ever replaced
        digest=before.digest,
        size=before.size,
        target=before.target,
        owner=before.owner or "root",
        group=before.group or "root",
        mode=before.mode,
        sensitive=spec.sensitive,
        outline=spec.outline,
    )


def _former_unit(entry: Mapping[str, Any]) -> UnitSpec:
    spec, before = UnitSpec.from_dict(entry["spec"]), UnitState.from_dict(entry["before"])
    return UnitSpec(
        name=spec.name,
        enabled=before.is_enabled,
        state="started" if before.is_active else "stopped",
        masked=before.is_masked,
        on_change=spec.on_change,
    )


def _contents(store: Store, journal: Journal) -> dict[str, bytes]:
    """Return the former contents of a transaction's files by SHA-256."""
    return {
        str(entry["before"]["digest"]): store.kept(journal.id, number)
        for number, entry in enumerate(journal.files)
        if entry["before"]["kind"] == "file"
    }
