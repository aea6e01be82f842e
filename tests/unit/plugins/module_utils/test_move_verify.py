# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A system that was moved is looked at before anybody relies on it."""

from __future__ import annotations

from typing import cast

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils import _move_verify
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Device,
    Document,
)
from ansible_collections.servertechnik.core.plugins.module_utils._move_plan import Target

from tests.unit.plugins.module_utils.mirrors import device, mirrored

MACHINE = mirrored()
DOCUMENT = cast(Document, MACHINE.document)
ROOT = Target("/", device(MACHINE, "/dev/dm-0"), "ext4", ())
# What lsinitramfs(8) lists of Debian 12 and 13, as far as it matters.
NAMES = [
    "cryptroot/crypttab",
    "etc/mdadm/mdadm.conf",
    "usr/lib/modules/6.12.118+deb13-cloud-amd64/kernel/drivers/md/dm-crypt.ko.xz",
    "usr/lib/modules/6.12.118+deb13-cloud-amd64/kernel/drivers/md/raid1.ko.xz",
    "usr/sbin/cryptsetup",
    "usr/sbin/mdadm",
]
LINUX = "\tlinux\t/vmlinuz-6.1.0-56-amd64 {} ro quiet"


def test_initial_file_system_with_all_it_needs_is_fine() -> None:
    assert list(_move_verify.initramfs(NAMES, DOCUMENT, ROOT.device)) == []


@pytest.mark.parametrize(("at", "lacks"), list(enumerate(NAMES)))
def test_each_thing_that_it_lacks_is_told(at: int, lacks: str) -> None:
    told = list(_move_verify.initramfs(NAMES[:at] + NAMES[at + 1 :], DOCUMENT, ROOT.device))
    assert len(told) == 1
    assert lacks.rpartition("/")[2].removesuffix(".xz") in told[0]


def test_plain_disk_needs_nothing() -> None:
    assert list(_move_verify.initramfs([], DOCUMENT, device(MACHINE, "/dev/sdc1"))) == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([LINUX.format("root=UUID=new-root")], ""),
        ([LINUX.format("root=/dev/mapper/root")], ""),
        ([], "GRUB knows no kernel"),
        ([LINUX.format("root=UUID=new-root"), LINUX.format("root=UUID=old-root")], "UUID=old-root"),
    ],
)
def test_every_kernel_must_be_told_the_new_root(lines: list[str], words: str) -> None:
    told = "".join(_move_verify.grub("\n".join(lines), ROOT))
    assert words in told
    assert bool(words) == bool(told)


def test_volume_is_known_by_its_second_name() -> None:
    volume = {**device(MACHINE, "/dev/dm-0"), "kind": "lvm", "name": "/dev/main-a/root"}
    root = Target("/", cast(Device, volume), "ext4", ())
    assert list(_move_verify.grub(LINUX.format("root=/dev/mapper/main--a-root"), root)) == []


def test_fstab_must_name_the_new_place() -> None:
    assert list(_move_verify.fstab("UUID=new-root / ext4 defaults 0 1\n", [ROOT])) == []
    assert list(_move_verify.fstab("UUID=old-root / ext4 defaults 0 1\n", [ROOT]))


def test_only_programs_and_kernels_must_be_the_same() -> None:
    itemized = (
        ".d..t...... usr/bin/\n"
        ">f.st...... usr/bin/passwd\n"
        ">f.st...... boot/vmlinuz-6.1.0-56-amd64\n"
        ">f.st...... boot/initrd.img-6.1.0-56-amd64\n"
        ">f+++++++++ var/log/syslog\n"
        "*deleting   usr/sbin/grub-install\n"
    )
    assert list(_move_verify.differing("/", itemized)) == [
        "/usr/bin/passwd is not as it was",
        "/boot/vmlinuz-6.1.0-56-amd64 is not as it was",
    ]
    assert list(_move_verify.differing("/usr", ">f.st...... bin/x")) == [
        "/usr/bin/x is not as it was"
    ]
