# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_plan import Plan, plan_of
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_read import tree_of

from tests.unit.plugins.plugin_utils.storages import GIB, Machine

Variables = dict[str, Any]
SECRET = "correct horse"  # noqa: S105 -- that of a test


def disk(name: str, serial: str, *parts: str) -> Variables:
    """A disk with partitions, each as NAME SIZE TYPE."""
    words = (part.split() for part in parts)
    partitions = [{"name": n, "size": size, "type": kind} for n, size, kind in words]
    return {"name": name, "serial": serial, "partitions": partitions}


MIRROR: Variables = {
    "storage_disks": [
        disk("front", "SER001", "efi 64MiB efi", "system rest raid"),
        disk("back", "SER002", "efi 64MiB efi", "system rest raid"),
    ],
    "storage_arrays": [
        {"name": "esp", "level": 1, "members": ["front/efi", "back/efi"], "metadata": "1.0"},
        {"name": "system", "level": 1, "members": ["front/system", "back/system"]},
    ],
    "storage_encrypted": [{"name": "secure", "device": "system", "passphrase": SECRET}],
    "storage_volume_groups": [
        {
            "name": "main",
            "devices": ["secure"],
            "volumes": [
                {"name": "srv", "size": "1GiB"},
                {"name": "pool", "type": "thin_pool", "size": "25%"},
                {"name": "thin", "type": "thin", "pool": "pool", "size": "40GiB"},
                {"name": "rest"},
            ],
        }
    ],
    "storage_file_systems": [
        {"device": "esp", "type": "vfat", "mount": "/boot/efi"},
        {"device": "main/srv", "mount": "/srv", "label": "srv"},
        {"device": "main/thin", "type": "xfs", "mount": "/data"},
        {"device": "main/rest", "type": "swap"},
    ],
}
ALL = 18  # steps
PLAIN: Variables = {
    "storage_disks": [disk("data", "SER001", "data rest linux")],
    "storage_file_systems": [{"device": "data/data", "mount": "/srv", "type": "ext4"}],
}


def machine(size: int = 4 * GIB) -> Machine:
    return Machine(SER001=size, SER002=size)


def plan(variables: Variables, host: Machine, *wipe: str) -> Plan:
    return plan_of(tree_of(variables), host.document, wipe, "web1")


def built(variables: Variables, host: Machine, steps: int = 999) -> list[str]:
    """Carry out at most so many steps, as the action does; return what was done."""
    done: list[str] = []
    while True:
        found = plan(variables, host)
        assert not found.refusals, found.refusals
        ready = [step for step in found.steps if step.ready]
        if not ready:
            assert not found.steps, found.steps
            return done
        for step in ready:
            if len(done) == steps:
                return done
            host.take(step)
            done.append(step.words)


def test_it_is_built_from_blank_disks_and_then_nothing_is_left_to_do() -> None:
    host = machine()
    assert len(built(MIRROR, host)) == ALL
    for path, target in (("/dev/md127", "/boot/efi"), ("/dev/main/srv", "/srv"),
                         ("/dev/main/thin", "/data"), ("/dev/main/rest", "[SWAP]")):  # fmt: skip
        host.mount(path, target)
    after = plan(MIRROR, host)
    assert (after.steps, after.refusals, after.notes) == ([], [], [])
    assert after.before == after.after


def test_check_mode_predicts_the_steps_and_the_tree() -> None:
    host = machine()
    predicted = plan(MIRROR, host)
    done = built(MIRROR, host)
    expected = {step.words.replace("/dev/md/system", "/dev/md126") for step in predicted.steps}
    assert set(done) == expected
    names = [[line.partition(":")[0] for line in text.splitlines() if ": " in line]
             for text in (predicted.after, plan(MIRROR, host).before)]  # fmt: skip
    assert names[0] == names[1]


@pytest.mark.parametrize("steps", range(ALL))
def test_what_was_interrupted_after_any_step_is_finished(steps: int) -> None:
    whole, broken = machine(), machine()
    built(MIRROR, whole)
    first = built(MIRROR, broken, steps)
    second = built(MIRROR, broken)
    assert len(first) + len(second) == ALL
    assert broken.document == whole.document


