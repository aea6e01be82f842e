# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Mounts with their space, and fstab, crypttab and mdadm.conf."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._blocks import devices, listed
from ansible_collections.servertechnik.core.plugins.module_utils._disk_mounts import (
    by_device,
    configured,
    file_systems,
    mounted,
)
from hypothesis import given
from hypothesis import strategies as st

# /proc/self/mountinfo of a machine of Debian 12.
ROOT = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro"
PROC = "24 22 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw"
RUN = "26 22 0:24 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,size=75M"
SRV = "60 22 252:1 / /srv rw,nodev,relatime shared:30 - ext4 /dev/mapper/main-srv rw"
BOUND = "70 22 252:1 /www /var/www rw,relatime shared:30 - ext4 /dev/mapper/main-srv rw"
BTRFS = (
    "80 22 0:44 /@ /media rw,relatime shared:40 - btrfs /dev/nvme0n1 rw,space_cache=v2,subvol=/@"
)
NFS = "90 22 0:55 / /mnt/away rw,relatime shared:50 - nfs4 files.example.org:/ rw,vers=4.2"
SPACE = {"block": 4096, "blocks": 100, "free": 40, "available": 30, "files": 50, "files_free": 45}
NUMBERS = {"254:0": "/dev/vda", "252:1": "/dev/dm-1", "259:0": "/dev/nvme0n1", "252:2": "/dev/dm-2"}
REAL = {"/dev/mapper/main-srv": "/dev/dm-1", "/dev/mapper/main-swap": "/dev/dm-2"}


def found(*lines: str, fstab: str = "") -> list[Any]:
    unread: list[str] = []
    mounts = mounted("\n".join(lines), unread)
    assert unread == []
    raw = {"space": {one.target: SPACE for one in mounts}, "files": {"/etc/fstab": fstab}}
    entries = configured(raw, [], [])["fstab"]
    return list(file_systems(raw, mounts, NUMBERS, REAL, entries))


def test_file_systems_of_the_host_itself() -> None:
    said = found(ROOT, PROC, RUN, SRV, BOUND, BTRFS, NFS)
    assert [(one["target"], one["source"]) for one in said] == [
        ("/", "/dev/vda"),
        ("/media", "/dev/nvme0n1"),
        ("/run", "tmpfs"),
        ("/srv", "/dev/dm-1"),
    ]
    assert said[0] == {
        "target": "/",
        "source": "/dev/vda",
        "type": "ext4",
        "options": ["rw", "relatime", "errors=remount-ro"],
        "size": 409600,
        "used": 245760,
        "available": 122880,
        "inodes": 50,
        "inodes_free": 45,
        "read_only": False,
        "remounted_read_only": False,
        "errors": 0,
    }


@pytest.mark.parametrize(
    ("line", "fstab", "read_only", "remounted"),
    [
        (SRV, "", False, False),
        # What ext4 does when it finds an error: the mount stays writable, the whole doesn't.
        (SRV.replace("main-srv rw", "main-srv ro"), "", True, True),
        (SRV.replace("rw", "ro"), "", True, False),
        (SRV.replace("rw", "ro"), "UUID=1 /srv ext4 defaults 0 2", True, True),
        (SRV.replace("rw", "ro"), "UUID=1 /srv ext4 ro,nodev 0 2", True, False),
        ("9 1 7:0 / /x rw shared:1 - squashfs /dev/loop0 ro", "", True, False),
    ],
)
def test_read_only(line: str, fstab: str, read_only: bool, remounted: bool) -> None:
    (one,) = found(line, fstab=fstab)
    assert (one["read_only"], one["remounted_read_only"]) == (read_only, remounted)


def test_later_mounts_cover_earlier_ones() -> None:
    (one,) = found(SRV, BTRFS.replace("/media", "/srv"))
    assert one["type"] == "btrfs"


