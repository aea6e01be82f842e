# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Which disk has failed, and what its successor will have to carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._replacement_judge import (
    BAD,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_layout import (
    layout_of,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import (
    Json,
    Tree,
    name_of,
    title,
)

_SHOWN = ("serial", "wwn", "path", "model", "vendor", "transport", "rotational", "size", "slot")


class CaseError(Exception):
    """No case can be made; the text says why, and what would have been accepted."""


def find_failed(tree: Tree, expected: Sequence[Mapping[str, Any]]) -> str:
    """Return the name of the one disk that has failed, or is gone; empty when all are well.

    `expected` are the disks of the inventory (`storage_disks`). Raises CaseError when it isn't
    clear which one is meant.
    """
    failed = [disk for disk in tree.disks if disk.get("verdict") in BAD or _put_aside(tree, disk)]
    found = {name_of(disk): _described(disk) for disk in failed}
    found |= {name: f"{name} (gone)" for name in missing(tree, expected)}
    if len(found) > 1:
        raise CaseError(
            f"found: {len(found)} disks that have failed: {'; '.join(found.values())}; accepted: "
            "one at a time, named with disk=SERIAL"
        )
    if found:
        return next(iter(found))
    if lacking := incomplete(tree):
        raise CaseError(
            f"found: a disk is gone that nobody knows by name ({', '.join(lacking)} lack one); "
            "accepted: its serial, as on its label, with disk=SERIAL"
        )
    return ""


def missing(tree: Tree, expected: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of disks that the inventory has and the host hasn't."""
    there = {disk.get(key) for disk in tree.disks for key in ("serial", "wwn")}
    there |= {link for disk in tree.disks for link in (disk["path"], *disk["links"])}
    names = [one.get("serial") or one.get("wwn") or one.get("path") for one in expected]
    return [str(name) for name in names if name and name not in there]


def incomplete(tree: Tree) -> list[str]:
    """Return the names of arrays and volume groups that lack a disk."""
    arrays = [title(one) for one in tree.arrays if _lacks(one)]
    return arrays + [one["name"] for one in tree.groups if one["missing"]]


def case_of(tree: Tree, serial: str) -> Json:
    """Return the case of a disk: ``disk``, ``present``, ``layout``, ``units``, ``others``.

    ``before`` are the names of the other disks. Of a disk that is gone, layout and units come from
    a sibling: a disk in the same arrays. Raises CaseError.
    """
    disk = tree.disk(serial)
    others = [one for one in tree.disks if name_of(one) != serial]
    there: Json = {
        "before": sorted(name_of(one) for one in others),
        "others": [
            {"serial": name_of(one), "slot": one["slot"], "model": one["model"]} for one in others
        ],
    }
    if disk is not None:
        units = [unit for unit in tree.units(disk) if unit["use"] != "empty"]
        shown: Json = {key: disk.get(key) for key in _SHOWN}
        shown |= {"verdict": disk.get("verdict"), "reasons": list(disk.get("reasons") or [])}
        return {"disk": shown, "present": True, "layout": layout_of(disk), "units": units} | there
    known = ", ".join(_described(one) for one in tree.disks)
    if not incomplete(tree):
        raise CaseError(
            f"found: no disk {serial}, and nothing lacks one; accepted: one of {known or 'none'}. "
            "If a spare has taken its place, give the host another spare with the role storage"
        )
    sibling = _sibling(tree)
    shown = dict.fromkeys(_SHOWN) | {"serial": serial, "path": "", "verdict": "failed"}
    shown |= {"reasons": ["it is gone"], "size": sibling["size"], "slot": ""}
    shown |= {"rotational": sibling["rotational"]}
    units = [unit for unit in tree.units(sibling) if _wanted(tree, unit)]
    for unit in units:
        unit["device"] = ""
    return {"disk": shown, "present": False, "layout": layout_of(sibling), "units": units} | there


def _wanted(tree: Tree, unit: Json) -> bool:
    """Whether the disk that is gone had what its sibling has in this place."""
    if unit["use"] == "array":
        array = tree.array(unit["uuid"])
        return array is not None and _lacks(array)
    if unit["use"] == "volumes":
        group = next(one for one in tree.groups if one["uuid"] == unit["uuid"])
        return bool(group["missing"])
    return bool(unit["use"] == "boot")


def _sibling(tree: Tree) -> Json:
    """Return the disk that shares the most incomplete arrays and groups with the one that is gone.

    Raises CaseError.
    """
    shares: Counter[str] = Counter()
    for array in tree.arrays:
        if _lacks(array):
            for member in array["members"]:
                shares.update(d["path"] for d in tree.disks_below(member["path"] or "-"))
    for group in tree.groups:
        if group["missing"]:
            for volume in group["physical_volumes"]:
                shares.update(d["path"] for d in tree.disks_below(volume["path"] or "-"))
    if not shares:
        raise CaseError(
            f"found: {', '.join(incomplete(tree))} without any disk left to copy the layout from; "
            "accepted: arrays that still have one"
        )
    path = shares.most_common(1)[0][0]
    return next(disk for disk in tree.disks if disk["path"] == path)


def _lacks(array: Mapping[str, Any]) -> bool:
    """Whether an array has fewer members than it wants, one that is being rebuilt not counted."""
    there = [m for m in array["members"] if m["path"] and m["state"] not in ("faulty", "missing")]
    return len(there) < int(array["devices"])


def _put_aside(tree: Tree, disk: Json) -> bool:
    """Whether an array has a faulty member on this disk."""
    paths = {disk["path"], *(part["path"] for part in disk["partitions"])}
    return any(
        member["state"] == "faulty" and member["path"] in paths
        for array in tree.arrays
        for member in array["members"]
    )


def _described(disk: Mapping[str, Any]) -> str:
    reasons = f" ({'; '.join(disk['reasons'])})" if disk.get("reasons") else ""
    return f"{name_of(disk)} at {disk['path']}{reasons}"
