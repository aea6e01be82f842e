# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A tree like that of the kernel: what has no place in a machine of QEMU."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils import _disk_sysfs
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host

SAS = "devices/pci0000:00/0000:00:02.0/0000:03:00.0/host0/target0:2:0/0:2:0:0"
NVME = "devices/pci0000:00/0000:00:03.0/0000:04:00.0/nvme/nvme0"


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")


def link(root: Path, name: str, to: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(root / to)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    files = {
        f"{SAS}/state": "running",
        f"{SAS}/ioerr_cnt": "0x1c",
        f"{SAS}/enclosure_device:Slot 03/locate": "0",
        f"{SAS}/block/sda/sda1/start": "2048",
        f"{SAS}/block/sda/sda1/partition": "1",
        "class/scsi_host/host0/proc_name": "megaraid_sas",
        f"{NVME}/state": "live",
        f"{NVME}/nvme0n1/size": "1",
        "bus/pci/slots/7/address": "0000:04:00",
        "bus/pci/drivers/megaraid_sas/0000:03:00.0/class": "0x010400",
        "bus/pci/drivers/megaraid_sas/bind": "",
        "bus/pci/drivers/ahci/0000:00:17.0/class": "0x010601",
        "bus/pci/devices/0000:00:17.0/remapped_nvme": "2",
        "devices/virtual/block/dm-0/dm/name": "vg--a-lv",
        "devices/virtual/block/dm-0/dm/uuid": "LVM-abc",
        "devices/virtual/block/dm-0/slaves/sda1": "",
        "devices/virtual/block/md0/md/level": "raid1",
        "devices/virtual/block/md0/md/dev-sda1/state": "in_sync",
        "fs/ext4/dm-0/errors_count": "3",
        "fs/ext4/features/casefold": "supported",
    }
    write(tmp_path, files)
    for name, to in {
        "sda": f"{SAS}/block/sda",
        "sda1": f"{SAS}/block/sda/sda1",
        "nvme0n1": f"{NVME}/nvme0n1",
        "dm-0": "devices/virtual/block/dm-0",
        "md0": "devices/virtual/block/md0",
    }.items():
        link(tmp_path, f"sys/class/block/{name}", f"sys/{to}")
    link(tmp_path, f"sys/{SAS}/block/sda/device", f"sys/{SAS}")
    link(tmp_path, f"sys/{NVME}/nvme0n1/device", f"sys/{NVME}")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/sda").write_text("")
    (tmp_path / "dev/dm-0").write_text("")
    link(tmp_path, "dev/disk/by-id/wwn-0x5000", "dev/sda")
    link(tmp_path, "dev/vg-a/lv", "dev/dm-0")
    return Host(str(tmp_path))


def test_devices(host: Host) -> None:
    assert _disk_sysfs.blocks(host) == {
        "dm-0": {
            "at": "/sys/devices/virtual/block/dm-0",
            "slaves": ["sda1"],
            "dm": {"name": "vg--a-lv", "uuid": "LVM-abc"},
        },
        "md0": {
            "at": "/sys/devices/virtual/block/md0",
            "md": {"level": "raid1", "members": {"sda1": {"state": "in_sync"}}},
        },
        "nvme0n1": {
            "at": f"/sys/{NVME}/nvme0n1",
            "physical": True,
            "state": "live",
            "slot": "PCI slot 7",
        },
        "sda": {
            "at": f"/sys/{SAS}/block/sda",
            "physical": True,
            "state": "running",
            "ioerr_cnt": "0x1c",
            "driver": "megaraid_sas",
            "slot": "Slot 03",
        },
        "sda1": {"at": f"/sys/{SAS}/block/sda/sda1", "start": "2048", "partition": "1"},
    }


def test_controllers(host: Host) -> None:
    assert _disk_sysfs.pci(host) == {
        "0000:03:00.0": {"driver": "megaraid_sas", "remapped_nvme": None},
        "0000:00:17.0": {"driver": "ahci", "remapped_nvme": "2"},
    }


def test_links(host: Host) -> None:
    found = _disk_sysfs.links(host, _disk_sysfs.blocks(host))
    assert found == {"/dev/disk/by-id/wwn-0x5000": "sda", "/dev/vg-a/lv": "dm-0"}


def test_errors_of_ext4(host: Host) -> None:
    assert _disk_sysfs.errors(host) == {"/dev/dm-0": 3}


def test_a_host_without_anything(tmp_path: Path) -> None:
    host = Host(str(tmp_path))
    assert (_disk_sysfs.blocks(host), _disk_sysfs.pci(host)) == ({}, {})
    assert (_disk_sysfs.links(host, {}), _disk_sysfs.errors(host)) == ({}, {})
