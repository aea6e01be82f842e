# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What a transaction does once there is something to do: say it, do it, or undo it."""

from __future__ import annotations

import os
from collections.abc import Mapping
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
from ansible_collections.servertechnik.core.plugins.module_utils._order import (
    Order,
    TransactionError,
)
from ansible_collections.servertechnik.core.plugins.module_utils._plan import Plan
from ansible_collections.servertechnik.core.plugins.module_utils._program import install
from ansible_collections.servertechnik.core.plugins.module_utils._restore import put_back, told

SPARE = 1024 * 1024  # bytes that stay free for the journal and for the host itself


def recovered(host: Host, store: Store, journal: Journal, order: Order) -> list[str]:
    """Undo or finish what an earlier run left; return what there is to say of it."""
    if journal.owed and not journal.finished:
        # apt may have outlived the run that called it, and its services are held until then.
        Apt(host, order.wait).finish()
    sentence = _confirmation.recover(host, store)
    return [sentence] if sentence else []


def execute(host: Host, store: Store, order: Order, plan: Plan, result: dict[str, Any]) -> None:
    """Carry out a plan, unless it is only to be looked at, and complete the module's result.

    Raises TransactionError once the host is as before.
    """
    result["outline"] = outline(host, plan, order.contents)
    if order.diff:
        result["diff"] = differences(host, plan, order.contents)
    if not order.check:
        _has_room(host, plan, order.contents)
        install(host)
        journal = _begin(store, order, plan)
        _carry_out(host, store, order, plan, journal)
        result["transaction"] = journal.id
    elif (plan.install or plan.remove) and not Apt(host, order.wait).simulate(
        plan.install, plan.remove
    ):
        result["warnings"].append(
            f"apt on this host does not know all of {', '.join(plan.install)} yet; a run "
            "refreshes its lists first"
        )


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


def _begin(store: Store, order: Order, plan: Plan) -> Journal:
    return store.begin(
        order.desired.name,
        by=order.by,
        run=order.run,
        desired=order.desired.as_dict(),
        former=store.record(order.desired.name),
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
