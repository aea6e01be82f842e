# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""LVM on a disk that is replaced: volumes move off it, RAID volumes are repaired (lvmraid(7))."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import Json

Must = Callable[..., str]
_IMAGE = re.compile(r"^\[?(?P<volume>.+?)_r(?:image|meta)_\d+\]?$")
_NOTHING = "No data to move"


def move_off(host: Host, group: Json, device: str, *, lost: bool) -> str:
    """Move what has no redundancy to other disks of the group; return what is to wait for.

    It goes on by itself, also after a restart. With `lost`, there is no room for it.
    """
    if moving := _moving(host, group["name"]):
        return f"volume group {group['name']}: {moving} % moved to its other disks"
    if lost:
        return ""
    for volume in group["volumes"]:
        if str(volume["type"]).startswith("raid"):
            continue
        words = ["pvmove", "--background", "--name", volume["name"], device]
        output = host.run(words)
        if output.status and _NOTHING not in output.text:
            raise HostError(f"'{' '.join(words)}' failed ({output.status}): {output.text}")
    if _moving(host, group["name"]):
        return f"volume group {group['name']}: volumes are moved to its other disks"
    return ""


def join(host: Host, must: Must, group: Json, device: str, former: str) -> None:
    """Have the new disk in the group, and its RAID volumes repaired with it.

    `former` is the old disk's device as long as it is there, or empty.
    """
    name = group["name"]
    if all(volume["path"] != device for volume in group["physical_volumes"]):
        # Also while others are missing (vgextend.c: "it is always ok to add new PVs to a VG").
        must("pvcreate", "--yes", device)
        must("vgextend", name, device)
    for volume in group["volumes"]:
        if not str(volume["type"]).startswith("raid"):
            continue
        if former and volume["name"] in _on(host, name, former):
            must("lvconvert", "--yes", "--replace", former, f"{name}/{volume['name']}", device)
        elif volume["health"] not in ("", "mismatches exist", "refresh needed"):
            must("lvconvert", "--yes", "--repair", f"{name}/{volume['name']}", device)


def leave(must: Must, group: Json, former: str) -> None:
    """Forget the old disk, once nothing is on it any more."""
    volumes = {one["path"]: one for one in group["physical_volumes"]}
    if former in volumes and volumes[former]["size"] - volumes[former]["free"] <= 0:
        must("vgreduce", group["name"], former)
    elif group["missing"]:
        # Refuses by itself while anything that is needed is missing (vgreduce(8)).
        must("vgreduce", "--removemissing", group["name"])


def syncing(host: Host, group: str) -> list[dict[str, Any]]:
    """Return the RAID volumes of a group that aren't complete, as an array's rebuild."""
    words = ["lvs", "--noheadings", "--separator", "|", "-o", "lv_name,segtype,sync_percent", group]
    found = []
    for line in host.run(words).text.splitlines():
        name, kind, percent = [*(word.strip() for word in line.split("|")), "", ""][:3]
        if kind.startswith("raid") and kind != "raid0" and percent not in ("", "100.00"):
            known = {"name": f"{group}/{name}", "done": float(percent) / 100}
            found.append({**known, "left": None, "speed": None})
    return found


def _moving(host: Host, group: str) -> str:
    words = ["lvs", "-a", "--noheadings", "--separator", "|", "-o", "lv_name,copy_percent", group]
    for line in host.run(words).text.splitlines():
        name, _bar, percent = line.strip().partition("|")
        if name.strip("[]").startswith("pvmove"):
            return percent or "0"
    return ""


def _on(host: Host, group: str, device: str) -> set[str]:
    """Return the names of RAID volumes that have an image on a device."""
    words = ["lvs", "-a", "--noheadings", "--separator", "|", "-o", "lv_name,devices", group]
    found = set()
    for line in host.run(words).text.splitlines():
        name, _bar, devices = line.strip().partition("|")
        image = _IMAGE.match(name)
        if image and any(one.partition("(")[0] == device for one in devices.split(",")):
            found.add(image["volume"])
    return found
