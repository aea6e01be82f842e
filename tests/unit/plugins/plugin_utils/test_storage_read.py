# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import (
    Size,
    StorageError,
    Volume,
    told,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_read import (
    mistakes_of,
    tree_of,
)

Variables = dict[str, Any]


def part(name: str, kind: str, size: str = "64MiB") -> Variables:
    return {"name": name, "type": kind, "size": size}


def sound() -> Variables:
    """A tree with something of each kind."""
    parts = [part("efi", "efi"), part("a", "raid"), part("luks", "luks"), part("lvm", "lvm"),
             part("linux", "linux"), part("swap", "swap", "rest")]  # fmt: skip
    return copy.deepcopy(
        {
            "storage_disks": [
                {"name": "front", "serial": "SER001", "partitions": parts},
                {"name": "back", "wwn": "0x5000", "partitions": parts},
                {"name": "spare", "path": "/dev/disk/by-path/pci-1"},
            ],
            "storage_arrays": [
                {"name": "esp", "level": 1, "members": ["front/efi", "back/efi"],
                 "metadata": "1.0"},
                {"name": "mirror", "level": 1, "members": ["front/a", "back/a"],
                 "spares": ["spare"]},
            ],
            "storage_encrypted": [
                {"name": "safe", "device": "mirror", "passphrase": "x"},
                {"name": "safe2", "device": "front/luks", "key_file": "/etc/key"},
            ],
            "storage_volume_groups": [
                {"name": "main", "devices": ["safe", "front/lvm", "back/lvm"], "volumes": [
                    {"name": "root", "size": "1GiB"},
                    {"name": "pool", "type": "thin_pool", "size": "50%"},
                    {"name": "thin", "type": "thin", "pool": "pool", "size": "9GiB"},
                    {"name": "raid", "type": "raid5", "size": "rest"},
                ]},
            ],
            "storage_file_systems": [
                {"device": "esp", "type": "vfat", "mount": "/boot/efi"},
                {"device": "main/root", "mount": "/srv", "quota": ["user"]},
                {"device": "main/thin", "type": "xfs", "mount": "/data"},
                {"device": "front/linux", "type": "btrfs", "mount": ""},
                {"device": "front/swap", "type": "swap"},
            ],
            "storage_tmpfs": [{"mount": "/srv/memory"}],
        }
    )  # fmt: skip


def changed(*path: Any, to: Any) -> Variables:
    variables = sound()
    at: Any = variables
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = to
    return variables


def test_sound_tree_has_no_mistake_and_an_order() -> None:
    assert list(mistakes_of(sound())) == []
    things = list(tree_of(sound()).things)
    for before, after in [("spare", "mirror"), ("mirror", "safe"), ("safe", "main"),
                          ("main/pool", "main/thin"), ("main/thin", "main/thin:")]:  # fmt: skip
        assert things.index(before) < things.index(after)


def test_no_variables_are_no_storage() -> None:
    assert not tree_of({}).things
    assert not tree_of({"storage_disks": None}).things


def test_disks_below_a_thing() -> None:
    tree = tree_of(sound())
    assert tree.disks_of("safe") == ("front", "back", "spare")
    assert tree.disks_of("front/linux:") == ("front",)
    assert [one.ref for one in tree.above("main")] == [
        *("main/root", "main/pool", "main/raid"),
    ]


DISK = ("storage_disks", 0)
ARRAY = ("storage_arrays", 1)
GROUP = ("storage_volume_groups", 0)
VOLUMES = (*GROUP, "volumes")
P, V = "storage_disks[0].partitions", "storage_volume_groups[0].volumes"
SHARED = "/dev/shm"  # noqa: S108 -- a mount point


