# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Controllers that hide disks: hardware RAID, and NVMe that firmware has remapped. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import Controller, Raw
from ansible_collections.servertechnik.core.plugins.module_utils._disk_values import (
    at,
    count,
    word,
)

# The drivers of the kernel for hardware RAID, and how to look behind them.
RAID = {
    "megaraid_sas": "smartctl --device=megaraid,N; storcli /call show all",
    "mpi3mr": "storcli2 /call show all",
    "mpt3sas": "mpt3sas shows disks as they are, unless they are in one of its volumes; sas3ircu",
    "hpsa": "smartctl --device=cciss,N /dev/sgN; ssacli ctrl all show config",
    "smartpqi": "smartctl --device=cciss,N /dev/sgN; ssacli ctrl all show config",
    "aacraid": "smartctl --device=aacraid,H,L,ID; arcconf getconfig 1",
    "arcmsr": "smartctl --device=areca,N /dev/sgN",
    "3w-9xxx": "smartctl --device=3ware,N /dev/twa0",
    "3w-sas": "smartctl --device=3ware,N /dev/twl0",
    "megaraid_mbox": "smartctl --device=megaraid,N",
}
# Intel's firmware can give NVMe to the AHCI controller, where Linux can't reach it.
REMAPPED = "ahci"
_REMAPPED_ADVICE = "set the controller to AHCI instead of RAID in the firmware's settings"
_NAMES = {"megaraid_sas": "megaraid", "megaraid_mbox": "megaraid"}
# The channels of SCSI on which a driver shows its volumes, as the driver's source has them
# (MEGASAS_MAX_PD_CHANNELS, RAID_CHANNEL, CONTAINER_CHANNEL); on others are single disks.
_VOLUMES = {"megaraid_sas": (2, 3), "mpt3sas": (1,), "mpi3mr": (1,), "aacraid": (0,)}
_LEVEL_OF_A_DISK = "N/A"  # raid_level of hpsa and smartpqi


def controllers(raw: Raw, hidden: Mapping[str, int]) -> list[Controller]:
    """Return the controllers that may hide disks.

    `hidden` is how many smartctl has found behind each kind, by the word in `behind`.
    """
    found: list[Controller] = []
    for address, said in sorted((raw.get("pci") or {}).items()):
        driver, remapped = word(at(said, "driver")), count(at(said, "remapped_nvme"))
        one: Controller = {"driver": driver, "address": address, "hidden": None, "advice": ""}
        if driver in RAID:
            name = behind_name(driver)
            found.append({**one, "hidden": hidden.get(name), "advice": RAID[driver]})
        elif driver == REMAPPED and remapped:
            found.append({**one, "hidden": remapped, "advice": _REMAPPED_ADVICE})
    return found


def behind_name(driver: str) -> str:
    """Return what a driver is called in `behind`."""
    return _NAMES.get(driver, driver)


def behind(sysfs: Mapping[str, Any] | None, hctl: str) -> str:
    """Return what hides the disks below a device; empty if it is a disk itself.

    `sysfs` has `driver`, the name of the SCSI host's driver, and `raid_level`.
    """
    driver = word(at(sysfs, "driver"))
    if driver not in RAID:
        return ""
    level = word(at(sysfs, "raid_level"))
    if level:
        return "" if level == _LEVEL_OF_A_DISK else behind_name(driver)
    channels = _VOLUMES.get(driver)
    channel = hctl.split(":")[1] if hctl.count(":") == 3 else ""  # noqa: PLR2004 -- H:C:T:L
    single = channels is not None and channel.isdecimal() and int(channel) not in channels
    return "" if single else behind_name(driver)
