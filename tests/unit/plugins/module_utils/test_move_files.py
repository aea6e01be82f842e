# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The files that tell a system where it lives."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils import _move_files
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import Document
from ansible_collections.servertechnik.core.plugins.module_utils._move_plan import (
    MoveError,
    Target,
    targets,
    wanted,
)

from tests.unit.plugins.module_utils.mirrors import EFI, mirrored

MOUNTS = {"/": "/dev/dm-0", "/boot": "/dev/md127", "/boot/efi": "/dev/md125"}
DOCUMENT = cast(Document, mirrored(EFI).document)


def onto(**options: list[str]) -> list[Target]:
    """The mirror as targets; `root` are the options of the root."""
    asked: list[Any] = [
        {"mount": mount, "device": path, "path": path, "options": options.get(mount, []), "here": 0}
        for mount, path in MOUNTS.items()
    ]
    return targets(DOCUMENT, wanted(asked), "/place")


def test_fstab_names_the_new_place_and_keeps_the_rest() -> None:
    former = (
        "# /etc/fstab\n"
        "UUID=old-root / ext4 errors=remount-ro 0 1\n"
        "UUID=old-swap none swap sw 0 0\n"
        "\tLABEL=data /srv xfs noatime 0 2\n"
    )
    found = _move_files.fstab(former, onto(), DOCUMENT["configured"]["fstab"])
    assert found == (
        "UUID=new-root / ext4 errors=remount-ro 0 1\n"
        "UUID=new-boot /boot ext4 defaults 0 2\n"
        "UUID=ABCD-EF01 /boot/efi vfat umask=0077 0 2\n"
        "# /etc/fstab\n"
        "\tLABEL=data /srv xfs noatime 0 2\n"
    )
    assert _move_files.fstab(found, onto(), []) == found


def test_options_that_were_asked_for_are_taken() -> None:
    assert "UUID=new-root / ext4 noatime,acl 0 1\n" in _move_files.fstab(
        "", onto(**{"/": ["noatime", "acl"]}), []
    )


@pytest.mark.parametrize(
    ("former", "found"),
    [
        ("", "root\tUUID=luks\tnone\tluks,initramfs\n"),
        ("# all\nroot UUID=luks none\n", "# all\nroot\tUUID=luks\tnone\tluks,initramfs\n"),
        (
            "data UUID=d /key luks\nroot UUID=luks none luks,discard,initramfs\n",
            "data UUID=d /key luks\nroot\tUUID=luks\tnone\tluks,discard,initramfs\n",
        ),
    ],
)
def test_crypttab_opens_the_root_early_and_asks_for_it(former: str, found: str) -> None:
    needed = _move_files.containers(DOCUMENT, onto())
    assert _move_files.crypttab(former, needed) == found


def test_key_of_the_root_that_is_a_file_is_refused() -> None:
    needed = _move_files.containers(DOCUMENT, onto())
    with pytest.raises(MoveError, match="holds the root, is /etc/key; accepted: none"):
        _move_files.crypttab("root UUID=luks /etc/key luks\n", needed)


def test_arrays_that_mdadm_does_not_know_are_added() -> None:
    document: Any = {**DOCUMENT, "configured": {"mdadm": [{"uuid": "system"}]}}
    added = _move_files.mdadm("HOMEHOST <system>", document, onto()).splitlines()
    assert added[0] == "HOMEHOST <system>"
    assert [line.split()[1] for line in added[1:]] == ["/dev/md/boot", "/dev/md/efi"]


@pytest.mark.parametrize(
    ("command_line", "configured", "lines"),
    [
        ("root=x quiet", "", []),
        ("root=x console=tty0", "", []),
        ("console=ttyS1,9600n8 x", "", ["console=ttyS1,9600n8", "--unit=1 --speed=9600"]),
        ("console=tty0 console=ttyS0", "", ["console=tty0 console=ttyS0", "--speed=115200"]),
        ("console=ttyS0", 'GRUB_CMDLINE_LINUX="console=ttyS0"', []),
    ],
)
def test_serial_console_stays_the_console(
    command_line: str, configured: str, lines: list[str]
) -> None:
    found = _move_files.console(command_line, configured)
    assert bool(found) == bool(lines)
    assert all(line in found for line in lines)
