# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan while it is made: what each thing is and will be, steps, refusals and notes. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import Thing, Tree
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_found import Found

_NAMESPACE = uuid.UUID("5d2ab6b1-3c8e-4d57-9a35-0c5f6d1f7a10")


@dataclass(frozen=True)
class Step:
    """One call of a module. `ready` tells that all it needs is there, and was seen to be right.

    `arguments` may hold a passphrase, so they are part of no text.
    """

    words: str
    module: str
    arguments: Mapping[str, Any] = field(repr=False)
    ready: bool


@dataclass(frozen=True)
class Refusal:
    """Why nothing is done; if contents are in the way, the devices and the names of their disks."""

    words: str
    paths: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()


@dataclass
class State:
    """What a thing is now and will be. `path` and `size` (bytes) are those that it will have.

    `pending` tells that a step is still to be done for it, or for something below it. `absent` is
    why it can't be there, which is `refused` or can be borne. `now` and `then` describe it before
    and after; an empty text is not there.
    """

    path: str = ""
    size: int = 0
    there: bool = False
    pending: bool = False
    uuid: str = ""
    absent: str = ""
    refused: bool = False
    now: str = ""
    then: str = ""


@dataclass
class Draft:
    """What is known so far; `host` keeps the identities of its things apart from all others'."""

    tree: Tree
    found: Found
    host: str = ""
    states: dict[str, State] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def below(self, thing: Thing) -> list[State]:
        """Return the states of what a thing stands on."""
        return [self.states[ref] for ref in thing.below]

    def begin(self, thing: Thing) -> State:
        """Return the state of a thing, which waits for what is below it."""
        state = State(pending=any(below.pending for below in self.below(thing)))
        reasons = [below.absent for below in self.below(thing) if below.absent]
        state.absent = reasons[0] if reasons else ""
        state.refused = any(below.refused for below in self.below(thing))
        self.states[thing.ref] = state
        return state

    def step(self, thing: Thing, words: str, module: str, **arguments: Any) -> None:
        """Have something done for a thing, once what it stands on is there and it is so far."""
        state, fresh = self.states[thing.ref], self.found.fresh
        ready = not state.pending and not any(one.path in fresh for one in self.below(thing))
        self.steps.append(Step(words, module, arguments, ready))
        state.pending = True

    def refuse(self, thing: Thing, words: str, full: Iterable[str] = ()) -> None:
        """Do nothing at all, since a thing can't be had. What stands on it needs no more words.

        `full` are the refs of those things whose contents are in the way.
        """
        state = self.states[thing.ref]
        if not state.refused:
            paths = tuple(self.states[ref].path for ref in full)
            disks = tuple(dict.fromkeys(d for ref in full for d in self.tree.disks_of(ref)))
            self.refusals.append(Refusal(f"{label(thing)}: {words}", paths, disks))
        state.refused, state.absent = True, words

    def must_be_blank(self, thing: Thing, *refs: str) -> bool:
        """Whether what a thing is to be made on holds nothing; refuse everything otherwise.

        What isn't there yet, or is wiped first, will be blank.
        """
        held = {ref: self.states[ref] for ref in refs if self.states[ref].there}
        full = [(ref, on) for ref, one in held.items() if (on := self.found.on(one.path))]
        if not full:
            return True
        words = [f"{ref} ({held[ref].path}) holds {on}" for ref, on in full]
        needs = "blank devices" if len(refs) > 1 else "a blank device"
        self.refuse(thing, f"needs {needs}, and {'; '.join(words)}", [ref for ref, _on in full])
        return False

    def note(self, words: str) -> None:
        """Tell something that isn't done here; once is enough."""
        if words not in self.notes:
            self.notes.append(words)

    def identity(self, thing: Thing) -> str:
        """Return the UUID that a new thing gets, the same in check mode and in the run.

        It depends on the disks: what is made anew on others is another thing.
        """
        serials: Iterable[str] = sorted(
            str(one["serial"] or one["wwn"] or one["path"])
            for one in self.found.disks
            if any(one["path"] == self.states[d].path for d in self.tree.disks_of(thing.ref))
        )
        return str(uuid.uuid5(_NAMESPACE, " ".join([self.host, thing.ref, *serials])))


def label(thing: Thing) -> str:
    """Return what a thing is called in messages: `disk front`, `file system on main/root`."""
    kind = {"Group": "volume group", "FileSystem": "file system on"}
    name = type(thing).__name__
    return f"{kind.get(name, name.lower())} {thing.ref.removesuffix(':')}"
