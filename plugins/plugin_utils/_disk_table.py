# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The document of `disk_health` for people: the disks, and what else they should look at. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_WORST_FIRST = ("failed", "replace", "watch", "healthy")
_DISKS = ("verdict", "disk", "slot", "serial", "model", "size", "hours", "°C", "wear")
_ARRAYS = ("array", "level", "members", "state", "under way")
_SPACES = ("file system", "size", "used", "inodes", "")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024
_FEW = 100  # of which one digit after the point is of use
_FULL = 90  # percent, from which temporary file systems are shown too
_MINUTE, _HOUR, _DAY = 60, 3600, 86400

Row = Mapping[str, Any]
Lines = list[str]


def table(document: Row) -> Lines:
    """Return the lines of a document of `disk_health`, the worst first."""
    parts = [
        list(_disks(document["disks"])),
        list(_columns(_ARRAYS, [_array(one) for one in document["arrays"]])),
        list(_troubles(document)),
        list(_columns(_SPACES, [_space(one) for one in _shown(document["file_systems"])])),
        [f"not read: {one}" for one in document["unread"]],
    ]
    found: Lines = []
    for part in parts:
        found += ["", *part] if found and part else part
    return found


def size(number: float) -> str:
    """Return bytes as people say them."""
    unit = 0
    while number >= _STEP and unit < len(_UNITS) - 1:
        number, unit = number / _STEP, unit + 1
    digits = 1 if unit and number < _FEW else 0
    return f"{number:.{digits}f} {_UNITS[unit]}"


def duration(seconds: float) -> str:
    """Return a time in its two largest units."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    large, small, names = (_HOUR, _MINUTE, ("h", "min"))
    if seconds >= _DAY:
        large, small, names = (_DAY, _HOUR, ("d", "h"))
    rest = seconds % large // small
    return f"{seconds // large:.0f} {names[0]}" + (f" {rest:.0f} {names[1]}" if rest else "")


def percent(used: float, whole: float) -> int | None:
    """Return how much is used as df(1) does, rounded up; None of nothing."""
    return int(-(-100 * used // whole)) if whole else None


def _disks(disks: Sequence[Row]) -> Iterator[str]:
    ordered = sorted(disks, key=lambda one: _WORST_FIRST.index(one["verdict"]))
    lines = list(_columns(_DISKS, [_disk(one) for one in ordered]))
    yield from lines[:1]
    for one, line in zip(ordered, lines[1:], strict=True):
        yield line
        yield from (f"  {reason}" for reason in one["reasons"])
    if not lines:
        yield "no disks"


def _disk(one: Row) -> tuple[str, ...]:
    smart, path = one["smart"], one["path"]
    name = f"{path} ({one['reach']})" if one["reach"] else path
    if one["behind"] and not one["reach"]:
        name = f"{path} (volume of {one['behind']})"
    wear = "-" if smart["wear"] is None else f"{smart['wear']} %"
    figures = ("-" if smart[key] is None else str(smart[key]) for key in ("hours", "temperature"))
    model = " ".join(filter(None, (one["vendor"], one["model"])))
    words = (one["slot"], one["serial"], model, size(one["size"]))
    return (one["verdict"], name, *(word or "-" for word in words), *figures, wear)


def _array(one: Row) -> tuple[str, ...]:
    serving = [member for member in one["members"] if member["state"] == "in_sync"]
    states = ", ".join(one["state"])
    ready = f"{len(serving)} of {one['devices']}"
    return one["name"], one["level"] or "-", ready, states, _under_way(one["sync"])


def _under_way(sync: Row) -> str:
    if sync["action"] == "idle":
        return "-"
    if sync["done"] is None:
        return f"{sync['action']}, waiting"
    left = "" if sync["left"] is None else f", {duration(sync['left'])} left"
    speed = "" if sync["speed"] is None else f", {size(sync['speed'])}/s"
    return f"{sync['action']} {100 * sync['done']:.1f} %{speed}{left}"


def _troubles(document: Row) -> Iterator[str]:
    """Yield what is wrong elsewhere: volumes, and disks that nobody sees."""
    for group in document["volume_groups"]:
        if group["missing"]:
            yield f"volume group {group['name']}: physical volumes missing: {group['missing']}"
        for one in group["volumes"]:
            yield from _volume(one)
    for controller in document["controllers"]:
        known = controller["hidden"]
        count = "may hide disks" if known is None else f"hides {known} disks"
        yield (
            f"controller {controller['driver']} at {controller['address']} {count}: "
            f"{controller['advice']}"
        )


def _volume(one: Row) -> Iterator[str]:
    if one["health"]:
        yield f"volume {one['path'] or one['name']}: {one['health']}"
    for key, what in (("data_percent", "data"), ("metadata_percent", "metadata")):
        if one["type"] == "thin-pool" and (one[key] or 0) >= _FULL:
            yield f"thin pool {one['name']}: {one[key]:.0f} % of its {what} is used"


def _shown(systems: Sequence[Row]) -> list[Row]:
    """Return the file systems that are worth a line, the fullest first."""
    found = [one for one in systems if one["type"] != "tmpfs" or _fullness(one) >= _FULL]
    return sorted(found, key=lambda one: (-_fullness(one), one["target"]))


def _fullness(one: Row) -> int:
    used, inodes = _used(one)
    return max(used or 0, inodes or 0)


def _used(one: Row) -> tuple[int | None, int | None]:
    space = percent(one["used"], one["used"] + one["available"])
    return space, percent(one["inodes"] - one["inodes_free"], one["inodes"])


def _space(one: Row) -> tuple[str, ...]:
    space, inodes = ("-" if part is None else f"{part} %" for part in _used(one))
    notes = ["read-only"] if one["read_only"] else []
    if one["remounted_read_only"]:
        notes = ["READ-ONLY, AND SHOULD NOT BE"]
    if one["errors"]:
        notes.append(f"errors: {one['errors']}")
    return one["target"], size(one["size"]), space, inodes, ", ".join(notes)


def _columns(head: Sequence[str], body: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; nothing without a body."""
    if not body:
        return
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    for line in (head, *body):
        yield "  ".join(map(str.ljust, line, widths)).rstrip()
