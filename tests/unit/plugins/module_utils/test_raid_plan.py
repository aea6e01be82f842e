# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What is done for an array to be as wanted, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._raid_model import (
    Array,
    Details,
    Device,
    find,
    survives,
)
from ansible_collections.servertechnik.core.plugins.module_utils._raid_read import examined
from ansible_collections.servertechnik.core.plugins.module_utils._raid_wanted import (
    RaidError,
    Wanted,
)

from tests.unit.plugins.module_utils.raids import (
    COPIED,
    COPYING,
    DETAILS,
    EXAMINED,
    MIB,
    OTHER,
    UUID,
    array,
    blank,
    block,
    members,
    planned,
    steps,
)

MIRROR = Wanted(name="system", level=1, members=("/dev/a", "/dev/b"))
BOTH = members("in_sync", "in_sync")
SPARED = members("in_sync", "in_sync", "spare")
OUT = ["--fail /dev/a", "--remove /dev/a"]
CREATED = "--create /dev/md/system --run --metadata=1.2 --level=1 --raid-devices=2"


def wanted(*paths: str, level: int | None = 1, **changed: Any) -> Wanted:
    return Wanted(name="system", level=level, members=paths, **changed)


def asked(**changed: Any) -> Wanted:
    return Wanted(name="system", **changed)


@pytest.mark.parametrize(
    ("level", "devices", "layout", "in_sync", "expected"),
    [
        (0, 2, 0, {0, 1}, True),
        (0, 2, 0, {0}, False),
        (1, 2, 0, {1}, True),
        (1, 2, 0, set(), False),
        (5, 3, 2, {0, 2}, True),
        (5, 3, 2, {0}, False),
        (6, 4, 2, {0, 3}, True),
        (6, 4, 2, {3}, False),
        (10, 4, 0x102, {0, 2}, True),
        (10, 4, 0x102, {0, 3}, True),
        (10, 4, 0x102, {0, 1}, False),
        (10, 3, 0x102, {0, 1}, True),
        (10, 3, 0x102, {1}, False),
        (10, 4, 0x201, {0, 2}, True),
        (10, 4, 0x201, {0, 3}, False),
        (-1, 3, 0, {0, 1}, False),
    ],
)
def test_what_a_level_can_lose(
    level: int, devices: int, layout: int, in_sync: set[int], expected: bool
) -> None:
    assert survives(level, devices, layout, in_sync) is expected


@pytest.mark.parametrize("version", EXAMINED)
def test_superblock_as_mdadm_tells_it(version: str) -> None:
    found = examined(EXAMINED[version])
    assert (found.uuid, found.level, found.devices, found.events) == (UUID, "raid1", 2, 5)
    assert found.name.endswith(":system")


@pytest.mark.parametrize(
    ("want", "expected"),
    [
        (MIRROR, f"{CREATED} --bitmap=internal /dev/a /dev/b"),
        (replace(MIRROR, uuid=UUID), f"{CREATED} --bitmap=internal --uuid={UUID} /dev/a /dev/b"),
        (replace(MIRROR, bitmap=False), f"{CREATED} --bitmap=none /dev/a /dev/b"),
        (
            wanted("missing", "/dev/b", metadata="1.0"),
            f"{CREATED.replace('1.2', '1.0')} --bitmap=internal missing /dev/b",
        ),
        (
            wanted("/dev/a", "/dev/b", level=0, chunk=64),
            "--create /dev/md/system --run --metadata=1.2 --level=0 --raid-devices=2 --chunk=64 "
            "/dev/a /dev/b",
        ),
        (
            wanted("/dev/a", "/dev/b", spares=("/dev/c",), homehost="any"),
            f"{CREATED} --spare-devices=1 --bitmap=internal --homehost=any /dev/a /dev/b /dev/c",
        ),
    ],
)
def test_blank_devices_become_an_array(want: Wanted, expected: str) -> None:
    assert steps(want, None) == [expected]


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ({"real": ""}, "/dev/b can't become a member: it isn't there"),
        ({"signatures": ('ext4 "precious"',)}, 'it holds ext4 "precious"; accepted: an empty'),
        ({"superblock": block(OTHER, name="old:x")}, f"it holds raid1 array old:x ({OTHER})"),
        ({"mounts": ("/srv",)}, "it is in use (mounted at /srv)"),
        ({"holders": ("/dev/b1",)}, "it is in use (part of /dev/b1)"),
        ({"read_only": True}, "it is read-only"),
    ],
)
def test_device_that_may_not_be_used_is_refused(device: dict[str, Any], words: str) -> None:
    with pytest.raises(RaidError) as refused:
        planned(MIRROR, None, blank("/dev/b", **device))
    assert words in str(refused.value)
    assert str(refused.value).startswith("array system: ")


