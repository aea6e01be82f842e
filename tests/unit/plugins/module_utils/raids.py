# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Arrays and devices for tests, in the words of mdadm 4.2 and 4.4 and Linux 6.1 and 6.12."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._raid_draft import Draft
from ansible_collections.servertechnik.core.plugins.module_utils._raid_model import (
    Array,
    Details,
    Device,
    Superblock,
)
from ansible_collections.servertechnik.core.plugins.module_utils._raid_plan import plan
from ansible_collections.servertechnik.core.plugins.module_utils._raid_wanted import Wanted

# Path, slot, state, and what the kernel says of it.
Listed = tuple[str, int | None, str, str]
MIB = 1 << 20
UUID = "11111111:22222222:33333333:44444444"
OTHER = "64ebbe8f:34cb60b4:786fb957:458b2e06"
EXAMINED = {
    "4.2": (
        "MD_LEVEL=raid1\nMD_DEVICES=2\nMD_NAME=C-a:system\nMD_ARRAY_SIZE=267.39MB\n"
        f"MD_UUID={UUID}\nMD_UPDATE_TIME=1795535219\n"
        "MD_DEV_UUID=41107681:8a103a65:69da3bff:946cd239\nMD_EVENTS=5\n"
    ),
    "4.4": (
        "MD_LEVEL=raid1\nMD_DEVICES=2\nMD_NAME=C-b:system\nMD_ARRAY_SIZE=267.39MB\n"
        f"MD_UUID={UUID}\nMD_UPDATE_TIME=1795535219\n"
        "MD_DEV_UUID=5a336584:1e83565b:dba45715:d6e37b04\nMD_EVENTS=5\n"
    ),
}
# What /sys said while /dev/vdd took the place of /dev/vdf, and when it had.
COPYING: list[Listed] = [
    ("/dev/vdd", 0, "replacement", "spare,replacement"),
    ("/dev/vde", 1, "in_sync", "in_sync"),
    ("/dev/vdf", 0, "in_sync", "in_sync,want_replacement"),
]
COPIED: list[Listed] = [
    ("/dev/vdd", 0, "in_sync", "in_sync"),
    ("/dev/vde", 1, "in_sync", "in_sync"),
    ("/dev/vdf", None, "faulty", "faulty"),
]
DETAILS = Details(component_size=255 * MIB, data_offset=MIB)


def members(*states: str) -> list[Listed]:
    """Members /dev/a, /dev/b …: in_sync, spare, faulty, rebuilding; "" is a place without one."""
    found = []
    for number, state in enumerate(states):
        slot = None if state in ("spare", "faulty") else number
        flags = "spare" if state == "rebuilding" else state
        found.append((f"/dev/{chr(97 + number)}", slot, state, flags))
    return [one for one in found if one[2]]


def array(
    listed: list[Listed],
    *,
    details: Details = DETAILS,
    action: str = "idle",
    **changed: Any,
) -> Array:
    """The array `system`, level 1 with two places, as the document has it."""
    entry = {
        "path": "/dev/md127",
        "name": "/dev/md/system",
        "uuid": UUID,
        "level": "raid1",
        "metadata": "1.2",
        "bitmap": True,
        "devices": 2,
        "chunk": 0,
        "size": 255 * MIB,
        "state": ["clean"],
        "sync": {"action": action, "done": None if action == "idle" else 0.34},
        "members": [
            {"path": path, "slot": slot, "state": state, "flags": flags.split(",")}
            for path, slot, state, flags in listed
        ],
        **changed,
    }
    return Array.of(entry, details)


def blank(path: str, **changed: Any) -> Device:
    """An empty device of 256 MiB."""
    return replace(Device(path, path, size=256 * MIB), **changed)


def block(uuid: str = UUID, events: int = 5, name: str = "host:system") -> Superblock:
    """A superblock of a mirror."""
    return Superblock(uuid, name, "raid1", 2, events)


def planned(wanted: Wanted, running: Array | None, *devices: Device, configured: str = "") -> Draft:
    """The plan; devices that aren't given are empty."""
    known = {one.path: one for one in devices}
    named = {path: known.get(path) or blank(path) for path in wanted.devices}
    others = {one.path: blank(one.path) for one in (running.members if running else ())}
    return plan(Draft(wanted, running, {**others, **named}, hostname="host"), configured)


def steps(*given: Any, **options: Any) -> list[str]:
    """The steps of a plan, without `mdadm` and the path of the array that runs."""
    texts = [step.text for step in planned(*given, **options).steps]
    return [text.removeprefix("mdadm ").removeprefix("/dev/md127 ") for text in texts]
