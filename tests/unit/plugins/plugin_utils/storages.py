# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A host's storage as a document, and what each step makes of it: for plans that go on.

It knows as much of disks as plans do. What the programs really do is tried in virtual machines.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import (
    MIB,
    PARTITION_FLAGS,
    PARTITION_TYPES,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_draft import Step

Document = dict[str, Any]
GIB = 1024 * MIB
TOOLS = (
    *("parted", "mdadm", "cryptsetup", "lvm", "thin_check", "quotaon"),
    *("mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "mkfs.vfat"),
)


def content(kind: str = "", uuid: str = "", label: str = "", size: int = 0) -> dict[str, Any]:
    return {"type": kind, "uuid": uuid, "label": label, "version": "", "size": size}


def signature(kind: str) -> dict[str, Any]:
    return {"type": kind, "offset": 0, "uuid": "", "label": ""}


class Machine:
    """A host with blank disks, by serial and size in bytes."""

    def __init__(self, **disks: int) -> None:
        self.document: Document = {
            "disks": [],
            "devices": [],
            "arrays": [],
            "luks": [],
            "volume_groups": [],
            "file_systems": [],
            "configured": {"fstab": [], "crypttab": [], "mdadm": []},
            "tools": list(TOOLS),
        }
        for letter, (serial, size) in zip("bcdefghij", disks.items(), strict=False):
            path = f"/dev/vd{letter}"
            self.document["disks"].append(
                {
                    "path": path,
                    "links": [f"/dev/disk/by-id/virtio-{serial}"],
                    "serial": serial,
                    "wwn": f"0x50014ee2{letter}",
                    "size": size,
                    "table": "",
                    "partitions": [],
                    "behind": "",
                    "content": content(),
                    "signatures": [],
                }
            )
            self.add(path, "disk", size)

    def add(self, path: str, kind: str, size: int, *parents: str, name: str = "") -> None:
        """Have one more block device."""
        device = {"path": path, "kind": kind, "name": name or path, "size": size}
        more = {"parents": list(parents), "content": content(), "mounts": [], "signatures": []}
        self.document["devices"].append({**device, **more, "read_only": False})

    def device(self, path: str) -> dict[str, Any]:
        """The block device of that path or name."""
        return next(d for d in self.document["devices"] if path in (d["path"], d["name"]))

    def disk(self, path: str) -> dict[str, Any]:
        """The disk of that path."""
        return next(one for one in self.document["disks"] if one["path"] == path)

    def group(self, name: str) -> dict[str, Any]:
        """The volume group of that name."""
        return next(one for one in self.document["volume_groups"] if one["name"] == name)

    def put(self, path: str, kind: str, uuid: str = "", label: str = "") -> None:
        """Have something on a device."""
        device = self.device(path)
        size = device["size"] if kind in ("ext4", "xfs", "btrfs", "swap") else 0
        device["content"] = content(kind, uuid, label, size)
        device["signatures"] = [signature(kind)]

    def mount(self, path: str, target: str) -> None:
        """Have a device mounted."""
        device = self.device(path)
        device["mounts"].append({"target": target, "options": []})
        self.document["file_systems"].append({"target": target, "source": device["path"]})

    def resize(self, path: str, size: int) -> None:
        """Have a device of another size, as the kernel sees it."""
        self.device(path)["size"] = size
        for disk in self.document["disks"]:
            if disk["path"] == path:
                disk["size"] = size

    def lose(self, path: str) -> None:
        """Pull a disk: its partitions are gone, and the arrays that had them run without."""
        disk = self.disk(path)
        gone = {path, *(part["path"] for part in disk["partitions"])}
        self.document["disks"].remove(disk)
        self.document["devices"] = [d for d in self.document["devices"] if d["path"] not in gone]
        for array in self.document["arrays"]:
            for member in array["members"]:
                if member["path"] in gone:
                    member |= {"path": "", "state": "missing"}
                    array |= {"degraded": array["degraded"] + 1, "state": ["clean", "degraded"]}
        for group in self.document["volume_groups"]:
            for one in group["physical_volumes"]:
                if one["path"] in gone:
                    one |= {"path": "", "missing": True}
                    group["missing"] += 1

    def again(self) -> Machine:
        """The same, to try something else on."""
        return copy.deepcopy(self)

    def take(self, step: Step) -> None:
        """Have a step done."""
        assert step.ready, step.words
        name = step.module.rpartition(".")[2]
        getattr(self, f"_{name}")(step.arguments)

    def _command(self, arguments: Mapping[str, Any]) -> None:
        argv = arguments["argv"]
        if argv[0] == "wipefs":
            for path in argv[3:]:
                assert not self.device(path)["mounts"]
                self.device(path).update(content=content(), signatures=[])
            for disk in self.document["disks"]:
                if disk["path"] in argv:
                    gone = [part["path"] for part in disk["partitions"]]
                    disk |= {"table": "", "partitions": []}
                    rest = [d for d in self.document["devices"] if d["path"] not in gone]
                    self.document["devices"] = rest
        else:
            number, end = int(argv[argv.index("resizepart") + 1]), int(argv[-1].removesuffix("MiB"))
            disk = self.disk(next(word for word in argv if word.startswith("/dev/")))
            part = next(one for one in disk["partitions"] if one["number"] == number)
            part["size"] = end * MIB - part["start"]
            self.resize(part["path"], part["size"])

    def _parted(self, arguments: Mapping[str, Any]) -> None:
        disk, number = self.disk(arguments["device"]), arguments["number"]
        kinds = [k for k, flags in PARTITION_FLAGS.items() if list(flags) == arguments["flags"]]
        known = {one["number"]: one for one in disk["partitions"]}
        if number not in known:
            assert disk["table"] or not self.device(disk["path"])["signatures"]
            start, end = (int(arguments[k].removesuffix("MiB")) for k in ("part_start", "part_end"))
            assert all(one["start"] + one["size"] <= start * MIB for one in known.values())
            assert end * MIB < disk["size"]
            path, size = f"{disk['path']}{number}", (end - start) * MIB
            part = {"path": path, "number": number, "start": start * MIB, "size": size, "uuid": ""}
            disk["partitions"].append(part)
            disk["table"] = "gpt"
            self.add(path, "part", size, disk["path"])
            known[number] = part
        known[number] |= {"name": arguments["name"], "type": PARTITION_TYPES[kinds[-1]]}

    def _raid_array(self, arguments: Mapping[str, Any]) -> None:
        paths = [*arguments["members"], *arguments["spares"]]
        least = min(self.device(path)["size"] for path in arguments["members"]) - MIB
        count, level = len(arguments["members"]), arguments["level"]
        size = int(least * {0: count, 1: 1, 5: count - 1, 6: count - 2, 10: count / 2}[level])
        members = [{"path": path, "offset": MIB, "state": "in_sync"} for path in paths]
        name = f"/dev/md/{arguments['name']}"
        array = next((one for one in self.document["arrays"] if one["name"] == name), None)
        if array is None:
            path = f"/dev/md{127 - len(self.document['arrays'])}"
            array = {"path": path, "name": name, "level": f"raid{level}", "chunk": 0}
            self.document["arrays"].append(array)
            self.add(path, "raid", size, *paths, name=name)
        array |= {"members": members, "size": size, "component_size": least, "degraded": 0}
        array |= {"bitmap": arguments.get("bitmap", False), "state": ["clean"], "devices": count}
        self.resize(array["path"], size)
        self.device(array["path"])["parents"] = paths
        for member in paths:
            self.put(member, "linux_raid_member", f"uuid of {name}", arguments["name"])

    def _luks_device(self, arguments: Mapping[str, Any]) -> None:
        device = self.device(arguments["device"])
        if arguments["state"] == "present":
            assert not device["signatures"]
            self.put(device["path"], "crypto_LUKS", f"luks on {device['name']}")
            header = {"device": device["path"], "name": "", "offset": 16 * MIB, "epoch": 3}
            self.document["luks"].append({**header, "uuid": device["content"]["uuid"]})
        else:
            name = arguments["name"]
            (header,) = (h for h in self.document["luks"] if h["device"] == device["path"])
            header["name"] = name
            path, size = f"/dev/dm-{name}", device["size"] - 16 * MIB
            self.add(path, "crypt", size, device["path"], name=f"/dev/mapper/{name}")

    def _luks_resize(self, arguments: Mapping[str, Any]) -> None:
        device = self.device(f"/dev/mapper/{arguments['name']}")
        device["size"] = self.device(device["parents"][0])["size"] - 16 * MIB

    def _crypttab(self, arguments: Mapping[str, Any]) -> None:
        entry = {"name": arguments["name"], "device": arguments["backing_device"]}
        entry |= {"key": arguments["password"], "options": arguments["opts"].split(",")}
        self.document["configured"]["crypttab"] = [entry]

    def _lvg(self, arguments: Mapping[str, Any]) -> None:
        physical = []
        for path in arguments["pvs"]:
            device = self.device(path)
            size = (device["size"] - MIB) // (4 * MIB) * 4 * MIB
            one = {"path": device["path"], "size": size, "device_size": device["size"]}
            physical.append({**one, "missing": False})
            self.put(device["path"], "LVM2_member")
        known = {one["name"]: one for one in self.document["volume_groups"]}
        if arguments["vg"] not in known:
            self.document["volume_groups"].append({"name": arguments["vg"], "volumes": []})
        group = self.group(arguments["vg"])
        group |= {"physical_volumes": physical, "extent": 4 * MIB, "missing": 0}
        self._free(group)

    def _free(self, group: dict[str, Any]) -> None:
        group["size"] = sum(one["size"] for one in group["physical_volumes"])
        group["free"] = group["size"] - sum(one["cost"] for one in group["volumes"])
        assert group["free"] >= 0

    def _lvol(self, arguments: Mapping[str, Any]) -> None:
        group, name = self.group(arguments["vg"]), arguments.get("lv") or arguments["thinpool"]
        thin = "thinpool" in arguments and "lv" in arguments
        kind = (re.findall(r"--type (\S+)", arguments.get("opts", "")) or ["thin-pool"])[0]
        kind = "thin" if thin else kind
        size = str(arguments["size"])
        known = {one["name"]: one for one in group["volumes"]}
        copies = 2 if kind == "raid1" or known.get(name, {}).get("type") == "raid1" else 1
        former = known.get(name, {"size": 0, "cost": 0})
        free = group["free"] // copies // (4 * MIB) * 4 * MIB
        new = former["size"] + free if "FREE" in size else int(size.removesuffix("b"))
        cost = 0 if thin else new * copies
        if name not in known:
            former = {"name": name, "type": kind, "pool": arguments.get("thinpool", "")}
            group["volumes"].append(former)
            path = f"/dev/dm-{group['name']}-{name}"
            parents = [one["path"] for one in group["physical_volumes"]]
            self.add(path, "lvm", new, *parents, name=f"/dev/{group['name']}/{name}")
        former |= {"size": new, "cost": cost}
        self._free(group)
        self.resize(f"/dev/{group['name']}/{name}", new)
        self.device(f"/dev/{group['name']}/{name}")["size"] = new

    def _filesystem(self, arguments: Mapping[str, Any]) -> None:
        device = self.device(arguments["dev"])
        if arguments.get("resizefs"):
            device["content"]["size"] = device["size"]
        else:
            assert not device["signatures"]
            uuid = re.search(r"(?:-U |uuid=|-i )([0-9A-Za-z-]+)", arguments["opts"])
            assert uuid
            self.put(device["path"], arguments["fstype"], uuid[1])
