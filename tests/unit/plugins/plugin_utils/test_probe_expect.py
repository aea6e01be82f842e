# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_expect import (
    ExpectationError,
    unmet,
)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ("open", "open"),
        (53, "53"),
        (True, True),
        (["a", "b"], "b"),
        (["a", "b"], ["b", "a"]),
        ([], []),
        ("timeout", ["timeout", "rejected"]),
        (20, {"min": 20}),
        (20, {"min": 1, "max": 20}),
        (["a"], {"min": 1, "max": 1}),
        ("SSH-2.0-OpenSSH_9.2", {"matches": "OpenSSH_9"}),
        (["v=spf1 -all", "x"], {"contains": "spf1"}),
        (-0.2, {"min": -1, "max": 1}),
    ],
)
def test_what_is_met(found: Any, wanted: Any) -> None:
    assert list(unmet({"value": found}, {"value": wanted})) == []


@pytest.mark.parametrize(
    ("found", "wanted", "words"),
    [
        ("timeout", "open", "found timeout, expected open"),
        (True, 1, "found True, expected 1"),
        (1, True, "found 1, expected True"),
        (False, True, "found False, expected True"),
        (["a"], "b", "found a, expected b"),
        (["a", "b"], ["a"], "found a, b, expected a"),
        (["a"], ["a", "b"], "found a, expected a, b"),
        ([], {"min": 1}, "found none, expected at least 1"),
        ("open", ["timeout", "rejected"], "found open, expected timeout, rejected"),
        (19, {"min": 20}, "found 19, expected at least 20"),
        (21, {"min": 1, "max": 20}, "found 21, expected at least 1 and at most 20"),
        (None, {"min": 1}, "found nothing, expected at least 1"),
        (None, "open", "found nothing, expected open"),
        ("b", {"matches": "^a"}, "found b, expected a match of ^a"),
        ("x" * 130, "y", f"found {'x' * 120}…, expected y"),
    ],
)
def test_what_is_not_met(found: Any, wanted: Any, words: str) -> None:
    assert list(unmet({"value": found}, {"value": wanted})) == [f"value {words}"]


def test_what_was_not_found_at_all() -> None:
    assert list(unmet({}, {"stat": "open"})) == ["stat found nothing, expected open"]


@pytest.mark.parametrize(
    ("found", "wanted", "message"),
    [
        (1, {"least": 1}, "expect: value: found 'least', accepted: min, max, matches, contains"),
        (1, {"min": "one"}, "expect: value: min: found 'one' for 1"),
        ("open", {"max": 1}, "expect: value: max: found 1 for open"),
        ("open", {"matches": "("}, r"expect: value: matches: found '\(' for open"),
    ],
)
def test_what_can_not_be_expected(found: Any, wanted: Any, message: str) -> None:
    with pytest.raises(ExpectationError, match=message):
        list(unmet({"value": found}, {"value": wanted}))