def test_identities_depend_on_the_disks_and_the_host() -> None:
    host, other = machine(), Machine(SER001=4 * GIB, SER009=4 * GIB)
    swapped = copy.deepcopy(MIRROR)
    swapped["storage_disks"][1]["serial"] = "SER009"
    uuids = [
        [mount.device for mount in plan(MIRROR, host).mounts],
        [mount.device for mount in plan(MIRROR, machine()).mounts],
        [mount.device for mount in plan(swapped, other).mounts],
        [mount.device for mount in
         plan_of(tree_of(MIRROR), host.document, (), "web2").mounts],
    ]  # fmt: skip
    assert uuids[0] == uuids[1]
    assert not set(uuids[0]) & {*uuids[2], *uuids[3]}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("ext4", "ext4"),
        ("LVM2_member", "an LVM physical volume"),
        ("crypto_LUKS", "a LUKS container"),
        ("linux_raid_member", "a member of a RAID array"),
        ("zfs_member", "zfs_member"),
    ],
)
@pytest.mark.parametrize("path", ["/dev/vdb", "/dev/vdb1"])
def test_disk_that_holds_anything_is_refused(kind: str, said: str, path: str) -> None:
    host = machine()
    if path.endswith("1"):
        entry = {
            "path": path,
            "number": 1,
            "name": "old",
            "start": 1 << 20,
            "size": GIB,
            "uuid": "",
        }
        host.disk("/dev/vdb").update(table="gpt", partitions=[{**entry, "type": ""}])
        host.add(path, "part", GIB, "/dev/vdb")
    host.put(path, kind)
    found = plan(PLAIN, host)
    (refusal,) = found.refusals
    assert refusal.startswith("disk data: /dev/vdb is not blank, it holds ")
    assert said in refusal
    assert refusal.endswith("If nobody needs that any more: storage_wipe: [SER001]")
    assert said in found.before


def test_signature_that_only_wipefs_sees_is_refused() -> None:
    host = machine()
    host.device("/dev/vdb")["signatures"] = [{"type": "gpt"}, {"type": "zfs_member"}]
    assert "/dev/vdb is not blank, it holds zfs_member" in plan(PLAIN, host).refusals[0]
    host.device("/dev/vdb")["signatures"] += [{"type": "ext4"}]
    said = "it holds a signature of zfs_member, a signature of ext4"
    assert said in plan(PLAIN, host).refusals[0]


def test_content_that_appears_in_a_new_partition_is_refused() -> None:
    host = machine()
    built(PLAIN, host, 1)
    host.put("/dev/vdb1", "xfs", label="old")
    found = plan(PLAIN, host)
    (refusal,) = found.refusals
    assert not found.steps
    assert refusal.startswith(
        "file system on data/data: needs a blank device, and data/data (/dev/vdb1) holds xfs 'old'"
    )


def test_only_the_disk_that_is_listed_is_wiped() -> None:
    host = machine()
    host.put("/dev/vdb", "ext4")
    host.put("/dev/vdc", "ext4")
    assert len(plan(MIRROR, host, "SER001").refusals) == 1
    found = plan(MIRROR, host, "SER001", "SER002")
    assert not found.refusals
    assert [step.words for step in found.steps[:2]] == [
        "destroy what is on /dev/vdb: ext4",
        "destroy what is on /dev/vdc: ext4",
    ]
    assert {step.ready for step in found.steps[:2]} == {True}
    assert {step.ready for step in found.steps[2:]} == {False}


def test_what_lies_on_several_disks_is_wiped_only_if_all_are_listed() -> None:
    host = machine()
    built(MIRROR, host)
    variables = copy.deepcopy(MIRROR)
    variables["storage_file_systems"][1]["type"] = "xfs"
    for listed in (["SER001"], ["SER002"]):
        found = plan(variables, host, *listed)
        assert len(found.refusals) == 1
        assert not found.steps
    steps = plan(variables, host, "SER001", "SER002").steps
    # No more than what is in the way.
    assert [step.words for step in steps] == [
        "destroy what is on /dev/dm-main-srv: ext4",
        "make xfs on main/srv",
    ]
    assert steps[0].arguments["argv"] == ["wipefs", "--all", "--quiet", "/dev/dm-main-srv"]
    assert not steps[1].ready


def test_refusal_about_no_content_wipes_nothing() -> None:
    host = machine()
    built(PLAIN, host)
    variables = copy.deepcopy(PLAIN)
    variables["storage_disks"][0]["partitions"][0]["size"] = "1GiB"
    found = plan(variables, host, "SER001")
    assert len(found.refusals) == 1
    assert not found.steps


