# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A transaction of any files on any tree: done or not done, never half, and never hard to undo."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Store
from ansible_collections.servertechnik.core.plugins.module_utils._model import Desired, InputError
from ansible_collections.servertechnik.core.plugins.module_utils._order import (
    Order,
    TransactionError,
)
from ansible_collections.servertechnik.core.plugins.module_utils._plan import Plan
from ansible_collections.servertechnik.core.plugins.module_utils._revert import revert
from ansible_collections.servertechnik.core.plugins.module_utils._transaction import transact
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from tests.unit.plugins.module_utils.trees import Failing, Node, Stop, orders, plant, seen, trees

SOME = settings(
    deadline=None,
    max_examples=40,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=list(HealthCheck),
)
NOTHING = Order(desired=Desired(name="other"), contents={})
OPTIONS: dict[str, Any] = {"confirm": None, "wait": 0}


@contextmanager
def planted(tree: dict[str, Node]) -> Iterator[Path]:
    """A root with that tree, in memory where the machine allows it."""
    shared = Path("/dev/shm")  # noqa: S108 -- only for speed, and made with mkdtemp
    root = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
    try:
        plant(root, tree)
        yield root
    finally:
        shutil.rmtree(root)


def feasible(root: Path, order: Order) -> Plan:
    """Return the plan, if the tree allows it."""
    try:
        return Plan.between(Host(str(root)).read(order.desired), order.desired)
    except InputError as error:
        note(str(error))
        assume(False)
        raise


@SOME
@given(data=st.data(), tree=trees())
def test_a_second_run_has_nothing_to_do(data: st.DataObject, tree: dict[str, Node]) -> None:
    order = data.draw(orders(tree))
    with planted(tree) as root:
        plan, host = feasible(root, order), Host(str(root))
        predicted = transact(host, replace(order, check=True))
        assert transact(host, order)["files"] == predicted["files"]
        assert predicted["changed"] == bool(plan)
        assert not Plan.between(host.read(order.desired), order.desired)
        assert transact(host, order)["changed"] is False


@SOME
@given(data=st.data(), tree=trees())
def test_put_back_is_as_before(data: st.DataObject, tree: dict[str, Node]) -> None:
    order = data.draw(orders(tree))
    with planted(tree) as root:
        assume(feasible(root, order))
        host, before = Host(str(root)), timeless(seen(root))
        done = transact(host, order)
        after = timeless(seen(root))
        undone = revert(host, done["transaction"], force=False, **OPTIONS)
        assert timeless(seen(root)) == before
        revert(host, undone["transaction"], force=False, **OPTIONS)
        assert timeless(seen(root)) == after


def timeless(found: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    return {
        path: (*rest, what[0] if isinstance(what, tuple) else what)
        for path, (*rest, what) in found.items()
    }


@SOME
@given(data=st.data(), tree=trees(), at=st.integers(0, 70))
def test_a_failure_anywhere_changes_nothing(
    data: st.DataObject, tree: dict[str, Node], at: int
) -> None:
    order = data.draw(orders(tree))
    with planted(tree) as root:
        assume(feasible(root, order))
        before = seen(root)
        host = Failing(root, at, lambda: OSError(errno.EIO, "no more"))
        try:
            transact(host, order)
        except TransactionError as error:
            note(str(error))
            stands = error.details["changed"]
            transact(host, NOTHING)
            assert Store(host).active() is None
            assert stands or seen(root) == before
        else:
            assert not Plan.between(host.read(order.desired), order.desired)


@SOME
@given(data=st.data(), tree=trees(), at=st.integers(0, 70), again=st.integers(0, 30))
def test_after_a_crash_the_host_is_as_before_or_as_desired(
    data: st.DataObject, tree: dict[str, Node], at: int, again: int
) -> None:
    order = data.draw(orders(tree))
    with planted(tree) as root:
        assume(feasible(root, order))
        before = seen(root)
        for failing, what in ((at, order), (again, NOTHING)):
            try:
                transact(Failing(root, failing, Stop), what)
            except Stop:
                note(f"killed at effect {failing} of {what.desired.name}")
        host = Host(str(root))
        transact(host, NOTHING)
        if seen(root) != before:
            assert not Plan.between(host.read(order.desired), order.desired)
        assert Store(host).active() is None
        transact(host, order)
        assert not Plan.between(host.read(order.desired), order.desired)
