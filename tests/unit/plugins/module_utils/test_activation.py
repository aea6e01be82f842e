# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._activation import former_actions
from ansible_collections.servertechnik.core.plugins.module_utils._model import UnitSpec, UnitState

ACTIVE: dict[str, Any] = {"load": "loaded", "active": "active", "file_state": "enabled"}
STOPPED: dict[str, Any] = {**ACTIVE, "active": "inactive", "file_state": "disabled"}
MASKED: dict[str, Any] = {"load": "masked", "active": "inactive", "file_state": "masked"}


@pytest.mark.parametrize(
    ("before", "actions", "verbs"),
    [
        (ACTIVE, ["restart"], ["restart"]),
        (ACTIVE, ["disable"], ["enable"]),
        (ACTIVE, ["disable", "stop"], ["enable", "restart"]),
        (ACTIVE, ["mask", "stop"], ["unmask", "restart"]),
        ({**ACTIVE, "file_state": "static"}, ["restart"], ["restart"]),
        (STOPPED, ["enable", "start"], ["disable", "stop"]),
        ({**STOPPED, "active": "failed"}, ["start"], ["stop"]),
        ({**STOPPED, "file_state": "static"}, ["start"], ["stop"]),
        (MASKED, ["unmask", "enable", "start"], ["mask", "disable", "stop"]),
        ({}, ["enable", "start"], ["disable", "stop"]),
        ({}, ["start"], ["disable", "stop"]),
        ({}, ["mask"], ["unmask", "disable", "stop"]),
    ],
)
def test_units_go_back(before: dict[str, Any], actions: list[str], verbs: list[str]) -> None:
    unit = {
        "spec": UnitSpec(name="u.service").as_dict(),
        "before": UnitState(name="u.service", **before).as_dict(),
        "actions": actions,
    }
    assert [verb for verb, _ in former_actions(unit, activated=True)] == verbs


@pytest.mark.parametrize(
    ("on_change", "verb"),
    [
        ("restart", "restart"),
        ("reload", "reload-or-restart"),
        ("reload-or-restart", "reload-or-restart"),
        ("none", "reload-or-restart"),
    ],
)
def test_units_that_run_follow_their_former_files_as_they_like(on_change: Any, verb: str) -> None:
    unit = {
        "spec": UnitSpec(name="u.service", on_change=on_change).as_dict(),
        "before": UnitState(name="u.service", **ACTIVE).as_dict(),
        "actions": ["reload"],
    }
    assert former_actions(unit, activated=True) == [(verb, "u.service")]
    assert former_actions(unit, activated=False) == []
