# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._model import (
    Desired,
    FileSpec,
    FileState,
    InputError,
    PackageState,
    State,
    UnitSpec,
    UnitState,
)
from ansible_collections.servertechnik.core.plugins.module_utils._plan import Plan

FILE: dict[str, Any] = {"kind": "file", "digest": "d", "owner": "root", "group": "root",
                        "uid": 0, "gid": 0, "mode": 0o644}  # fmt: skip
LINK: dict[str, Any] = {**FILE, "kind": "link", "digest": None, "target": "t", "mode": 0o777}
FOLDER: dict[str, Any] = {**FILE, "kind": "directory", "digest": None, "mode": 0o755}


def files(wanted: dict[str, FileSpec], found: dict[str, FileState], **trees: Any) -> Plan:
    desired = Desired(name="c", files=tuple(wanted.values()))
    return Plan.between(State(files=found, trees=trees.get("trees", {})), desired)


@pytest.mark.parametrize(
    ("spec", "before", "change"),
    [
        ({"kind": "file", "digest": "d"}, {}, "created"),
        ({"kind": "file", "digest": "d"}, FILE, None),
        ({"kind": "file", "digest": "d"}, {**FILE, "mtime_ns": 5, "size": 7}, None),
        ({"kind": "file", "digest": "e"}, FILE, "content"),
        ({"kind": "file", "digest": "d", "mode": 0o4755}, FILE, "attributes"),
        ({"kind": "file", "digest": "d", "owner": "games"}, FILE, "attributes"),
        ({"kind": "file", "digest": "d", "group": "5"}, FILE, "attributes"),
        ({"kind": "file", "digest": "d", "owner": "0", "group": "0"}, FILE, None),
        ({"kind": "file", "digest": "d"}, LINK, "replaced"),
        ({"kind": "link", "target": "t"}, LINK, None),
        ({"kind": "link", "target": "t", "mode": 0o600}, LINK, None),
        ({"kind": "link", "target": "u"}, LINK, "content"),
        ({"kind": "link", "target": "t", "owner": "games"}, LINK, "attributes"),
        ({"kind": "link", "target": "t"}, FILE, "replaced"),
        ({"kind": "directory", "mode": 0o755}, FOLDER, None),
        ({"kind": "directory", "mode": 0o700}, FOLDER, "attributes"),
        ({"kind": "directory"}, {}, "created"),
        ({"kind": "absent"}, {}, None),
        ({"kind": "absent"}, {"kind": "blocked"}, None),
        ({"kind": "absent"}, FILE, "removed"),
        ({"kind": "absent"}, FOLDER, "removed"),
    ],
)
def test_one_file(spec: dict[str, Any], before: dict[str, Any], change: str | None) -> None:
    plan = files({"a": FileSpec(path="/a", **spec)}, {"/a": FileState(**before)})
    assert [c.change for c in plan.files] == ([change] if change else [])
    assert bool(plan) is bool(change)


