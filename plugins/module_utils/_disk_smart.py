# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What `smartctl --json` says of a disk, in the same words for ATA, NVMe and SCSI. Pure.

Figures are None where a disk has none. Which attribute of ATA means what is the vendor's choice;
those read here mean the same for all who have them (see the database of smartmontools).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Failing,
    SelfTest,
    Smart,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_values import (
    at,
    count,
    loaded,
    rows,
    whole,
    word,
)

OPTIONS = ("--json=c", "--nocheck=standby", "--all", "--log=devstat", "--log=ssd")
_TESTS = 5
_HEALTH = ("smart_status", "ata_smart_attributes", "nvme_smart_health_information_log")
_UNIT = 512_000  # bytes in a data unit of NVMe
_CRIPPLED = 0xFFFF  # some vendors pack three counters of 16 bits into one
_REALLOCATED, _HOURS, _UNCORRECTABLE, _TIMEOUTS = 5, 9, 187, 188
_PENDING, _OFFLINE, _CRC = 197, 198, 199
# Attributes whose normalised value is the percentage of endurance that is left.
_LEFT = {
    "Wear_Leveling_Count",
    "Media_Wearout_Indicator",
    "SSD_Life_Left",
    "Percent_Lifetime_Remain",
    "Remaining_Lifetime_Perc",
    "Percent_Life_Remaining",
    "Drive_Life_Remaining%",
}
_ENDURANCE_PAGE = 7  # of the device statistics of ATA: Solid State Device Statistics
_ENDURANCE = "Percentage Used Endurance Indicator"

Said = Mapping[str, Any]


def unknown(why: str) -> Smart:
    """Return what is known of a disk that doesn't say anything, and why."""
    return {
        "available": False,
        "why": why,
        "hangs": False,
        "standby": False,
        "protocol": "",
        "firmware": "",
        "passed": None,
        "status": "",
        "hours": None,
        "power_cycles": None,
        "temperature": None,
        "temperature_limit": None,
        "wear": None,
        "spare": None,
        "spare_threshold": None,
        "written": None,
        "reallocated": None,
        "pending": None,
        "offline_uncorrectable": None,
        "reported_uncorrectable": None,
        "command_timeouts": None,
        "crc_errors": None,
        "media_errors": None,
        "logged_errors": None,
        "critical_warning": None,
        "failing": [],
        "self_tests": [],
        "self_test_left": None,
    }


def smart(text: str, path: str, unread: list[str]) -> Smart:
    """Return what a disk says of itself; `path` names it where its words can't be read."""
    said = loaded(text, f"smartctl {path}", unread)
    why = _why_not(said)
    found = unknown(why)
    found["standby"] = "STANDBY" in why.upper()
    found["protocol"] = word(at(said, "device", "protocol"))
    found["firmware"] = word(said.get("firmware_version")) or word(said.get("scsi_revision"))
    found["available"] = not why
    if why:
        return found
    passed = at(said, "smart_status", "passed")
    found["passed"] = passed if isinstance(passed, bool) else None
    found["hours"] = whole(at(said, "power_on_time", "hours"))
    found["power_cycles"] = whole(said.get("power_cycle_count"))
    found["temperature"] = whole(at(said, "temperature", "current"))
    found["wear"] = whole(at(said, "endurance_used", "current_percent"))
    found["spare"] = whole(at(said, "spare_available", "current_percent"))
    found["spare_threshold"] = whole(at(said, "spare_available", "threshold_percent"))
    read = {"ATA": _ata, "NVMe": _nvme, "SCSI": _scsi}.get(found["protocol"])
    if read:
        read(said, found)
    return found


