# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A host whose system is on one disk, with an encrypted mirror beside it, as a document."""

from __future__ import annotations

from typing import Any

from tests.unit.plugins.module_utils.replacements import Machine

EFI = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
BIOS = "21686148-6449-6e6f-744e-656564454649"


def mirrored(area: str = BIOS, metadata: str = "1.0") -> Machine:
    """Disks A and B with mirrors: `boot`, `system` (encrypted, for the root), with EFI `efi`.

    The system itself is on a third disk.
    """
    machine = Machine()
    for serial in ("A", "B"):
        disk = machine.disk(serial, ("area", 1), ("boot", 100), ("system", 800))
        disk["partitions"][0]["type"] = area
        disk["links"] = [f"/dev/disk/by-id/ata-Example_{serial}", f"/dev/disk/by-id/wwn-{serial}"]
    machine.disk("OLD", ("root", 500), ("swap", 100))
    machine.holds("/dev/sdc1", "ext4", ["/"], "old-root")
    machine.holds("/dev/sdc2", "swap", ["[SWAP]"], "old-swap")
    boot = machine.array("boot", "raid1", "/dev/sda2", "/dev/sdb2")
    machine.holds(boot["path"], "ext4", uuid="new-boot")
    system = machine.array("system", "raid1", "/dev/sda3", "/dev/sdb3")
    machine.holds(system["path"], "crypto_LUKS", uuid="luks")
    machine.device("/dev/dm-0", "crypt", system["path"], type="ext4", uuid="new-root")
    machine.document["devices"][-1]["name"] = "/dev/mapper/root"
    luks: dict[str, Any] = {"device": system["path"], "name": "root", "uuid": "luks"}
    machine.document["luks"].append(luks)
    if area == EFI:
        esp = machine.array("efi", "raid1", "/dev/sda1", "/dev/sdb1")
        esp["metadata"] = metadata
        machine.holds(esp["path"], "vfat", uuid="ABCD-EF01")
    machine.document["file_systems"].append({"target": "/", "used": 300 << 20})
    machine.document["configured"] = {
        "fstab": [
            {"spec": "UUID=old-root", "target": "/", "type": "ext4", "path": "/dev/sdc1"},
            {"spec": "UUID=old-swap", "target": "none", "type": "swap", "path": "/dev/sdc2"},
        ],
        "crypttab": [],
        "mdadm": [],
    }
    return machine


def device(machine: Machine, path: str) -> Any:
    """The device at that path."""
    return next(one for one in machine.document["devices"] if one["path"] == path)
