# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The disks of a host: those that the kernel has, and those behind hardware RAID. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.servertechnik.core.plugins.module_utils import _blocks, _disk_kernel
from ansible_collections.servertechnik.core.plugins.module_utils._disk_controllers import behind
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Device,
    Disk,
    Raw,
    Smart,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_smart import (
    hidden_disks,
    identity,
    smart,
    unknown,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_values import at, count, word

NOT_ASKED = "it was not asked"
_VIRTUAL = "a virtual disk has none"
_HEXADECIMAL = re.compile(r"0x[0-9a-f]{1,16}")
_SEPARATOR = " "  # between path and type, where both are needed to reach a disk


def is_disk(raw: Raw, name: str, row: _blocks.Row) -> bool:
    """Whether a device is a disk, and not made up by the kernel as /dev/zram0 is."""
    return word(row.get("type")) == "disk" and at(raw, "sysfs", name, "physical") is True


def has_smart(path: str) -> bool:
    """Whether it makes sense to ask a disk: virtual disks and memory cards never answer."""
    return not path.startswith(("/dev/vd", "/dev/xvd", "/dev/mmcblk"))


def key_of(path: str, reach: str) -> str:
    """Return under which key `smart` in Raw has the words of a disk behind hardware RAID."""
    return f"{path}{_SEPARATOR}{reach}"


def disks(
    raw: Raw, listing: Mapping[str, _blocks.Row], devices: Sequence[Device], unread: list[str]
) -> list[Disk]:
    """Return all disks, with a verdict that nobody has thought about yet."""
    by_path = {one["path"]: one for one in devices}
    found = [
        _disk(raw, name, listing, by_path[_blocks.path_of(name)], unread)
        for name, row in listing.items()
        if is_disk(raw, name, row)
    ]
    errors = _disk_kernel.errors(_messages(raw))
    for one in found:
        name = one["path"].removeprefix("/dev/").replace("/", "!")
        one["kernel"] = errors.get(name, one["kernel"])
        one["kernel_errors"] = one["kernel"]["read"] + one["kernel"]["write"]
    return [*found, *_hidden(raw, unread)]


def _disk(
    raw: Raw,
    name: str,
    listing: Mapping[str, _blocks.Row],
    device: Device,
    unread: list[str],
) -> Disk:
    row, sysfs, path = listing[name], at(raw, "sysfs", name), device["path"]
    own = identity(word(at(raw, "smart", path)))
    return {
        "path": path,
        "links": _blocks.links_of(raw, name),
        "serial": word(row.get("serial")) or own["serial"],
        "wwn": word(row.get("wwn")) or own["wwn"],
        "model": word(row.get("model")) or own["model"],
        "vendor": _vendor(word(row.get("vendor"))) or own["vendor"],
        "transport": "virtio" if path.startswith("/dev/vd") else word(row.get("tran")),
        "rotational": row.get("rota") is True,
        "size": device["size"],
        "logical_sector": count(row.get("log-sec")),
        "physical_sector": count(row.get("phy-sec")),
        "removable": row.get("rm") is True,
        "read_only": device["read_only"],
        "slot": word(at(sysfs, "slot")),
        "state": word(at(sysfs, "state")) or word(row.get("state")),
        "table": word(row.get("pttype")),
        "partitions": _blocks.partitions(raw, name, listing),
        "content": device["content"],
        "signatures": device["signatures"],
        "behind": behind(sysfs, word(row.get("hctl"))),
        "reach": "",
        "smart": _smart(raw, path, path, unread),
        "kernel_errors": 0,
        "kernel": _disk_kernel.none(),
        "io_errors": _hexadecimal(word(at(sysfs, "ioerr_cnt"))),
        "verdict": "healthy",
        "reasons": [],
    }


def _hidden(raw: Raw, unread: list[str]) -> Iterator[Disk]:
    """Yield the disks that only smartctl reaches."""
    for path, reach in hidden_disks(word(raw.get("scan")), unread):
        key = key_of(path, reach)
        own = identity(word(at(raw, "smart", key)))
        yield {
            "path": path,
            "links": [],
            "serial": own["serial"],
            "wwn": own["wwn"],
            "model": own["model"],
            "vendor": own["vendor"],
            "transport": "",
            "rotational": own["rotational"],
            "size": own["size"],
            "logical_sector": own["logical_sector"],
            "physical_sector": own["physical_sector"],
            "removable": False,
            "read_only": False,
            "slot": "",
            "state": "",
            "table": "",
            "partitions": [],
            "content": _blocks.content({}),
            "signatures": [],
            "behind": reach.split(",")[0].rpartition("+")[2],  # sat+megaraid,8
            "reach": reach,
            "smart": _smart(raw, key, path, unread),
            "kernel_errors": 0,
            "kernel": _disk_kernel.none(),
            "io_errors": None,
            "verdict": "healthy",
            "reasons": [],
        }


def _smart(raw: Raw, key: str, path: str, unread: list[str]) -> Smart:
    if key in (raw.get("smart") or {}):
        return smart(word(at(raw, "smart", key)), key, unread)
    late = word(at(raw, "hangs", key))
    why = late or word(at(raw, "silent", key))
    found = unknown(why or (NOT_ASKED if has_smart(path) else _VIRTUAL))
    found["hangs"] = late != ""
    return found


def _messages(raw: Raw) -> Iterator[str]:
    """Yield what the kernel has said: from its ring, or the journal where that was too short."""
    journal = word(raw.get("journal"))
    if journal:
        return _disk_kernel.from_journal(journal)
    return _disk_kernel.from_ring(raw.get("kmsg") or "")


def _vendor(text: str) -> str:
    """Return the name of a vendor; on virtio there is only a number."""
    return "" if _HEXADECIMAL.fullmatch(text) else text


def _hexadecimal(text: str) -> int | None:
    return int(text, 16) if _HEXADECIMAL.fullmatch(text) else None
