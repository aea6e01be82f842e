# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host has now, looked up in the document of `disk_health`, and told in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import Disk, told

# Entries of the document, as `module_utils/_disk_shape.py` describes them.
Entry = Mapping[str, Any]

NOWHERE: Entry = {"path": "", "name": "", "kind": "", "size": 0, "mounts": [], "signatures": []}
_MEMBERS = {
    "linux_raid_member": "a member of a RAID array",
    "LVM2_member": "an LVM physical volume",
    "crypto_LUKS": "a LUKS container",
    "swap": "swap space",
}
# Signatures that say no more than that there is a partition table, which is told by itself.
_TABLES = ("gpt", "dos", "PMBR")


class Found:
    """A document with its entries by path; devices at `fresh` are wiped before anything else."""

    def __init__(self, document: Mapping[str, Any], fresh: Iterable[str] = ()) -> None:
        """Index the document."""
        self.document = document
        self.fresh = frozenset(fresh)
        self.disks: Sequence[Entry] = document["disks"]
        self.arrays: Sequence[Entry] = document["arrays"]
        self.tools = frozenset(map(str, document["tools"]))
        self._devices: dict[str, Entry] = {}
        self._above: dict[str, list[Entry]] = {}
        for one in document["devices"]:
            self._devices |= {one["name"]: one, one["path"]: one}
            for parent in one["parents"]:
                self._above.setdefault(parent, []).append(one)
        self._groups = [self._resolved(group) for group in document["volume_groups"]]
        self.groups = {str(one["name"]): one for one in self._groups if one["name"]}
        self._luks = {str(one["device"]): one for one in document["luks"]}

    def _resolved(self, group: Entry) -> Entry:
        """Return a volume group with the kernel's paths; LVM has its own (`/dev/mapper/x`)."""
        physical = [
            {**one, "path": self.device(one["path"])["path"] or one["path"]}
            for one in group["physical_volumes"]
        ]
        return {**group, "physical_volumes": physical}

    def disk(self, wanted: Disk) -> Sequence[Entry]:
        """Return the disks that are the wanted one; anything but one of them is a problem."""
        return [one for one in self.disks if _is(wanted, one)]

    def device(self, path: str) -> Entry:
        """Return a device by its path or name; one without a path if it isn't there."""
        return self._devices.get(path, NOWHERE)

    def above(self, path: str) -> list[Entry]:
        """Return the devices that are made of a device, its partitions included."""
        return self._above.get(path, [])

    def content(self, path: str) -> Entry:
        """Return what is recognised on a device."""
        device = self.device(path)
        found: Entry = device.get("content") or {"type": "", "uuid": "", "label": "", "size": 0}
        others = [one for one in device["signatures"] if one["type"] not in _TABLES]
        if found["type"] or len({one["type"] for one in others}) != 1:
            return found
        # udev has not looked since it was made.
        return {**found, **{key: others[0].get(key, "") for key in ("type", "uuid", "label")}}

    def luks(self, path: str) -> Entry | None:
        """Return the LUKS header on a device."""
        return self._luks.get(path)

    def array_of(self, paths: Iterable[str], name: str) -> Entry | None:
        """Return the array that one of these devices is in, or else the one of that name."""
        wanted = set(paths)
        for array in self.arrays:
            if wanted & {member["path"] for member in array["members"]} - {""}:
                return array
        named = (one for one in self.arrays if one["name"].rpartition("/")[2] == name)
        return next(named, None)

    def group_of(self, path: str) -> str | None:
        """Return the volume group of a physical volume, empty for one in none, None for no one."""
        for group in self._groups:
            if any(one["path"] == path for one in group["physical_volumes"]):
                return str(group["name"])
        return "" if self.content(path)["type"] == "LVM2_member" else None

    def on(self, path: str) -> str:
        """Return in words what is on a device; empty if it is blank."""
        return ", ".join(dict.fromkeys(self._on(path)))

    def _on(self, path: str) -> Iterator[str]:
        device = self.device(path)
        disk = next((one for one in self.disks if one["path"] == path), None)
        if disk and disk["table"]:
            parts = [self.partition(one) for one in disk["partitions"]]
            # An empty table of the right kind is what the first step of ours leaves.
            if parts or disk["table"] != "gpt":
                inside = "; ".join(parts) or "nothing in it"
                yield f"a {disk['table']} partition table with {inside}"
        content = self.content(path)
        if content["type"]:
            yield self._content(path, content)
        for one in device.get("signatures") or ():
            if one["type"] not in _TABLES and one["type"] != content["type"]:
                yield f"a signature of {one['type']}"
        for one in self.above(path):
            if one["kind"] != "part":
                yield f"{one['name']}, which is made of it"

    def _content(self, path: str, content: Entry) -> str:
        kind = str(content["type"])
        words = _MEMBERS.get(kind, kind)
        group = self.group_of(path) if kind == "LVM2_member" else ""
        label = group or content["label"]
        return f"{words} {label!r}" if label else words

    def partition(self, one: Entry) -> str:
        """Return in words what a partition is and what is on it."""
        inside = self.on(one["path"]) or "nothing recognised"
        return f"{one['name'] or one['number']} ({told(one['size'])}): {inside}"

    def uses(self, path: str) -> list[str]:
        """Return in words who uses a device, or what is made of it, at the moment."""
        words = [
            "swap space in use" if mount["target"] == "[SWAP]" else f"mounted at {mount['target']}"
            for mount in self.device(path)["mounts"]
        ]
        for one in self.above(path):
            inner = self.uses(one["path"])
            if one["kind"] != "part":
                words.append(f"{one['name']} is active")
            words += inner
        return list(dict.fromkeys(words))

    def mounted(self, mount: str) -> Entry | None:
        """Return the file system that is mounted somewhere."""
        entries = self.document["file_systems"]
        return next((one for one in reversed(entries) if one["target"] == mount), None)


def partition_path(disk: str, number: int) -> str:
    """Return where the kernel shows a partition: `/dev/vda1`, `/dev/nvme0n1p1`."""
    return f"{disk}{'p' if disk[-1:].isdigit() else ''}{number}"


def _is(wanted: Disk, one: Entry) -> bool:
    if wanted.by == "serial":
        return bool(one["serial"] == wanted.value)
    if wanted.by == "wwn":
        return bool(one["wwn"]) and _plain(one["wwn"]) == _plain(wanted.value)
    return wanted.value in (*one["links"], one["path"])


def _plain(wwn: str) -> str:
    """A WWN as all tools mean it, whatever prefix they give it."""
    return wwn.lower().removeprefix("0x").removeprefix("naa.").removeprefix("eui.")


def blanked(document: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Return the document as it will be once the devices at these paths have been wiped."""
    gone = set(paths)
    parts = {
        part["path"]
        for one in document["disks"]
        if one["path"] in gone
        for part in one["partitions"]
    }
    nothing = {"type": "", "uuid": "", "label": "", "version": "", "size": 0}
    blank = {"content": nothing, "signatures": []}

    def wiped(one: Entry, more: Entry) -> Entry:
        return {**one, **blank, **more} if one["path"] in gone else one

    groups = []
    for group in document["volume_groups"]:
        left = [one for one in group["physical_volumes"] if one["path"] not in gone | parts]
        if left:
            groups.append({**group, "physical_volumes": left})
    return {
        **document,
        "disks": [wiped(one, {"table": "", "partitions": []}) for one in document["disks"]],
        "devices": [wiped(one, {}) for one in document["devices"] if one["path"] not in parts],
        "luks": [one for one in document["luks"] if one["device"] not in gone | parts],
        "volume_groups": groups,
    }