def test_link_is_told_with_where_it_leads() -> None:
    link = Device("/dev/disk/by-id/x", "/dev/b", signatures=("gpt",))
    with pytest.raises(RaidError, match=r"/dev/disk/by-id/x \(/dev/b\) can't become"):
        planned(wanted("/dev/a", "/dev/disk/by-id/x"), None, link)


def test_too_many_missing_and_members_of_two_arrays_are_refused() -> None:
    with pytest.raises(RaidError, match="found 1 members of 3 at level 5"):
        planned(wanted("/dev/a", "missing", "missing", level=5), None)
    blocks = [blank("/dev/a", superblock=block()), blank("/dev/b", superblock=block(OTHER))]
    with pytest.raises(RaidError, match=f"members of different arrays, {UUID}, {OTHER}"):
        planned(MIRROR, None, *blocks)


def test_same_device_twice_is_refused() -> None:
    link = Device("/dev/disk/by-id/x", "/dev/a", size=256 * MIB)
    with pytest.raises(RaidError, match="/dev/a twice among its members"):
        planned(wanted("/dev/a", "/dev/disk/by-id/x"), None, link)


ASSEMBLED = f"--assemble /dev/md/system --run --uuid={UUID}"


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ({"a": block(), "b": block()}, [f"{ASSEMBLED} /dev/a /dev/b"]),
        ({"a": block()}, [f"{ASSEMBLED} /dev/a", "/dev/md/system --add /dev/b"]),
        (
            {"a": block(events=0), "b": block(events=0)},
            [f"{CREATED} --bitmap=internal --uuid={UUID} /dev/a /dev/b"],
        ),
        (
            {"a": block(events=0)},
            [f"{CREATED} --bitmap=internal --uuid={UUID} /dev/a /dev/b"],
        ),
    ],
)
def test_interrupted_creation_is_finished(blocks: dict[str, Any], expected: list[str]) -> None:
    devices = [blank(f"/dev/{name}", superblock=one) for name, one in blocks.items()]
    assert steps(replace(MIRROR, uuid=UUID), None, *devices) == expected


def test_array_is_known_by_its_name_where_no_uuid_is_given() -> None:
    devices = [blank(f"/dev/{name}", superblock=block()) for name in "ab"]
    assert steps(MIRROR, None, *devices) == [f"{ASSEMBLED} /dev/a /dev/b"]
    others = [blank(f"/dev/{name}", superblock=block(name="far:system")) for name in "ab"]
    with pytest.raises(RaidError, match="raid1 array far:system"):
        planned(MIRROR, None, *others)


def test_array_that_did_not_start_is_put_together_again() -> None:
    half = array(members("spare"), state=["inactive"])
    devices = [
        blank("/dev/a", superblock=block(), holders=("/dev/md127",)),
        blank("/dev/b", superblock=block()),
    ]
    assert steps(MIRROR, half, *devices) == ["--stop /dev/md127", f"{ASSEMBLED} /dev/a /dev/b"]
    assert steps(asked(), half) == ["--run /dev/md127"]


