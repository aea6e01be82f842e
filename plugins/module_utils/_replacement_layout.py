# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The partition layout of a disk for its successor, and whether that fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import (
    Json,
    said_size,
)

# The copy of a GPT at the end of a disk: 128 entries of 128 bytes, and a sector (UEFI 2.10, 5.3).
_ENTRIES = 128 * 128


def layout_of(disk: Mapping[str, Any]) -> Json:
    """Return what of a disk its successor needs, without anything that names this one disk.

    ``table`` (gpt, dos or empty), ``sector`` and ``size`` (bytes), and ``partitions`` with
    ``number``, ``name``, ``type``, ``start`` and ``size`` (bytes).
    """
    keys = ("number", "name", "type", "start", "size")
    return {
        "table": disk["table"],
        "sector": disk["logical_sector"],
        "size": disk["size"],
        "partitions": [{key: part.get(key) for key in keys} for part in disk["partitions"]],
    }


def needed(layout: Mapping[str, Any], members: Sequence[int] = ()) -> int:
    """Return the bytes that a disk needs for a layout.

    Without partitions, what arrays need of a member (`members`, bytes) says what is really used.
    """
    if not layout["partitions"]:
        return max(members, default=layout["size"])
    end = max(int(part["start"] + part["size"]) for part in layout["partitions"])
    return end + (_ENTRIES + layout["sector"] if layout["table"] == "gpt" else 0)


def misfits(
    disk: Mapping[str, Any], layout: Mapping[str, Any], members: Sequence[int] = ()
) -> list[str]:
    """Say why a disk can't take a layout; nothing if it can."""
    wanted, found = needed(layout, members), []
    if disk["size"] < wanted:
        found.append(f"too small: it has {said_size(disk['size'])}, needed are {said_size(wanted)}")
    if disk["logical_sector"] != layout["sector"]:
        found.append(
            f"sectors of {disk['logical_sector']} bytes; needed are {layout['sector']}, as the "
            "former disk had"
        )
    if disk.get("read_only"):
        found.append("it can't be written to (read-only)")
    return found


def script(layout: Mapping[str, Any]) -> str:
    """Return a layout as sfdisk(8) reads it; identifiers are left to be made anew."""
    sector = layout["sector"]
    lines = [f"label: {layout['table']}", "unit: sectors", f"sector-size: {sector}"]
    if layout["table"] == "gpt":
        # Some boot areas begin before the usual first megabyte.
        lines.append("first-lba: 34" if sector == 512 else "first-lba: 6")  # noqa: PLR2004 -- bytes
    for part in layout["partitions"]:
        words = [f"start={part['start'] // sector}", f"size={part['size'] // sector}"]
        if part["type"]:
            words.append(f"type={str(part['type']).removeprefix('0x')}")
        if layout["table"] == "gpt" and part["name"]:
            words.append(f'name="{part["name"]}"')
        lines.append(f"{part['number']} : {', '.join(words)}")
    return "\n".join(lines) + "\n"


def follows(disk: Mapping[str, Any], layout: Mapping[str, Any]) -> bool:
    """Whether a disk has the layout already."""
    if disk["table"] != layout["table"]:
        return False
    return _outline(disk["partitions"]) == _outline(layout["partitions"])


def _outline(partitions: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted(
        (part["number"], part["start"], part["size"], str(part["type"]).lower().removeprefix("0x"))
        for part in partitions
    )
