# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""All of a host's storage as one document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ansible_collections.servertechnik.core.plugins.module_utils import (
    _blocks,
    _disk_controllers,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_arrays import (
    arrays,
    left_out,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_disks import disks
from ansible_collections.servertechnik.core.plugins.module_utils._disk_mounts import (
    by_device,
    configured,
    file_systems,
    mounted,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_read import read
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Array,
    Device,
    Disk,
    Document,
    Raw,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_verdict import verdict
from ansible_collections.servertechnik.core.plugins.module_utils._disk_volumes import (
    luks,
    volume_groups,
)
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host


def document(host: Host, *, smart: bool = True, contents: bool = False) -> Document:
    """Return what the storage of a host is and how it is doing; nothing is changed.

    `smart` asks the disks themselves. `contents` reads from them, which wakes those that
    sleep: signatures where udev has recognised nothing, and sizes of file systems. What can't be
    read is named in `unread`.
    """
    return made_of(read(host, smart=smart, contents=contents))


def made_of(raw: Raw) -> Document:
    """Return the document for what a host has said."""
    unread = [str(one) for one in raw.get("unread") or ()]
    listing = _blocks.listed(raw, unread)
    numbers = _blocks.numbers(listing)
    links: Mapping[str, str] = raw.get("links") or {}
    real = {link: _blocks.path_of(name) for link, name in links.items()}
    mounts = mounted(raw.get("mountinfo") or "", unread)
    on_devices = by_device(mounts, raw.get("swaps") or "", numbers, real)
    devices = _blocks.devices(raw, listing, on_devices, unread)
    all_disks = disks(raw, listing, devices, unread)
    below = _below(devices)
    serials = {one["path"]: one["serial"] for one in all_disks}
    of_parts = {path: ", ".join(serials.get(one, "") for one in on) for path, on in below.items()}
    found = arrays(raw, listing, devices, of_parts)
    _judge(all_disks, found, left_out(devices, found), below)
    partitions = [part for disk in all_disks for part in disk["partitions"]]
    files = configured(raw, devices, partitions)
    return {
        "disks": all_disks,
        "devices": devices,
        "arrays": found,
        "luks": luks(raw, devices, unread),
        "volume_groups": volume_groups(raw.get("lvm") or "", unread),
        "file_systems": file_systems(raw, mounts, numbers, real, files["fstab"]),
        "configured": files,
        "controllers": _disk_controllers.controllers(
            raw, Counter(one["behind"] for one in all_disks if one["reach"])
        ),
        "tools": [str(one) for one in raw.get("tools") or ()],
        "unread": unread,
    }


def _below(devices: Sequence[Device]) -> dict[str, list[str]]:
    """Return for each device the disks that it is on, by path."""
    parents = {one["path"]: one["parents"] for one in devices}
    found: dict[str, list[str]] = {}

    def under(path: str) -> list[str]:
        if path not in found:
            found[path] = []  # a loop would end here; the kernel has none
            above = [disk for parent in parents[path] for disk in under(parent)]
            found[path] = list(dict.fromkeys(above)) or [path]
        return found[path]

    for path in parents:
        under(path)
    return found


def _judge(
    disks: Sequence[Disk],
    found: Sequence[Array],
    missing: Mapping[str, str],
    below: Mapping[str, list[str]],
) -> None:
    for disk in disks:
        members = [
            (array["name"], member)
            for array in found
            for member in array["members"]
            if disk["path"] in below.get(member["path"], ())
        ]
        out = [item for item in missing.items() if disk["path"] in below.get(item[0], ())]
        disk["verdict"], disk["reasons"] = verdict(disk, members, out)
