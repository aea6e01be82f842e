# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._relations import broken_relations

EXCLUSIVE = {"mutually_exclusive": [["a", "b", "c"]]}
ONE_OF = {"required_one_of": [["a", "b"]]}
TOGETHER = {"required_together": [["a", "b", "c"]]}
IF_ALL = {"required_if": [["state", "on", ["a", "b"]]]}
IF_ANY = {"required_if": [["state", "on", ["a", "b"], True]]}
BY = {"required_by": {"a": ["b", "c"], "d": "e"}}


@pytest.mark.parametrize(
    ("rules", "value", "broken"),
    [
        (EXCLUSIVE, {"a": 1}, []),
        (EXCLUSIVE, {"a": 1, "b": None}, []),
        (EXCLUSIVE, {"a": 1, "c": 1}, [("a and c together", "only one of a, b, c")]),
        (ONE_OF, {"b": 1}, []),
        (ONE_OF, {"c": 1}, [("none of a, b", "at least one of them")]),
        (TOGETHER, {}, []),
        (TOGETHER, {"a": 1, "b": 1, "c": 1}, []),
        (TOGETHER, {"a": 1, "c": 1}, [("a, c without b", "a, b, c together")]),
        (IF_ALL, {"state": "off"}, []),
        (IF_ALL, {"state": "on", "a": 1, "b": 1}, []),
        (IF_ALL, {"state": "on", "a": 1}, [("state: on without b", "a, b with it")]),
        (IF_ANY, {"state": "on", "a": 1}, []),
        (IF_ANY, {"state": "on"}, [("state: on without a, b", "a or b with it")]),
        (BY, {"b": 1}, []),
        (BY, {"a": 1, "b": 1, "c": 1}, []),
        (BY, {"a": 1, "c": 1}, [("a without b", "b, c with it")]),
        (BY, {"d": 1}, [("d without e", "e with it")]),
        (IF_ALL | {"options": {"state": {"default": "on"}}}, {"a": 1, "b": 1}, []),
        (
            IF_ALL | {"options": {"state": {"default": "on"}}},
            {"a": 1},
            [("state: on without b", "a, b with it")],
        ),
        ({}, {"a": 1}, []),
    ],
)
def test_rule(rules: dict[str, Any], value: dict[str, Any], broken: list[tuple[str, str]]) -> None:
    assert list(broken_relations(value, rules)) == broken
