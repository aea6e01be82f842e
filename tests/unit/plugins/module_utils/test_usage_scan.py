# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._usage_scan import (
    Found,
    Top,
    Walk,
)

BLOCK = 4096


def big(path: Path, blocks: int, modified: float = 1000.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * (BLOCK * blocks))
    os.utime(path, (modified, modified))
    return path


def walk(folder: Path, **options: Any) -> Found:
    usual = {"seconds": 60, "top": 5, "recent_since": 5000.0}
    return Walk(str(folder), str(folder), options.pop("mounts", ()), **usual | options).run()


def paths(entries: list[dict[str, Any]], folder: Path) -> list[str]:
    return [os.path.relpath(one["path"], folder) for one in entries]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    big(folder / "a" / "deep" / "one", 40)
    big(folder / "a" / "deep" / "two", 30, modified=9000.0)
    big(folder / "b" / "three", 10)
    (folder / "many").mkdir()
    for number in range(50):
        (folder / "many" / str(number)).touch()
    return folder


def test_largest_and_recent_files(tree: Path) -> None:
    found = walk(tree)
    assert paths(found.largest, tree)[:3] == ["a/deep/one", "a/deep/two", "b/three"]
    assert found.largest[0]["bytes"] == 40 * BLOCK
    assert found.largest[0]["modified"] == 1000
    assert paths(found.recent, tree)[0] == "a/deep/two"
    assert found.files == 53
    assert found.complete


def test_a_folder_stands_for_those_above_that_hold_nothing_else(tree: Path) -> None:
    heavy = paths(walk(tree).heavy, tree)
    assert "a/deep" in heavy
    assert "a" not in heavy
    assert "." not in heavy


def test_a_folder_is_told_beside_one_inside_when_it_holds_more(tree: Path) -> None:
    big(tree / "a" / "more", 60)
    heavy = paths(walk(tree).heavy, tree)
    assert heavy[:2] == ["a", "a/deep"]


def test_crowded_folders(tree: Path) -> None:
    crowded = walk(tree).crowded[0]
    assert (os.path.relpath(crowded["path"], tree), crowded["entries"]) == ("many", 50)


def test_a_file_with_two_names_counts_once(tree: Path) -> None:
    before = walk(tree).bytes
    os.link(tree / "a" / "deep" / "one", tree / "a" / "same")
    assert walk(tree).bytes == before


def test_links_are_not_followed(tree: Path, tmp_path: Path) -> None:
    big(tmp_path / "outside" / "large", 100)
    before = walk(tree)
    # Short enough to be kept in the inode itself.
    (tree / "out").symlink_to("../outside")
    (tree / "round").symlink_to(".")
    after = walk(tree)
    assert (after.bytes, after.folders) == (before.bytes, before.folders)


def test_holes_take_no_room(tree: Path) -> None:
    with (tree / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    assert walk(tree).bytes < 1 << 20


def test_mount_points_are_left_alone(tree: Path) -> None:
    found = walk(tree, mounts=[str(tree / "a"), str(tree)])
    assert paths(found.largest, tree)[0] == "b/three"
    assert found.hidden == []


def test_what_mount_points_hide_is_told_where_they_can_be_seen_behind(tree: Path) -> None:
    big(tree / "a" / "large", 300)
    options = {"seconds": 60, "top": 5, "recent_since": 0.0}
    mounts = ["/srv/x/a", "/srv/x/b", "/srv/x"]
    found = Walk(str(tree), "/srv/x", mounts, **options).run()  # type: ignore[arg-type]  # as above
    assert [one["path"] for one in found.hidden] == ["/srv/x/a"]
    assert found.hidden[0]["bytes"] >= 370 * BLOCK
    assert found.largest[0]["path"] == "/srv/x/a/large"


def test_the_root_has_paths_without_a_second_slash(tree: Path) -> None:
    options = {"seconds": 60, "top": 9, "recent_since": 0.0, "watch": ["/b"]}
    found = Walk(str(tree), "/", ["/"], **options).run()  # type: ignore[arg-type]  # as above
    assert found.largest[0]["path"] == "/a/deep/one"
    assert {"/", "/a", "/b"} <= set(found.tree)
    assert found.watched["/b"] == found.tree["/b"] >= 10 * BLOCK


def test_it_ends_when_time_is_up_with_what_it_has(tree: Path) -> None:
    for number in range(600):
        (tree / "many" / f"more-{number}").touch()
    ticks = count()
    found = walk(tree, seconds=0, clock=lambda: float(next(ticks)))
    assert not found.complete
    assert found.files < 650


def test_what_can_not_be_read_is_left_out(tree: Path) -> None:
    (tree / "b").chmod(0)
    try:
        assert "a/deep/one" in paths(walk(tree).largest, tree)
    finally:
        (tree / "b").chmod(0o700)


def test_top_keeps_the_largest() -> None:
    top = Top(2)
    for size in (5, 1, 9, 7):
        top.offer(size, f"/{size}", {})
    assert top.all("bytes") == [{"path": "/9", "bytes": 9}, {"path": "/7", "bytes": 7}]