@pytest.mark.parametrize(
    ("kind", "before", "words"),
    [
        ("file", FOLDER, ("/a is a directory", "wanted: file", "move it away first")),
        ("link", FOLDER, ("/a is a directory", "wanted: link")),
        ("directory", FILE, ("/a is a file", "wanted: directory")),
        ("directory", LINK, ("/a is a link", "wanted: directory")),
        ("file", {"kind": "other"}, ("/a is a device, socket or pipe", "wanted: file")),
        ("absent", {"kind": "other"}, ("/a is a device, socket or pipe", "wanted: absent")),
        ("file", {"kind": "blocked"}, ("/a can't be there", "not a folder")),
    ],
)
def test_what_is_in_the_way(kind: Any, before: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as error:
        files({"a": FileSpec(path="/a", kind=kind)}, {"/a": FileState(**before)})
    assert [word for word in words if word not in str(error.value)] == []


def test_folders_come_first_and_go_last() -> None:
    wanted = [
        FileSpec(path="/n/f/g", kind="file", digest="d"),
        FileSpec(path="/n/f", kind="directory"),
        FileSpec(path="/n", kind="directory"),
        FileSpec(path="/o", kind="absent"),
    ]
    below = ("/o/a", "/o/a/b", "/o/c")
    found = {"/o": FileState(**FOLDER), "/o/a": FileState(**FOLDER)}
    found |= {path: FileState(**FILE) for path in ("/o/a/b", "/o/c")}
    plan = files({one.path: one for one in wanted}, found, trees={"/o": below})
    paths = [change.spec.path for change in plan.files]
    assert paths == ["/n", "/n/f", "/n/f/g", "/o/c", "/o/a/b", "/o/a", "/o"]


def test_purge_keeps_what_is_listed_and_the_way_to_it() -> None:
    wanted = [
        FileSpec(path="/d", kind="directory", mode=0o755, purge=True, sensitive=True),
        FileSpec(path="/d/ours", kind="file", digest="d"),
        FileSpec(path="/d/way/to/ours", kind="file", digest="d"),
    ]
    below = ("/d/other", "/d/ours", "/d/way", "/d/way/other", "/d/way/to", "/d/way/to/ours")
    found = {path: FileState(**FILE) for path in below}
    found |= {path: FileState(**FOLDER) for path in ("/d", "/d/way", "/d/way/to")}
    plan = files({one.path: one for one in wanted}, found, trees={"/d": below})
    assert [(c.spec.path, c.change, c.spec.sensitive) for c in plan.files] == [
        ("/d/way/other", "removed", True),
        ("/d/other", "removed", True),
    ]


RUNNING: dict[str, Any] = {"load": "loaded", "active": "active", "file_state": "enabled"}
STOPPED: dict[str, Any] = {**RUNNING, "active": "inactive"}
DISABLED: dict[str, Any] = {**STOPPED, "file_state": "disabled"}
MASKED: dict[str, Any] = {"load": "masked", "active": "inactive", "file_state": "masked"}
ONESHOT: dict[str, Any] = {**STOPPED, "kind": "oneshot"}
CRASHING: dict[str, Any] = {**RUNNING, "active": "activating", "sub": "auto-restart"}


@pytest.mark.parametrize(
    ("spec", "now", "alone", "concerned"),
    [
        ({}, {}, ["enable", "start"], ["enable", "start"]),
        ({}, RUNNING, [], ["restart"]),
        ({"on_change": "reload"}, RUNNING, [], ["reload"]),
        ({"on_change": "none"}, RUNNING, [], []),
        ({"on_change": "none"}, STOPPED, ["start"], ["start"]),
        ({}, STOPPED, ["start"], ["start"]),
        ({}, {**STOPPED, "active": "failed"}, ["start"], ["start"]),
        ({}, {**RUNNING, "active": "activating"}, [], ["restart"]),
        ({}, CRASHING, ["start"], ["start"]),
        ({}, DISABLED, ["enable", "start"], ["enable", "start"]),
        ({}, {**RUNNING, "file_state": "static"}, [], ["restart"]),
        ({}, {**RUNNING, "file_state": "generated"}, [], ["restart"]),
        ({}, MASKED, ["unmask", "enable", "start"], ["unmask", "enable", "start"]),
        ({}, ONESHOT, ["start"], ["start"]),
        ({}, {**ONESHOT, "ran": True}, [], ["restart"]),
        ({"state": "stopped"}, RUNNING, ["stop"], ["stop"]),
        ({"state": "stopped"}, STOPPED, [], []),
        ({"state": "stopped", "enabled": False}, RUNNING, ["disable", "stop"],
         ["disable", "stop"]),
        ({"state": "stopped", "enabled": False}, {}, [], []),
        ({"state": "stopped", "enabled": False}, {**STOPPED, "file_state": "static"}, [], []),
        ({"masked": True}, RUNNING, ["mask", "stop"], ["mask", "stop"]),
        ({"masked": True}, MASKED, [], []),
        ({"masked": True}, {}, ["mask"], ["mask"]),
    ],
)  # fmt: skip
def test_one_unit(
    spec: dict[str, Any], now: dict[str, Any], alone: list[str], concerned: list[str]
) -> None:
    desired = Desired(name="c", units=(UnitSpec(name="u.service", **spec),))
    state = State(units={"u.service": UnitState(name="u.service", **now)})
    for owed, actions in ((False, alone), (True, concerned)):
        plan = Plan.between(state, desired, owed=owed)
        assert [a for unit in plan.units for a in unit.actions] == actions


@pytest.mark.parametrize(
    ("concerns", "restarted"),
    [(None, ["a.service", "b.service"]), (("b.service",), ["b.service"]), ((), [])],
)
def test_file_concerns_its_units(concerns: tuple[str, ...] | None, restarted: list[str]) -> None:
    names = ("a.service", "b.service")
    desired = Desired(
        name="c",
        files=(FileSpec(path="/f", kind="file", digest="d", units=concerns),),
        units=tuple(UnitSpec(name=name) for name in names),
        commands=("sync",),
    )
    state = State(units={name: UnitState(name=name, **RUNNING) for name in names})
    plan = Plan.between(state, desired)
    assert [unit.spec.name for unit in plan.units] == restarted
    assert plan.commands == ("sync",)


@pytest.mark.parametrize(
    ("wanted", "found", "install"),
    [
        ("ab", PackageState(), ["ab"]),
        ("ab", PackageState(version="1"), []),
        ("ab", PackageState(version="1", held=True), []),
        ("ab=1", PackageState(version="1"), []),
        ("ab=1", PackageState(version="1", held=True), []),
        ("ab=2", PackageState(version="1"), ["ab=2"]),
        ("ab:i386", PackageState(), ["ab:i386"]),
    ],
)
def test_packages(wanted: str, found: PackageState, install: list[str]) -> None:
    state = State(packages={wanted.partition("=")[0]: found})
    plan = Plan.between(state, Desired(name="c", packages=(wanted,), commands=("sync",)))
    assert list(plan.install) == install
    assert plan.commands == (("sync",) if install else ())
    removal = Plan.between(
        State(packages={"ab": PackageState(version="1")}),
        Desired(name="c", packages_absent=("ab",)),
    )
    assert removal.report()["packages"] == {"installed": [], "removed": ["ab"]}


@pytest.mark.parametrize(
    ("desired", "version"),
    [
        ({"packages": ("ab",)}, None),
        ({"packages": ("ab=2",)}, "1"),
        ({"packages_absent": ("ab",)}, "1"),
    ],
)
def test_held_packages_are_refused(desired: dict[str, Any], version: str | None) -> None:
    state = State(packages={"ab": PackageState(version=version, held=True)})
    with pytest.raises(
        InputError, match=r"is held on this host; release it with 'apt-mark unhold ab'"
    ):
        Plan.between(state, Desired(name="c", **desired))


def test_nothing_is_due_where_nothing_differs() -> None:
    desired = Desired(name="c", commands=("sync",), validate=("true",))
    assert not Plan.between(State(), desired)
    assert Plan.between(State(), desired, owed=True).commands == ("sync",)
