# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what a host has and what it is to have to steps, or to the reasons why not. Pure.

A step is only `ready` when all that it stands on is in the document, and was seen to be blank or to
be the thing that is meant. So whoever carries a plan out takes the steps that are ready, reads
again and plans again; what was interrupted is found as it was left, and finished.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import (
    Array,
    Disk,
    Encrypted,
    FileSystem,
    Group,
    Partition,
    Thing,
    Tree,
    Volume,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_arrays import plan_array
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_disks import plan_disk
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_draft import (
    Draft,
    Refusal,
    Step,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_found import (
    Found,
    blanked,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_luks import (
    headers_of,
    plan_encrypted,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_systems import (
    Mount,
    mounts_of,
    plan_system,
    unoccupied,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_text import (
    tree_after,
    tree_before,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_volumes import plan_group

# Of each program, the package that has it.
_PACKAGES = {
    "parted": "parted",
    "mdadm": "mdadm",
    "cryptsetup": "cryptsetup",
    "lvm": "lvm2",
    "thin_check": "thin-provisioning-tools",
    "mkfs.ext4": "e2fsprogs",
    "mkfs.xfs": "xfsprogs",
    "mkfs.btrfs": "btrfs-progs",
    "mkfs.vfat": "dosfstools",
    "quotaon": "quota",
}


@dataclass(frozen=True)
class Plan:
    """What is to be done. Nothing is, where there is a refusal.

    `free` are mount points at which nothing is mounted yet, so they had better be empty.
    `headers` are the LUKS headers there are: name, device, UUID and number of each.
    """

    steps: Sequence[Step]
    refusals: Sequence[str]
    notes: Sequence[str]
    before: str
    after: str
    mounts: Sequence[Mount]
    free: Sequence[str]
    headers: Sequence[tuple[str, str, str, int]]


def plan_of(tree: Tree, document: Mapping[str, Any], wipe: Collection[str], host: str) -> Plan:
    """Return the plan for a host.

    `document` is that of `disk_health` with the contents; `wipe` are serials of disks whose
    contents may be destroyed; `host` keeps identities apart.
    """
    first = last = _draft(tree, Found(document), host)
    refusals = list(_unknown(tree, first, wipe))
    steps: list[Step] = []
    doomed = [path for one in first.refusals if _is_listed(first, one, wipe) for path in one.paths]
    busy = [words for path in doomed for words in _busy(first, path)]
    if doomed and not busy:
        steps += [_wipe(first, path) for path in dict.fromkeys(doomed)]
        last = _draft(tree, Found(blanked(document, doomed), doomed), host)
    refusals += busy
    mounts = list(mounts_of(last))
    free = list(unoccupied(last, mounts))
    refusals += [_with_way_out(first, one) for one in last.refusals]
    return Plan(
        steps=[*_packages(tree, last), *steps, *last.steps],
        refusals=list(dict.fromkeys(refusals)),
        notes=last.notes,
        before=tree_before(first),
        after=tree_after(last),
        mounts=mounts,
        free=free,
        headers=list(headers_of(first)),
    )


_PLANNED: tuple[tuple[type[Thing], Callable[[Draft, Any], None]], ...] = (
    (Disk, plan_disk),
    (Array, plan_array),
    (Encrypted, plan_encrypted),
    (Group, plan_group),
    (FileSystem, plan_system),
)


def _draft(tree: Tree, found: Found, host: str) -> Draft:
    draft = Draft(tree, found, host)
    for thing in tree.things.values():
        for kind, plan in _PLANNED:
            if isinstance(thing, kind):
                plan(draft, thing)
    return draft


def _is_listed(draft: Draft, one: Refusal, wipe: Collection[str]) -> bool:
    """Whether the contents of all disks may be destroyed that a refusal is about."""
    return set(_serials(draft, one.disks)) <= set(wipe)


def _serials(draft: Draft, disks: Collection[str]) -> list[str]:
    paths = {draft.states[disk].path for disk in disks} - {""}
    return [str(one["serial"]) for one in draft.found.disks if one["path"] in paths]


def _unknown(tree: Tree, draft: Draft, wipe: Collection[str]) -> Iterator[str]:
    """Yield serials to be wiped that no disk of the tree has: a slip may hit another disk."""
    serials = _serials(draft, [disk.ref for disk in tree.every(Disk)])
    for serial in wipe:
        if serial not in serials:
            accepted = f"serials of storage_disks that are there: {', '.join(serials) or 'none'}"
            yield f"storage_wipe: found {serial!r}; accepted: {accepted}"


def _busy(draft: Draft, path: str) -> Iterator[str]:
    uses = draft.found.uses(path)
    if uses:
        stop = "unmount and stop that first (umount, vgchange -an, cryptsetup close, mdadm --stop)"
        yield f"{path} may be wiped, but is in use ({', '.join(uses)}): {stop}"


def _wipe(draft: Draft, path: str) -> Step:
    parts = [
        p["path"] for one in draft.found.disks if one["path"] == path for p in one["partitions"]
    ]
    # Without force: what is in use after all stays as it is.
    argv = ["wipefs", "--all", "--quiet", *parts, path]
    words = f"destroy what is on {path}: {draft.found.on(path)}"
    return Step(words, "ansible.builtin.command", {"argv": argv}, ready=True)


def _with_way_out(draft: Draft, one: Refusal) -> str:
    """Return a refusal with what to do if the contents are in nobody's way but ours."""
    serials = ", ".join(_serials(draft, one.disks))
    way_out = f". If nobody needs that any more: storage_wipe: [{serials}]" if serials else ""
    return f"{one.words}{way_out}"


def _packages(tree: Tree, draft: Draft) -> list[Step]:
    """Return the step that installs what is needed to make, grow, check and repair."""
    programs = {_PROGRAMS[type(one)] for one in tree.things.values() if type(one) in _PROGRAMS}
    programs |= {"thin_check" for one in tree.every(Volume) if one.type == "thin_pool"}
    programs |= {f"mkfs.{one.type}" for one in tree.every(FileSystem)} & _PACKAGES.keys()
    programs |= {"quotaon" for one in tree.every(FileSystem) if one.quota}
    missing = sorted(_PACKAGES[one] for one in programs - draft.found.tools)
    if not missing:
        return []
    arguments = {"name": missing, "state": "present", "install_recommends": False}
    return [Step(f"install {', '.join(missing)}", "ansible.builtin.apt", arguments, ready=True)]


_PROGRAMS: Mapping[type[Thing], str] = {
    Partition: "parted",
    Array: "mdadm",
    Encrypted: "cryptsetup",
    Group: "lvm",
}