def test_mounts_of_each_device() -> None:
    swaps = (
        "Filename Type Size Used Priority\n/dev/dm-2 partition 40956 0 -2\n/swapfile file 9 0 -3"
    )
    mounts = mounted("\n".join([SRV, BOUND, BTRFS, PROC]), [])
    assert by_device(mounts, swaps, NUMBERS, REAL) == {
        "/dev/dm-1": [
            {"target": "/srv", "options": ["rw", "nodev", "relatime"]},
            {"target": "/var/www", "options": ["rw", "relatime"]},
        ],
        "/dev/nvme0n1": [
            {
                "target": "/media",
                "options": ["rw", "relatime", "space_cache=v2", "subvol=/@"],
            }
        ],
        "/dev/dm-2": [{"target": "[SWAP]", "options": []}],
    }


def test_blanks_in_names() -> None:
    (one,) = mounted(SRV.replace("/srv", "/srv/a\\040b"), [])
    assert one.target == "/srv/a b"


FILES = {
    "/etc/fstab": """
# comment
UUID=0f3a /srv\\040x ext4 defaults,nodev 0 2
/dev/disk/by-label/data /data xfs
LABEL="old" none swap sw 0 0
PARTUUID=9c /boot/efi vfat umask=0077
""",
    "/etc/crypttab": """
system UUID=1b none luks,discard
swap /dev/vdb3 /dev/urandom
""",
    "/etc/mdadm/mdadm.conf": """
HOMEHOST <system>
ARRAY /dev/md/system metadata=1.2
   UUID=6ab2c3f1:0a1b2c3d:11111111:22222222 name=any:system
ARRAY <ignore> UUID=00000000:00000000:00000000:00000001
array "/dev/md/x y" UUID=00000000:00000000:00000000:00000002 # not this=that
""",
}
LSBLK = """{"blockdevices": [
{"kname": "dm-1", "path": "/dev/mapper/main-srv", "type": "lvm", "uuid": "0f3a", "size": 1},
{"kname": "vdc", "path": "/dev/vdc", "type": "disk", "fstype": "xfs", "label": "data", "size": 1},
{"kname": "vdd1", "path": "/dev/vdd1", "type": "part", "fstype": "linux_raid_member",
 "uuid": "1b", "label": "old", "size": 1}]}"""


def test_what_is_configured() -> None:
    raw = {"files": FILES, "lsblk": LSBLK, "links": {"/dev/disk/by-label/data": "vdc"}}
    part: Any = {"path": "/dev/vdd2", "uuid": "9c", "name": "efi"}
    said = configured(raw, devices(raw, listed(raw, []), {}, []), [part])
    assert [(one["target"], one["type"], one["path"]) for one in said["fstab"]] == [
        ("/srv x", "ext4", "/dev/dm-1"),
        ("/data", "xfs", "/dev/vdc"),
        ("none", "swap", ""),
        ("/boot/efi", "vfat", "/dev/vdd2"),
    ]
    assert said["fstab"][0]["options"] == ["defaults", "nodev"]
    assert said["crypttab"] == [
        {"name": "system", "device": "UUID=1b", "key": "none", "options": ["luks", "discard"]},
        {"name": "swap", "device": "/dev/vdb3", "key": "/dev/urandom", "options": []},
    ]
    assert said["mdadm"] == [
        {
            "path": "/dev/md/system",
            "uuid": "6ab2c3f1:0a1b2c3d:11111111:22222222",
            "name": "any:system",
        },
        {"path": "<ignore>", "uuid": "00000000:00000000:00000000:00000001", "name": ""},
        {"path": "/dev/md/x y", "uuid": "00000000:00000000:00000000:00000002", "name": ""},
    ]


def test_a_line_that_is_none_is_named() -> None:
    unread: list[str] = []
    assert [one.target for one in mounted(f"{ROOT}\n22 1 254:0", unread)] == ["/"]
    assert unread == [
        "mountinfo: found '22 1 254:0', accepted: a line of proc_pid_mountinfo(5)",
    ]


@given(st.text(), st.text(), st.text(), st.text())
def test_damage_is_survived(mountinfo: str, fstab: str, crypttab: str, mdadm: str) -> None:
    names = ("/etc/fstab", "/etc/crypttab", "/etc/mdadm/mdadm.conf")
    files = dict(zip(names, (fstab, crypttab, mdadm), strict=True))
    configured({"files": files}, [], [])
    mounted(mountinfo, [])
    by_device([], fstab, {}, {})
