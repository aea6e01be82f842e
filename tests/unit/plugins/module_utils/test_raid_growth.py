# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Arrays become larger only when asked, when it is possible, and when they are well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._raid_model import Array
from ansible_collections.servertechnik.core.plugins.module_utils._raid_wanted import (
    RaidError,
    Wanted,
)

from tests.unit.plugins.module_utils.raids import (
    DETAILS,
    MIB,
    array,
    blank,
    members,
    planned,
    steps,
)

TWO = members("in_sync", "in_sync")
HALF = members("in_sync", "rebuilding")
THREE = members("in_sync", "in_sync", "in_sync")


def grown(level: int, count: int, **changed: Any) -> Wanted:
    paths = tuple(f"/dev/{chr(97 + number)}" for number in range(count))
    return Wanted(name="system", level=level, members=paths, **{"grow": True, **changed})


@pytest.mark.parametrize(
    ("want", "running", "expected"),
    [
        (grown(1, 3), array(TWO), ["--add /dev/c", "--grow /dev/md127 --raid-devices=3"]),
        (
            grown(1, 3),
            array(members("in_sync", "in_sync", "spare")),
            ["--grow /dev/md127 --raid-devices=3"],
        ),
        (grown(5, 2), array(TWO), ["--grow /dev/md127 --level=5"]),
        (
            grown(5, 3),
            array(TWO),
            ["--add /dev/c", "--grow /dev/md127 --level=5 --raid-devices=3"],
        ),
        (
            grown(6, 4),
            array(THREE, level="raid5", devices=3),
            ["--add /dev/d", "--grow /dev/md127 --level=6 --raid-devices=4"],
        ),
        (
            grown(0, 3),
            array(TWO, level="raid0", bitmap=False),
            ["--grow /dev/md127 --raid-devices=3 --add /dev/c"],
        ),
        (
            grown(10, 4),
            array(TWO, level="raid0", bitmap=False),
            ["--grow /dev/md127 --level=10 --raid-devices=4 --add /dev/c /dev/d"],
        ),
        (
            grown(0, 3),
            array(THREE, level="raid4", devices=4, bitmap=False),
            ["--grow /dev/md127 --level=0"],
        ),
    ],
)
def test_array_grows(want: Wanted, running: Array, expected: list[str]) -> None:
    assert steps(want, running) == expected


@pytest.mark.parametrize(
    ("want", "running", "until"),
    [
        (grown(1, 3), array(TWO, action="resync"), "the array is idle (resync, 34% done)"),
        (grown(1, 3), array(HALF, action="recover"), "is idle (recover"),
        (grown(1, 3), array(HALF), "all of its members are complete"),
        (grown(0, 3), array(THREE, level="raid4", devices=4, action="reshape"), "it has grown"),
    ],
)
def test_growth_waits(want: Wanted, running: Array, until: str) -> None:
    draft = planned(want, running)
    assert until in draft.pending[0]
    assert not any("--grow" in step.text for step in draft.steps)


@pytest.mark.parametrize(
    ("want", "running", "words"),
    [
        (grown(5, 3), array(THREE, level="raid1", devices=3), "level 1 to 5 with 3 to 3 members"),
        (grown(6, 3), array(THREE, level="raid5", devices=3), "level 5 to 6 with 3 to 3 members"),
        (grown(1, 2), array(TWO, level="raid5"), "level 5 to 1"),
        (grown(1, 2), array(TWO, level="raid4"), "level 0, which this is while it grows"),
        (grown(1, 2), array(TWO, level="linear"), "an array of another level"),
    ],
)
def test_growth_that_can_not_be_had_is_refused(want: Wanted, running: Array, words: str) -> None:
    with pytest.raises(RaidError) as refused:
        planned(want, running)
    assert words in str(refused.value)


def test_new_member_that_is_not_there_is_told() -> None:
    with pytest.raises(RaidError, match="found 0 new members for 3 members at level 1"):
        planned(grown(1, 3), array(TWO), blank("/dev/c", real=""))


@pytest.mark.parametrize(
    ("megabytes", "expected"),
    [(256, []), (257, []), (258, ["--grow /dev/md127 --size=max"])],
)
def test_whole_size_of_larger_members_is_used(megabytes: int, expected: list[str]) -> None:
    larger = [blank(f"/dev/{name}", size=megabytes * MIB) for name in "ab"]
    assert steps(grown(1, 2), array(TWO), *larger) == expected
    assert steps(grown(1, 2, grow=False), array(TWO), *larger) == []
    assert steps(grown(1, 2), array(TWO), larger[0]) == []


def test_bitmap_at_the_end_is_in_the_way() -> None:
    larger = [blank(f"/dev/{name}", size=300 * MIB) for name in "ab"]
    details = replace(DETAILS, data_offset=0)
    with pytest.raises(RaidError, match="bitmap: false until it has grown"):
        planned(grown(1, 2), array(TWO, metadata="1.0", details=details), *larger)
    without = array(TWO, metadata="1.0", details=details, bitmap=False)
    assert steps(grown(1, 2), without, *larger) == ["--grow /dev/md127 --size=max"]
