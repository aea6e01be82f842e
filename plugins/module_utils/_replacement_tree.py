# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What a disk carries by the document of `disk_health`: its parts, and what stands on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Partition types that hold what a machine starts from (UEFI 2.10, 5.3.3; GRUB's manual, "BIOS
# installation").
EFI = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
BIOS = "21686148-6449-6e6f-744e-656564454649"

MEMBER = "linux_raid_member"
# A member of an array that doesn't run holds nothing that could be saved.
_USES = {"": "empty", MEMBER: "empty", "swap": "swap", "crypto_LUKS": "encrypted"}

Json = dict[str, Any]


class Tree:
    """The document, asked by path and serial."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Look at a document of `disk_health`; it is not changed."""
        self.document = document
        self.disks: list[Json] = document["disks"]
        self.arrays: list[Json] = document["arrays"]
        self.groups: list[Json] = document["volume_groups"]
        self.devices: dict[str, Json] = {one["path"]: one for one in document["devices"]}

    def disk(self, serial: str) -> Json | None:
        """Return the disk of that name (see `name_of`), or nothing."""
        return next((one for one in self.disks if name_of(one) == serial), None)

    def disks_below(self, path: str) -> list[Json]:
        """Return the disks that a device, given by path, lies on."""
        found, paths = [], [path]
        while paths:
            here = paths.pop()
            found += [one for one in self.disks if one["path"] == here]
            paths += self.devices.get(here, {}).get("parents", [])
        return found

    def above(self, path: str) -> Iterator[Json]:
        """Yield every device that lies on another, given by path, nearest first."""
        for device in self.devices.values():
            if path in device["parents"]:
                yield device
                yield from self.above(device["path"])

    def mounts(self, path: str) -> list[str]:
        """Return where a device and all that lies on it are mounted; swap is `[SWAP]`."""
        devices = [self.devices[path]] if path in self.devices else []
        mounts = [m["target"] for one in [*devices, *self.above(path)] for m in one["mounts"]]
        return sorted(set(mounts))

    def array_of(self, path: str) -> Json | None:
        """Return the array that a device is a member of."""
        for one in self.arrays:
            if any(member["path"] == path for member in one["members"]):
                return one
        return None

    def array(self, uuid: str) -> Json | None:
        """Return the array of that UUID."""
        return next((one for one in self.arrays if one["uuid"] == uuid), None)

    def array_once(self, uuid: str) -> Json | None:
        """Return the running array of that UUID, in whatever form, that a device was once in."""
        wanted = _digits(uuid)
        return next((one for one in self.arrays if wanted and _digits(one["uuid"]) == wanted), None)

    def group_of(self, path: str) -> Json | None:
        """Return the volume group that a device is a physical volume of; not one without a name."""
        for one in self.groups:
            if one["name"] and any(volume["path"] == path for volume in one["physical_volumes"]):
                return one
        return None

    def units(self, disk: Json) -> list[Json]:
        """Return the parts of a disk that may hold something: its partitions, or itself (0).

        Each has ``number``, ``device``, ``name``, ``type``, ``start`` and ``size`` (bytes),
        ``use`` (array, volumes, swap, boot, encrypted, file_system, empty), ``of`` and ``uuid``
        (the array's, the group's or its own), ``label``, ``content`` and ``carries`` (mounts).
        """
        parts = disk["partitions"] or [
            {"path": disk["path"], "number": 0, "name": "", "type": "", "start": 0}
            | {"size": disk["size"]}
        ]
        return [self._unit(part) for part in parts]

    def _unit(self, part: Json) -> Json:
        path = part["path"]
        content = self.devices.get(path, {}).get("content") or {"type": ""}
        kind = content["type"] or ""
        unit = {
            "number": part["number"],
            "device": path,
            "name": part.get("name") or "",
            "type": (part.get("type") or "").lower(),
            "start": part["start"],
            "size": part["size"],
            "content": kind,
            "uuid": content.get("uuid") or "",
            "label": content.get("label") or "",
            "of": "",
            "carries": self.mounts(path),
        }
        return unit | self._use(path, kind, unit)

    def _use(self, path: str, kind: str, unit: Json) -> Json:
        # A member that was thrown out, or wasn't taken back at a start, still has its place.
        once = self.array_once(unit["uuid"]) if kind == MEMBER else None
        if array := self.array_of(path) or once:
            use = {"use": "array", "of": title(array), "uuid": array["uuid"]}
            return use | {"carries": self.mounts(array["path"])}
        if group := self.group_of(path):
            return {"use": "volumes", "of": group["name"], "uuid": group["uuid"]}
        if unit["type"] in (EFI, BIOS):
            return {"use": "boot"}
        return {"use": _USES.get(kind, "file_system")}

    def holds(self, disk: Json) -> list[str]:
        """Say what is on a disk, part by part; nothing for an empty one.

        A document with `contents` also shows signatures that udev makes nothing of.
        """
        parts = [(disk["path"], ""), *((p["path"], "a partition") for p in disk["partitions"])]
        table = [f"{disk['path']}: a partition table ({disk['table']})"] if disk["table"] else []
        said = [self._said(path, otherwise) for path, otherwise in parts]
        return [one for one in said if one] or table

    def _said(self, path: str, otherwise: str) -> str:
        device = self.devices.get(path) or {}
        seen = [device.get("content") or {}, *(device.get("signatures") or [])]
        content: Json = next((one for one in seen if one.get("type")), {})
        above = "in use" if not otherwise and not content and self._used(path) else ""
        what = content.get("type") or otherwise or above
        label = f" '{content['label']}'" if content.get("label") else ""
        return f"{path}: {what}{label}" if what else ""

    def _used(self, path: str) -> bool:
        return any(one["kind"] != "part" for one in self.above(path))


def _digits(uuid: str) -> str:
    return uuid.replace("-", "").replace(":", "").lower()


def title(array: Mapping[str, Any]) -> str:
    """Return what people call an array: the NAME of `/dev/md/NAME`, or its path."""
    return str(array["name"] or array["path"]).removeprefix("/dev/md/")


def name_of(disk: Mapping[str, Any]) -> str:
    """Return what a disk is called: its serial, or its WWN or path if it has none."""
    return str(disk.get("serial") or disk.get("wwn") or disk["path"])


def said_size(size: float) -> str:
    """Return bytes for people, in the units that disks are sold by, with the bytes themselves."""
    value, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:  # noqa: PLR2004 -- SI
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit} ({int(size)} bytes)"