def test_blank_device_of_which_something_is_made_is_refused() -> None:
    host = machine()
    host.add("/dev/dm-7", "mpath", GIB, "/dev/vdb", name="/dev/mapper/mpatha")
    assert "/dev/mapper/mpatha, which is made of it" in plan(PLAIN, host).refusals[0]


@pytest.mark.parametrize("name", ["", "primary"])
def test_partition_that_has_no_name_and_type_yet_gets_them(name: str) -> None:
    host = machine()
    built(MIRROR, host, 2)
    host.disk("/dev/vdb")["partitions"][1].update(name=name, type="0fc63daf-8483-4772-8e79")
    done = built(MIRROR, host)
    assert done[0] == "mark partition front/system as raid"
    assert host.disk("/dev/vdb")["partitions"][1]["name"] == "system"


@pytest.mark.parametrize("group", ["", "other"])
def test_physical_volume_of_no_group_is_used_and_of_another_refused(group: str) -> None:
    variables: Variables = {
        "storage_disks": [{"name": "data", "serial": "SER001"}],
        "storage_volume_groups": [{"name": "main", "devices": ["data"]}],
    }
    host = machine()
    host.put("/dev/vdb", "LVM2_member")
    physical = {"path": "/dev/vdb", "size": GIB, "missing": False}
    more = {"name": group, "size": GIB, "free": 0, "extent": 4 << 20, "missing": 0, "volumes": []}
    host.document["volume_groups"] = [{**more, "physical_volumes": [physical]}]
    found = plan(variables, host)
    if group:
        (refusal,) = found.refusals
        assert "data (/dev/vdb) holds an LVM physical volume 'other'" in refusal
    else:
        assert [step.words for step in found.steps] == ["make volume group main on data"]


@pytest.mark.parametrize("open_it", [False, True])
def test_container_without_a_passphrase_is_not_made_nor_opened(open_it: bool) -> None:
    host = machine()
    variables = copy.deepcopy(MIRROR)
    if open_it:
        built(MIRROR, host, 7)
    container = variables["storage_encrypted"][0]
    container |= {"passphrase": "", "key_file": "" if open_it else "/etc/key"}
    if open_it:
        tree_wants = "storage_encrypted[0]: found no key to encrypt with"
        with pytest.raises(ValueError, match=re.escape(tree_wants)):
            plan(variables, host)
    else:
        words = "encrypted secure: is to be made, and has no passphrase"
        assert words in plan(variables, host).refusals


def test_tree_says_what_is_and_what_will_be() -> None:
    variables = {
        "storage_disks": [
            disk("front", "SER001", "a 64MiB raid", "b rest raid"),
            disk("back", "SER002"),
            disk("third", "SER003", "a 64MiB raid", "b rest raid"),
        ],
        "storage_arrays": [{"name": "m", "level": 1, "members": ["front/a", "third/a"]}],
        "storage_file_systems": [{"device": "m", "mount": "/srv", "label": "data"}],
    }
    both = Machine(SER001=GIB, SER002=GIB, SER003=GIB)
    both.put("/dev/vdc", "ext4", label="old")
    found = plan(variables, both)
    assert found.before.splitlines() == [
        *("disk front: SER001, 1 GiB, /dev/vdb", "  blank"),
        *("disk back: SER002, 1 GiB, /dev/vdc", "  ext4 'old'"),
        *("disk third: SER003, 1 GiB, /dev/vdd", "  blank"),
    ]
    after = [
        *("disk front: SER001, 1 GiB, /dev/vdb", "  partition front/a: 64 MiB, raid"),
        *("    part of array m", "  partition front/b: 958 MiB, raid"),
        *("disk back: SER002, 1 GiB, /dev/vdc", "  ext4 'old'"),
        *("disk third: SER003, 1 GiB, /dev/vdd", "  partition third/a: 64 MiB, raid"),
        *("    part of array m", "  partition third/b: 958 MiB, raid"),
        *("array m: 64 MiB, RAID 1 of front/a, third/a", "  ext4 'data', at /srv"),
    ]
    assert found.after.splitlines() == after
    built(variables, both)
    both.mount("/dev/md127", "/srv")
    both.disk("/dev/vdd")["partitions"].append(
        {"path": "/dev/vdd3", "number": 3, "name": "mine", "start": 1023 << 20, "size": 512}
    )
    both.add("/dev/vdd3", "part", 512, "/dev/vdd")
    assert plan(variables, both).before.splitlines() == [
        *(line.replace("m: 64 MiB", "m: 63 MiB") for line in after[:-2]),
        *("  other partition mine (512 B): nothing recognised",),
        *(line.replace("m: 64 MiB", "m: 63 MiB") for line in after[-2:]),
    ]


