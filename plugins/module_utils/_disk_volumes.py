# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Encrypted devices and logical volumes, as cryptsetup(8) and lvm(8) tell them in JSON. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._blocks import SECTOR, path_of
from ansible_collections.servertechnik.core.plugins.module_utils._disk_heads import epoch, head
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Device,
    Luks,
    PhysicalVolume,
    Raw,
    Volume,
    VolumeGroup,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_values import (
    at,
    count,
    loaded,
    rows,
    share,
    whole,
    word,
    words,
)

# What is asked of `lvm fullreport`; segments can't be left out, so they are kept short.
REPORTS = {
    "vg": "vg_name,vg_uuid,vg_size,vg_free,vg_extent_size,vg_missing_pv_count",
    "pv": "pv_name,pv_uuid,pv_size,pv_free,dev_size,pv_missing",
    "lv": "lv_name,lv_path,lv_uuid,lv_size,lv_layout,lv_role,pool_lv,lv_active,lv_health_status,"
    "data_percent,metadata_percent,copy_percent,raid_sync_action",
    "pvseg": "pvseg_start",
    "seg": "segtype",
}
_CRYPT = re.compile(r"CRYPT-LUKS[12]-([0-9a-f]{32})-")
_SLOT_1 = re.compile(r"^Key Slot (\d): ENABLED$", re.MULTILINE)
_LINE_1 = re.compile(r"^(Cipher name|Cipher mode|Payload offset):\s*(\S+)$", re.MULTILINE)
_LAYOUTS = {"thin,pool": "thin-pool", "thin,sparse": "thin", "cache,pool": "cache-pool"}


def volume_groups(text: str, unread: list[str]) -> list[VolumeGroup]:
    """Return the volume groups of `lvm fullreport --reportformat json --units b --nosuffix`."""
    found: list[VolumeGroup] = []
    for report in rows(loaded(text, "lvm fullreport", unread).get("report")):
        group = next(rows(report.get("vg")), {})
        physical = [_physical_volume(row) for row in rows(report.get("pv"))]
        if not group and not physical:
            continue
        one: VolumeGroup = {
            "name": word(group.get("vg_name")),
            "uuid": word(group.get("vg_uuid")),
            "size": count(group.get("vg_size")),
            "free": count(group.get("vg_free")),
            "extent": count(group.get("vg_extent_size")),
            "missing": count(group.get("vg_missing_pv_count")),
            "physical_volumes": physical,
            "volumes": [_volume(row) for row in rows(report.get("lv"))],
        }
        found.append(one)
    return found


def _physical_volume(row: Mapping[str, Any]) -> PhysicalVolume:
    return {
        "path": word(row.get("pv_name")),
        "uuid": word(row.get("pv_uuid")),
        "size": count(row.get("pv_size")),
        "free": count(row.get("pv_free")),
        "device_size": count(row.get("dev_size")),
        "missing": word(row.get("pv_missing")) != "",
    }


def _volume(row: Mapping[str, Any]) -> Volume:
    layout = word(row.get("lv_layout"))
    return {
        "name": word(row.get("lv_name")),
        "path": word(row.get("lv_path")),
        "uuid": word(row.get("lv_uuid")),
        "size": count(row.get("lv_size")),
        "type": _LAYOUTS.get(layout, layout.rpartition(",")[2]),
        "pool": word(row.get("pool_lv")),
        "active": word(row.get("lv_active")) != "",
        "health": word(row.get("lv_health_status")),
        "data_percent": share(row.get("data_percent")),
        "metadata_percent": share(row.get("metadata_percent")),
        "sync_percent": share(row.get("copy_percent")),
        "sync_action": word(row.get("raid_sync_action")),
    }


def luks(raw: Raw, devices: list[Device], unread: list[str]) -> list[Luks]:
    """Return the encrypted devices, from `cryptsetup luksDump --dump-json-metadata` of each."""
    opened = dict(_opened(raw))
    found: list[Luks] = []
    for device in devices:
        if device["content"]["type"] != "crypto_LUKS":
            continue
        uuid, path = device["content"]["uuid"], device["path"]
        one: Luks = {
            "device": path,
            "name": opened.get((path, uuid.replace("-", "").lower()), ""),
            "uuid": uuid,
            "version": whole(device["content"]["version"]),
            "slots": [],
            "cipher": "",
            "offset": 0,
            "epoch": epoch(head(raw, path)),
        }
        text = word(at(raw, "luks", path))
        if text.startswith("LUKS header"):  # version 1 has no JSON
            _version_1(text, one)
        else:
            _version_2(loaded(text, f"LUKS header of {path}", unread), one)
        found.append(one)
    return found


def _opened(raw: Raw) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield path and UUID of what each mapping of dm-crypt is made of, and the mapping's name."""
    for sysfs in (raw.get("sysfs") or {}).values():
        if match := _CRYPT.match(word(at(sysfs, "dm", "uuid"))):
            for below in words(at(sysfs, "slaves")):
                yield (path_of(below), match[1]), word(at(sysfs, "dm", "name"))


def _version_1(text: str, one: Luks) -> None:
    said = dict(_LINE_1.findall(text))
    one["cipher"] = "-".join(said[key] for key in ("Cipher name", "Cipher mode") if key in said)
    one["offset"] = count(said.get("Payload offset")) * SECTOR
    one["slots"] = sorted(int(slot) for slot in _SLOT_1.findall(text))


def _version_2(header: Mapping[str, Any], one: Luks) -> None:
    one["slots"] = sorted(int(slot) for slot in _keys(header, "keyslots") if slot.isdecimal())
    for key in sorted(_keys(header, "segments"))[:1]:
        one["cipher"] = word(at(header, "segments", key, "encryption"))
        one["offset"] = count(at(header, "segments", key, "offset"))


def _keys(header: Mapping[str, Any], name: str) -> list[str]:
    return list(found) if isinstance(found := at(header, name), Mapping) else []
