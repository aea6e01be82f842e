# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What has grown since the last time, and whether the volume itself can."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypedDict

from ansible_collections.servertechnik.core.plugins.module_utils._usage_mounts import Figures

LEAST = 1 << 20  # growth that is worth a word
EXPLAINED = 0.8
RESIZED = ("ext2", "ext3", "ext4", "xfs")  # online, by lvextend(8) --resizefs
PLAIN = ("linear", "striped")


class Growth(TypedDict):
    """How a volume can grow: by `by` bytes, or `why` not; `free` is what its group has left."""

    vg: str
    lv: str
    free: int
    by: int
    why: str


def grown(
    before: Mapping[str, int], now: Mapping[str, int], limit: int, top: int
) -> list[dict[str, Any]]:
    """Return the folders that have grown most, each with `path` and `bytes`.

    A folder whose growth is that of one inside is left out. Where `before` has `limit` folders, it
    has only the largest: one that isn't there had less than the smallest of them.
    """
    least = min(before.values(), default=0) if len(before) >= limit else 0
    more = {path: size - before.get(path, min(least, size)) for path, size in now.items()}
    inside: dict[str, int] = {}
    for path, by in more.items():
        above = os.path.dirname(path)
        if path != above:
            inside[above] = max(inside.get(above, 0), by)
    found: list[dict[str, Any]] = [
        {"path": path, "bytes": by}
        for path, by in more.items()
        if by >= LEAST and inside.get(path, 0) < EXPLAINED * by
    ]
    return sorted(found, key=lambda one: -one["bytes"])[:top]


def growth(
    document: Mapping[str, Any],
    target: str,
    kind: str,
    figures: Figures,
    *,
    at_most: int,
    aim: int,
) -> Growth | None:
    """Return how the volume below a mount point can grow; none if it is on no volume of LVM.

    `document` is that of `disk_health`. It grows until `aim` percent are used, and by `at_most`
    bytes; what comes of it is a multiple of the group's extent.
    """
    name = next(
        (
            device["name"]
            for device in document["devices"]
            if device["kind"] == "lvm" and target in [one["target"] for one in device["mounts"]]
        ),
        "",
    )
    for group in document["volume_groups"]:
        for volume in group["volumes"]:
            if volume["path"] == name:
                wanted = max(0, figures["used"] * 100 // aim - figures["size"])
                extent = group["extent"] or 1
                needed = -(-wanted // extent) * extent
                by = min(needed, at_most // extent * extent, group["free"] // extent * extent)
                why = _obstacle(volume["type"], kind, group, needed, at_most)
                by = 0 if why else by
                return {
                    "vg": group["name"],
                    "lv": volume["name"],
                    "free": group["free"],
                    "by": by,
                    "why": why,
                }
    return None


def _obstacle(type_: str, kind: str, group: Mapping[str, Any], needed: int, at_most: int) -> str:
    if needed <= 0:
        return "it is large enough"
    if type_ not in PLAIN:
        return f"it is a volume of type {type_}, which is grown by hand: lvextend(8)"
    if kind not in RESIZED:
        return f"{kind} is grown by hand after its volume"
    if group["free"] < group["extent"]:
        return f"volume group {group['name']} has nothing left"
    if at_most < group["extent"]:
        return "nobody has said by how much it may grow"
    return ""