def test_array_is_found_whatever_its_device_is_called() -> None:
    running = array(BOTH, name="/dev/md127")
    assert find(asked(), [running], "") is None
    assert find(asked(), [running], "", UUID) is running
    assert find(asked(uuid=UUID), [running], "") is running
    with pytest.raises(RaidError, match=f"found one of that name with UUID {UUID}"):
        find(asked(uuid=OTHER), [array(BOTH)], "")


def test_array_of_mdadm_conf_is_assembled() -> None:
    assert steps(asked(), None, configured=UUID) == [ASSEMBLED]
    with pytest.raises(RaidError, match="none of that name; accepted: one that runs or is in"):
        planned(asked(), None)


@pytest.mark.parametrize(
    ("want", "running"),
    [
        (MIRROR, array(BOTH)),
        (wanted("/dev/a", "missing"), array(members("in_sync"))),
        (MIRROR, array(members("in_sync", "rebuilding"), action="recover")),
        (wanted("/dev/a", "/dev/b", spares=("/dev/c",)), array(SPARED)),
        (asked(fail=("/dev/c",), remove=("/dev/d", "failed", "detached")), array(BOTH)),
        (asked(add=("/dev/a",)), array(BOTH)),
        (asked(replace=(("/dev/vdf", "/dev/vdd"),)), array(COPYING, action="recover")),
        (asked(scrub="started"), array(BOTH, action="check")),
        (asked(scrub="stopped", speed_min=0), array(BOTH)),
        (asked(state="stopped"), None),
    ],
)  # fmt: skip
def test_what_is_so_already_is_left_alone(want: Wanted, running: Array | None) -> None:
    assert steps(want, running) == []


@pytest.mark.parametrize(
    ("want", "running", "expected"),
    [
        (MIRROR, array(members("in_sync")), ["--add /dev/b"]),
        (MIRROR, array(members("in_sync", "", "faulty")), ["--remove /dev/c", "--add /dev/b"]),
        (wanted("/dev/a", "/dev/b", spares=("/dev/c",)), array(BOTH), ["--add /dev/c"]),
        (
            wanted("/dev/a", "/dev/c"),
            array(BOTH),
            ["--add /dev/c", "--replace /dev/b --with /dev/c"],
        ),
        (
            wanted("/dev/a", "/dev/c"),
            array(SPARED),
            ["--replace /dev/b --with /dev/c"],
        ),
        (
            wanted("/dev/a", "/dev/c", "/dev/d"),
            array(BOTH, devices=3),
            ["--add /dev/c", "--add /dev/d", "--replace /dev/b --with /dev/d"],
        ),
        (wanted("/dev/vde", "/dev/vdd"), array(COPIED), ["--remove /dev/vdf"]),
        (asked(fail=("/dev/a",)), array(BOTH), ["--fail /dev/a"]),
        (asked(remove=("/dev/a",)), array(BOTH), OUT),
        (asked(fail=("/dev/a",), remove=("/dev/a",)), array(BOTH), OUT),
        (asked(remove=("/dev/vdf",)), array(COPIED), ["--remove /dev/vdf"]),
        (asked(remove=("failed",)), array(COPIED), ["--remove failed"]),
        (
            asked(remove=("detached",)),
            array(BOTH, details=replace(DETAILS, detached=("/dev/b",))),
            ["--fail detached --remove detached"],
        ),
        (asked(add=("/dev/vdf",)), array(COPIED), ["--remove /dev/vdf", "--add /dev/vdf"]),
        (
            asked(replace=(("/dev/a", "/dev/c"),)),
            array(BOTH),
            ["--add /dev/c", "--replace /dev/a --with /dev/c"],
        ),
        (asked(replace=(("/dev/vdf", "/dev/vdd"),)), array(COPIED), ["--remove /dev/vdf"]),
        (asked(speed_min=4000, speed_max=0), array(BOTH, details=Details(speed_max=9)), [
            "sync_speed_min = 4000", "sync_speed_max = system",
        ]),
        (asked(scrub="started"), array(BOTH), ["sync_action = check"]),
        (asked(scrub="stopped"), array(BOTH, action="check"), ["sync_action = idle"]),
        (asked(bitmap=False), array(BOTH), ["--grow /dev/md127 --bitmap=none"]),
        (asked(state="stopped"), array(BOTH), ["--stop /dev/md127"]),
    ],
)  # fmt: skip
def test_array_that_runs_becomes_as_wanted(
    want: Wanted, running: Array, expected: list[str]
) -> None:
    assert steps(want, running) == expected


