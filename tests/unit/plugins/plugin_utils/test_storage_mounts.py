# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.filter.storage_component import (
    storage_component,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_mounts import (
    component_of,
    options_of,
    unit_of,
)

DATA: dict[str, Any] = {
    "device": "/dev/disk/by-uuid/0b9f-56",
    "path": "/dev/dm-3",
    "name": "main/srv",
    "mount": "/srv/a b",
    "type": "ext4",
    "options": ["nodev", "noatime"],
    "here": True,
}
TMP, VAR_TMP = "/tmp", "/var/tmp"  # noqa: S108 -- mount points


@pytest.mark.parametrize(
    ("mount", "kind", "given", "options"),
    [
        ("/", "xfs", [], []),
        ("/", "ext4", [], ["errors=remount-ro"]),
        ("/srv", "xfs", [], ["nodev", "nosuid"]),
        ("/srv", "xfs", ["suid", "noatime"], ["nodev", "suid", "noatime"]),
        ("/home", "xfs", ["nosuid"], ["nodev", "nosuid"]),
        ("/var", "xfs", [], ["nodev", "nosuid"]),
        ("/var/log/audit", "xfs", [], ["nodev", "nosuid", "noexec"]),
        ("/var/logs", "xfs", [], ["nodev", "nosuid"]),
        (VAR_TMP, "tmpfs", ["exec"], ["nodev", "nosuid", "exec"]),
        ("/usr/local", "xfs", [], ["nodev"]),
        ("/boot", "ext4", ["errors=panic"], ["nodev", "nosuid", "noexec", "errors=panic"]),
        ("/boot/efi", "vfat", [], ["nodev", "nosuid", "noexec", "umask=0077"]),
    ],
)
def test_options(mount: str, kind: str, given: list[str], options: list[str]) -> None:
    assert options_of(mount, kind, given) == options


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("/", "-.mount"),
        ("/srv", "srv.mount"),
        ("/srv//data/", "srv-data.mount"),
        ("/srv/with-dash", r"srv-with\x2ddash.mount"),
        ("/srv/a b", r"srv-a\x20b.mount"),
        ("/.hidden/x.y", r"\x2ehidden-x.y.mount"),
        ("/srv/ä", r"srv-\xc3\xa4.mount"),
    ],
)
def test_name_of_a_unit_is_as_systemd_escapes_it(path: str, unit: str) -> None:
    assert unit_of(path, ".mount") == unit


def test_mount_unit() -> None:
    parts = component_of([DATA], [], [])
    (file,) = parts["files"]
    assert file["dest"] == r"/etc/systemd/system/srv-a\x20b.mount"
    check = r"systemd-fsck@dev-disk-by\x2duuid-0b9f\x2d56.service"
    assert file["content"].splitlines() == [
        *("# Managed by Servertechnik: storage_*", "[Unit]"),
        *("Description=main/srv at /srv/a b", f"Requires={check}", f"After={check}", ""),
        *("[Mount]", "What=/dev/disk/by-uuid/0b9f-56", "Where=/srv/a b", "Type=ext4"),
        *("Options=nodev,noatime", "", "[Install]", "WantedBy=local-fs.target"),
    ]
    assert parts["units"] == [{"name": r"srv-a\x20b.mount", "on_change": "reload"}]
    assert parts["verify"] == [{"unit": r"srv-a\x20b.mount"}]


@pytest.mark.parametrize("kind", ["xfs", "btrfs"])
def test_what_checks_itself_is_not_checked_before(kind: str) -> None:
    (file,) = component_of([{**DATA, "type": kind}], [], [])["files"]
    assert "fsck" not in file["content"]


def test_swap_unit() -> None:
    swap = {**DATA, "type": "swap", "mount": "", "options": ["pri=5"]}
    parts = component_of([swap], [], [])
    (file,) = parts["files"]
    assert file["dest"].endswith(r"/dev-disk-by\x2duuid-0b9f\x2d56.swap")
    assert "[Swap]\nWhat=/dev/disk/by-uuid/0b9f-56\nOptions=pri=5\n" in file["content"]
    assert "WantedBy=swap.target" in file["content"]
    assert parts["units"][0]["on_change"] == "restart"


@pytest.mark.parametrize(
    ("tmpfs", "options"),
    [
        ({"mount": TMP}, "nodev,nosuid,noexec,mode=1777"),
        ({"mount": "/srv/m", "size": "20%"}, "nodev,nosuid,mode=0755,size=20%"),
        ({"mount": "/srv/m", "mode": "0700", "options": ["noexec"]},
         "nodev,nosuid,mode=0700,noexec"),
    ],
)  # fmt: skip
def test_memory(tmpfs: dict[str, Any], options: str) -> None:
    (file,) = component_of([], [tmpfs], [])["files"]
    assert f"What=tmpfs\nWhere={tmpfs['mount']}\nType=tmpfs\nOptions={options}\n" in file["content"]


def test_component_leaves_out_what_is_elsewhere_and_unmounts_what_is_absent() -> None:
    parts = storage_component(
        [{**DATA, "here": False}],
        [{"device": "a", "mount": "/srv", "state": "absent"}, {"device": "b", "mount": "/b"}],
        [{"mount": "/old", "state": "absent"}],
    )
    assert parts["files"] == [
        {"dest": "/etc/systemd/system/srv.mount", "state": "absent"},
        {"dest": "/etc/systemd/system/old.mount", "state": "absent"},
    ]
    assert [(u["name"], u["enabled"], u["state"]) for u in parts["units"]] == [
        ("srv.mount", False, "stopped"),
        ("old.mount", False, "stopped"),
    ]
    assert parts["verify"] == []


def test_key_file_is_made_of_the_passphrase_and_shown_nowhere() -> None:
    keys = [
        {"name": "a", "passphrase": "x", "key_file": "/etc/a.key"},
        {"name": "b", "passphrase": "", "key_file": "/etc/b.key"},
        {"name": "c", "passphrase": "x", "key_file": ""},
    ]
    (file,) = storage_component([], [], [], keys)["files"]
    expected = {"dest": "/etc/a.key", "content": "x", "mode": "0400", "sensitive": True}
    assert file == {**expected, "units": []}
