# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The verdict on a disk, reason by reason, and of real disks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._blocks import content
from ansible_collections.servertechnik.core.plugins.module_utils._disk_kernel import none
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import Disk, Member
from ansible_collections.servertechnik.core.plugins.module_utils._disk_smart import smart, unknown
from ansible_collections.servertechnik.core.plugins.module_utils._disk_verdict import verdict

FOLDER = Path(__file__).parent / "disks" / "smart"


def disk(**other: Any) -> Disk:
    own = {"available": True, "passed": True}
    return {
        "path": "/dev/sda",
        "links": [],
        "serial": "SER001",
        "wwn": "",
        "model": "EXAMPLE",
        "vendor": "",
        "transport": "sata",
        "rotational": True,
        "size": 4000787030016,
        "logical_sector": 512,
        "physical_sector": 4096,
        "removable": False,
        "read_only": False,
        "slot": "",
        "state": "running",
        "table": "",
        "partitions": [],
        "content": content({}),
        "signatures": [],
        "behind": "",
        "reach": "",
        "kernel_errors": 0,
        "kernel": none(),
        "io_errors": 0,
        "verdict": "healthy",
        "reasons": [],
        **{key: value for key, value in other.items() if key in ("state", "size", "kernel")},  # type: ignore[typeddict-item]
        "smart": {**unknown(""), **own, **other.get("smart", {})},
    }


def member(**other: Any) -> Member:
    usual: Member = {
        "path": "/dev/sda2",
        "slot": 0,
        "state": "in_sync",
        "flags": ["in_sync"],
        "offset": 1048576,
        "errors": 0,
        "bad_blocks": 0,
        "serial": "SER001",
    }
    return {**usual, **other}  # type: ignore[typeddict-item]


def test_a_disk_that_is_well() -> None:
    assert verdict(disk(), [("/dev/md/system", member())], []) == ("healthy", [])


@pytest.mark.parametrize(
    ("smart_of", "wanted", "reason"),
    [
        ({"passed": False}, "replace", "it says itself that it is failing"),
        (
            {"passed": False, "status": "HARDWARE IMPENDING FAILURE"},
            "replace",
            "it says itself that it is failing: HARDWARE IMPENDING FAILURE",
        ),
        (
            {"status": "WARNING - SPECIFIED TEMPERATURE EXCEEDED"},
            "watch",
            "it warns: WARNING - SPECIFIED TEMPERATURE EXCEEDED",
        ),
        (
            {"failing": [{"id": 5, "name": "Re_Ct", "when": "now", "prefail": True}]},
            "replace",
            "SMART 5 (Re Ct) is beyond its vendor's threshold",
        ),
        (
            {"failing": [{"id": 190, "name": "Airflow", "when": "now", "prefail": False}]},
            "watch",
            "SMART 190 (Airflow) is beyond its vendor's threshold",
        ),
        (
            {"failing": [{"id": 5, "name": "Re_Ct", "when": "past", "prefail": True}]},
            "watch",
            "SMART 5 (Re Ct) was once beyond its vendor's threshold",
        ),
        ({"critical_warning": 1}, "replace", "its spare blocks are used up"),
        ({"critical_warning": 2}, "watch", "its temperature is beyond its limits"),
        ({"critical_warning": 8}, "failed", "it has made itself read-only"),
        ({"wear": 90}, "watch", "90 % of its endurance is used"),
        ({"wear": 100}, "replace", "100 % of its endurance is used"),
        (
            {"spare": 9, "spare_threshold": 10},
            "replace",
            "9 % of its spare blocks are left, its vendor wants 10 %",
        ),
        (
            {"temperature": 60, "temperature_limit": 60},
            "watch",
            "it has 60 °C, its vendor's limit is 60 °C",
        ),
        ({"pending": 1}, "watch", "sectors that could not be read and wait to be reallocated: 1"),
        ({"reported_uncorrectable": 2}, "watch", "uncorrectable errors that reached the host: 2"),
        (
            {
                "self_tests": [
                    {"type": "", "status": "read failure", "passed": False, "hours": 1},
                ]
            },
            "replace",
            "its last self-test failed: read failure",
        ),
        (
            {"hangs": True, "why": "no answer in 10 s"},
            "watch",
            "it did not say how it is: no answer in 10 s",
        ),
    ],
)
def test_what_it_says_of_itself(smart_of: dict[str, Any], wanted: str, reason: str) -> None:
    assert verdict(disk(smart=smart_of), [], []) == (wanted, [reason])