def test_disk_that_is_as_it_is_to_be_is_not_wiped_even_if_it_is_listed() -> None:
    host = machine()
    built(MIRROR, host)
    found = plan(MIRROR, host, "SER001", "SER002")
    assert (found.steps, found.refusals) == ([], [])


@pytest.mark.parametrize("use", ["mounted", "swap", "made of"])
def test_what_is_in_use_is_not_wiped(use: str) -> None:
    host = machine()
    host.put("/dev/vdb", "swap" if use == "swap" else "ext4")
    if use == "made of":
        host.add("/dev/md9", "raid", GIB, "/dev/vdb", name="/dev/md/old")
    else:
        host.mount("/dev/vdb", "[SWAP]" if use == "swap" else "/mnt")
    found = plan(PLAIN, host, "SER001")
    assert not any("wipefs" in step.arguments.get("argv", ()) for step in found.steps)
    said = {"mounted": "mounted at /mnt", "swap": "swap space in use", "made of": "/dev/md/old is"}
    assert any("is in use" in words and said[use] in words for words in found.refusals)


def test_serial_of_no_disk_in_storage_wipe_is_refused() -> None:
    assert plan(PLAIN, machine(), "SER0O1").refusals == [
        "storage_wipe: found 'SER0O1'; accepted: serials of storage_disks that are there: SER001"
    ]


@pytest.mark.parametrize("change", ["", "blank", "other name", "other array", "other content"])
def test_array_that_was_not_started_is_started_and_any_other_refused(change: str) -> None:
    host = machine()
    built(MIRROR, host, 6)
    host.document["arrays"] = []
    host.document["devices"] = [d for d in host.document["devices"] if d["kind"] != "raid"]
    content = host.device("/dev/vdc2")["content"]
    if change == "blank":
        host.device("/dev/vdc2").update(content={**content, "type": ""}, signatures=[])
    elif change == "other name":
        for path in ("/dev/vdb2", "/dev/vdc2"):
            host.put(path, "linux_raid_member", content["uuid"], "web1:data")
    elif change:
        kind = "ext4" if change == "other content" else "linux_raid_member"
        host.put("/dev/vdc2", kind, "another", content["label"])
    found = plan(MIRROR, host)
    if change in ("", "blank"):
        words = [step.words for step in found.steps if step.ready]
        assert [one.split(":")[0] for one in words] == ["start array esp", "start array system"]
    else:
        (refusal,) = found.refusals
        assert "array system: needs blank devices, and front/system (/dev/vdb2) holds" in refusal
        assert "storage_wipe: [SER001, SER002]" in refusal


def test_disk_used_as_a_whole_has_no_partition_table() -> None:
    variables = copy.deepcopy(PLAIN)
    variables["storage_disks"][0]["partitions"] = []
    variables["storage_file_systems"][0]["device"] = "data"
    host = machine()
    host.disk("/dev/vdb")["table"] = "gpt"
    (refusal,) = plan(variables, host).refusals
    assert "disk data: /dev/vdb is not blank, it holds an empty gpt partition table" in refusal


def test_lost_disk_is_told_and_the_rest_goes_on() -> None:
    host = machine()
    variables = copy.deepcopy(MIRROR)
    volumes = variables["storage_volume_groups"][0]["volumes"]
    volumes[3]["size"] = "100MiB"
    built(variables, host)
    host.mount("/dev/main/srv", "/srv")
    host.lose("/dev/vdc")
    volumes[0]["size"] = "1100MiB"
    found = plan(variables, host)
    assert [step.words.partition(" from ")[0] for step in found.steps] == [
        "grow volume main/srv",
        "grow ext4 on main/srv",
    ]
    assert not found.refusals
    assert found.notes == [
        f"array {array} runs without back/{part}: disk back (serial SER002) isn't there; there "
        "are: SER001 (/dev/vdb). run playbooks/replace_disk.yml"
        for array, part in (("esp", "efi"), ("system", "system"))
    ]


