# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""One step of the replacement of a disk, each of which can be done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_case import (
    CaseError,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_check import check
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_host import (
    Order,
    RefusalError,
    Site,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_in import (
    GoneError,
    copy,
    insert,
    rebuild,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_new import (
    NewDiskError,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_out import (
    locate,
    remove,
    verify,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_state import (
    STEPS,
    next_step,
    now,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import Json

REFUSALS = (RefusalError, CaseError, NewDiskError, GoneError, HostError)
# What a step did for whom: what to wait for, and how far arrays are.
Outcome = tuple[str, list[Json]]


class StepError(Exception):
    """A step that didn't succeed: `state` is the case as it is now, or nothing."""

    def __init__(self, text: str, state: Json | None, *, refused: bool) -> None:
        """Say what to do; `refused` if the host could have gone on."""
        super().__init__(text)
        self.state = state
        self.refused = refused


def take(host: Host, read: Callable[[bool], Mapping[str, Any]], order: Order) -> dict[str, Any]:
    """Carry out a step, and those after it as far as wanted and possible.

    Returns ``state``, ``next``, ``waiting``, ``progress``, ``did`` and ``slept``. The state is on
    disk after each step. Raises StepError.
    """
    site = Site(host, read, order)
    with site.states.alone():
        result = _verify(site) if order.step == "verify" else _take(site, order.serial, order.step)
        while order.until and _goes_on(result, order.until):
            result = _take(site, order.serial, result["next"])
        return result


def _goes_on(result: Mapping[str, Any], until: str) -> bool:
    following = result["next"]
    return bool(
        following and not result["waiting"] and STEPS.index(following) <= STEPS.index(until)
    )


def _take(site: Site, serial: str, step: str) -> dict[str, Any]:
    state = site.states.load(serial)
    if state is None:
        raise StepError(f"no case of {serial} is open on this host", None, refused=True)
    began, slept = time.monotonic(), site.slept
    entry = state["steps"].setdefault(step, {"began": now(), "ended": "", "host": 0.0})
    try:
        waiting, progress = _STEPS[step](site, state)
    except GoneError as error:
        # Whatever comes next, it begins with a disk that is there.
        state["done"] = list(STEPS[: STEPS.index("insert")])
        waiting, progress = str(error), []
    except REFUSALS as error:
        _spent(site, state, entry, began + site.slept - slept)
        raise StepError(str(error), state, refused=not isinstance(error, HostError)) from error
    else:
        if not waiting:
            entry["ended"] = now()
            state["done"] += [] if step in state["done"] else [step]
    _spent(site, state, entry, began + site.slept - slept)
    return _told(site, state, waiting, progress)


def _verify(site: Site) -> dict[str, Any]:
    began, moment = time.monotonic(), now()
    try:
        state = verify(site)
    except REFUSALS as error:
        raise StepError(str(error), None, refused=not isinstance(error, HostError)) from error
    if state is None or state["closed"]:
        return _told(site, state, "", [])
    if "verify" not in state["done"]:
        state["done"] = ["verify"]
    entry = state["steps"].setdefault("verify", {"began": moment, "ended": "", "host": 0.0})
    entry["ended"] = now()
    if not site.order.check:
        _spent(site, state, entry, began)
    return _told(site, state, "", [])


def _spent(site: Site, state: Json, entry: Json, since: float) -> None:
    """Write down how it is, and how long this step and the whole took, waiting not counted."""
    entry["host"] = round(entry["host"] + time.monotonic() - since, 3)
    state["worked"] = max(state["worked"], site.order.worked)
    site.states.save(state)


def _told(site: Site, state: Json | None, waiting: str, progress: list[Json]) -> dict[str, Any]:
    return {
        "changed": bool(site.did),
        "state": state,
        "next": next_step(state) if state else "",
        "waiting": waiting,
        "progress": progress,
        "did": site.did,
        "slept": site.slept,
    }


def _announce(_site: Site, _state: Json) -> Outcome:
    return "", []


_STEPS: dict[str, Callable[[Site, Json], Outcome]] = {
    # The controller does this one; here it is remembered.
    "announce": _announce,
    "locate": lambda site, state: (locate(site, state), []),
    "remove": lambda site, state: (remove(site, state), []),
    "insert": lambda site, state: (insert(site, state), []),
    "copy": lambda site, state: (copy(site, state), []),
    "rebuild": rebuild,
    "check": check,
}
