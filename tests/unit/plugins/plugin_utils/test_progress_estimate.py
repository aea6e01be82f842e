# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_estimate import (
    History,
    Profile,
)
from hypothesis import given
from hypothesis import strategies as st

EVEN = Profile(100.0, 100, tuple(i / 20 for i in range(21)))
# Half of the steps take a tenth of the time.
LATE = Profile.of([*(i * 0.2 for i in range(1, 51)), *(10 + i * 1.8 for i in range(1, 51))], 100.0)


def marks(count: int, step: float = 1.0) -> list[float]:
    return [step * (i + 1) for i in range(count)]


@pytest.mark.parametrize(
    ("profile", "seen", "elapsed", "left"),
    [
        (EVEN, [], 0.0, 100.0),
        (EVEN, marks(50), 50.0, 50.0),
        (EVEN, marks(50), 60.0, 40.0),
        (EVEN, marks(100), 100.0, 0.0),
        (EVEN, marks(300), 300.0, 0.0),
        (EVEN, marks(99), 900.0, 0.0),
        # Twice as slow, twice as fast: 120/70 and 45/70 of what was learned, the fifth included.
        (EVEN, marks(50, 2.0), 100.0, 50 * 120 / 70),
        (EVEN, marks(50, 0.5), 25.0, 50 * 45 / 70),
        (LATE, marks(50, 0.2), 10.0, 90.0),
    ],
)
def test_remaining(profile: Profile, seen: list[float], elapsed: float, left: float) -> None:
    assert profile.remaining(seen, elapsed) == pytest.approx(left, abs=1.5)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=300), st.floats(0.1, 100))
def test_what_was_learned_predicts_itself(times: list[float], tail: float) -> None:
    seen = sorted(times)
    total = seen[-1] + tail
    profile = Profile.of(seen, total)
    assert profile.remaining([], 0.0) == pytest.approx(total, abs=0.01)
    for count in range(len(seen)):
        left = profile.remaining(seen[:count], seen[count - 1] if count else 0.0)
        assert 0 <= left <= total * 6


def test_what_was_learned_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history.json"
    History(path).learn("site.yml", 4, EVEN)
    assert History(path).find("site.yml", 4) == EVEN
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_nearest_number_of_hosts_counts(tmp_path: Path) -> None:
    history = History(tmp_path / "history.json")
    history.learn("site.yml", 2, LATE)
    history.learn("site.yml", 40, EVEN)
    history.learn("site.yml --check", 4, EVEN)
    assert history.find("site.yml", 5) == LATE
    assert history.find("site.yml", 30) == EVEN
    assert history.find("drift.yml", 2) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"site.yml#4": 3}',
        '{"site.yml#four": {"seconds": 1, "steps": 1, "curve": [0, 1]}}',
        '{"site.yml#4": {"seconds": "x", "steps": 1, "curve": [0, 1]}}',
        '{"site.yml#4": {"seconds": 1, "steps": 0, "curve": [0, 1]}}',
        '{"site.yml#4": {"seconds": 1, "steps": 1, "curve": [1, 0]}}',
        '{"site.yml#4": {"seconds": 1, "steps": 1, "curve": []}}',
        '{"site.yml#4": {"seconds": 1, "steps": 1}}',
        '{"site.yml#4": {"seconds": -1, "steps": 1, "curve": [0, 1]}}',
    ],
)
def test_a_broken_file_counts_as_none_and_heals(tmp_path: Path, content: str) -> None:
    path = tmp_path / "history.json"
    path.write_text(content)
    history = History(path)
    assert history.find("site.yml", 4) is None
    history.learn("site.yml", 4, EVEN)
    assert history.find("site.yml", 4) == EVEN


def test_a_file_that_is_not_text_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_bytes(b"\xff\xfe\x00")
    assert History(path).find("site.yml", 4) is None


def test_a_place_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / "history.json")
    history.learn("site.yml", 4, EVEN)
    assert history.find("site.yml", 4) is None


def test_old_jobs_make_room(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    many: dict[str, Any] = {f"{i}.yml#1": {} for i in range(500)}
    path.write_text(json.dumps(many))
    History(path).learn("site.yml", 4, EVEN)
    assert len(json.loads(path.read_text())) == 200
    assert History(path).find("site.yml", 4) == EVEN
