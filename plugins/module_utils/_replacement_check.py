# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The last look: all copies compared, the new disk's own test, and what it says of itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import HostError
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_host import (
    Site,
    md,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_out import unlocate
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_state import now
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import (
    Json,
    Tree,
    name_of,
    title,
)

_PAUSE = 1.0
_NONE = ("raid0", "linear")
# Memory that changes while it is written, swap above all, may differ on mirrors (md(4)).
_MIRRORS = ("raid1", "raid10")


def check(site: Site, state: Json) -> tuple[str, list[Json]]:
    """Compare all copies and have the disk test itself: what is to wait for, and how far it is.

    Raises HostError when something isn't right.
    """
    deadline = time.monotonic() + site.order.poll
    boot = site.got("/proc/sys/kernel/random/boot_id")
    while True:
        tree = site.tree()
        progress = _scrubs(site, state, tree, boot) if site.order.scrub else []
        testing = _selftest(site, state, tree)
        if not (progress or testing) or time.monotonic() > deadline:
            break
        site.sleep(_PAUSE)
    if not (progress or testing):
        _close(site, state)
    waiting = "comparing all copies" if progress else "the disk tests itself" if testing else ""
    return waiting, progress


def _scrubs(site: Site, state: Json, tree: Tree, boot: str) -> list[Json]:
    found = []
    for unit in state["units"]:
        array = tree.array(unit["uuid"]) if unit["use"] == "array" else None
        if array is None or array["level"] in _NONE:
            continue
        entry = state["scrub"].setdefault(unit["uuid"], {"boot": "", "done": False})
        if entry["done"]:
            continue
        folder, sync = md(array["path"]), array["sync"]
        if sync["action"] == "idle":
            begun = entry["boot"] == boot and site.got(f"{folder}/last_sync_action") == "check"
            # A comparison that was stopped has left where it was (md.rst, sync_min).
            if begun and site.got(f"{folder}/sync_min") == "0":
                entry |= {"done": True, "mismatches": array["mismatches"]}
                _mismatches(state, array)
                continue
            site.put(f"{folder}/sync_action", "check")
            site.set_speed(array["path"], site.order.speed)
            entry["boot"] = boot
            site.states.save(state)
        found.append(
            {"name": title(array), "done": sync["done"] or 0.0}
            | {key: sync[key] for key in ("left", "speed")}
        )
    return found


def _mismatches(state: Json, array: Json) -> None:
    if not array["mismatches"]:
        return
    words = f"array {title(array)}: {array['mismatches']} sectors differ between copies"
    if array["level"] not in _MIRRORS:
        raise HostError(
            f"{words}. Look at the kernel's log and the health of all its disks; when these are "
            f"well, write 'repair' to {md(array['path'])}/sync_action, then run this again"
        )
    state["notes"].append(f"{words}; on mirrors this can come from swap and is harmless then")


def _selftest(site: Site, state: Json, tree: Tree) -> bool:
    """Have the new disk test itself (short); return whether it still does."""
    disk = tree.disk(state["replacement"]["serial"])
    if disk is None or state["selftest"] in ("passed", "unsupported"):
        return False
    path = disk["path"]
    if not state["selftest"]:
        begun = site.has("smartctl") and site.host.run(["smartctl", "-t", "short", path])
        state["selftest"] = "running" if begun and not begun.status else "unsupported"
        return bool(state["selftest"] == "running")
    tested = site.tree(smart=True).disk(name_of(disk))
    state["selftest"] = selftest_of((tested or disk)["smart"])
    if state["selftest"] == "failed":
        state["selftest"] = ""
        raise HostError(f"the new disk at {path} fails its own test (smartctl -l selftest {path})")
    return bool(state["selftest"] == "running")


def selftest_of(smart: Mapping[str, Any]) -> str:
    """Return how a disk's own test goes: running, passed, failed or unsupported."""
    if smart["self_test_left"]:
        return "running"
    newest = next(iter(smart["self_tests"]), {"passed": None})
    return {True: "passed", False: "failed", None: "unsupported"}[newest["passed"]]


def _close(site: Site, state: Json) -> None:
    for unit in state["units"]:
        array = site.tree().array(unit["uuid"]) if unit["use"] == "array" else None
        if array:
            site.set_speed(array["path"], "normal")
    if state.get("led"):
        unlocate(site, state["replacement"]["path"])
    state["closed"] = now()
