# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Things in an order in which each stands on former ones: disks first, file systems last. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import (
    Array,
    Group,
    Thing,
    Volume,
)

# A place in a variable, what was found there, what is accepted.
Broken = tuple[str, str, str]
_KEYS: Mapping[type[Thing], str] = {Array: "members", Group: "devices", Volume: "pool"}


def ordered(things: Mapping[str, Thing], mistakes: list[Broken]) -> dict[str, Thing]:
    """Return the things in that order, without those that stand on nothing in the end.

    What names something unknown, or itself in the end, is appended to `mistakes`.
    """
    mistakes += _unknown(things)
    known = {ref: thing for ref, thing in things.items() if set(thing.below) <= things.keys()}
    while lost := [ref for ref, one in known.items() if not set(one.below) <= known.keys()]:
        for ref in lost:
            del known[ref]
    try:
        order = list(TopologicalSorter({r: one.below for r, one in known.items()}).static_order())
    except CycleError as error:
        circle = error.args[1][::-1]
        found = f"a circle, in which {' stands on '.join(circle)}"
        mistakes.append((known[circle[0]].place, found, "things that stand on disks in the end"))
        return {}
    depth: dict[str, int] = {}
    for ref in order:
        depth[ref] = 1 + max((depth[below] for below in known[ref].below), default=0)
    # A stable sort: what is equally deep stays as it was written.
    return {ref: known[ref] for ref in sorted(known, key=depth.__getitem__)}


def _unknown(things: Mapping[str, Thing]) -> Iterator[Broken]:
    names = [ref for ref in things if not ref.endswith(":")]
    for thing in things.values():
        known = ", ".join(ref for ref in names if ref != thing.ref) or "none yet"
        key = _KEYS.get(type(thing), "device")
        for ref in thing.below:
            if ref not in things:
                yield f"{thing.place}.{key}", repr(ref), f"one of {known}"
