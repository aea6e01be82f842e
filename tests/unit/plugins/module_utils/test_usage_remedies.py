# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import gzip
import os
import time
from pathlib import Path
from typing import cast

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils import _usage_remedies
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._usage_remedies import (
    Remedies,
    beyond_limit,
    journal_limit,
    old_kernels,
)

# What apt of each release says where these kernels were installed on the way.
SIMULATED = {
    "bookworm": """
Reading package lists...
The following packages will be REMOVED:
  libunused1 linux-headers-6.1.0-18-amd64 linux-headers-6.1.0-18-common
  linux-headers-6.1.0-25-amd64 linux-headers-6.1.0-25-common
  linux-headers-6.1.0-40-common linux-headers-6.1.0-41-common
  linux-image-6.1.0-18-amd64 linux-image-6.1.0-25-amd64
0 upgraded, 0 newly installed, 9 to remove and 1 not upgraded.
Remv libunused1 [1]
Remv linux-headers-6.1.0-18-amd64 [6.1.76-1]
Remv linux-headers-6.1.0-18-common [6.1.76-1]
Remv linux-headers-6.1.0-25-amd64 [6.1.106-3]
Remv linux-headers-6.1.0-25-common [6.1.106-3]
Remv linux-headers-6.1.0-40-common [6.1.153-1]
Remv linux-headers-6.1.0-41-common [6.1.158-1]
Remv linux-image-6.1.0-18-amd64 [6.1.76-1]
Remv linux-image-6.1.0-25-amd64 [6.1.106-3]
""",
    "trixie": """
0 upgraded, 0 newly installed, 6 to remove and 1 not upgraded.
Remv libunused1 [1]
Remv linux-headers-6.12.38+deb13-amd64 [6.12.38-1]
Remv linux-headers-6.12.38+deb13-common [6.12.38-1]
Remv linux-headers-6.12.41+deb13-common [6.12.41-1]
Remv linux-headers-6.12.48+deb13-common [6.12.48-1]
Remv linux-image-6.12.38+deb13-amd64 [6.12.38-1]
""",
}
IMAGES = {
    "bookworm": [f"linux-image-6.1.0-{abi}-amd64" for abi in (18, 25, 40, 41)],
    "trixie": [f"linux-image-6.12.{abi}+deb13-amd64" for abi in (38, 41, 48)],
}
META = ["linux-image-amd64", "bash"]


@pytest.mark.parametrize(
    ("release", "running", "expected"),
    [
        ("bookworm", "6.1.0-41-amd64",
         ["linux-headers-6.1.0-18-amd64", "linux-headers-6.1.0-18-common",
          "linux-headers-6.1.0-25-amd64", "linux-headers-6.1.0-25-common",
          "linux-headers-6.1.0-40-common", "linux-image-6.1.0-18-amd64",
          "linux-image-6.1.0-25-amd64"]),
        # The one that runs stays with all that belongs to it, whatever apt says.
        ("bookworm", "6.1.0-25-amd64",
         ["linux-headers-6.1.0-18-amd64", "linux-headers-6.1.0-18-common",
          "linux-headers-6.1.0-40-common", "linux-image-6.1.0-18-amd64"]),
        ("trixie", "6.12.38+deb13-amd64", ["linux-headers-6.12.41+deb13-common"]),
    ],
)  # fmt: skip
def test_old_kernels(release: str, running: str, expected: list[str]) -> None:
    assert old_kernels(SIMULATED[release], IMAGES[release] + META, running) == expected


def test_the_newest_kernel_stays_and_is_found_by_number() -> None:
    simulated = "Remv linux-image-6.1.0-9-amd64 [1]\nRemv linux-image-6.1.0-10-amd64 [1]\n"
    installed = ["linux-image-6.1.0-9-amd64", "linux-image-6.1.0-10-amd64"]
    assert old_kernels(simulated, installed, "5.10.0-1-amd64") == ["linux-image-6.1.0-9-amd64"]


@pytest.mark.parametrize(
    ("configuration", "limit"),
    [
        ("", 100 << 20),
        ("#SystemMaxUse=1G\n", 100 << 20),
        ("SystemMaxUse=1G\n[Journal]\nSystemMaxUse=64M\n", 64 << 20),
        ("SystemMaxUse=4096\n", 4096),
    ],
)
def test_limit_of_the_journal(configuration: str, limit: int) -> None:
    assert journal_limit(configuration, 1000 << 20) == limit
    assert journal_limit("", 1 << 50) == 4 << 30


@pytest.mark.parametrize(("limit", "removed"), [(100, 0), (60, 0), (59, 10), (45, 30), (0, 30)])
def test_what_the_journal_has_beyond_a_limit(limit: int, removed: int) -> None:
    # The one in the middle is still written to.
    files = [(1.0, 10, True), (2.0, 30, False), (3.0, 20, True)]
    assert beyond_limit(files, limit) == removed


class Quiet(Host):
    """A host of which only files are of interest."""

    def run(self, *_words: object, **_options: object) -> object:  # type: ignore[override]  # no more is asked
        return type("Output", (), {"status": 0, "text": ""})()


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of logs: one that is written to, one rotated long ago, one today, one compressed."""
    folder = tmp_path / "var/log"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    before = time.time() - 3 * 86400
    for name, age in {
        "app.log": before,
        "app.log.1": before,
        "app.log-20261101": before,
        "app.log.2": time.time(),
        "app.log.3.gz": before,
    }.items():
        path = folder / name
        path.write_bytes(b"a line of a log\n" * (1 << 17))
        path.chmod(0o640)
        os.utime(path, (before, age))
    monkeypatch.setattr(_usage_remedies, "DUMPS", ())
    return folder


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only what is root's is touched")


def remedies(folder: Path) -> Remedies:
    return Remedies(cast("Host", Quiet(str(folder.parents[1]))), lambda _path: True, 0)


@needs_root
def test_rotated_logs_are_compressed_in_place(logs: Path) -> None:
    remedy = remedies(logs).rotated_logs()
    content, stamp = (logs / "app.log.1").read_bytes(), (logs / "app.log.1").stat().st_mtime_ns
    remedy.apply()
    names = sorted(path.name for path in logs.iterdir())
    assert names == ["app.log", "app.log-20261101.gz", "app.log.1.gz", "app.log.2", "app.log.3.gz"]
    packed = logs / "app.log.1.gz"
    assert gzip.decompress(packed.read_bytes()) == content
    assert packed.stat().st_mtime_ns == stamp
    assert packed.stat().st_mode & 0o777 == 0o640
    assert remedy.bytes > 3.9 * (1 << 20)


@needs_root
@pytest.mark.parametrize("fault", ["others may write", "somebody else's"])
def test_logs_where_others_can_write_are_left(logs: Path, fault: str) -> None:
    if fault == "others may write":
        logs.chmod(0o775)
    else:
        os.chown(logs, 1, 1)
    assert remedies(logs).rotated_logs().bytes == 0


@needs_root
def test_a_link_in_the_place_of_a_log_is_not_followed(logs: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" * (2 << 20))
    os.utime(secret, (1, 1))
    remedy = remedies(logs).rotated_logs()
    (logs / "app.log.1").unlink()
    (logs / "app.log.1").symlink_to(secret)
    with pytest.raises(OSError, match="Too many levels"):
        remedy.apply()
    assert secret.exists()
    assert not (logs / "app.log.1.gz").exists()
