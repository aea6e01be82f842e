# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._model import PackageState
from ansible_collections.servertechnik.core.plugins.module_utils._packages import (
    POLICY,
    needs_lists,
    parse_status,
    policy,
    surprises,
)

# Excerpts of /var/lib/dpkg/status, long fields left out; sudo was put on hold.
BOOKWORM = b"""\
Package: dbus
Status: install ok installed
Priority: standard
Architecture: amd64
Multi-Arch: foreign
Version: 1.14.10-1~deb12u1
Provides: dbus-system-bus (= 1.14.10-1~deb12u1), default-dbus-system-bus
Description: simple interprocess messaging system (system message bus)
 D-Bus is a message bus.

Package: libc6
Status: install ok installed
Priority: optional
Architecture: amd64
Multi-Arch: same
Version: 2.36-9+deb12u14
Description: GNU C Library: Shared libraries

Package: sudo
Status: hold ok installed
Priority: optional
Architecture: amd64
Version: 1.9.13p3-1+deb12u4
Description: Provide limited super user privileges to specific users

"""
TRIXIE = b"""\
Package: libc6
Status: install ok installed
Priority: optional
Architecture: amd64
Multi-Arch: same
Version: 2.41-12+deb13u5

Package: libc6
Status: install ok unpacked
Architecture: i386
Multi-Arch: same
Version: 2.41-12+deb13u5

Package: tzdata
Status: install ok triggers-pending
Architecture: all
Version: 2026f-0+deb13u1
Provides: tzdata-trixie

Package: chrony
Status: deinstall ok config-files
Architecture: amd64
Version: 4.6.1-3+deb13u2

Package: story-three
Status: install ok half-configured
Architecture: all
Version: 1
"""


@pytest.mark.parametrize(
    ("status", "name", "version", "held"),
    [
        (BOOKWORM, "dbus", "1.14.10-1~deb12u1", False),
        (BOOKWORM, "libc6", "2.36-9+deb12u14", False),
        (BOOKWORM, "libc6:amd64", "2.36-9+deb12u14", False),
        (BOOKWORM, "libc6:i386", None, False),
        (BOOKWORM, "sudo", "1.9.13p3-1+deb12u4", True),
        (BOOKWORM, "dbus-system-bus", None, False),
        (BOOKWORM, "D-Bus", None, False),
        (TRIXIE, "libc6", "2.41-12+deb13u5", False),
        (TRIXIE, "libc6:i386", None, False),
        (TRIXIE, "tzdata", "2026f-0+deb13u1", False),
        (TRIXIE, "chrony", None, False),
        (TRIXIE, "story-three", None, False),
        (b"", "chrony", None, False),
    ],
)
def test_status(status: bytes, name: str, version: str | None, held: bool) -> None:
    assert parse_status(status, [name]) == {name: PackageState(version=version, held=held)}


# What `apt-get --quiet=2 --assume-yes --simulate install chrony` says on a fresh host.
CHRONY = """\
Remv systemd-timesyncd [257.13-1~deb13u1]
Inst libunistring5 (1.3-2 Debian:13.8/stable [amd64])
Inst chrony (4.6.1-3+deb13u2 Debian:13.8/stable [amd64])
Conf libunistring5 (1.3-2 Debian:13.8/stable [amd64])
Conf chrony (4.6.1-3+deb13u2 Debian:13.8/stable [amd64])
"""
LSOF = """\
Inst lsof (4.95.0-1 Debian:12.15/oldstable [amd64])
Conf lsof (4.95.0-1 Debian:12.15/oldstable [amd64])
"""


@pytest.mark.parametrize(
    ("said", "removable", "found"),
    [
        (LSOF, set(), []),
        (CHRONY, set(), ["systemd-timesyncd"]),
        (CHRONY, {"systemd-timesyncd"}, []),
        (CHRONY, {"chrony"}, ["systemd-timesyncd"]),
        ("Remv libc6:i386 [2.41]\nRemv a [1]\n", {"libc6"}, ["a"]),
    ],
)
def test_surprises(said: str, removable: set[str], found: list[str]) -> None:
    assert surprises(said, removable) == found


@pytest.mark.parametrize(
    ("said", "needed"),
    [
        (LSOF, False),
        ("E: Unable to locate package no-such-package", True),
        ("E: Version '0.0' for 'lsof' was not found", True),
        ("E: Package 'x' has no installation candidate", True),
        ("E: Failed to fetch http://192.0.2.1/lsof_4.95.0-1_amd64.deb  404  Not Found", True),
        ("E: Held packages were changed and -y was used without "
         "--allow-change-held-packages.", False),
    ],
)  # fmt: skip
def test_lists_that_are_too_old(said: str, needed: bool) -> None:
    assert needs_lists(said) is needed


UNITS = ["chrony.service", "serial-getty@ttyS0.service"]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("chrony", "start"), 101),
        (("chrony.service", "restart"), 101),
        (("--quiet", "chrony", "start"), 101),
        (("serial-getty@ttyS0.service", "start"), 101),
        (("ssh", "start"), 0),
        (("chrony-wait.service", "start"), 0),
        (("chron?", "start"), 0),
        ((), 0),
    ],
)
def test_policy_keeps_only_the_named_units(
    tmp_path: Path, words: tuple[str, ...], status: int
) -> None:
    script = tmp_path / "policy-rc.d"
    script.write_text(policy(UNITS, former=False))
    assert subprocess.run(["sh", script, *words], check=False).returncode == status


@pytest.mark.parametrize(("words", "status"), [(("chrony", "start"), 101), (("ssh", "start"), 42)])
def test_policy_leaves_the_rest_to_the_former_one(
    tmp_path: Path, words: tuple[str, ...], status: int
) -> None:
    former = tmp_path / "former"
    former.write_text('#!/bin/sh\n[ "$1 $2" = "ssh start" ] && exit 42\nexit 1\n')
    former.chmod(0o755)
    script = tmp_path / "policy-rc.d"
    script.write_text(policy(UNITS, former=True).replace(f"{POLICY}.servertechnik", str(former)))
    assert subprocess.run(["sh", script, *words], check=False).returncode == status
