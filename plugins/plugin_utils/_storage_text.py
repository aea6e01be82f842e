# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Storage as a tree for people, as it is and as it will be. Pure.

Each disk comes with what stands on it alone; what stands on several begins a tree of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import (
    Disk,
    FileSystem,
    Thing,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_draft import (
    Draft,
    State,
    label,
)

# What a thing is called in the tree, and what is said of it; nothing if it isn't there.
Told = Callable[[State], str]


def tree_before(draft: Draft) -> str:
    """Return the storage as it is, one line for each thing."""
    return _tree(draft, lambda state: state.now)


def tree_after(draft: Draft) -> str:
    """Return the storage as it will be, in the same order and words."""
    return _tree(draft, lambda state: state.then)


def _tree(draft: Draft, words: Told) -> str:
    roots = [one for one in draft.tree.things.values() if len(one.below) != 1]
    return "".join(f"{line}\n" for one in roots for line in _lines(draft, one, words, ""))


def _lines(draft: Draft, thing: Thing, words: Told, indent: str) -> Iterator[str]:
    said = words(draft.states[thing.ref])
    if not said and not isinstance(thing, Disk):
        return
    name = "" if isinstance(thing, FileSystem) else f"{label(thing)}: "
    yield f"{indent}{name}{said or 'not there'}"
    indent += "  "
    above = [one for one in draft.tree.above(thing.ref) if words(draft.states[one.ref])]
    for one in above:
        if len(one.below) == 1:
            yield from _lines(draft, one, words, indent)
        else:
            yield f"{indent}part of {label(one)}"
    if isinstance(thing, Disk) and said:
        others = list(_others(draft, thing))
        yield from (f"{indent}{line}" for line in others)
        if not above and not others:
            yield f"{indent}{draft.found.on(draft.states[thing.ref].path) or 'blank'}"


def _others(draft: Draft, disk: Disk) -> Iterator[str]:
    """Yield the partitions of a disk that are not in the inventory."""
    path = draft.states[disk.ref].path
    known = {draft.states[p.ref].path for p in disk.partitions if draft.states[p.ref].there}
    for one in draft.found.disks:
        for part in one["partitions"] if one["path"] == path else ():
            if part["path"] not in known:
                yield f"other partition {draft.found.partition(part)}"
