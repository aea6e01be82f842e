# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Block devices and disks, from lsblk(8), wipefs(8) and /sys/class/block. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._disk_heads import head, size_of
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Content,
    Device,
    Mount,
    Partition,
    Raw,
    Signature,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_values import (
    at,
    count,
    loaded,
    rows,
    whole,
    word,
    words,
)

COLUMNS = (
    "KNAME,PATH,MAJ:MIN,TYPE,SIZE,RO,RM,ROTA,FSTYPE,FSVER,LABEL,UUID,PTTYPE,PARTTYPE,PARTLABEL,"
    "PARTUUID,TRAN,MODEL,VENDOR,SERIAL,WWN,HCTL,STATE,LOG-SEC,PHY-SEC"
)
SECTOR = 512  # in which /sys counts, whatever the disk does
_RAID = re.compile(r"raid\d+|linear|md")
# Where people look for a device first, in this order.
_NAMES = re.compile(r"/dev/(?:md|mapper|(?!disk/)[^/]+)/")
_SINGLE = re.compile(r"(?<!-)-(?!-)")

Row = Mapping[str, Any]


def listed(raw: Raw, unread: list[str]) -> dict[str, Row]:
    """Return what lsblk says of each device, by the kernel's name for it (`dm-0`)."""
    found = loaded(raw.get("lsblk") or "", "lsblk", unread)
    return {
        name: row for row in rows(found.get("blockdevices")) if (name := word(row.get("kname")))
    }


def numbers(listing: Mapping[str, Row]) -> dict[str, str]:
    """Return the path of each device by its number (`254:0`)."""
    return {word(row.get("maj:min")): path_of(name) for name, row in listing.items()}


def path_of(name: str) -> str:
    """Return the kernel's path of a device, of which `cciss!c0d0` has a folder."""
    return f"/dev/{name.replace('!', '/')}" if name else ""


def devices(
    raw: Raw, listing: Mapping[str, Row], mounts: Mapping[str, list[Mount]], unread: list[str]
) -> list[Device]:
    """Return every block device with what is on it; `mounts` are by path."""
    said = raw.get("wipefs") or {}
    names = _names(raw)
    found: list[Device] = []
    for name, row in listing.items():
        path, sysfs = path_of(name), at(raw, "sysfs", name)
        one: Device = {
            "path": path,
            "kind": _kind(word(row.get("type"))),
            "name": names.get(name, path),
            "size": count(row.get("size")),
            "parents": _parents(sysfs, listing),
            "read_only": row.get("ro") is True,
            "content": content(row, head(raw, path)),
            "mounts": mounts.get(path, []),
            "signatures": signatures(word(at(said, path)), unread).get(path, []),
        }
        found.append(one)
    return found


def content(row: Row, begins: bytes = b"") -> Content:
    """Return what udev has recognised on a device, and the size of what `begins` so there."""
    return {
        "type": word(row.get("fstype")),
        "uuid": word(row.get("uuid")),
        "label": word(row.get("label")),
        "version": word(row.get("fsver")),
        "size": size_of(word(row.get("fstype")), begins),
    }


def signatures(text: str, unread: list[str]) -> dict[str, list[Signature]]:
    """Return what `wipefs --no-act --json` has found on each device, by path."""
    found: dict[str, list[Signature]] = {}
    for row in rows(loaded(text, "wipefs", unread).get("signatures")):
        offset = word(row.get("offset"))
        one: Signature = {
            "type": word(row.get("type")),
            "offset": int(offset, 16) if re.fullmatch("0x[0-9a-f]{1,16}", offset) else 0,
            "uuid": word(row.get("uuid")),
            "label": word(row.get("label")),
        }
        device = word(row.get("device"))
        found.setdefault(f"/dev/{device.removeprefix('/dev/')}", []).append(one)
    return found


def partitions(raw: Raw, disk: str, listing: Mapping[str, Row]) -> list[Partition]:
    """Return the partitions of a disk, given by the kernel's name, in the order of numbers."""
    found: list[Partition] = []
    for name, row in listing.items():
        sysfs = at(raw, "sysfs", name)
        if _whole_of(sysfs) != disk:
            continue
        one: Partition = {
            "path": path_of(name),
            "number": count(at(sysfs, "partition")),
            "name": word(row.get("partlabel")),
            "type": word(row.get("parttype")),
            "uuid": word(row.get("partuuid")),
            "start": count(at(sysfs, "start")) * SECTOR,
            "size": count(row.get("size")),
        }
        found.append(one)
    return sorted(found, key=lambda one: one["number"])


def links_of(raw: Raw, name: str) -> list[str]:
    """Return the stable paths of a device below /dev/disk."""
    links: Mapping[str, str] = raw.get("links") or {}
    return sorted(p for p, to in links.items() if to == name and p.startswith("/dev/disk/by-"))


def volume_path(dm_name: str) -> str:
    """Return the path of a logical volume for its mapping: `vg--a-lv` is /dev/vg-a/lv.

    Source: lvm(8), under "Valid names"; hyphens are doubled, and one alone divides.
    """
    parts = [part.replace("--", "-") for part in _SINGLE.split(dm_name, maxsplit=1)]
    return "/".join(("/dev", *parts))


def _names(raw: Raw) -> dict[str, str]:
    """Return the name of each array, mapping and volume, by the kernel's name for it."""
    links: Mapping[str, str] = raw.get("links") or {}
    found: dict[str, str] = {}
    for link, name in sorted(links.items(), key=lambda one: one[0].startswith("/dev/mapper/")):
        if _NAMES.match(link):
            found.setdefault(name, link)
    return found


def _kind(type_of: str) -> str:
    return "raid" if _RAID.fullmatch(type_of) else type_of


def _whole_of(sysfs: object) -> str:
    """Return the disk (or other device) that a partition is on; empty for what is none."""
    where = word(at(sysfs, "at"))
    return where.split("/")[-2] if whole(at(sysfs, "partition")) and where.count("/") > 1 else ""


def _parents(sysfs: object, listing: Mapping[str, Row]) -> list[str]:
    below = words(at(sysfs, "slaves"))
    if disk := _whole_of(sysfs):
        below = [disk]
    return [path_of(name) for name in below if name in listing]
