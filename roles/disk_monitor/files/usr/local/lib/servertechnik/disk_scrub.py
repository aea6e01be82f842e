#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Read all data of Btrfs file systems and of RAID volumes of LVM once, and report what is wrong.

Copies that have gone bad unnoticed are found while there is still a good one. One after the other,
since several may be on the same disks. What md arrays need is done by mdadm's own mdcheck.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

REPORT = str(Path(__file__).with_name("disk-event"))
PAUSE = 30.0  # seconds between two looks at a scrub of LVM


def btrfs_mounts(mountinfo: str) -> Iterator[str]:
    """Yield one mount point of each Btrfs file system that can be written (proc(5), mountinfo)."""
    seen = set()
    for line in mountinfo.splitlines():
        before, _dash, after = line.partition(" - ")
        kind, source, options = after.split(" ")[:3]
        target, mount_options = before.split(" ")[4:6]
        writable = "rw" in options.split(",") and "rw" in mount_options.split(",")
        if kind == "btrfs" and writable and source not in seen:
            seen.add(source)
            yield target.encode().decode("unicode_escape").encode("latin-1").decode()


def raid_volumes(report: str) -> Iterator[str]:
    """Yield the names of volumes with redundancy of which all parts are there (lvs(8), JSON)."""
    for volume in json.loads(report)["report"][0]["lv"]:
        # Bit 9 of the attributes: p(artial), r(efresh needed).
        sound = volume["lv_attr"][8:9] not in ("p", "r")
        if volume["segtype"].startswith("raid") and volume["segtype"] != "raid0" and sound:
            yield f"{volume['vg_name']}/{volume['lv_name']}"


def asked(*words: str) -> str:
    """Return what a command prints. Raises CalledProcessError."""
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


def scrub_btrfs(target: str) -> str:
    """Scrub a file system; return what is wrong (btrfs-scrub(8)), else nothing."""
    words = ["btrfs", "scrub", "start", "-B", "-c", "3", target]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip() if done.returncode else ""


def scrub_volume(name: str) -> str:
    """Scrub a volume (lvmraid(7)); return what is wrong, else nothing. Raises CalledProcessError.

    Nothing is put right: of two copies that differ nobody knows which one is good.
    """
    asked("lvchange", "--syncaction", "check", name)
    fields = "raid_sync_action,raid_mismatch_count"
    while True:
        time.sleep(PAUSE)
        action, different = asked("lvs", "--noheadings", "-o", fields, name).split()
        if action != "check":
            return "" if int(different) == 0 else f"{different} sectors differ between copies"


def report(device: str, problem: str) -> None:
    """Have a problem kept like those that mdadm and smartd report."""
    subprocess.run([REPORT, "--source=scrub", "ScrubErrors", device, problem], check=True)


def problems(targets: Iterable[str], volumes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Scrub everything; yield each thing that has a problem, and the problem."""
    for target in targets:
        if wrong := scrub_btrfs(target):
            yield target, wrong
    for name in volumes:
        try:
            wrong = scrub_volume(name)
        except subprocess.CalledProcessError as error:
            wrong = f"it can't be scrubbed: {error}"
        if wrong:
            yield f"/dev/{name}", wrong


def main() -> int:
    """Scrub what there is; 1 when something was wrong."""
    mounts: Iterable[str] = ()
    if shutil.which("btrfs"):
        mounts = btrfs_mounts(Path("/proc/self/mountinfo").read_text())
    volumes: Iterable[str] = ()
    if shutil.which("lvs"):
        fields = "vg_name,lv_name,segtype,lv_attr"
        volumes = raid_volumes(asked("lvs", "--reportformat", "json", "-o", fields))
    status = 0
    for device, problem in problems(mounts, volumes):
        report(device, problem)
        status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
