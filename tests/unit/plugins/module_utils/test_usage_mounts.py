# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._usage_mounts import (
    UsageError,
    figures,
    hiding,
    holding,
    is_network,
    local,
    parse,
    plain,
    visible,
    whole,
)

# A Debian 12 server with LVM, a container, a bind mount, two mounts at one place, and a share.
MOUNTINFO = r"""
22 28 0:20 / /proc rw,nosuid shared:12 - proc proc rw
25 1 253:0 / / rw,relatime shared:1 - ext4 /dev/mapper/main-root rw
30 25 253:1 / /var rw,nodev shared:5 - ext4 /dev/mapper/main-var rw
31 30 253:1 /lib/docker /srv/docker rw,nodev shared:5 - ext4 /dev/mapper/main-var rw
32 30 253:1 /lib/docker/overlay /var/lib/docker/overlay rw - ext4 /dev/mapper/main-var rw
40 25 0:45 / /srv/with\040space rw - nfs4 files.example.org:/export rw
41 25 8:1 / /mnt rw - ext4 /dev/sda1 rw
42 41 8:17 / /mnt rw - xfs /dev/sdb1 rw
43 25 0:50 / /scratch rw - tmpfs tmpfs rw
44 25 0:51 / /dev rw - tmpfs udev rw
""".strip()
MOUNTS = visible(parse(MOUNTINFO))


def test_mounts_are_read() -> None:
    share = MOUNTS[5]
    assert (share.number, share.device, share.type) == (40, "0:45", "nfs4")
    assert share.target == "/srv/with space"
    assert share.source == "files.example.org:/export"
    assert MOUNTS[3].root == "/lib/docker"


def test_names_that_are_no_text_stay_what_they_are() -> None:
    assert plain(r"/a\134b\012c") == "/a\\b\nc"
    assert plain("/\udcff") == "/\udcff"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/", "/"),
        ("/variable", "/"),
        ("/var", "/var"),
        ("/var/log/x", "/var"),
        ("/srv/with space/x", "/srv/with space"),
    ],
)
def test_the_mount_that_holds_a_path(path: str, target: str) -> None:
    assert holding(MOUNTS, path).target == target


def test_of_two_mounts_at_one_place_the_later_holds() -> None:
    assert holding(MOUNTS, "/mnt/x").source == "/dev/sdb1"


def test_what_another_mount_covers_is_not_visible() -> None:
    # A dead share over /srv covers a disk that was mounted below it, but not /srv2.
    text = """
25 1 253:0 / / rw - ext4 /dev/sda1 rw
26 25 8:2 / /srv/data rw - ext4 /dev/sda2 rw
27 26 8:3 / /srv/data/more rw - ext4 /dev/sda3 rw
28 25 0:45 / /srv rw - nfs4 files.example.org:/export rw
29 28 8:4 / /srv/inside rw - ext4 /dev/sda4 rw
30 25 8:5 / /srv2 rw - ext4 /dev/sda5 rw
""".strip()
    seen = visible(parse(text))
    assert [one.target for one in seen] == ["/", "/srv", "/srv/inside", "/srv2"]
    assert [one.target for one in local(seen)] == ["/", "/srv/inside", "/srv2"]


def test_a_relative_path_is_on_no_mount() -> None:
    with pytest.raises(UsageError, match="accepted: an absolute path"):
        holding([], "var")


def test_a_file_system_is_seen_as_a_whole() -> None:
    assert whole(MOUNTS, holding(MOUNTS, "/srv/docker/x")).target == "/var"


def test_local_ones_are_those_that_hold_data_and_can_be_seen() -> None:
    assert [one.target for one in local(MOUNTS)] == ["/", "/var", "/mnt", "/scratch"]


def test_what_is_hidden_is_not_what_is_mounted_onto_itself() -> None:
    var = holding(MOUNTS, "/var")
    assert "/var/lib/docker/overlay" not in hiding(MOUNTS, var)
    assert "/srv/docker" in hiding(MOUNTS, var)
    assert "/var" not in hiding(MOUNTS, var)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "fuse.sshfs", "fuse.unheard-of", "9p"])
def test_network_types(kind: str) -> None:
    assert is_network(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "fuseblk", "fuse.lxcfs", "tmpfs"])
def test_local_types(kind: str) -> None:
    assert not is_network(kind)


def test_figures_are_those_of_df() -> None:
    # df of the same: 1K-blocks 1000, used 900, available 50, 95 %; 7 of 100 inodes.
    found = SimpleNamespace(
        f_frsize=1024, f_blocks=1000, f_bfree=100, f_bavail=50, f_files=100, f_ffree=93
    )
    assert figures(found) == {
        "size": 1024000,
        "used": 921600,
        "available": 51200,
        "reserved": 51200,
        "percent": 95,
        "inodes": 100,
        "inodes_used": 7,
        "inodes_percent": 7,
    }


def test_figures_of_one_that_counts_no_inodes() -> None:
    found = SimpleNamespace(f_frsize=1, f_blocks=0, f_bfree=0, f_bavail=0, f_files=0, f_ffree=0)
    assert figures(found)["inodes_percent"] == figures(found)["percent"] == 0
