# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The arguments of `disk_replacement`, which its action plugin and its module share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._replacement_host import Order
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_judge import Wish
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_new import Choice
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_state import STEPS

_STEP = {"type": "str", "choices": list(STEPS)}

ARGUMENTS: dict[str, Any] = {
    "serial": {"type": "str", "default": ""},
    "step": _STEP,
    "stop_after": _STEP,
    "replace_healthy": {"type": "bool", "default": False},
    "accept": {
        "type": "list",
        "elements": "str",
        "choices": ["loss", "risk", "worn"],
        "default": [],
    },
    "new": {"type": "str", "default": ""},
    "wipe": {"type": "str", "default": ""},
    "backup": {"type": "str", "default": ""},
    "backup_hours": {"type": "float", "default": 26},
    "speed": {"type": "str", "choices": ["fast", "normal", "gentle"], "default": "normal"},
    "wait": {"type": "int", "default": 3600},
    "wait_rebuild": {"type": "int", "default": 172800},
    "scrub": {"type": "bool", "default": True},
    "boot_loader": {"type": "bool", "default": True},
    "expected": {"type": "list", "elements": "dict", "default": []},
    "poll": {"type": "float", "default": 10},
    "backup_age": {"type": "float"},
    "run": {"type": "str", "default": ""},
    "until": _STEP,
    "worked": {"type": "float", "default": 0},
}


def order_of(params: Mapping[str, Any], *, check: bool) -> Order:
    """Return what the parameters of a module ask for; without a step, the first."""
    return Order(
        serial=params["serial"],
        step=params["step"] or STEPS[0],
        wish=Wish(
            accept=params["accept"],
            healthy_too=params["replace_healthy"],
            backup_hours=params["backup_age"],
            backup_limit=params["backup_hours"],
        ),
        choice=Choice(new=params["new"], wipe=params["wipe"], accept=params["accept"]),
        expected=params["expected"],
        run=params["run"],
        until=params["until"] or "",
        worked=params["worked"],
        speed=params["speed"],
        poll=params["poll"],
        scrub=params["scrub"],
        boot_loader=params["boot_loader"],
        check=check,
    )