def identity(text: str) -> dict[str, Any]:
    """Return model, serial, WWN and size of a disk that only smartctl reaches."""
    said = loaded(text, "", [])
    wwn = said.get("wwn")
    parts = [whole(at(wwn, key)) for key in ("naa", "oui", "id")]
    naa, oui, rest = parts if None not in parts else (0, 0, 0)
    known = (naa or 0) << 60 | (oui or 0) << 36 | (rest or 0)
    return {
        "model": word(said.get("model_name")) or word(said.get("scsi_model_name")),
        "vendor": word(said.get("scsi_vendor")) or word(said.get("vendor")),
        "serial": word(said.get("serial_number")),
        "wwn": word(said.get("logical_unit_id")) or (f"0x{known:016x}" if known else ""),
        "size": count(at(said, "user_capacity", "bytes")),
        "rotational": bool(whole(said.get("rotation_rate"))),
        "logical_sector": count(said.get("logical_block_size")),
        "physical_sector": count(said.get("physical_block_size"))
        or count(said.get("logical_block_size")),
    }


def hidden_disks(text: str, unread: list[str]) -> list[tuple[str, str]]:
    """Return path and type of the disks behind hardware RAID that `--scan-open` has found."""
    found = loaded(text, "smartctl --scan-open", unread)
    pairs = [(word(row.get("name")), word(row.get("type"))) for row in rows(found.get("devices"))]
    return [(name, kind) for name, kind in pairs if name and "," in kind]


def _why_not(said: Said) -> str:
    """Return why a disk says nothing of its health; empty if it does."""
    messages = [word(row.get("string")) for row in rows(at(said, "smartctl", "messages"))]
    sleeping = [one for one in messages if "STANDBY" in one.upper()]
    if sleeping:
        return sleeping[0]
    if not said:
        return "smartctl said nothing that can be read"
    if at(said, "smart_support", "available") is False:
        return "the disk has no SMART"
    if at(said, "smart_support", "enabled") is False:
        return "SMART is switched off: smartctl --smart=on switches it on"
    opened = count(at(said, "smartctl", "exit_status")) & 0b11 == 0
    if not opened and "smart_status" not in said:
        return next(iter(messages), "the disk could not be opened")
    return "" if any(key in said for key in _HEALTH) else "it says nothing of its health"


def _ata(said: Said, found: Smart) -> None:
    table = {count(row.get("id")): row for row in rows(at(said, "ata_smart_attributes", "table"))}

    def figure(number: int) -> int | None:
        # The text is what smartmontools makes of the raw value, which may hold several numbers.
        raw = at(table.get(number), "raw")
        value = whole(at(raw, "string"))
        return whole(at(raw, "value")) if value is None else value

    timeouts = figure(_TIMEOUTS)
    found["reallocated"], found["pending"] = figure(_REALLOCATED), figure(_PENDING)
    found["offline_uncorrectable"], found["crc_errors"] = figure(_OFFLINE), figure(_CRC)
    found["reported_uncorrectable"] = figure(_UNCORRECTABLE)
    found["command_timeouts"] = timeouts & _CRIPPLED if timeouts is not None else None
    if found["hours"] is None:
        found["hours"] = figure(_HOURS)
    found["failing"] = list(_failing(table.values()))
    if found["wear"] is None:
        found["wear"] = _wear(said, table.values())
    log = at(said, "ata_smart_error_log")
    logs = [at(log, kind, "count") for kind in ("extended", "summary")]
    found["logged_errors"] = next((whole(one) for one in logs if one is not None), None)
    tests = at(said, "ata_smart_self_test_log")
    table_of = at(tests, "extended", "table") or at(tests, "standard", "table")
    found["self_tests"] = [_ata_test(row) for row in rows(table_of)][:_TESTS]
    left = whole(at(said, "ata_smart_data", "self_test", "status", "remaining_percent"))
    found["self_test_left"] = left


def _failing(table: Iterator[Said] | Any) -> Iterator[Failing]:
    for row in table:
        if (when := word(row.get("when_failed"))) in ("now", "past"):
            yield {
                "id": count(row.get("id")),
                "name": word(row.get("name")),
                "when": when,
                "prefail": at(row, "flags", "prefailure") is True,
            }


