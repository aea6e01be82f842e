# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The way of a failed disk out of a host: verify, announce, locate, remove."""

from __future__ import annotations

import os
from dataclasses import replace

from ansible_collections.servertechnik.core.plugins.module_utils._host import HostError
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_case import (
    CaseError,
    case_of,
    find_failed,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_host import (
    RefusalError,
    Site,
    md,
    place,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_judge import (
    judge,
    judge_gone,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_lvm import move_off
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_state import opened
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import (
    Json,
    Tree,
)


def verify(site: Site) -> Json | None:
    """Return the case of the failed disk, begun now or before; nothing when all disks are well.

    Nothing is changed on the host. Raises RefusalError, CaseError, HostError.
    """
    order, serial = site.order, site.order.serial
    cases = site.states.open_cases()
    if not serial and len(cases) > 1:
        raise CaseError(
            f"found: {len(cases)} replacements under way: {', '.join(cases)}; accepted: one of "
            "them, with disk=SERIAL"
        )
    serial = serial or next(iter(cases), "")
    state = site.states.load(serial) if serial else None
    if state and not state["closed"] and "remove" in state["steps"]:
        # What it carried can't be seen any more.
        return state
    tree = site.tree(smart=True)
    if state and state["closed"] and tree.disk(serial) is None:
        return state
    serial = serial or find_failed(tree, order.expected)
    if not serial:
        return None
    begun = state if state and not state["closed"] else None
    if begun and tree.disk(serial) is None:
        # It was pulled since; what it carried is remembered.
        return {**begun, "present": False}
    case = case_of(tree, serial)
    fresh = opened(case, run=order.run)
    if begun:
        fresh |= {key: begun[key] for key in ("run", "opened", "done", "steps")}
    return fresh | _judged(site, tree, fresh)


def _judged(site: Site, tree: Tree, state: Json) -> Json:
    disk = tree.disk(state["disk"]["serial"])
    if disk is None:
        found = judge_gone(tree, state["units"])
        return {"left": found.left, "notes": found.notes, "losses": []}
    if disk.get("behind"):
        raise RefusalError(
            f"{state['disk']['serial']} is behind a hardware RAID controller ({disk['behind']}), "
            "which hides what is on it: replace it with the controller's own program"
        )
    found = judge(tree, disk, state["units"], site.order.wish)
    if found.refusals:
        raise RefusalError("\n".join(found.refusals))
    return {"left": found.left, "notes": found.notes, "losses": found.losses}


def locate(site: Site, state: Json) -> str:
    """Have the disk's lamp blink, if the enclosure has one."""
    disk = site.tree().disk(state["disk"]["serial"])
    if disk is not None and site.has("ledctl"):
        words = ["ledctl", f"locate={disk['path']}"]
        output = site.host.run(words)
        state["led"] = not output.status
        if not output.status:
            site.did.append(" ".join(words))
    return ""


def unlocate(site: Site, path: str) -> None:
    """Have the lamp of a bay, whose disk is at `path`, be off again."""
    if site.has("ledctl"):
        site.host.run(["ledctl", f"locate_off={path}"])


def remove(site: Site, state: Json) -> str:
    """Take the disk's members out, and let go of the disk; return what is to wait for.

    Raises RefusalError when redundancy has gone since it was verified, HostError.
    """
    tree, serial = site.tree(), state["disk"]["serial"]
    disk = tree.disk(serial)
    _forget_gone(site, tree)
    if disk is None:
        return ""
    # Whether it is a bad disk has been judged, with SMART.
    found = judge(tree, disk, tree.units(disk), replace(site.order.wish, healthy_too=True))
    if found.refusals:
        raise RefusalError("\n".join(found.refusals))
    for unit in state["units"]:
        device = place(tree, serial, unit["number"])
        waiting = _take_out(site, tree, unit, device, lost=bool(found.losses)) if device else ""
        if waiting:
            return waiting
    _detach(site, disk)
    return ""


def _forget_gone(site: Site, tree: Tree) -> None:
    """Take out members whose disk was pulled before anybody asked."""
    for array in tree.arrays:
        faulty = [m["path"] for m in array["members"] if m["state"] == "faulty"]
        if any(path not in tree.devices for path in faulty):
            site.must_soon("mdadm", "--manage", array["path"], "--remove", "detached")


def _take_out(site: Site, tree: Tree, unit: Json, device: str, *, lost: bool) -> str:
    mounts = tree.mounts(device)
    if unit["use"] == "array":
        _leave_array(site, tree, device)
    elif unit["use"] == "swap" and mounts:
        site.must("swapoff", device)
    elif unit["use"] == "boot" and mounts:
        site.must("umount", *mounts)
    elif unit["use"] == "volumes" and (group := tree.group_of(device)):
        return move_off(site.host, group, device, lost=lost)
    elif unit["use"] in ("file_system", "encrypted") and list(tree.above(device)) + mounts:
        raise HostError(
            f"{device} is in use ({', '.join(mounts) or 'it is open'}); accepted: stop what uses "
            "it and unmount or close it, then run this again"
        )
    return ""


def _leave_array(site: Site, tree: Tree, device: str) -> None:
    array = tree.array_of(device)
    if array is None:
        return
    own = next(member for member in array["members"] if member["path"] == device)
    if array["sync"]["action"] == "check":
        site.put(f"{md(array['path'])}/sync_action", "idle")
    if own["state"] not in ("faulty", "spare"):
        site.must("mdadm", "--manage", array["path"], "--fail", device)
    site.must_soon("mdadm", "--manage", array["path"], "--remove", device)


def _detach(site: Site, disk: Json) -> None:
    """Have nothing hold the disk any more; SCSI disks also stop spinning (scsi_mid_low_api)."""
    site.host.run(["blockdev", "--flushbufs", disk["path"]])
    way = f"/sys/block/{os.path.basename(disk['path'])}/device/delete"
    if os.path.exists(site.host.at(way)):
        site.put(way, "1")
