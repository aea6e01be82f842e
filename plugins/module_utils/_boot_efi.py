# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What EFI firmware is told to start, from efibootmgr(8), and what it should be told. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import Place
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import Partition

_ENTRY = re.compile(r"Boot([0-9A-Fa-f]{4})(\*?) (.*?)\t(.*)")
_WHERE = re.compile(r"HD\(\d+,GPT,([0-9A-Fa-f-]{36}),.*?\)/(?:File\()?(\\[^)]*\.[Ee][Ff][Ii])")


@dataclass(frozen=True)
class Entry:
    """What firmware can start: a loader on the partition of that GPT identifier, if it is one."""

    number: str
    active: bool
    label: str
    partition: str
    loader: str


def entries(text: str) -> list[Entry]:
    r"""Return what `efibootmgr --verbose` lists.

    A partition is told as `HD(1,GPT,GUID,0x800,0x32000)/File(\EFI\debian\shimx64.efi)`, which some
    versions write without `File()`.
    """
    found = []
    for line in text.splitlines():
        if match := _ENTRY.match(line):
            number, active, label, device = match.groups()
            where = _WHERE.search(device)
            partition, loader = where.groups() if where else ("", "")
            found.append(Entry(number, bool(active), label, partition.lower(), loader))
    return found


def label(place: Place, distributor: str) -> str:
    """Return what the firmware's menu calls the disk."""
    return f"{distributor} ({place.disk['serial'] or place.disk['path'].rpartition('/')[2]})"


def lacking(
    places: Sequence[Place], loader: str, found: Iterable[Entry]
) -> list[tuple[Place, Partition]]:
    """Return the disks, and partitions, that the firmware isn't told to start `loader` from."""
    told = {one.partition for one in found if one.active and _same(one.loader, loader)}
    there = [(one, one.area) for one in places if one.area]
    return [(place, area) for place, area in there if area["uuid"].lower() not in told]


def stale(
    present: Iterable[str], loader: str, distributor: str, found: Iterable[Entry]
) -> list[Entry]:
    """Return our entries for partitions that are on none of the disks any more.

    `present` are the identifiers of all partitions. Entries that others have made are left alone.
    """
    there = {one.lower() for one in present}
    return [
        one
        for one in found
        if one.label.startswith(f"{distributor} (")
        and _same(one.loader, loader)
        and one.partition not in there
    ]


def create(place: Place, area: Partition, loader: str, distributor: str) -> list[str]:
    """Return the command that tells the firmware of a disk."""
    return [
        *("efibootmgr", "--quiet", "--create", "--disk", place.disk["path"]),
        *("--part", str(area["number"]), "--loader", loader),
        *("--label", label(place, distributor)),
    ]


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()
