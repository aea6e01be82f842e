# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Whole documents, from what machines of both releases have said (disks/*.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._disk_health import made_of
from ansible_collections.servertechnik.core.plugins.plugin_utils._disk_table import table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.unit.plugins.module_utils.damage import bent, cut, damaged

FOLDER = Path(__file__).parent / "disks"
RAW: dict[str, Any] = {path.stem: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
SCHEMAS = Path(__file__).parents[4] / "plugins" / "plugin_utils" / "schemas"
SCHEMA = Draft202012Validator(json.loads((SCHEMAS / "disk_health-1.json").read_text()))
everywhere = pytest.mark.parametrize("name", sorted(RAW))


def by(key: str, found: Any) -> dict[str, Any]:
    return {one[key]: one for one in found}


@everywhere
def test_documents_fit_their_schema(name: str) -> None:
    document = made_of(RAW[name])
    assert [error.message for error in SCHEMA.iter_errors(document)] == []
    assert document["unread"] == []


@everywhere
def test_devices_refer_to_each_other(name: str) -> None:
    document = made_of(RAW[name])
    paths = {one["path"] for one in document["devices"]}
    used = [path for one in document["devices"] for path in one["parents"]]
    used += [one["path"] for array in document["arrays"] for one in array["members"] if one["path"]]
    used += [one["device"] for one in document["luks"]]
    used += [one["source"] for one in document["file_systems"] if one["type"] != "tmpfs"]
    assert set(used) <= paths


@everywhere
def test_documents_can_be_read(name: str) -> None:
    lines = table(dict(made_of(RAW[name])))
    assert lines[0].startswith("verdict")


def test_a_boot_mirror_of_trixie() -> None:
    document = made_of(RAW["trixie-mirror"])
    disks = by("path", document["disks"])
    assert {path: (one["serial"], one["verdict"]) for path, one in disks.items()} == {
        "/dev/vda": ("root", "healthy"),
        "/dev/vdb": ("SER001", "healthy"),
        "/dev/vdc": ("SER002", "healthy"),
    }
    assert "/dev/disk/by-id/virtio-SER001" in disks["/dev/vdb"]["links"]
    assert (disks["/dev/vdb"]["table"], disks["/dev/vdb"]["transport"]) == ("gpt", "virtio")
    assert disks["/dev/vdb"]["smart"]["why"] == "a virtual disk has none"
    parts = [(one["number"], one["start"], one["size"]) for one in disks["/dev/vdb"]["partitions"]]
    assert parts == [
        (1, 1 << 20, 64 << 20),
        (2, 65 << 20, 256 << 20),
        (3, 321 << 20, 1809842176),
    ]
    arrays = by("name", document["arrays"])
    assert sorted(arrays) == ["/dev/md/boot", "/dev/md/efi", "/dev/md/system"]
    assert arrays["/dev/md/efi"]["metadata"] == "1.0"
    assert arrays["/dev/md/system"]["uuid"] == "b8ac6587:8aa4c018:4517ce83:41ee7a56"
    serials = [one["serial"] for one in arrays["/dev/md/system"]["members"]]
    assert serials == ["SER001", "SER002"]
    system = by("name", document["devices"])["/dev/md/system"]
    assert (system["kind"], system["parents"]) == ("raid", ["/dev/vdb3", "/dev/vdc3"])
    assert system["content"]["type"] == "ext4"
    assert system["content"]["size"] == system["size"]


def without_a_member(state: dict[str, str] | None) -> dict[str, Any]:
    """The boot mirror after one member of its largest array was thrown out, or taken out."""
    raw: dict[str, Any] = json.loads(json.dumps(RAW["trixie-mirror"]))
    md = raw["sysfs"]["md125"]["md"]
    md["degraded"] = "1"
    gone = md["members"].pop("vdc3")
    if state is not None:
        md["members"]["vdc3"] = gone | state
    return raw


def test_a_disk_that_its_array_has_thrown_out() -> None:
    document = made_of(without_a_member({"state": "faulty", "slot": "none"}))
    disks = by("path", document["disks"])
    verdicts = {path: one["verdict"] for path, one in disks.items()}
    assert verdicts == {"/dev/vda": "healthy", "/dev/vdb": "healthy", "/dev/vdc": "failed"}
    assert disks["/dev/vdc"]["reasons"] == ["array /dev/md/system has thrown out /dev/vdc3"]


def test_a_member_that_was_failed_on_bookworm() -> None:
    document = made_of(RAW["bookworm-degraded"])
    disk = by("serial", document["disks"])["SER002"]
    assert disk["verdict"] == "failed"
    assert disk["reasons"] == ["array /dev/md/system has thrown out /dev/vdc2"]
    (array,) = document["arrays"]
    assert (array["state"], array["degraded"]) == (["clean", "degraded"], 1)
    members = [(one["path"], one["slot"], one["state"]) for one in array["members"]]
    assert members == [
        ("/dev/vdb2", 0, "in_sync"),
        ("", 1, "missing"),
        ("/dev/vdc2", None, "faulty"),
    ]


def test_a_rebuild_on_bookworm() -> None:
    (array,) = made_of(RAW["bookworm-rebuilding"])["arrays"]
    assert array["state"] == ["clean", "degraded", "recover"]
    assert array["sync"] == {"action": "recover", "done": 0.0, "speed": 1245184, "left": 327}
    members = [(one["path"], one["slot"], one["state"]) for one in array["members"]]
    assert members == [("/dev/vdb2", 0, "in_sync"), ("/dev/vdc2", 1, "rebuilding")]


def test_a_disk_whose_array_runs_without_it() -> None:
    document = made_of(without_a_member(None))
    (disk,) = [one for one in document["disks"] if one["verdict"] != "healthy"]
    assert (disk["serial"], disk["verdict"]) == ("SER002", "replace")
    assert disk["reasons"][0].startswith("/dev/vdc3 is no longer in array /dev/md/system")
    members = by("name", document["arrays"])["/dev/md/system"]["members"]
    assert [one["state"] for one in members] == ["in_sync", "missing"]


def test_arrays_encryption_and_volumes_of_bookworm() -> None:
    document = made_of(RAW["bookworm-built"])
    devices = by("name", document["devices"])
    kinds = {name: (one["kind"], one["content"]["type"]) for name, one in devices.items()}
    assert kinds["/dev/md/system"] == ("raid", "crypto_LUKS")
    assert kinds["/dev/mapper/system"] == ("crypt", "LVM2_member")
    assert kinds["/dev/main/srv"] == ("lvm", "ext4")
    assert kinds["/dev/nvme0n1"] == ("disk", "btrfs")
    assert devices["/dev/main/srv"]["mounts"] == [{"target": "/srv", "options": ["rw", "relatime"]}]
    assert devices["/dev/main/swap"]["mounts"] == [{"target": "[SWAP]", "options": []}]
    assert devices["/dev/copies/data"]["content"]["size"] == 40 << 20
    (array,) = document["arrays"]
    assert array["uuid"] == "bfa70a86:c4845e08:eb6f4868:0d3d0b2b"
    assert {one["target"]: one["path"] for one in document["configured"]["fstab"]} == {
        "/": "/dev/vda",
        "/srv": devices["/dev/main/srv"]["path"],
        "none": devices["/dev/main/swap"]["path"],
        "/mnt/thin": devices["/dev/copies/data"]["path"],
        "/gone": "",
    }
    systems = by("target", document["file_systems"])
    # It was mounted read-only by hand, and fstab doesn't say so.
    assert [target for target, one in systems.items() if one["remounted_read_only"]] == [
        "/mnt/thin"
    ]
    assert systems["/srv"]["source"] == devices["/dev/main/srv"]["path"]
    assert systems["/media"]["type"] == "btrfs"


def test_an_nvme_of_bookworm() -> None:
    disk = by("path", made_of(RAW["bookworm-built"])["disks"])["/dev/nvme0n1"]
    identity = [disk[key] for key in ("serial", "model", "transport", "slot", "state")]
    assert identity == ["NVME1", "QEMU NVMe Ctrl", "nvme", "PCI slot 0-7", "live"]
    smart = disk["smart"]
    assert (smart["available"], smart["protocol"], smart["passed"]) == (True, "NVMe", True)
    assert (smart["temperature"], smart["wear"], smart["spare"]) == (50, 0, 0)
    assert (disk["verdict"], disk["reasons"]) == ("healthy", [])


PARTS = (
    ["lsblk", "lvm", "scan", "mountinfo", "swaps", "kmsg", "journal"],
    ["sysfs", "links", "files", "space", "errors", "pci", "luks", "smart", "heads"],
)


def broken(text: str) -> st.SearchStrategy[str]:
    return damaged(text) if text.lstrip().startswith("{") else cut(text)


@settings(
    suppress_health_check=[HealthCheck.too_slow],
    deadline=None,
    max_examples=300,
    derandomize=True,
)
@given(st.data())
def test_damage_is_survived(data: st.DataObject) -> None:
    raw = dict(RAW[data.draw(st.sampled_from(sorted(RAW)))])
    texts, trees = ([key for key in keys if raw.get(key)] for keys in PARTS)
    key = data.draw(st.sampled_from([*texts, *trees]))
    if key in texts:
        raw[key] = data.draw(broken(raw[key]))
    else:
        inner = data.draw(st.sampled_from(sorted(raw[key])))
        value = raw[key][inner]
        other = broken(value) if isinstance(value, str) else bent(value)
        raw[key] = {**raw[key], inner: data.draw(other)}
    document = made_of(raw)
    assert list(SCHEMA.iter_errors(document)) == []
    table(dict(document))
