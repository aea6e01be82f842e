# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What fills a file system, in words for the person who wants room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_STEP = 1024
_TEN = 10
_SHOWN = 6
Found = Mapping[str, Any]


def size(number: float) -> str:
    """Return bytes as people say them: 1.5 GiB."""
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if abs(number) < _STEP or unit == "TiB":
            break
        number /= _STEP
    digits = 0 if unit == "bytes" or abs(number) >= _TEN else 1
    return f"{number:.{digits}f} {unit}"


def fullness(figures: Found) -> str:
    """Return how full a file system is in one sentence's worth of words."""
    words = f"{size(figures['used'])} of {size(figures['size'])} used ({figures['percent']} %)"
    if figures["inodes"]:
        words += f", {figures['inodes_percent']} % of its inodes"
    return words


def account(found: Found, *, check: bool) -> list[str]:
    """Return the lines for one file system: how full, what fills it, what was done, what may be."""
    return [
        f"{found['target']}: {fullness(found['before'])}",
        *(f"  {line}" for line in _fills(found)),
        *(f"  {line}" for line in _freed(found, check=check)),
        *(f"  {line}" for line in _left(found, check=check)),
    ]


def _fills(found: Found) -> Iterator[str]:
    scan = found["scan"]
    if not scan["complete"]:
        yield (
            f"Only {scan['files']} files were looked at in {scan['seconds']} s; more with "
            "disk_full_seconds."
        )
    yield from _listed("Folders with most", found["heavy"], "bytes")
    yield from _listed("Largest files", found["largest"], "bytes")
    yield from _listed("Large files of the last hours", found["recent"], "bytes")
    yield from _listed(f"Grown since {found['since']}", found["grown"], "bytes")
    if found["inodes_matter"]:
        yield from _listed("Folders with most entries", found["crowded"], "entries")
    for one in found["deleted"][:_SHOWN]:
        yield (
            f"Deleted but still open: {size(one['bytes'])} {one['path']}, by {one['process']} "
            f"({one['pid']}); a restart of {one['unit'] or 'it'} gives them back"
        )
    for one in found["hidden"]:
        yield f"Hidden below the mount at {one['path']}: {size(one['bytes'])}"
    for one in found["containers"]:
        yield f"Storage of containers, not touched: {size(one['bytes'])} {one['path']}"
    for one in found["snapshots"]:
        yield f"Snapshot, not touched: {one}"
    if found["reserved_matters"]:
        yield f"Reserved for root: {size(found['before']['reserved'])} (tune2fs -m)"


def _listed(title: str, entries: Iterable[Found], unit: str) -> Iterator[str]:
    """Yield the title and a line for each entry; nothing if there is none."""
    shown = list(entries)[:_SHOWN]
    if shown:
        yield f"{title}:"
    for one in shown:
        yield f"  {size(one[unit]) if unit == 'bytes' else one[unit]:>10}  {one['path']}"


def _freed(found: Found, *, check: bool) -> Iterator[str]:
    for one in found["freed"]:
        if one["error"]:
            yield f"Could not be freed: {one['what']}: {one['error']}"
        else:
            yield f"{'Would free' if check else 'Freed'} {size(one['bytes'])}: {one['what']}"
    if not found["freed"] and all(one["allow"] for one in found["permissions"]):
        yield "Nothing can be freed without permission."


def _left(found: Found, *, check: bool) -> Iterator[str]:
    for one in found["permissions"]:
        how = f"With disk_full_allow={one['allow']}" if one["allow"] else "Safe to free"
        yield f"{how}: {size(one['bytes'])}: {one['what']}"
    growth = found["growth"]
    if growth and growth["why"]:
        yield f"Volume {growth['vg']}/{growth['lv']} isn't grown: {growth['why']}"
        if growth["free"]:
            yield f"Its group has {size(growth['free'])} left; disk_full_grow=1G allows 1 GiB."
    elif growth:
        yield f"Volume {growth['vg']}/{growth['lv']} can grow by {size(growth['by'])}"
    if not found["state_kept"]:
        yield "What there is now could not be kept for the next comparison."
    if any(one["bytes"] for one in found["freed"]) and not check:
        yield f"Now {fullness(found['after'])}"
