# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What the kernel shows of block devices and their controllers below /sys, and udev below /dev.

Reading there asks no disk anything.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._blocks import volume_path
from ansible_collections.servertechnik.core.plugins.module_utils._disk_controllers import (
    RAID,
    REMAPPED,
)
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host

BLOCK = "/sys/class/block"
_PCI = "/sys/bus/pci"
_PLAIN = ("start", "partition")
_ARRAY = (
    *("array_state", "bitmap/location", "chunk_size", "component_size", "degraded", "level"),
    *("metadata_version", "mismatch_cnt", "raid_disks", "sync_action", "sync_completed"),
    "sync_speed",
)
_MEMBER = ("state", "slot", "errors", "bad_blocks", "offset")
_HOST = re.compile(r"/host(\d+)/")
_FUNCTION = re.compile(r"/([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2})\.[0-7](?=/)")


def text(host: Host, path: str) -> str | None:
    """Return what a file of /sys says; None if it isn't there or doesn't want to be read."""
    try:
        return host.content(path).decode(errors="replace").strip()
    except OSError:
        return None


def names(host: Host, path: str) -> list[str]:
    """Return what is in a folder; nothing if it isn't there."""
    try:
        return sorted(os.listdir(host.at(path)))
    except OSError:
        return []


def blocks(host: Host) -> dict[str, dict[str, Any]]:
    """Return what /sys says of each block device, by the kernel's name for it."""
    slots = _pci_slots(host)
    return {name: _block(host, name, slots) for name in names(host, BLOCK)}


def _block(host: Host, name: str, slots: dict[str, str]) -> dict[str, Any]:
    folder = f"{BLOCK}/{name}"
    where = os.path.realpath(host.at(folder)).removeprefix(host.root)
    found: dict[str, Any] = {"at": where, **_some(host, folder, _PLAIN)}
    if below := names(host, f"{folder}/slaves"):
        found["slaves"] = below
    if mapping := _some(host, f"{folder}/dm", ("name", "uuid")):
        found["dm"] = mapping
    if array := _some(host, f"{folder}/md", _ARRAY):
        members = [one for one in names(host, f"{folder}/md") if one.startswith("dev-")]
        array["members"] = {
            one.removeprefix("dev-"): _some(host, f"{folder}/md/{one}", _MEMBER) for one in members
        }
        found["md"] = array
    device = f"{folder}/device"
    if os.path.exists(host.at(device)):
        found |= {"physical": True, **_some(host, device, ("state", "ioerr_cnt", "raid_level"))}
        if match := _HOST.search(where):
            found["driver"] = text(host, f"/sys/class/scsi_host/host{match[1]}/proc_name")
        found["slot"] = _slot(host, device, where, slots)
    return found


def _some(host: Host, folder: str, keys: Iterable[str]) -> dict[str, Any]:
    if not os.path.isdir(host.at(folder)):
        return {}
    said = {key: text(host, f"{folder}/{key}") for key in keys}
    return {key: value for key, value in said.items() if value is not None}


def _slot(host: Host, device: str, where: str, slots: dict[str, str]) -> str:
    """Return the bay of an enclosure (the kernel's module ses), or the slot of an NVMe on PCI."""
    for name in names(host, device):
        if name.startswith("enclosure_device:"):
            return name.partition(":")[2]
    functions = _FUNCTION.findall(where)
    if "/nvme/" in where and functions and functions[-1] in slots:
        return f"PCI slot {slots[functions[-1]]}"
    return ""


def _pci_slots(host: Host) -> dict[str, str]:
    """Return the name of each slot by its address on the bus."""
    folder = f"{_PCI}/slots"
    found = {text(host, f"{folder}/{name}/address"): name for name in names(host, folder)}
    return {address: name for address, name in found.items() if address}


def pci(host: Host) -> dict[str, dict[str, Any]]:
    """Return the controllers that may hide disks, by address, with what the kernel says of them."""
    return {
        address: {
            "driver": driver,
            "remapped_nvme": text(host, f"{_PCI}/devices/{address}/remapped_nvme"),
        }
        for driver in (*RAID, REMAPPED)
        for address in names(host, f"{_PCI}/drivers/{driver}")
        if address.count(":") > 1
    }


def links(host: Host, found: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return where the names below /dev lead that udev gives: paths, and the kernel's names."""
    return {
        path: os.path.basename(os.readlink(host.at(path)))
        for path in _candidates(host, found)
        if os.path.islink(host.at(path))
    }


def _candidates(host: Host, found: dict[str, dict[str, Any]]) -> Iterator[str]:
    kinds = [f"/dev/disk/{kind}" for kind in names(host, "/dev/disk")]
    for folder in (*kinds, "/dev/md", "/dev/mapper"):
        yield from (f"{folder}/{name}" for name in names(host, folder))
    for one in found.values():
        mapping = one.get("dm", {})
        if mapping.get("uuid", "").startswith("LVM-"):
            yield volume_path(mapping["name"])


def errors(host: Host) -> dict[str, int]:
    """Return how many errors ext4 has counted in each file system that is mounted, by device."""
    folder = "/sys/fs/ext4"
    return {
        f"/dev/{name}": int(count)
        for name in names(host, folder)
        if (count := text(host, f"{folder}/{name}/errors_count")) and count.isdecimal()
    }