def test_what_is_held_up_since_a_restart_goes_on() -> None:
    held = array(BOTH, details=replace(DETAILS, held_up=True))
    draft = planned(replace(MIRROR, bitmap=False), held)
    assert [step.text for step in draft.steps] == ["mdadm --readwrite /dev/md127"]
    assert draft.pending == ["remove the bitmap: when it is idle (held up since the restart)"]


@pytest.mark.parametrize(
    ("want", "running", "pending"),
    [
        (wanted("/dev/vde", "/dev/vdd"), array(COPYING, action="recover"), "remove /dev/vdf: when"),
        (
            wanted("/dev/a", "/dev/c"),
            array(BOTH, action="check"),
            "replace /dev/b with /dev/c: when the array is idle (check, 34% done)",
        ),
        (asked(bitmap=False), array(BOTH, action="resync"), "remove the bitmap: when it is idle"),
        (asked(scrub="started"), array(BOTH, action="recover"), "scrub: when the array is idle"),
    ],
)
def test_what_has_to_wait_is_told(want: Wanted, running: Array, pending: str) -> None:
    draft = planned(want, running)
    assert any(one.startswith(pending) for one in draft.pending), draft.pending
    assert not any("--replace" in step.text or step.attribute for step in draft.steps)


@pytest.mark.parametrize(
    ("want", "running", "words"),
    [
        (asked(fail=("/dev/a", "/dev/b")), array(BOTH), "/dev/b can't go: only 1 of 2 members"),
        (
            asked(remove=("/dev/a",)),
            array(members("in_sync", "rebuilding"), action="recover"),
            "the same when the other members are complete (recover, 34% done)",
        ),
        (asked(fail=("/dev/a",)), array(BOTH, level="raid0"), "save the data first"),
        (
            asked(remove=("detached",)),
            array(members("in_sync"), details=replace(DETAILS, detached=("/dev/a",))),
            "/dev/a can't go",
        ),
        (
            asked(fail=("/dev/a",)),
            array([("/dev/a", 0, "in_sync", "in_sync"), ("/dev/b", 1, "faulty", "faulty,in_sync")]),
            "/dev/a can't go: only 1 of 2",
        ),
        (asked(add=("/dev/small",)), array(BOTH), "it has 255.0 MiB"),
        (
            asked(replace=(("/dev/a", "/dev/c"),)),
            array(BOTH, level="raid0"),
            "found replace: /dev/a at level 0",
        ),
        (asked(bitmap=False), array(BOTH, level="raid0"), "found a bitmap at level 0"),
        (
            wanted("/dev/a", "/dev/b", level=5, chunk=64),
            array(BOTH, level="raid5", chunk=512 << 10),
            "found a chunk of 512 KiB; accepted: 64 KiB",
        ),
        (asked(replace=(("/dev/x", "/dev/c"),)), array(BOTH), "/dev/x, which is no member"),
        (
            asked(state="stopped"),
            array(BOTH, details=Details(used=("mounted at /srv",))),
            "in use (mounted at /srv)",
        ),
        (replace(MIRROR, metadata="1.0"), array(BOTH), "found metadata 1.2; accepted: 1.0"),
        (wanted("/dev/a", "/dev/b", level=5), array(BOTH), "wanted are 2 members at level 5"),
        (wanted("/dev/a", "/dev/b", "/dev/c"), array(BOTH), "the same number and level, or grow"),
    ],
)
def test_what_would_lose_data_is_refused(want: Wanted, running: Array, words: str) -> None:
    with pytest.raises(RaidError) as refused:
        planned(want, running, blank("/dev/small", size=255 * MIB))
    assert words in str(refused.value)
