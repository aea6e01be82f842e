# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""mdadm.conf knows the arrays and keeps what others wrote; the initramfs isn't forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._raid_config import (
    CONFIG,
    OWED,
    Line,
    keep,
    uuid_of,
    with_line,
)

UUID = "11111111:22222222:33333333:44444444"
OTHER = "64ebbe8f:34cb60b4:786fb957:458b2e06"
# As Debian's package makes it (/usr/share/mdadm/mkconf), shortened.
DEBIAN = """\
# mdadm.conf
#DEVICE partitions containers

# automatically tag new arrays as belonging to the local system
HOMEHOST <system>

MAILADDR root

# This configuration was auto-generated on Tue, 24 Nov 2026 15:44:00 +0000 by mkconf
"""
LINE = Line("/dev/md/system", UUID, metadata="1.2")
TEXT = f"ARRAY /dev/md/system metadata=1.2 UUID={UUID}\n"
ARRAY = {"name": "/dev/md/system", "uuid": UUID, "metadata": "1.2"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", TEXT),
        (DEBIAN, DEBIAN + TEXT),
        (DEBIAN.rstrip("\n"), DEBIAN + TEXT),
        (TEXT + DEBIAN, TEXT + DEBIAN),
        # The installer's own, which says the same.
        (f"ARRAY /dev/md/system UUID={UUID}\n", f"ARRAY /dev/md/system UUID={UUID}\n"),
        (f"array system uuid={UUID.upper()}\n", f"array system uuid={UUID.upper()}\n"),
        # A name has that of the host, which may change.
        (f"ARRAY /dev/md/system UUID={UUID} name=old:system\nMAILADDR x\n", TEXT + "MAILADDR x\n"),
        (f"ARRAY /dev/md/system\n  UUID={OTHER}\n\tspares=1\nMAILADDR x\n", TEXT + "MAILADDR x\n"),
        (f"ARR /dev/md0 UUID={UUID}\n", TEXT),
        (f"ARRAY /dev/md/data UUID={OTHER}\n", f"ARRAY /dev/md/data UUID={OTHER}\n{TEXT}"),
        (f"{TEXT}ARRAY <ignore> UUID={UUID}\n", TEXT),
        (f"# ARRAY /dev/md/system UUID={UUID}\n", f"# ARRAY /dev/md/system UUID={UUID}\n{TEXT}"),
    ],
)
def test_array_has_one_true_line(before: str, after: str) -> None:
    assert with_line(before, LINE) == after
    assert with_line(after, LINE) == after


def test_uuid_of_a_name() -> None:
    assert uuid_of(DEBIAN + TEXT, "/dev/md/system") == UUID
    assert uuid_of(DEBIAN + TEXT, "/dev/md/data") == ""


@pytest.fixture
def host(tmp_path: Path) -> Host:
    (tmp_path / "etc/mdadm").mkdir(parents=True)
    (tmp_path / CONFIG[1:]).write_text(DEBIAN)
    (tmp_path / CONFIG[1:]).chmod(0o640)
    return Host(str(tmp_path))


def test_check_mode_writes_nothing(host: Host) -> None:
    kept = keep(host, [ARRAY], check=True)
    assert kept.steps == (f"{CONFIG}: /dev/md/system",)
    assert kept.after == DEBIAN + TEXT
    assert host.content(CONFIG).decode() == DEBIAN


def test_file_keeps_its_mode_and_second_run_does_nothing(host: Host) -> None:
    assert keep(host, [ARRAY]).steps == (f"{CONFIG}: /dev/md/system",)
    assert host.content(CONFIG).decode() == DEBIAN + TEXT
    assert host.file_state(CONFIG).mode == 0o640
    assert keep(host, [ARRAY]).steps == ()


def test_initramfs_is_owed_until_it_was_made(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "usr/sbin/update-initramfs"
    program.parent.mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{program.parent}:/bin:/usr/bin")
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    assert keep(host, [ARRAY], initramfs=False).steps == (f"{CONFIG}: /dev/md/system",)
    with pytest.raises(HostError, match=r"update-initramfs -u -k all' failed \(3\)"):
        keep(host, [ARRAY])
    assert Path(host.at(OWED)).exists()
    program.write_text(f"#!/bin/sh\necho $@ >{tmp_path}/called\n")
    assert keep(host, [ARRAY], check=True).steps == ("update-initramfs -u -k all",)
    assert keep(host, [ARRAY]).steps == ("update-initramfs -u -k all",)
    assert (tmp_path / "called").read_text() == "-u -k all\n"
    assert keep(host, [ARRAY]).steps == ()
