# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Software RAID as the kernel runs it, from /sys/block/mdN/md. Pure.

Source: Documentation/admin-guide/md.rst of the kernel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._blocks import (
    SECTOR,
    Row,
    path_of,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Array,
    Device,
    Member,
    Raw,
    Sync,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_values import (
    at,
    count,
    whole,
    word,
)

IDLE = "idle"
_MEMBER = "linux_raid_member"
_BY_UUID = "/dev/disk/by-id/md-uuid-"
_MOST = 1024  # members; there are fewer in every format of superblock that Debian makes
_UUID = re.compile(r"[0-9a-f]{32}")


def arrays(
    raw: Raw, listing: Mapping[str, Row], devices: list[Device], serials: Mapping[str, str]
) -> list[Array]:
    """Return the arrays; `serials` are those of the disks below each device, by its path."""
    found: list[Array] = []
    for name in raw.get("sysfs") or {}:
        md = at(raw, "sysfs", name, "md")
        if isinstance(md, Mapping) and md:
            one = _array(name, md, listing, devices, serials)
            found.append({**one, "uuid": _linked(raw, name) or one["uuid"]})
    return found


def _linked(raw: Raw, name: str) -> str:
    """Return the UUID in the name that udev gives an array; its members may have none to see."""
    links: Mapping[str, str] = raw.get("links") or {}
    found = (path for path, to in links.items() if to == name and path.startswith(_BY_UUID))
    return next(map(as_mdadm, (path.removeprefix(_BY_UUID) for path in found)), "")


def _array(
    name: str,
    md: Mapping[str, Any],
    listing: Mapping[str, Row],
    devices: list[Device],
    serials: Mapping[str, str],
) -> Array:
    path = path_of(name)
    wanted = count(md.get("raid_disks"))
    members = _members(md, wanted, serials)
    contents = {one["path"]: one["content"] for one in devices}
    paths = [member["path"] for member in members]
    inside = [contents[one]["uuid"] for one in paths if one in contents and contents[one]["uuid"]]
    sync = _sync(md)
    return {
        "path": path,
        "name": next((one["name"] for one in devices if one["path"] == path), path),
        "uuid": as_mdadm(inside[0]) if inside else "",
        "level": word(md.get("level")),
        "metadata": word(md.get("metadata_version")),
        "bitmap": word(md.get("bitmap/location")) not in ("", "none"),
        "size": count(listing.get(name, {}).get("size")),
        "component_size": count(md.get("component_size")) * 1024,
        "chunk": count(md.get("chunk_size")),
        "devices": wanted,
        "degraded": count(md.get("degraded")),
        "state": _state(md, sync),
        "members": members,
        "sync": sync,
        "mismatches": count(md.get("mismatch_cnt")),
    }


def as_mdadm(uuid: str) -> str:
    """Return the UUID of blkid(8) in the form of mdadm(8): four words of eight digits."""
    digits = uuid.replace("-", "").replace(":", "").lower()
    if not _UUID.fullmatch(digits):
        return ""
    return ":".join(digits[start : start + 8] for start in range(0, len(digits), 8))


def _state(md: Mapping[str, Any], sync: Sync) -> list[str]:
    """Return the kernel's word for the state, and what else a person would call it."""
    degraded = ["degraded"] if count(md.get("degraded")) else []
    busy = [] if sync["action"] in (IDLE, "") else [sync["action"]]
    return [one for one in (word(md.get("array_state")), *degraded, *busy) if one]


def _sync(md: Mapping[str, Any]) -> Sync:
    action = word(md.get("sync_action")) or IDLE
    done, _slash, total = word(md.get("sync_completed")).partition("/")
    ready, wanted = whole(done), whole(total)
    speed = whole(md.get("sync_speed"))
    sync: Sync = {"action": action, "done": None, "speed": None, "left": None}
    if action == IDLE or ready is None or not wanted:  # also "delayed", while another one runs
        return sync
    sync["done"] = round(min(1.0, max(0, ready) / wanted), 4)
    if speed:
        sync["speed"] = speed * 1024
        sync["left"] = max(0, wanted - ready) * SECTOR // (speed * 1024)
    return sync


def _members(md: Mapping[str, Any], wanted: int, serials: Mapping[str, str]) -> list[Member]:
    found: list[Member] = []
    for key in sorted(at(md, "members") or {}):
        said = at(md, "members", key)
        flags = [flag for flag in word(at(said, "state")).split(",") if flag]
        path = path_of(key)
        found.append(
            {
                "path": path,
                "slot": whole(at(said, "slot")),
                "state": _member_state(flags, whole(at(said, "slot"))),
                "flags": flags,
                "offset": count(at(said, "offset")) * SECTOR,
                "errors": count(at(said, "errors")),
                "bad_blocks": len(word(at(said, "bad_blocks")).splitlines()),
                "serial": serials.get(path, ""),
            }
        )
    taken = {one["slot"] for one in found if one["state"] != "faulty"}
    # An array that nobody has started says nothing of how many it wants.
    found += [_missing(slot) for slot in range(min(wanted, _MOST)) if slot not in taken]
    return sorted(found, key=lambda one: (one["slot"] is None, one["slot"] or 0, one["path"]))


def _missing(slot: int) -> Member:
    return {
        "path": "",
        "slot": slot,
        "state": "missing",
        "flags": [],
        "offset": 0,
        "errors": 0,
        "bad_blocks": 0,
        "serial": "",
    }


def _member_state(flags: list[str], slot: int | None) -> str:
    for flag in ("faulty", "journal", "replacement", "in_sync"):
        if flag in flags:
            return flag
    return "spare" if slot is None else "rebuilding"


def left_out(devices: list[Device], found: list[Array]) -> dict[str, str]:
    """Return devices that say they are members of a running array and aren't, with its name.

    This is what a disk looks like that was thrown out, or was away when the array started.
    """
    inside = {member["path"] for array in found for member in array["members"]}
    running = {array["uuid"]: array["name"] for array in found if array["uuid"]}
    return {
        one["path"]: running[uuid]
        for one in devices
        if one["content"]["type"] == _MEMBER
        and one["path"] not in inside
        and (uuid := as_mdadm(one["content"]["uuid"])) in running
    }
