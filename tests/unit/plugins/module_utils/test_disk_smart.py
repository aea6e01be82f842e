# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Real answers of disks; disks/smart/README.md says whose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._disk_smart import (
    hidden_disks,
    identity,
    smart,
    unknown,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils.damage import damaged

FOLDER = Path(__file__).parent / "disks" / "smart"
TEXTS = {path.stem: path.read_text() for path in FOLDER.glob("*.json")}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "ata-failing",
            {
                "passed": False,
                "hours": 65592,
                "reallocated": 1975,
                "pending": 8,
                "logged_errors": 56,
                "failing": [
                    {"id": 5, "name": "Reallocated_Sector_Ct", "when": "now", "prefail": True}
                ],
            },
        ),
        ("ata-reallocated", {"passed": True, "reallocated": 387, "pending": 0, "failing": []}),
        ("ata-testing", {"self_test_left": 10, "crc_errors": 0}),
        ("ata-ssd-statistics", {"wear": 19, "temperature": 36, "self_test_left": None}),
        ("ata-ssd-attribute", {"wear": 10, "hours": 84620}),
        ("ata-timeouts", {"command_timeouts": 1, "reallocated": 1}),
        (
            "nvme-media-errors",
            {
                "media_errors": 7,
                "spare": 99,
                "spare_threshold": 10,
                "wear": 3,
                "written": 33588269056000,
                "critical_warning": 0,
            },
        ),
        ("nvme-warning", {"critical_warning": 16, "passed": False}),
        (
            "scsi-uncorrected",
            {"media_errors": 536, "reallocated": 260, "temperature_limit": 68, "wear": None},
        ),
        (
            "scsi-switched-off",
            {
                "available": False,
                "why": "SMART is switched off: smartctl --smart=on switches it on",
                "hours": None,
            },
        ),
        (
            "scsi-volume",
            {"available": False, "why": "it says nothing of its health", "protocol": "SCSI"},
        ),
    ],
)
def test_real_disks(name: str, wanted: dict[str, Any]) -> None:
    unread: list[str] = []
    found = smart(TEXTS[name], "/dev/sda", unread)
    assert {key: found[key] for key in wanted} == wanted  # type: ignore[literal-required]
    assert unread == []


def test_self_tests_are_the_newest_first() -> None:
    found = smart(TEXTS["ata-reallocated"], "/dev/sda", [])
    assert found["self_tests"][0] == {
        "type": "Short offline",
        "status": "Aborted by host",
        "passed": None,
        "hours": 35990,
    }


# Written after the source of smartctl, for no disk of the public ones sleeps.
STANDBY = """{"json_format_version":[1,0],"smartctl":{"version":[7,3],"argv":["smartctl","-j",
"-n","standby","-a","/dev/sda"],"messages":[{"string":"Device is in STANDBY mode, exit(2)",
"severity":"information"}],"exit_status":2},"device":{"name":"/dev/sda","protocol":"ATA"}}"""


def test_disk_that_sleeps() -> None:
    found = smart(STANDBY, "/dev/sda", [])
    assert (found["available"], found["standby"]) == (False, True)


def test_three_counters_in_one() -> None:
    said = json.loads(TEXTS["ata-timeouts"])
    for row in said["ata_smart_attributes"]["table"]:
        if row["id"] == 188:
            row["raw"] = {"value": 4295032833, "string": "4295032833"}
    assert smart(json.dumps(said), "/dev/sda", [])["command_timeouts"] == 1


@pytest.mark.parametrize(("result", "passed"), [(0, True), (1, None), (7, False), (15, None)])
def test_self_tests_of_nvme(result: int, passed: bool | None) -> None:
    row = {
        "self_test_code": {"value": 1, "string": "Short"},
        "self_test_result": {"value": result, "string": "in words"},
        "power_on_hours": 7,
    }
    said = json.loads(TEXTS["nvme-media-errors"]) | {"nvme_self_test_log": {"table": [row]}}
    found = smart(json.dumps(said), "/dev/nvme0n1", [])["self_tests"]
    assert found == [{"type": "Short", "status": "in words", "passed": passed, "hours": 7}]


@pytest.mark.parametrize(("result", "passed"), [(0, True), (2, None), (3, False), (15, None)])
def test_self_tests_of_scsi(result: int, passed: bool | None) -> None:
    said = json.loads(TEXTS["scsi-uncorrected"]) | {
        "scsi_self_test_0": {
            "code": {"value": 1, "string": "Background short"},
            "result": {"value": result, "string": "in words"},
            "power_on_time": {"hours": 7},
        }
    }
    (found,) = smart(json.dumps(said), "/dev/sda", [])["self_tests"]
    assert (found["passed"], found["hours"]) == (passed, 7)


def test_identity_of_a_disk_behind_a_controller() -> None:
    assert identity(TEXTS["ata-reallocated"]) == {
        "model": "WD4000FYYX",
        "vendor": "",
        "serial": "XXXXXXXXXXXX",
        "wwn": "0x50014ee2b6578d5f",
        "size": 4000787030016,
        "rotational": True,
        "logical_sector": 512,
        "physical_sector": 512,
    }


SCAN = """{"devices": [
{"name": "/dev/bus/0", "info_name": "/dev/bus/0 [megaraid_disk_00]", "type": "megaraid,0"},
{"name": "/dev/sda", "info_name": "/dev/sda", "type": "scsi", "protocol": "SCSI"},
{"name": "/dev/bus/0", "info_name": "/dev/bus/0 [megaraid_disk_01]", "type": "sat+megaraid,1"}]}"""


def test_disks_that_hardware_raid_hides() -> None:
    found = [("/dev/bus/0", "megaraid,0"), ("/dev/bus/0", "sat+megaraid,1")]
    assert hidden_disks(SCAN, []) == found


@given(st.sampled_from(sorted(TEXTS)).flatmap(lambda name: damaged(TEXTS[name])))
def test_damage_is_survived(text: str) -> None:
    unread: list[str] = []
    found = smart(text, "/dev/sda", unread)
    assert found.keys() == unknown("").keys()
    assert all(line.startswith("smartctl /dev/sda: ") for line in unread)
    assert unread == [] or not found["available"]
    identity(text)
    hidden_disks(text, unread)
