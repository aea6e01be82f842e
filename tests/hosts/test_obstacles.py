# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Full and read-only disks, and two runs at once, on real hosts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest_hosts import Fleet, Results
from tests.hosts.tasks import component, looks, shell, snapshot

PLACES = {"full": "size=1m", "read-only": "ro", "inodes": "size=9m,nr_inodes=10"}
GO = "/run/story-go"
HELD = "until ! flock --nonblock /run/servertechnik.lock true; do sleep 0.1; done"


@pytest.fixture(scope="module")
def disks(fleet: Fleet) -> Results:
    tasks = []
    for name, options in PLACES.items():
        tasks += [
            shell(f"mount {name}", f"mkdir /srv/{name}; mount -t tmpfs -o {options} x /srv/{name}"),
            component(
                name,
                name="disk",
                files=[
                    {"dest": "/srv/elsewhere", "content": "x"},
                    {"dest": f"/srv/{name}/deep/file", "content": "x"},
                ],
            ),
        ]
    before = snapshot("before", "/srv", "/var/lib/servertechnik")
    return fleet.play([before, *tasks, {**before, "name": "after"}])


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("full", ("has ", " KiB free and ", "are needed; nothing was changed")),
        ("read-only", ("is read-only; nothing was changed",)),
        ("inodes", ("has no inodes free", "nothing was changed")),
    ],
)
def test_no_room_is_found_before_the_first_write(
    disks: Results, release: str, place: str, words: tuple[str, ...]
) -> None:
    result = disks[release][place]
    assert result["failed"]
    assert not result["changed"]
    assert f"the file system of /srv/{place}/deep/file" in result["msg"]
    assert all(word in result["msg"] for word in words), result["msg"]
    new = looks(disks[release]["after"])["files"].keys() - disks[release]["before"]["files"].keys()
    assert new == {f"/srv/{name}" for name in PLACES}


@pytest.fixture(scope="module")
def runs(fleet: Fleet) -> tuple[Results, Results]:
    held: dict[str, Any] = {
        "name": "first",
        "files": [{"dest": "/etc/story-first", "content": "x"}],
        "validate": [f"sh -c 'until test -e {GO}; do sleep 0.1; done'"],
    }
    second: dict[str, Any] = {
        "name": "second",
        "files": [{"dest": "/etc/story-second", "content": "x"}],
    }
    first = fleet.start([component("first", **held)])
    other = fleet.play(
        [
            shell("first holds the lock", HELD),
            component("check", check=True, wait=0, **second),
            component("short wait", wait=1, **second),
            shell("let go soon", f"systemd-run --on-active=1 touch {GO}"),
            component("long wait", wait=60, **second),
        ],
        environ={"SERVERTECHNIK_RUN": "20260101T000000Z-0002"},
    )
    return fleet.results(first), other


def test_second_run_says_who_is_at_work(runs: tuple[Results, Results], release: str) -> None:
    for task, waited in (("check", 0), ("short wait", 1)):
        result = runs[1][release][task]
        assert result["failed"]
        assert not result["changed"]
        expected = f"second: another run is at work on this host, waited {waited} s: first for "
        assert expected in result["msg"]
        assert "@" in result["msg"]
        assert ", since 20" in result["msg"]


def test_second_run_goes_on_after_the_first(runs: tuple[Results, Results], release: str) -> None:
    first, second = runs[0][release]["first"], runs[1][release]["long wait"]
    assert not first.get("failed"), first
    assert not second.get("failed"), second
    assert first["transaction"] < second["transaction"]
