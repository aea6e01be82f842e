# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Documents of `disk_health` for tests, with as many disks and arrays as a case needs."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import Tree

Json = dict[str, Any]
MIB = 1 << 20
RAID = "a19d880f-05fc-4d3b-a006-743f0f84911e"
NOTHING = {"type": "", "uuid": "", "label": "", "version": "", "size": 0}


class Machine:
    """A machine whose document is made piece by piece; device names are sda, sdb … in order."""

    def __init__(self) -> None:
        self.document: Json = {
            "disks": [],
            "devices": [],
            "arrays": [],
            "luks": [],
            "volume_groups": [],
            "file_systems": [],
        }

    @property
    def tree(self) -> Tree:
        """The document as it is now, apart from what is made later."""
        return Tree(copy.deepcopy(self.document))

    def disk(self, serial: str, *parts: tuple[str, int], size: int = 1000, **other: Any) -> Json:
        """Add a disk of `size` MiB with GPT partitions, each a name and MiB."""
        path = f"/dev/sd{'abcdefgh'[len(self.document['disks'])]}"
        partitions: list[Json] = []
        at = MIB
        for number, (name, length) in enumerate(parts, 1):
            partitions.append(
                {"path": f"{path}{number}", "number": number, "name": name, "type": RAID}
                | {"uuid": f"{serial}-{number}", "start": at, "size": length * MIB}
            )
            at += length * MIB
        disk = {
            "path": path,
            "links": [],
            "serial": serial,
            "wwn": "",
            "model": "Example",
            "vendor": "",
            "transport": "sata",
            "rotational": True,
            "size": size * MIB,
            "logical_sector": 512,
            "physical_sector": 512,
            "read_only": False,
            "slot": "",
            "table": "gpt" if parts else "",
            "partitions": partitions,
            "content": NOTHING,
            "behind": "",
            "verdict": "healthy",
            "reasons": [],
            **other,
        }
        self.document["disks"].append(disk)
        self.device(path, "disk", size=size * MIB)
        for part in partitions:
            self.device(part["path"], "part", path, size=part["size"])
        return disk

    def device(self, path: str, kind: str, *parents: str, size: int = 0, **other: Any) -> Json:
        """Add a block device; `type` is what is on it, `at` where that is mounted."""
        content = {**NOTHING, "type": other.pop("type", ""), "uuid": other.pop("uuid", "")}
        mounts = [{"target": target, "options": []} for target in other.pop("at", [])]
        device = {
            "path": path,
            "kind": kind,
            "name": path,
            "size": size,
            "parents": list(parents),
            "read_only": False,
            "content": content,
            "mounts": mounts,
            "signatures": [],
            **other,
        }
        self.document["devices"].append(device)
        return device

    def holds(self, path: str, kind: str, at: Sequence[str] = (), uuid: str = "") -> None:
        """Have a device hold something, mounted somewhere."""
        device = next(one for one in self.document["devices"] if one["path"] == path)
        device["content"] = {**NOTHING, "type": kind, "uuid": uuid}
        device["mounts"] = [{"target": target, "options": []} for target in at]

    def array(
        self, name: str, level: str, *members: str, at: Sequence[str] = (), **other: Any
    ) -> Json:
        """Add an array; a member is a path, `PATH:STATE`, or `-` for one that is missing."""
        path = f"/dev/md{127 - len(self.document['arrays'])}"
        found: list[Json] = []
        for slot, member in enumerate(members):
            device, _colon, state = member.partition(":")
            there = device != "-"
            found.append(
                {"path": device if there else "", "slot": slot, "offset": MIB, "serial": ""}
                | {"state": state or ("in_sync" if there else "missing")}
            )
            if there:
                self.holds(device, "linux_raid_member", uuid=name)
        array = {
            "path": path,
            "name": f"/dev/md/{name}",
            "uuid": name,
            "level": level,
            "devices": len(members),
            "members": found,
            "mismatches": 0,
            "degraded": 0,
            "component_size": 100 * MIB,
            "metadata": "1.2",
            "state": ["clean"],
            "sync": {"action": "idle", "done": None, "speed": None, "left": None},
            **other,
        }
        self.document["arrays"].append(array)
        parents = [member["path"] for member in found if member["path"]]
        self.device(path, "raid", *parents, name=f"/dev/md/{name}", type="ext4", at=at)
        return array

    def group(self, name: str, *volumes: tuple[str, str], **on: tuple[int, int]) -> Json:
        """Add a volume group: its volumes (name, type), and on which devices (size, free)."""
        group = {
            "name": name,
            "uuid": name,
            "missing": 0,
            "physical_volumes": [
                {"path": f"/dev/{device}", "size": size, "free": free, "missing": False}
                for device, (size, free) in on.items()
            ],
            "volumes": [{"name": one, "type": kind, "health": ""} for one, kind in volumes],
        }
        for device in on:
            self.holds(f"/dev/{device}", "LVM2_member")
        self.document["volume_groups"].append(group)
        return group


def mirror(*, disks: int = 2) -> Machine:
    """A machine with a mirror for the system over all its disks A, B …."""
    machine = Machine()
    for serial in "ABCD"[:disks]:
        machine.disk(serial, ("system", 500))
    paths = [f"/dev/sd{letter}1" for letter in "abcd"[:disks]]
    machine.array("system", "raid1", *paths, at=["/"])
    return machine