@pytest.mark.parametrize(
    ("path", "to", "mistake"),
    [
        ((*DISK, "wwn"), "0x1", ("storage_disks[0]", "serial and wwn to find disk front by")),
        ((*DISK, "serial"), "", ("storage_disks[0]", "nothing to find disk front by")),
        ((*DISK, "name"), "back", ("storage_disks[1].name", "'back', which storage_disks[0] is")),
        ((*DISK, "name"), "main", ("storage_volume_groups[0].name", "'main', which")),
        ((*DISK, "partitions", 0, "size"), "rest",
         (f"{P}[0].size", "the rest of the disk before others")),
        ((*DISK, "partitions", 0, "size"), "5GB", (f"{P}[0].size", "'5GB'")),
        ((*DISK, "partitions", 0, "name"), "a", (f"{P}[1].name", "'front/a'")),
        ((*ARRAY, "members"), ["front/a", "back/b"], ("storage_arrays[1].members", "'back/b'")),
        ((*ARRAY, "members"), ["front/a"], ("storage_arrays[1].members", "1 of them")),
        ((*ARRAY, "level"), 6, ("storage_arrays[1].members", "2 of them")),
        ((*ARRAY, "level"), 0, ("storage_arrays[1].spares", "spares with level 0")),
        ((*ARRAY, "chunk"), 64, ("storage_arrays[1].chunk", "64 with level 1")),
        ((*ARRAY, "members"), ["front/a", "back/efi"],
         ("storage_arrays[1]", "'back/efi', which storage_arrays[0] uses already")),
        ((*ARRAY, "members"), ["front/a", "front/a"], ("storage_arrays[1]", "'front/a' twice")),
        ((*ARRAY, "members"), ["front", "back/a"], ("storage_arrays[1]", "'front', a disk with")),
        ((*ARRAY, "members"), ["front/a", "safe2"], ("storage_arrays[1]", "'safe2' as a member")),
        ((*ARRAY, "members"), ["front/a", "back/linux"],
         ("storage_arrays[1]", "'back/linux', a partition of type linux")),
        ((*ARRAY, "spares"), ["front/swap"],
         ("storage_arrays[1].members", "front/a and front/swap, both on disk front")),
        (("storage_arrays", 0, "metadata"), "1.2",
         ("storage_arrays[0]", "'front/efi', a partition of type efi")),
        (("storage_encrypted", 0, "passphrase"), "", ("storage_encrypted[0]", "no key")),
        (("storage_encrypted", 0, "passphrase"), "a\nb",
         ("storage_encrypted[0].passphrase", "more than one line (hidden)")),
        (("storage_encrypted", 0, "device"), "main/root",
         ("storage_volume_groups[0]", "a circle, in which ")),
        ((*GROUP, "devices"), [], ("storage_volume_groups[0].devices", "nothing")),
        ((*GROUP, "devices"), ["safe"], (f"{V}[3]", "raid5 on 1 of")),
        ((*VOLUMES, 1, "size"), "rest",
         (f"{V}[3].size", "the rest of the group, as in")),
        ((*VOLUMES, 0, "size"), "60%",
         (f"{V}[1].size", "110% of the group together")),
        ((*VOLUMES, 2, "pool"), "", (f"{V}[2].pool", "no pool")),
        ((*VOLUMES, 2, "pool"), "root", (f"{V}[2].pool", "'root'")),
        ((*VOLUMES, 2, "pool"), "pond", (f"{V}[2].pool", "'main/pond'")),
        ((*VOLUMES, 2, "size"), "10%", (f"{V}[2].size", "10%")),
        ((*VOLUMES, 0, "pool"), "pool", (f"{V}[0].pool", "a pool with")),
        ((*VOLUMES, 0, "stripes"), 2, (f"{V}[0].stripes", "2 with type")),
        ((*VOLUMES, 3, "mirrors"), 2, (f"{V}[3].mirrors", "2 with type")),
        (("storage_file_systems", 1, "device"), "main",
         ("storage_file_systems[1]", "'main', a volume group")),
        (("storage_file_systems", 1, "device"), "main/pool",
         ("storage_file_systems[1]", "'main/pool', a pool")),
        (("storage_file_systems", 1, "device"), "mirror",
         ("storage_file_systems[1]", "'mirror', which storage_encrypted[0] uses already")),
        (("storage_file_systems", 1, "device"), "main/thin",
         ("storage_file_systems[2].device", "'main/thin', as in storage_file_systems[1]")),
        (("storage_file_systems", 1, "device"), "", ("storage_file_systems[1]", "no device")),
        (("storage_file_systems", 1, "mount"), "/data",
         ("storage_file_systems[2].mount", "/data, as in storage_file_systems[1]")),
        (("storage_file_systems", 1, "mount"), "/srv/memory",
         ("storage_tmpfs[0].mount", "/srv/memory, as in storage_file_systems[1]")),
        (("storage_file_systems", 4, "mount"), "/swap",
         ("storage_file_systems[4].mount", "/swap for swap space")),
        (("storage_file_systems", 0, "type"), "ext4",
         ("storage_file_systems[0].type", "ext4 for /boot/efi")),
        (("storage_file_systems", 0, "label"), "TWELVE CHARS",
         ("storage_file_systems[0].label", "'TWELVE CHARS', 12 bytes")),
        (("storage_file_systems", 3, "quota"), ["user"],
         ("storage_file_systems[3].quota", "quotas with btrfs")),
        (("storage_file_systems", 3, "state"), "absent",
         ("storage_file_systems[3]", "state absent without a mount")),
        (("storage_tmpfs", 0, "mount"), SHARED,
         ("storage_tmpfs[0].mount", f"{SHARED}, which systemd mounts itself")),
    ],
)  # fmt: skip
def test_mistake(path: tuple[Any, ...], to: Any, mistake: tuple[str, str]) -> None:
    variables = changed(*path, to=to)
    found = list(mistakes_of(variables))
    assert any(one[0] == mistake[0] and one[1].startswith(mistake[1]) for one in found), found
    with pytest.raises(StorageError) as error:
        tree_of(variables)
    assert str(error.value).startswith(f"{found[0][0]}: found {found[0][1]}; accepted: ")


def test_mistakes_never_have_the_passphrase() -> None:
    variables = changed("storage_encrypted", 0, "passphrase", to="correct\nhorse")
    assert "horse" not in str(list(mistakes_of(variables)))


@pytest.mark.parametrize(
    ("size", "of", "words"),
    [
        (Size(), 30, "rest"),
        (Size(bytes=7), 7, "7 B"),
        (Size(percent=25), 25, "25%"),
        (Size(bytes=1536 << 20), 1536 << 20, "1.5 GiB"),
    ],
)
def test_size(size: Size, of: int, words: str) -> None:
    assert (size.of(100, 30), str(size)) == (of, words)


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (1023, "1023 B"), (512 << 20, "512 MiB"), (1 << 40, "1 TiB"), (1 << 51, "2 PiB")],
)
def test_bytes_in_words(size: int, words: str) -> None:
    assert told(size) == words


@pytest.mark.parametrize(
    ("kind", "mirrors", "stripes", "images"),
    [("linear", 0, 0, 1), ("raid1", 2, 0, 3), ("raid5", 0, 2, 3), ("raid6", 0, 3, 5),
     ("raid10", 1, 2, 4), ("raid0", 0, 3, 3)],
)  # fmt: skip
def test_on_how_many_devices_a_volume_lies(
    kind: str, mirrors: int, stripes: int, images: int
) -> None:
    size = Size(bytes=1)
    keys = {"group": "main", "name": "a", "size": size, "mirrors": mirrors, "stripes": stripes}
    assert Volume(ref="main/a", type=kind, **keys).images == images  # type: ignore[arg-type]
