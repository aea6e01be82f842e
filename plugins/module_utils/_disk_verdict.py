# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The verdict on a disk, with its reasons. Pure.

`failed`: it doesn't do its work any more. `replace`: it, or the system that uses it, says that it
won't for long. `watch`: something happened that often comes before that. Where the limits come
from:

- the disk's own: the thresholds of its vendor for attributes of ATA (ACS-3, SMART RETURN STATUS),
  the critical warnings, spare threshold and endurance of NVMe (NVM Express Base Specification,
  SMART / Health Information), the additional sense codes 5Dh and 0Bh of SCSI (SPC-4,
  Informational Exceptions), its last self-test;
- md's: a write error throws a member out, and so do 20 read errors in an hour (max_read_errors in
  Documentation/admin-guide/md.rst of the kernel);
- Backblaze's, "What SMART Stats Tell Us About Hard Drives" (2016): any of the attributes 5, 187,
  188, 197 and 198 above zero is a reason to look into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Disk,
    Member,
    Smart,
    Verdict,
)

ORDER: tuple[Verdict, ...] = ("healthy", "watch", "replace", "failed")
_DEAD = ("offline", "transport-offline", "dead", "deleting", "deleting (no IO)", "cancel", "del")
_READ_ERRORS = 20
_WORN, _WEARING = 100, 90  # percent of endurance; the second so that there is time to buy another
_WARNINGS: tuple[tuple[Verdict, str], ...] = (  # the bits of NVMe's critical warning, from 0
    ("replace", "its spare blocks are used up"),
    ("watch", "its temperature is beyond its limits"),
    ("replace", "its reliability is degraded by media or internal errors"),
    ("failed", "it has made itself read-only"),
    ("replace", "the backup of its volatile memory has failed"),
    ("watch", "its persistent memory region has become read-only or unreliable"),
)
_COUNTS = (
    ("reallocated", "reallocated sectors"),
    ("reported_uncorrectable", "uncorrectable errors that reached the host"),
    ("command_timeouts", "commands that timed out"),
    ("pending", "sectors that could not be read and wait to be reallocated"),
    ("offline_uncorrectable", "sectors that could not be read in its own scan"),
    ("media_errors", "errors of its medium that it could not correct"),
)
Finding = tuple[Verdict, str]


_LEFT_OUT = "{0} is no longer in array {1}: it was thrown out, or was away; if so, add it again"


def verdict(
    disk: Disk, members: Sequence[tuple[str, Member]], left_out: Sequence[tuple[str, str]]
) -> tuple[Verdict, list[str]]:
    """Return the verdict on a disk, and the reasons, the worst first.

    `members` are the parts of it that are in arrays, with the array's name; `left_out` are paths
    of parts that should be in an array and aren't, with the array's name.
    """
    found = [
        *_from_kernel(disk),
        *(finding for array, member in members for finding in _from_array(array, member)),
        *((ORDER[2], _LEFT_OUT.format(path, array)) for path, array in left_out),
        *_from_smart(disk["smart"]),
    ]
    found.sort(key=lambda one: -ORDER.index(one[0]))
    return (found[0][0] if found else ORDER[0]), [reason for _verdict, reason in found]


def _from_kernel(disk: Disk) -> Iterator[Finding]:
    said = disk["kernel"]
    if disk["state"] in _DEAD:
        yield "failed", f"the kernel has given it up (state {disk['state']})"
    if not disk["size"] and not disk["removable"]:
        yield "failed", "it has no capacity"
    if said["write"]:
        yield "replace", f"the kernel could not write to it ({_times(said['write'])} since boot)"
    if said["read"]:
        medium = " its medium is to blame;" if said["medium"] else ""
        yield "watch", f"the kernel could not read it;{medium} {_times(said['read'])} since boot"
    if disk["kernel_errors"] and disk["smart"]["crc_errors"]:
        crc = disk["smart"]["crc_errors"]
        yield "watch", f"{crc} transfers were damaged on their way (CRC): look at cable and slot"


def _from_array(array: str, member: Member) -> Iterator[Finding]:
    errors = member["errors"]
    if member["state"] == "faulty":
        yield "failed", f"array {array} has thrown out {member['path']}"
    if member["bad_blocks"]:
        yield "replace", f"array {array} has {member['bad_blocks']} bad areas on {member['path']}"
    if errors:
        level = ORDER[2] if errors >= _READ_ERRORS else ORDER[1]
        yield level, f"array {array} had to correct {errors} read errors of {member['path']}"


def _from_smart(smart: Smart) -> Iterator[Finding]:
    words = f": {smart['status']}" if smart["status"] else ""
    if smart["hangs"]:
        yield "watch", f"it did not say how it is: {smart['why']}"
    if smart["passed"] is False:
        yield "replace", f"it says itself that it is failing{words}"
    elif smart["status"] and _is_warning(smart["status"]):
        yield "watch", f"it warns{words}"
    for one in smart["failing"]:
        level = ORDER[2] if one["when"] == "now" and one["prefail"] else ORDER[1]
        when = "is" if one["when"] == "now" else "was once"
        name = one["name"].replace("_", " ")
        yield level, f"SMART {one['id']} ({name}) {when} beyond its vendor's threshold"
    warning = smart["critical_warning"] or 0
    for bit, finding in enumerate(_WARNINGS):
        if warning >> bit & 1:
            yield finding
    yield from _from_figures(smart)
    if smart["self_tests"] and smart["self_tests"][0]["passed"] is False:
        yield "replace", f"its last self-test failed: {smart['self_tests'][0]['status']}"


def _is_warning(status: str) -> bool:
    """Whether SCSI's words are those of a warning (ASC 0Bh); all else that passes is well."""
    return status.upper() not in ("OK", "") and "WARNING" in status.upper()


def _from_figures(smart: Smart) -> Iterator[Finding]:
    wear, spare, least = smart["wear"], smart["spare"], smart["spare_threshold"]
    heat, limit = smart["temperature"], smart["temperature_limit"]
    if wear is not None and wear >= _WEARING:
        level = ORDER[2] if wear >= _WORN else ORDER[1]
        yield level, f"{wear} % of its endurance is used"
    if spare is not None and least and spare < least:
        yield "replace", f"{spare} % of its spare blocks are left, its vendor wants {least} %"
    if heat is not None and limit and heat >= limit:
        yield "watch", f"it has {heat} °C, its vendor's limit is {limit} °C"
    for key, text in _COUNTS:
        figure: int | None = smart[key]  # type: ignore[literal-required]  # keys of Smart
        if figure:
            yield "watch", f"{text}: {figure}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
