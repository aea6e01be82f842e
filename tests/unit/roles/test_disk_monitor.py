# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The programs that the role disk_monitor leaves on hosts."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FILES = Path(__file__).parents[3] / "roles/disk_monitor/files/usr/local/lib/servertechnik"
NOW = datetime(2026, 11, 24, 8, 30, 0, 250000, tzinfo=UTC)


def program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FILES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


disk_event, disk_scrub = program("disk_event"), program("disk_scrub")


def event(*words: str, **environ: str) -> dict[str, Any]:
    made: dict[str, Any] = disk_event.event_of(words, environ, NOW)
    return made


@pytest.mark.parametrize(
    ("words", "severity", "component", "message", "mail"),
    [
        (("Fail", "/dev/md127", "/dev/sdb1"), "critical", "/dev/sdb1", "", True),
        (("DegradedArray", "/dev/md127"), "critical", "", "", True),
        (("DeviceDisappeared", "/dev/md1", " Wrong-Level"), "critical", "", "Wrong-Level", True),
        (("SparesMissing", "/dev/md127"), "warning", "", "", True),
        (("Rebuild40", "/dev/md127"), "warning", "", "", False),
        (("RebuildFinished", "/dev/md127", " mismatches found: 8 (on raid level 1)"),
         "warning", "", "mismatches found: 8 (on raid level 1)", False),
        (("SpareActive", "/dev/md127", "/dev/sdb1"), "info", "/dev/sdb1", "", False),
        (("--source=scrub", "ScrubErrors", "/srv", "it is bad"), "critical", "", "it is bad", True),
        ((), "info", "", "", False),
    ],
)  # fmt: skip
def test_what_words_mean(
    words: tuple[str, ...], severity: str, component: str, message: str, mail: bool
) -> None:
    made = event(*words)
    assert made["at"] == "2026-11-24T08:30:00.250000Z"
    assert made["source"] == ("scrub" if words and words[0].startswith("--") else "mdadm")
    assert (made["severity"], made["component"], made["message"]) == (severity, component, message)
    assert made["mail"] is mail


@pytest.mark.parametrize(
    ("kind", "severity"),
    [("Health", "critical"), ("FailedOpenDevice", "critical"), ("Temperature", "warning"),
     ("EmailTest", "info")],
)  # fmt: skip
def test_what_smartd_means(kind: str, severity: str) -> None:
    told = {"SMARTD_FAILTYPE": kind, "SMARTD_DEVICE": "/dev/none", "SMARTD_MESSAGE": "x"}
    made = event("Fail", "/dev/md0", HOME="/root", **told)
    assert (made["source"], made["event"], made["severity"]) == ("smartd", kind, severity)
    assert made["device"] == "/dev/none"
    assert made["details"] == told


def test_metrics_can_be_read_whatever_the_labels_are() -> None:
    counts = {
        json.dumps(["mdadm", "Fail", '/dev/"\\\n\x07']): {"count": 2, "last": 5.5},
        json.dumps(["smartd", "Health", "x" * 300]): {"count": 1, "last": 6.0},
    }
    lines = disk_event.exposition(counts).splitlines()
    assert lines[2] == (
        'servertechnik_disk_events_total{source="mdadm",event="Fail",device="/dev/\\"\\\\\\n "} 2'
    )
    assert len(lines) == 8
    assert max(map(len, lines)) < 350


def test_counts_are_bounded(tmp_path: Path) -> None:
    for number in range(disk_event.SERIES + 5):
        disk_event.count(event("Fail", f"/dev/md{number}"), tmp_path, tmp_path / "metrics")
    text = (tmp_path / "metrics").read_text()
    assert text.count("events_total{") == disk_event.SERIES + 1
    assert 'event="other",device="other"} 5' in text


def test_counts_that_were_damaged_begin_anew(tmp_path: Path) -> None:
    (tmp_path / "counts.json").write_text('{"half')
    disk_event.count(event("Fail", "/dev/md0"), tmp_path, tmp_path / "new" / "metrics")
    assert 'device="/dev/md0"} 1' in (tmp_path / "new" / "metrics").read_text()


def test_the_newest_events_stay(tmp_path: Path) -> None:
    for second in range(5):
        made = disk_event.event_of(["Fail", f"/dev/md{second}"], {}, NOW.replace(second=second))
        disk_event.keep(made, tmp_path, 2)
    kept = [json.loads(path.read_text())["device"] for path in sorted(tmp_path.iterdir())]
    assert kept == ["/dev/md3", "/dev/md4"]


def test_a_line_of_the_log_is_one_line() -> None:
    assert disk_event.sentence(event("Fail", "/dev/a\n\x1b[2Jb")) == "mdadm Fail /dev/a [2Jb"


MOUNTINFO = r"""
25 1 0:25 /@ / rw,relatime shared:1 - btrfs /dev/vda2 rw,space_cache=v2,subvol=/@
26 25 0:25 /@home /home rw,relatime shared:2 - btrfs /dev/vda2 rw,subvol=/@home
27 25 0:30 / /srv/a\040b rw - btrfs /dev/vdb rw
28 25 0:31 / /mnt ro - btrfs /dev/vdc rw
29 25 0:32 / /old rw - btrfs /dev/vdd ro
30 25 8:1 / /boot rw - ext4 /dev/vda1 rw
""".strip()


def test_each_btrfs_that_can_be_written_is_scrubbed_once() -> None:
    assert list(disk_scrub.btrfs_mounts(MOUNTINFO)) == ["/", "/srv/a b"]


def test_volumes_with_redundancy_are_scrubbed_where_all_parts_are_there() -> None:
    volumes = [
        {"vg_name": "main", "lv_name": "root", "segtype": "raid1", "lv_attr": "rwi-aor---"},
        {"vg_name": "main", "lv_name": "bad", "segtype": "raid5", "lv_attr": "rwi-aor-p-"},
        {"vg_name": "main", "lv_name": "fast", "segtype": "raid0", "lv_attr": "rwi-aor---"},
        {"vg_name": "main", "lv_name": "plain", "segtype": "linear", "lv_attr": "-wi-ao----"},
    ]
    report = json.dumps({"report": [{"lv": volumes}]})
    assert list(disk_scrub.raid_volumes(report)) == ["main/root"]
