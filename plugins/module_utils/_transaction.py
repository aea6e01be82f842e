# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A change as one transaction: all of it, or nothing; and after a crash, first nothing."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils import _confirmation
from ansible_collections.servertechnik.core.plugins.module_utils._activation import activate, verify
from ansible_collections.servertechnik.core.plugins.module_utils._apt import Apt
from ansible_collections.servertechnik.core.plugins.module_utils._change import Change
from ansible_collections.servertechnik.core.plugins.module_utils._diff import differences, outline
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._journal import (
    HOME,
    Journal,
    Store,
)
from ansible_collections.servertechnik.core.plugins.module_utils._model import (
    Desired,
    FileState,
    InputError,
    State,
)
from ansible_collections.servertechnik.core.plugins.module_utils._plan import Plan
from ansible_collections.servertechnik.core.plugins.module_utils._program import install
from ansible_collections.servertechnik.core.plugins.module_utils._restore import put_back, told

SPARE = 1024 * 1024  # bytes that stay free for the journal and for the host itself


class TransactionError(Exception):
    """A transaction that failed; `details` are the module's results."""

    def __init__(self, text: str, **details: Any) -> None:
        """Carry the text for people and the details for machines."""
        super().__init__(text)
        self.details = details


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is asked for, by whom, and how.

    `contents` holds the files' contents by SHA-256; `confirm` and `wait` are seconds; `reverts` is
    the id of the transaction that this one puts back.
    """

    desired: Desired
    contents: Mapping[str, bytes]
    check: bool = False
    diff: bool = False
    confirm: int | None = None
    reverts: str | None = None
    by: str = "unknown"
    run: str = ""
    wait: int = 120


def transact(host: Host, order: Order) -> dict[str, Any]:
    """Make the host as ordered and return the module's results. Raises TransactionError."""
    store = Store(host)
    name = order.desired.name
    try:
        with exclusively(host, store, f"{name} for {order.by}", order) as warnings:
            return _transact(host, store, order, warnings)
    except (HostError, InputError, OSError) as error:
        raise TransactionError(f"{name}: {error}", changed=False, rolled_back=False) from error


@contextlib.contextmanager
def exclusively(host: Host, store: Store, who: str, order: Order) -> Iterator[list[str]]:
    """Keep all other runs out, and leave nothing unfinished; yields warnings on what there was.

    A transaction that still may be confirmed is waited for. Raises HostError when the wait is over.
    """
    deadline = time.monotonic() + order.wait
    while True:
        with store.locked(max(0, deadline - time.monotonic()), who):
            journal = store.active()
            if journal is None or not journal.awaits_confirmation:
                yield _recovered(host, store, journal, order)
                return
        if time.monotonic() >= deadline:
            raise HostError(
                f"transaction {journal.id} of {journal.by} waits for its confirmation, "
                f"waited {order.wait} s for it"
            )
        time.sleep(0.2)


def _recovered(host: Host, store: Store, journal: Journal | None, order: Order) -> list[str]:
    if journal is None:
        return []
    if order.check:
        return [f"transaction {journal.id} is not finished; a run first puts the host back"]
    if journal.owed and not journal.finished:
        # apt may have outlived the run that called it, and its services are held until then.
        Apt(host, order.wait).finish()
    sentence = _confirmation.recover(host, store)
    return [sentence] if sentence else []


def _transact(host: Host, store: Store, order: Order, warnings: list[str]) -> dict[str, Any]:
    desired = order.desired
    record = store.record(desired.name)
    plan = Plan.between(_read(host, store, order), desired, owed=bool(record and record["owed"]))
    result: dict[str, Any] = {
        "changed": bool(plan),
        **plan.report(),
        "transaction": None,
        "rolled_back": False,
        "outline": outline(host, plan, order.contents),
        "diff": differences(host, plan, order.contents) if order.diff else [],
        "warnings": warnings,
    }
    if order.check:
        if (plan.install or plan.remove) and not Apt(host, order.wait).simulate(
            plan.install, plan.remove
        ):
            warnings.append(
                f"apt on this host does not know all of {', '.join(plan.install)} yet; a run "
                "refreshes its lists first"
            )
    elif plan or order.reverts:
        _has_room(host, plan, order.contents)
        install(host)
        journal = _begin(store, order, plan, record)
        _carry_out(host, store, order, plan, journal)
        result["transaction"] = journal.id
    elif record is None or Desired.from_dict(record["desired"]) != desired:
        store.set_record(
            desired.name, {"desired": desired.as_dict(), "transaction": None, "owed": False}
        )
    return result


def _read(host: Host, store: Store, order: Order) -> State:
    """Return the host's state; a check sees it as it will be once unfinished work is undone."""
    current = host.read(order.desired)
    journal = store.active() if order.check else None
    for change in journal.files if journal and not journal.finished else ():
        if change["spec"]["path"] in current.files:
            current.files[change["spec"]["path"]] = FileState.from_dict(change["before"])
    return current


def _has_room(host: Host, plan: Plan, contents: Mapping[str, bytes]) -> None:
    """Refuse to begin on a full or read-only file system. Raises HostError."""
    need = SPARE + sum(
        change.before.size + len(contents.get(change.spec.digest or "", b""))
        for change in plan.files
    )
    for path in (HOME, *(change.spec.path for change in plan.files)):
        free, writable = host.room(os.path.dirname(path))
        if not writable:
            raise HostError(f"the file system of {path} is read-only; nothing was changed")
        if free < need:
            raise HostError(
                f"the file system of {path} has {f'{free // 1024} KiB' if free else 'no inodes'} "
                f"free and {need // 1024} KiB are needed; nothing was changed"
            )


def _begin(store: Store, order: Order, plan: Plan, record: dict[str, Any] | None) -> Journal:
    return store.begin(
        order.desired.name,
        by=order.by,
        run=order.run,
        desired=order.desired.as_dict(),
        former=record,
        packages=plan.report()["packages"],
        reverts=order.reverts,
    )


def _carry_out(host: Host, store: Store, order: Order, plan: Plan, journal: Journal) -> None:
    """Go through all steps; after a failure put everything back.

    Raises TransactionError once the host is as before.
    """
    change = Change(host, store, journal, order.desired, order.contents)
    try:
        change.carry_out(plan, Apt(host, order.wait))
        if order.confirm:
            _confirmation.begin(host, store, journal, order.confirm)
            return
        activate(host, store, journal)
        change.step = "verification"
        verify(host, journal)
        change.step = "commit"
        store.declare_good(journal)
    except Exception as error:
        reason = f"{change.step}: {error or type(error).__name__}"
        try:
            left = put_back(host, store, journal, reason)
        except (HostError, OSError) as second:
            raise TransactionError(
                f"{journal.component}: {reason}. Then the host could not be put back: {second}; "
                "the next run tries again",
                changed=True,
                rolled_back=False,
                transaction=journal.id,
            ) from second
        raise TransactionError(
            f"{journal.component}: {reason}. {told(journal, left)}",
            changed=journal.owed,
            rolled_back=True,
            transaction=journal.id,
        ) from error
    try:
        store.commit(journal)
    except OSError as error:
        raise TransactionError(
            f"{journal.component}: the change stands, but its journal could not be closed "
            f"({error}); the next run does that",
            changed=True,
            rolled_back=False,
            transaction=journal.id,
        ) from error
