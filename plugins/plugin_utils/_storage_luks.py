# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plan LUKS containers: made on blank devices alone, opened, named in crypttab, grown. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import (
    MIB,
    ROOT,
    Encrypted,
    FileSystem,
    told,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_draft import (
    Draft,
    State,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_found import Entry

_DEVICE = "community.crypto.luks_device"
# Where the data of a new LUKS2 container begins (cryptsetup(8)).
_HEADER = 16 * MIB
# Options of crypttab(5) that are options of opening as well.
_DISCARD = "discard"
# A host whose data can't be opened yet still starts; the one with the system has to wait.
_NOT_NEEDED = "nofail"


def plan_encrypted(draft: Draft, one: Encrypted) -> None:
    """Plan a container, whose device has been planned."""
    state = draft.begin(one)
    (below,) = draft.below(one)
    state.path = f"/dev/mapper/{one.ref}"
    state.size = below.size - _HEADER
    header = draft.found.luks(below.path) if below.there else None
    if state.absent:
        draft.refuse(one, f"can't be had, since {state.absent}")
    elif header is None:
        _new(draft, one, below)
    else:
        _existing(draft, one, below, header)
    state.then = "" if state.absent else _words(state.size)


def _new(draft: Draft, one: Encrypted, below: State) -> None:
    if not draft.must_be_blank(one, one.device):
        return
    if not one.passphrase:
        draft.refuse(one, "is to be made, and has no passphrase")
    else:
        draft.step(
            one,
            f"encrypt {below.path} as {one.ref}: LUKS2",
            _DEVICE,
            device=below.path,
            state="present",
            type="luks2",
            label=one.ref,
            passphrase=one.passphrase,
        )
        _open(draft, one, below)
        _boot(draft, one, "")


def _existing(draft: Draft, one: Encrypted, below: State, header: Entry) -> None:
    state = draft.states[one.ref]
    state.uuid, opened = header["uuid"], str(header["name"])
    name = opened.rpartition("/")[2]
    if name and name != one.ref:
        draft.refuse(one, f"{below.path} is open as {name}")
        return
    state.now = _words(state.size)
    state.there = bool(name)
    if not name:
        _open(draft, one, below)
        _crypttab(draft, one, header)
        return
    device = draft.found.device(state.path)
    state.path, size = device["path"], int(device["size"])
    state.now = _words(size)
    offset = int(header["offset"] or _HEADER)
    if below.size - offset > size + MIB:
        state.size = below.size - offset
        words = f"grow container {one.ref} from {told(size)} to {told(state.size)}"
        draft.step(one, words, "servertechnik.core.luks_resize", name=one.ref, **_key(one))
    else:
        state.size = size
    _crypttab(draft, one, header)


def _open(draft: Draft, one: Encrypted, below: State) -> None:
    if not one.passphrase and not one.key_file:
        draft.refuse(one, "is to be opened, and has no passphrase")
        return
    more = {"allow_discards": True} if _DISCARD in one.options else {}
    words = f"open {below.path} as {one.ref}"
    arguments = {"device": below.path, "state": "opened", "name": one.ref}
    draft.step(one, words, _DEVICE, **arguments, **_key(one, "keyfile"), **more)


def _crypttab(draft: Draft, one: Encrypted, header: Entry) -> None:
    wanted = (f"UUID={header['uuid']}", one.key_file or "none", _options(draft, one))
    for entry in draft.found.document["configured"]["crypttab"]:
        if entry["name"] == one.ref and wanted == (
            *(entry["device"], entry["key"] or "none"),
            list(entry["options"]),
        ):
            return
    _boot(draft, one, str(header["uuid"]))


def _boot(draft: Draft, one: Encrypted, identity: str) -> None:
    """Have a container opened at boot."""
    draft.step(
        one,
        f"have {one.ref} opened at boot",
        "community.general.crypttab",
        name=one.ref,
        state="present",
        backing_device=f"UUID={identity}",
        password=one.key_file or "none",
        opts=",".join(_options(draft, one)),
    )


def _options(draft: Draft, one: Encrypted) -> list[str]:
    systems = draft.tree.every(FileSystem)
    carries = any(s.mount == ROOT and one.ref in draft.tree.below(s.ref) for s in systems)
    given = [option for option in one.options if option != _NOT_NEEDED]
    return ["luks", *([] if carries else [_NOT_NEEDED]), *given]


def _key(one: Encrypted, name: str = "key_file") -> dict[str, Any]:
    """Return the key, as modules take it: a passphrase from here comes first."""
    return {"passphrase": one.passphrase} if one.passphrase else {name: one.key_file}


def _words(size: int) -> str:
    return f"{told(size)}, LUKS2"


def headers_of(draft: Draft) -> Iterator[tuple[str, str, str, int]]:
    """Yield the headers there are: name, device, UUID, and a number that grows with each change."""
    for one in draft.tree.every(Encrypted):
        (below,) = draft.below(one)
        header = draft.found.luks(below.path) if below.there else None
        if header:
            yield one.ref, below.path, str(header["uuid"]), int(header["epoch"] or 0)