def test_blank_disk_in_the_place_of_a_lost_one_is_left_to_its_replacement() -> None:
    host = machine()
    built(MIRROR, host)
    host.lose("/dev/vdc")
    new = Machine(SER009=4 * GIB, SER003=4 * GIB)
    host.document["disks"].append(new.disk("/dev/vdc"))
    host.document["devices"].append(new.device("/dev/vdc"))
    swapped = copy.deepcopy(MIRROR)
    swapped["storage_disks"][1]["serial"] = "SER003"
    found = plan(swapped, host)
    assert (found.steps, found.refusals) == ([], [])
    assert (
        "disk back is blank, what was on it runs without: run playbooks/replace_disk.yml"
        in found.notes
    )


def test_disk_that_nothing_can_do_without_is_refused() -> None:
    host = Machine(SER002=GIB)
    assert plan(PLAIN, host).refusals == [
        "file system on data/data: can't be had, since disk data (serial SER001) isn't there; "
        "there are: SER002 (/dev/vdb)"
    ]


GROWN = {
    "grow partition front/system": "/dev/vdb",
    "grow partition back/system": "/dev/vdc",
    "grow array system": "/dev/md",
    "grow container secure": "/dev/dm-secure",
    "grow volume group main": "",
    "grow volume main/pool": "",
    "grow volume main/rest": "",
}


def test_bigger_disks_are_taken_into_use_from_below() -> None:
    host = machine()
    built(MIRROR, host)
    for path in ("/dev/vdb", "/dev/vdc"):
        host.resize(path, 6 * GIB)
    predicted = plan(MIRROR, host)
    done = built(MIRROR, host)
    assert [words.partition(" from ")[0] for words in done] == list(GROWN)
    assert [step.words.partition(" from ")[0] for step in predicted.steps] == list(GROWN)
    assert [step.ready for step in predicted.steps] == [True, True, *[False] * 5]


@pytest.mark.parametrize("is_mounted", [False, True])
def test_partition_grows_in_use_and_not(is_mounted: bool) -> None:
    host = machine()
    built(PLAIN, host)
    if is_mounted:
        host.mount("/dev/vdb1", "/srv")
    host.resize("/dev/vdb", 5 * GIB)
    step = plan(PLAIN, host).steps[0]
    assert step.arguments.get("stdin") == ("Fix\nYes" if is_mounted else None)
    assert step.arguments["argv"][-4:] == ["/dev/vdb", "resizepart", "1", "5119MiB"]
    assert built(PLAIN, host)[0] == "grow partition data/data from 4 GiB to the end of data"


def test_bigger_volume_and_its_file_system() -> None:
    host = machine()
    variables = copy.deepcopy(MIRROR)
    volumes = variables["storage_volume_groups"][0]["volumes"]
    volumes[3]["size"] = "100MiB"
    built(variables, host)
    host.mount("/dev/main/srv", "/srv")
    volumes[0]["size"] = "1.5GiB"
    assert built(variables, host) == [
        "grow volume main/srv from 1 GiB to 1.5 GiB",
        "grow ext4 on main/srv from 1 GiB to 1.5 GiB",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("storage_volume_groups", 0, "volumes", 0, "size", "512MiB"),
         "volume main/srv: 1 GiB, and 512 MiB wanted: nothing is ever made smaller"),
        (("storage_disks", 0, "partitions", 1, "size", "1GiB"),
         "partition front/system: 3.9 GiB, and 1 GiB wanted: nothing is ever made smaller"),
        (("storage_disks", 0, "partitions", 0, "size", "128MiB"),
         "partition front/efi: 64 MiB, and 128 MiB wanted: it can't grow, since partition system "
         "follows it"),
        (("storage_arrays", 1, "level", 0), "array system: /dev/md126 is raid1, not raid0"),
        (("storage_volume_groups", 0, "volumes", 0, "size", "10GiB"),
         "volume main/srv: 10 GiB don't fit, 0 B are free beside 1 GiB"),
        (("storage_file_systems", 1, "type", "xfs"),
         "file system on main/srv: needs a blank device, and main/srv (/dev/dm-main-srv) "
         "holds ext4"),
    ],
)  # fmt: skip
def test_change_that_would_lose_data_is_refused(change: tuple[Any, ...], said: str) -> None:
    host = machine()
    built(MIRROR, host)
    variables = copy.deepcopy(MIRROR)
    part: Any = variables
    for key in change[:-2]:
        part = part[key]
    part[change[-2]] = change[-1]
    found = plan(variables, host)
    assert found.refusals[0].startswith(said), found.refusals


