# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A change as one transaction: all of it, or nothing; and after a crash, first nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Journal, Store
from ansible_collections.servertechnik.core.plugins.module_utils._model import (
    Desired,
    FileState,
    InputError,
    State,
)
from ansible_collections.servertechnik.core.plugins.module_utils._order import (
    Order,
    TransactionError,
)
from ansible_collections.servertechnik.core.plugins.module_utils._plan import Plan


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
    from ansible_collections.servertechnik.core.plugins.module_utils import (  # noqa: PLC0415  as in `_transact`
        _execution,
    )

    return _execution.recovered(host, store, journal, order)


def _transact(host: Host, store: Store, order: Order, warnings: list[str]) -> dict[str, Any]:
    desired = order.desired
    record = store.record(desired.name)
    plan = Plan.between(_read(host, store, order), desired, owed=bool(record and record["owed"]))
    result: dict[str, Any] = {
        "changed": bool(plan),
        **plan.report(),
        "transaction": None,
        "rolled_back": False,
        "outline": {"added": [], "removed": []},
        "diff": [],
        "warnings": warnings,
    }
    if plan or order.reverts:
        # Half of the module's code; the calls that change nothing, nearly all, do without it.
        from ansible_collections.servertechnik.core.plugins.module_utils import (  # noqa: PLC0415 -- see above
            _execution,
        )

        _execution.execute(host, store, order, plan, result)
    elif not order.check and (record is None or Desired.from_dict(record["desired"]) != desired):
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