@pytest.mark.parametrize(
    "smart_of",
    [
        {"wear": 89},
        {"spare": 10, "spare_threshold": 10},
        {"spare": 0, "spare_threshold": 0},
        {"temperature": 59, "temperature_limit": 60},
        {"status": "OK"},
        {"crc_errors": 108},  # a cable that was changed long ago; the count never falls
        {"critical_warning": 0},
    ],
)
def test_what_is_no_reason(smart_of: dict[str, Any]) -> None:
    assert verdict(disk(smart=smart_of), [], []) == ("healthy", [])


@pytest.mark.parametrize(
    ("other", "wanted", "reason"),
    [
        ({"state": "offline"}, "failed", "the kernel has given it up (state offline)"),
        ({"state": "dead"}, "failed", "the kernel has given it up (state dead)"),
        ({"size": 0}, "failed", "it has no capacity"),
        (
            {"kernel": {**none(), "write": 1}},
            "replace",
            "the kernel could not write to it (once since boot)",
        ),
        (
            {"kernel": {**none(), "read": 3, "medium": 1}},
            "watch",
            "the kernel could not read it; its medium is to blame; 3 times since boot",
        ),
    ],
)
def test_what_the_kernel_says(other: dict[str, Any], wanted: str, reason: str) -> None:
    assert verdict(disk(**other), [], []) == (wanted, [reason])


@pytest.mark.parametrize(
    ("other", "wanted", "reason"),
    [
        ({"state": "faulty"}, "failed", "array /dev/md/system has thrown out /dev/sda2"),
        (
            {"errors": 19},
            "watch",
            "array /dev/md/system had to correct 19 read errors of /dev/sda2",
        ),
        (
            {"errors": 20},
            "replace",
            "array /dev/md/system had to correct 20 read errors of /dev/sda2",
        ),
        ({"bad_blocks": 2}, "replace", "array /dev/md/system has 2 bad areas on /dev/sda2"),
    ],
)
def test_what_its_array_says(other: dict[str, Any], wanted: str, reason: str) -> None:
    said = verdict(disk(), [("/dev/md/system", member(**other))], [])
    assert said == (wanted, [reason])


def test_cable_is_named_where_there_are_errors_now() -> None:
    found = disk(kernel={**none(), "read": 1}, smart={"crc_errors": 3})
    found["kernel_errors"] = 1
    _verdict, reasons = verdict(found, [], [])
    assert "3 transfers were damaged on their way (CRC): look at cable and slot" in reasons


def test_the_worst_comes_first() -> None:
    found = disk(smart={"pending": 8, "passed": False}, state="offline")
    said, reasons = verdict(found, [], [("/dev/sda2", "/dev/md/system")])
    assert said == "failed"
    assert reasons == [
        "the kernel has given it up (state offline)",
        "/dev/sda2 is no longer in array /dev/md/system: it was thrown out, or was away; if so, "
        "add it again",
        "it says itself that it is failing",
        "sectors that could not be read and wait to be reallocated: 8",
    ]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("ata-failing", "replace"),
        ("ata-reallocated", "watch"),
        ("ata-ssd-statistics", "healthy"),
        ("nvme-media-errors", "watch"),
        ("nvme-warning", "replace"),
        ("scsi-uncorrected", "watch"),
        ("scsi-volume", "healthy"),
    ],
)
def test_real_disks(name: str, wanted: str) -> None:
    said = smart((FOLDER / f"{name}.json").read_text(), "/dev/sda", [])
    assert verdict(disk(smart=said), [], [])[0] == wanted
