# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import pytest
from testinfra.host import Host


@pytest.mark.parametrize(
    ("mount", "wanted", "unwanted"),
    [
        ("/srv/memory", {"nodev", "nosuid", "size=16384k", "mode=755"}, "noexec"),
        ("/var/tmp", {"nodev", "nosuid", "noexec"}, "mode=755"),  # noqa: S108 -- a mount point
        ("/srv/deep/with-dash", {"nodev", "nosuid"}, "noexec"),
    ],
)
def test_memory_is_mounted_with_the_options_of_its_place(
    host: Host, mount: str, wanted: set[str], unwanted: str
) -> None:
    mounted = host.mount_point(mount)
    assert mounted.filesystem == "tmpfs"
    assert wanted <= set(mounted.options)
    assert unwanted not in mounted.options


@pytest.mark.parametrize(
    "unit", ["srv-memory.mount", "var-tmp.mount", r"srv-deep-with\x2ddash.mount"]
)
def test_it_is_mounted_at_boot(host: Host, unit: str) -> None:
    link = f"/etc/systemd/system/local-fs.target.wants/{unit}"
    assert host.file(link).is_symlink


def test_what_is_absent_is_not_mounted(host: Host) -> None:
    assert not host.file("/etc/systemd/system/srv-former.mount").exists
    assert not host.mount_point("/srv/former").exists
