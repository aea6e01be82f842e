# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._journal import (
    HOME,
    KEPT,
    Journal,
    Store,
)
from ansible_collections.servertechnik.core.plugins.module_utils._model import Desired, FileSpec

NEWER = {"desired": {"name": "web"}, "transaction": "before", "owed": False}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    for folder in ("run", "var/lib"):
        (tmp_path / folder).mkdir(parents=True)
    return Store(Host(str(tmp_path)))


def begin(store: Store, component: str = "web", *, secret: bool = False) -> Journal:
    files = (FileSpec(path="/a", kind="absent", sensitive=secret),)
    return store.begin(
        component,
        by="alice@controller.example.org",
        run="20260101T000000Z-0001",
        desired=json.loads(json.dumps(Desired(name=component, files=files).as_dict())),
        former=store.record(component),
        packages={"installed": ["chrony"], "removed": []},
    )


def test_journal_is_there_as_it_was_written(store: Store) -> None:
    journal = begin(store)
    journal.state, journal.files = "prepared", [{"spec": {"path": "/ü\n"}}]
    store.save(journal)
    assert store.load(journal.id) == journal
    assert store.active() == journal
    assert store.ids() == [journal.id]
    assert not journal.finished


def test_only_root_may_look(store: Store) -> None:
    journal = begin(store)
    store.keep(journal, 0, b"former")
    store.commit(journal)
    found = {path: path.stat().st_mode & 0o777 for path in Path(store.host.at(HOME)).rglob("*")}
    assert {mode for path, mode in found.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in found.items() if path.is_file()} == {0o600}
    assert store.kept(journal.id, 0) == b"former"


def test_commit(store: Store) -> None:
    journal = begin(store)
    store.commit(journal)
    assert store.load(journal.id).finished
    assert store.active() is None
    assert store.record("web") == {
        "desired": journal.desired,
        "transaction": journal.id,
        "owed": False,
    }
    assert store.components() == ["web"]


@pytest.mark.parametrize("former", [None, NEWER])
@pytest.mark.parametrize("owed", [False, True])
def test_abandon_remembers_what_is_owed(
    store: Store, former: dict[str, object] | None, owed: bool
) -> None:
    if former:
        store.set_record("web", former)
    journal = begin(store)
    journal.owed = owed
    store.abandon(journal)
    assert store.load(journal.id).state == "rolled back"
    assert store.active() is None
    record = store.record("web")
    if not owed:
        assert record == former
    else:
        assert record is not None
        assert record["owed"] is True
        assert record["transaction"] == (former or {}).get("transaction")


def test_commit_of_a_reversal_brings_back_the_former_record(store: Store) -> None:
    first = begin(store)
    store.commit(first)
    second = begin(store)
    store.commit(second)
    third = begin(store)
    third.reverts = second.id
    store.commit(third)
    assert store.load(second.id).state == "reverted"
    record = store.record("web")
    assert record is not None
    assert record["transaction"] == first.id


def test_last_transactions_of_each_component_stay(store: Store) -> None:
    other = begin(store, "web-two")
    store.commit(other)
    for _ in range(KEPT + 3):
        journal = begin(store)
        store.commit(journal)
        last = journal.id
    mine = [name for name in store.ids() if store.load(name).component == "web"]
    assert len(mine) == KEPT
    assert mine[0] == last
    assert mine == sorted(mine, reverse=True)
    assert other.id in store.ids()


def test_unknown_transaction(store: Store) -> None:
    with pytest.raises(HostError, match="this host has no transaction 2026-x"):
        store.load("2026-x")
    assert (store.ids(), store.components(), store.active()) == ([], [], None)


def test_what_was_cut_off_at_its_birth_has_not_begun(store: Store) -> None:
    journal = begin(store)
    folder = Path(store.host.at(store.folder(journal.id)))
    folder.rename(folder.with_name(".new"))
    assert store.active() is None
    assert store.ids() == []
    again = begin(store)
    assert store.ids() == [again.id]


def test_lock_names_its_holder(store: Store) -> None:
    words = (r"another run is at work on this host, waited 0 s: "
             r"web for alice@example.org, since 20.*Z, process \d+")  # fmt: skip
    with (
        store.locked(0, "web for alice@example.org"),
        pytest.raises(HostError, match=words),
        store.locked(0, "other"),
    ):
        pass
    with store.locked(0, "other"):
        pass


@pytest.mark.parametrize("secret", [False, True])
def test_secrets_make_discreet(store: Store, secret: bool) -> None:
    assert begin(store, secret=secret).discreet is secret
