# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Which members come and go in an array that runs, without its ever losing data. Pure."""

from __future__ import annotations

from ansible_collections.servertechnik.core.plugins.module_utils._raid_draft import Draft, size
from ansible_collections.servertechnik.core.plugins.module_utils._raid_model import (
    Array,
    Member,
)
from ansible_collections.servertechnik.core.plugins.module_utils._raid_wanted import (
    MISSING,
    RaidError,
)

FAULTY, SPARE = "faulty", "spare"
LEAVING = "want_replacement"


def change(draft: Draft, array: Array) -> None:
    """Plan what `fail`, `remove`, `replace` and `add` ask for. Raises RaidError."""
    gone: set[str] = set()
    for path in draft.wanted.fail:
        _fail(draft, array, array.member(draft.real(path)), gone)
    for path in draft.wanted.remove:
        if path == "failed":
            _remove_failed(draft, array)
        elif path == "detached":
            _remove_detached(draft, array, gone)
        else:
            _remove(draft, array, array.member(draft.real(path)), gone)
    for old, new in draft.wanted.replace:
        _replace(draft, array, draft.real(old), new)
    for path in draft.wanted.add:
        member = array.member(draft.real(path))
        if member and member.state == FAULTY:
            draft.run(array.path, "--remove", member.path)
            draft.run(array.path, "--add", member.path)
        elif member is None:
            _join(draft, array, path)


def settle(draft: Draft, array: Array) -> list[str]:
    """Plan the members that the arguments list; return the real paths that wait for growth.

    Faulty members that aren't listed go. Listed ones that are new fill places that are free, then
    replace members that aren't listed. Raises RaidError.
    """
    wanted = draft.wanted
    listed = set(draft.present((*wanted.members, *wanted.spares)))
    _tidy(draft, array, listed)
    ready = [one for one in wanted.members if _waits(draft, array, one)]
    for path in (*ready, *wanted.spares):
        if array.member(draft.real(path)) is None:
            _join(draft, array, path)
    left = [draft.real(one) for one in ready][array.devices - len(array.taken()) :]
    if len(wanted.members) > array.devices:
        return left
    if len(wanted.members) < array.devices:
        return []
    surplus = [
        one for one in array.members if one.path not in listed and one.slot in array.in_sync()
    ]
    for old in surplus:
        if LEAVING in old.flags:
            _await(draft, array, old)
        elif left:
            _copy(draft, array, old, left.pop(0))
    return []


def _tidy(draft: Draft, array: Array, listed: set[str]) -> None:
    wanted = draft.wanted
    for path in wanted.members:
        if path != MISSING and not draft.there(path):
            draft.warnings.append(f"array {wanted.name}: its member {path} isn't there")
    for member in array.members:
        if member.state == FAULTY and member.path in listed:
            draft.warnings.append(
                f"array {wanted.name}: its member {member.path} is faulty; replace its disk"
            )
        elif member.state == FAULTY:
            draft.run(array.path, "--remove", member.path)


def _waits(draft: Draft, array: Array, path: str) -> bool:
    """Whether a listed member has no place in the array yet."""
    if path == MISSING or not draft.there(path):
        return False
    member = array.member(draft.real(path))
    return member is None or (member.state == SPARE and member.slot is None)


def _join(draft: Draft, array: Array, path: str) -> None:
    details = array.details
    real = draft.must_fit(path, details.component_size + details.data_offset)
    if array.level != 0:  # there, members only join as the array grows
        draft.run(array.path, "--add", real)


def _fail(draft: Draft, array: Array, member: Member | None, gone: set[str]) -> None:
    if member is None or member.state == FAULTY or member.path in gone:
        return
    _must_survive(draft, array, member, gone)
    draft.run(array.path, "--fail", member.path)
    gone.add(member.path)


def _remove(draft: Draft, array: Array, member: Member | None, gone: set[str]) -> None:
    if member is None:
        return
    if member.state != SPARE:
        _fail(draft, array, member, gone)
    draft.run(array.path, "--remove", member.path)


def _remove_failed(draft: Draft, array: Array) -> None:
    if any(one.state == FAULTY for one in array.members):
        draft.run(array.path, "--remove", "failed")


def _remove_detached(draft: Draft, array: Array, gone: set[str]) -> None:
    away = [one for one in array.members if one.path in array.details.detached]
    for member in away:
        _must_survive(draft, array, member, gone)
        gone.add(member.path)
    if away:
        draft.run(array.path, "--fail", "detached", "--remove", "detached")


def _must_survive(draft: Draft, array: Array, member: Member, gone: set[str]) -> None:
    """Raise RaidError if the array had lost data without a member and those that go as well."""
    if member.state == FAULTY or array.survives({*gone, member.path}):
        return
    complete = len(array.in_sync(gone))
    accepted = "first replace it, so that its data are copied (replace)"
    if not array.redundant:
        accepted = "none, for the level has no redundancy; save the data first"
    elif array.busy:
        accepted = f"the same when the other members are complete ({array.busy})"
    raise RaidError(
        f"array {draft.wanted.name}: {member.path} can't go: only {complete} of {array.devices} "
        f"members are complete, and without it all data of the array, {size(array.size)}, would "
        f"be lost; accepted: {accepted}"
    )


def _replace(draft: Draft, array: Array, old: str, new: str) -> None:
    member, target = array.member(old), array.member(draft.real(new))
    if member is None:
        if target is None:
            raise draft.error(
                f"replace: {old}, which is no member", "a member, or add: the new one"
            )
        return
    if member.state in (FAULTY, SPARE):
        draft.run(array.path, "--remove", old)
        if target is None:
            _join(draft, array, new)
        return
    if not array.redundant:
        raise draft.error(f"replace: {old} at level {array.level}", "levels with redundancy")
    if LEAVING in member.flags:
        _await(draft, array, member)
        return
    if target is None:
        _join(draft, array, new)
    elif target.state != SPARE or target.slot is not None:
        raise draft.error(f"replace: {old} with {new}, which has a place already", "a spare")
    _copy(draft, array, member, draft.real(new))


def _copy(draft: Draft, array: Array, old: Member, new: str) -> None:
    if array.busy:
        draft.wait(f"replace {old.path} with {new}", f"the array is idle ({array.busy})")
        return
    draft.run(array.path, "--replace", old.path, "--with", new)
    _await(draft, array, old)


def _await(draft: Draft, array: Array, old: Member) -> None:
    draft.wait(f"remove {old.path}", f"its replacement is complete ({array.busy or 'starting'})")
