# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What a host says of the arrays and devices that a call is about. Only this reads it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._blocks import signatures
from ansible_collections.servertechnik.core.plugins.module_utils._disk_health import document
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._raid_draft import Draft
from ansible_collections.servertechnik.core.plugins.module_utils._raid_model import (
    Array,
    Details,
    Device,
    Superblock,
    find,
)
from ansible_collections.servertechnik.core.plugins.module_utils._raid_wanted import (
    MISSING,
    Wanted,
)

_SECTOR, _KIB = 512, 1024
_MEMBER = "linux_raid_member"


def look(host: Host, wanted: Wanted, configured: str) -> tuple[Draft, Mapping[str, Any]]:
    """Return what is known for a plan, and the document's entry of the array, if any.

    `configured` is the UUID that mdadm.conf has for the array's name.
    Raises HostError, and RaidError where another array has the name.
    """
    found = document(host, smart=False)
    entries: list[Mapping[str, Any]] = [dict(one) for one in found["arrays"]]
    devices: dict[str, Mapping[str, Any]] = {one["path"]: dict(one) for one in found["devices"]}
    arrays = [Array.of(one, Details()) for one in entries]
    array = find(wanted, arrays, real(wanted.path), configured)
    entry: Mapping[str, Any] = {}
    if array:
        entry = next(one for one in entries if one["path"] == array.path)
        array = Array.of(entry, _details(host, entry, devices))
    named = {path: _device(host, path, devices) for path in wanted.devices}
    for member in array.members if array else ():
        if member.path in devices and member.path not in named:
            named[member.path] = Device(member.path, member.path, devices[member.path]["size"])
    return Draft(wanted, array, named, hostname=socket.gethostname()), entry


def real(path: str) -> str:
    """Return the device that a path leads to, empty when there is none."""
    there = os.path.realpath(path)
    return there if path != MISSING and os.path.exists(there) else ""


def _device(host: Host, path: str, devices: Mapping[str, Mapping[str, Any]]) -> Device:
    there = real(path)
    if not there:
        return Device(path, "")
    if there not in devices:
        raise HostError(f"{path} is no block device; accepted: a disk, partition or volume")
    one = devices[there]
    output = host.run(["wipefs", "--no-act", "--json", there])
    if output.status:
        raise HostError(f"{path} can't be read ({output.status}): {output.text}")
    marks = signatures(output.text, [])
    return Device(
        path,
        there,
        size=one["size"],
        read_only=one["read_only"],
        holders=tuple(name for name, other in devices.items() if there in other["parents"]),
        mounts=tuple(mount["target"] for mount in one["mounts"]),
        signatures=tuple(_told(mark) for mark in marks.get(there, []) if mark["type"] != _MEMBER),
        superblock=superblock(host, there, marks.get(there, [])),
    )


def _told(mark: Mapping[str, Any]) -> str:
    return str(mark["type"]) + (f' "{mark["label"]}"' if mark["label"] else "")


def superblock(host: Host, path: str, marks: Iterable[Mapping[str, Any]]) -> Superblock | None:
    """Return what a device says of its array; `marks` are the signatures that it has."""
    if not any(mark["type"] == _MEMBER for mark in marks):
        return None
    output = host.run(["mdadm", "--examine", "--export", path])
    if output.status:
        raise HostError(f"{path} has a superblock that mdadm can't read: {output.text}")
    return examined(output.text)


def examined(text: str) -> Superblock:
    """Return the superblock that `mdadm --examine --export` has told of."""
    said = dict(line.partition("=")[::2] for line in text.splitlines())
    return Superblock(
        uuid=said.get("MD_UUID", ""),
        name=said.get("MD_NAME", ""),
        level=said.get("MD_LEVEL", ""),
        devices=int(said.get("MD_DEVICES", 0)),
        events=int(said.get("MD_EVENTS", 0)),
    )


def _details(
    host: Host, entry: Mapping[str, Any], devices: Mapping[str, Mapping[str, Any]]
) -> Details:
    folder = attributes(entry["path"])
    path = entry["path"]
    users = [name for name, one in devices.items() if path in one["parents"]]
    mounts = [mount["target"] for mount in devices.get(path, {}).get("mounts", ())]
    members = [one["path"] for one in entry["members"] if one["path"]]
    offsets = [_number(host, f"{folder}/dev-{os.path.basename(one)}/offset") for one in members]
    return Details(
        component_size=_number(host, f"{folder}/component_size") * _KIB,
        data_offset=max(offsets, default=0) * _SECTOR,
        layout=_number(host, f"{folder}/layout"),
        speed_min=_limit(host, f"{folder}/sync_speed_min"),
        speed_max=_limit(host, f"{folder}/sync_speed_max"),
        used=(*(f"part of {one}" for one in users), *(f"mounted at {one}" for one in mounts)),
        detached=tuple(one for one in members if one not in devices),
        held_up="read-auto" in entry["state"] and _unfinished(host, folder),
    )


def attributes(path: str) -> str:
    """Return the folder of an array's attributes, given its device."""
    return f"/sys/block/{os.path.basename(path)}/md"


def _words(host: Host, path: str) -> list[str]:
    try:
        return host.content(path).decode().split()
    except OSError:  # an array that hasn't started lacks some
        return []


def _number(host: Host, path: str) -> int:
    words = _words(host, path)
    return int(words[0]) if words and words[0].isdigit() else 0


def _unfinished(host: Host, folder: str) -> bool:
    """Whether a reshape or resync has a place from where it goes on."""
    places = [_words(host, f"{folder}/{name}") for name in ("reshape_position", "resync_start")]
    return any(place not in ([], ["none"]) for place in places)


def _limit(host: Host, path: str) -> int:
    """Return a limit in KiB/s, 0 where that of the system holds ("200000 (system)")."""
    return 0 if "(system)" in _words(host, path) else _number(host, path)