def _wear(said: Said, table: Any) -> int | None:
    """Return the wear that an SSD has in its statistics, or else in an attribute."""
    for page in rows(at(said, "ata_device_statistics", "pages")):
        if page.get("number") == _ENDURANCE_PAGE:
            for row in rows(page.get("table")):
                if row.get("name") == _ENDURANCE and at(row, "flags", "valid") is not False:
                    return whole(row.get("value"))
    for row in table:
        left = whole(row.get("value"))
        if word(row.get("name")) in _LEFT and left is not None and 0 <= left <= 100:  # noqa: PLR2004 -- percent
            return 100 - left
    return None


def _ata_test(row: Said) -> SelfTest:
    passed = at(row, "status", "passed")
    return {
        "type": word(at(row, "type", "string")),
        "status": word(at(row, "status", "string")),
        "passed": passed if isinstance(passed, bool) else None,
        "hours": whole(row.get("lifetime_hours")),
    }


def _nvme(said: Said, found: Smart) -> None:
    log = at(said, "nvme_smart_health_information_log")
    found["critical_warning"] = whole(at(log, "critical_warning"))
    found["wear"] = whole(at(log, "percentage_used"))
    found["spare"] = whole(at(log, "available_spare"))
    found["spare_threshold"] = whole(at(log, "available_spare_threshold"))
    found["media_errors"] = whole(at(log, "media_errors"))
    found["logged_errors"] = whole(at(log, "num_err_log_entries"))
    units = whole(at(log, "data_units_written"))
    found["written"] = units * _UNIT if units is not None else None
    if found["hours"] is None:
        found["hours"] = whole(at(log, "power_on_hours"))
    if found["temperature"] is None:
        found["temperature"] = whole(at(log, "temperature"))
    found["temperature_limit"] = whole(at(said, "nvme_composite_temperature_threshold", "warning"))
    tests = at(said, "nvme_self_test_log")
    found["self_tests"] = [_nvme_test(row) for row in rows(at(tests, "table"))][:_TESTS]
    if whole(at(tests, "current_self_test_operation", "value")):
        done = count(at(tests, "current_self_test_completion_percent"))
        found["self_test_left"] = max(0, 100 - done)


def _nvme_test(row: Said) -> SelfTest:
    # Source: NVM Express Base Specification, Device Self-test log, result: 0 is well, 5 to 7 found
    # something, the others were ended by somebody.
    result = whole(at(row, "self_test_result", "value"))
    return {
        "type": word(at(row, "self_test_code", "string")),
        "status": word(at(row, "self_test_result", "string")),
        "passed": {0: True, 5: False, 6: False, 7: False}.get(-1 if result is None else result),
        "hours": whole(row.get("power_on_hours")),
    }


def _scsi(said: Said, found: Smart) -> None:
    found["status"] = word(at(said, "smart_status", "scsi", "ie_string"))
    found["reallocated"] = whole(said.get("scsi_grown_defect_list"))
    found["pending"] = whole(at(said, "scsi_pending_defects", "count"))
    counters = [at(said, "scsi_error_counter_log", act) for act in ("read", "write", "verify")]
    sums = [whole(at(one, "total_uncorrected_errors")) for one in counters]
    known = [one for one in sums if one is not None]
    found["media_errors"] = sum(known) if known else None
    if found["wear"] is None:
        found["wear"] = whole(said.get("scsi_percentage_used_endurance_indicator"))
    found["temperature_limit"] = whole(at(said, "temperature", "drive_trip"))
    if found["power_cycles"] is None:
        found["power_cycles"] = whole(
            at(said, "scsi_start_stop_cycle_counter", "accumulated_start_stop_cycles")
        )
    numbered = [said.get(f"scsi_self_test_{number}") for number in range(_TESTS)]
    found["self_tests"] = [_scsi_test(row) for row in rows(numbered)]


def _scsi_test(row: Said) -> SelfTest:
    # Source: SPC-4, Self-Test Results log parameter: 0 is well, 3 to 7 found something, 15 runs.
    result = whole(at(row, "result", "value"))
    bad = dict.fromkeys(range(3, 8), False)
    return {
        "type": word(at(row, "code", "string")),
        "status": word(at(row, "result", "string")),
        "passed": {0: True, **bad}.get(-1 if result is None else result),
        "hours": whole(at(row, "power_on_time", "hours")),
    }