def test_what_leaves_the_inventory_stays() -> None:
    host = machine()
    built(MIRROR, host)
    before = copy.deepcopy(host.document)
    less = copy.deepcopy(MIRROR)
    less["storage_volume_groups"][0]["volumes"].pop()
    del less["storage_file_systems"][1:]
    del less["storage_disks"][0]["partitions"][1], less["storage_disks"][1]["partitions"][1]
    del less["storage_arrays"][1], less["storage_encrypted"][0], less["storage_volume_groups"][0]
    found = plan(less, host)
    assert (found.steps, found.refusals) == ([], [])
    assert "other partition system (3.9 GiB): a member of a RAID array 'system'" in found.after
    assert host.document == before


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (GIB, "volume main/srv: 1 GiB don't fit, 940 MiB of 940 MiB are free"),
        (64 << 20, "partition front/efi: 64 MiB don't fit, 62 MiB of 64 MiB are left for it"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_made(size: int, said: str) -> None:
    assert said in plan(MIRROR, machine(size)).refusals


@pytest.mark.parametrize("kind", ["xfs", "btrfs"])
def test_file_system_on_too_small_a_device_is_refused(kind: str) -> None:
    variables = copy.deepcopy(PLAIN)
    variables["storage_file_systems"][0]["type"] = kind
    (refusal,) = plan(variables, machine(100 << 20)).refusals
    assert f"too few for {kind}, at least " in refusal


def test_packages_come_first() -> None:
    host = machine()
    host.document["tools"] = ["parted", "mkfs.ext4"]
    first = plan(MIRROR, host).steps[0]
    assert first.module == "ansible.builtin.apt"
    assert first.arguments["name"] == [
        "cryptsetup", "dosfstools", "lvm2", "mdadm", "thin-provisioning-tools", "xfsprogs",
    ]  # fmt: skip


def test_no_text_has_the_passphrase() -> None:
    found = plan(MIRROR, machine())
    assert SECRET not in repr(found)
    assert SECRET not in str(tree_of(MIRROR))
    assert any(step.arguments.get("passphrase") == SECRET for step in found.steps)


def test_nothing_is_mounted_over_what_another_has_mounted() -> None:
    host = machine()
    built(PLAIN, host)
    assert plan(PLAIN, host).free == ["/srv"]
    host.mount("/dev/vdc", "/srv")
    assert plan(PLAIN, host).refusals == [
        "file system on data/data: /srv has /dev/vdc mounted already: unmount that first"
    ]


def test_system_is_left_where_it_runs_until_it_moves() -> None:
    host = machine()
    variables = copy.deepcopy(MIRROR)
    variables["storage_file_systems"][1]["mount"] = "/"
    variables["storage_file_systems"][2]["mount"] = "/var/log"
    built(variables, host)
    here = {m.system.mount: m.is_here for m in plan(variables, host).mounts}
    assert here == {"/boot/efi": False, "/": False, "/var/log": False, "": True}
    host.mount("/dev/main/srv", "/")
    here = {m.system.mount: m.is_here for m in plan(variables, host).mounts}
    assert here == {"/boot/efi": False, "/": False, "/var/log": True, "": True}


def test_fstab_counts_where_it_mounts() -> None:
    host = machine()
    built(PLAIN, host)
    host.document["configured"]["fstab"] = [{"target": "/srv", "path": "/dev/vdb1"}]
    found = plan(PLAIN, host)
    assert [mount.is_here for mount in found.mounts] == [False]
    assert found.notes == ["/srv is in /etc/fstab: its line there counts"]


@pytest.mark.parametrize(
    "by", [{"wwn": "50014ee2b"}, {"wwn": "naa.50014EE2b"},
           {"path": "/dev/disk/by-id/virtio-SER001"}]
)  # fmt: skip
def test_disk_is_found_by_what_names_it(by: Variables) -> None:
    variables = copy.deepcopy(PLAIN)
    variables["storage_disks"][0] = {"name": "data", "partitions": [], **by}
    variables["storage_file_systems"][0]["device"] = "data"
    host = machine()
    assert built(variables, host) == ["make ext4 on data"]
    assert host.device("/dev/vdb")["content"]["type"] == "ext4"
