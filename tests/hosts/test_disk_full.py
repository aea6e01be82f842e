# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A file system that is full to the last byte, with all that Ansible and hosts write to on it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import environment
from tests.conftest_hosts import RELEASES, ROOT, Fleet, Host

MIB = 1 << 20
# Places of the root file system, moved to one that may be filled: /full is no more than 64 MiB.
SCENE = r"""
mkdir -p /full
mount -t tmpfs -o size=64m,mode=0755 full /full
for place in /tmp /var/tmp /var/lib/servertechnik /var/cache/apt/archives /home/technician \
    /root /var/lib/systemd/coredump /var/log/app; do
  mkdir -p "$place" "/full$place"
  cp -a "$place/." "/full$place/"
  chmod --reference="$place" "/full$place"; chown --reference="$place" "/full$place"
  mount --bind "/full$place" "$place"
done
rm -f /var/cache/apt/archives/*.deb
megabytes() { head -c "$(($2 << 20))" /dev/zero >"$1"; }
megabytes /var/cache/apt/archives/large_1_all.deb 9
megabytes /var/lib/systemd/coredump/core.app.zst 3
yes 'a line of a log' | head -c 4M >/var/log/app/app.log.1
touch -d '3 days ago' /var/log/app/app.log.1
mkdir -p '/full/srv/a b' /full/spool /full/mnt
megabytes '/full/srv/a b/bäck"up.tar' 7
megabytes "/full/srv/a b/$(printf 'x\377y')" 2
touch -d '3 days ago' /full/srv/a*/*
(cd /full/spool; seq -f message-%g 3000 | xargs touch)
ln -s / /full/srv/link
megabytes /full/mnt/hidden 2
mount -t tmpfs none /full/mnt
megabytes /full/mnt/elsewhere 5
systemd-run --quiet --unit=leaky sh -c \
    'exec 9>/full/srv/leak; head -c 6M /dev/zero >&9; rm /full/srv/leak; exec sleep infinity'
until test "$(stat -Lc %h,%s /proc/$(systemctl show -P MainPID leaky)/fd/9)" = 0,6291456; do
  sleep 0.1
done
"""
FILL = (
    "dd if=/dev/zero of=/full/filler bs=64k 2>/dev/null || true; sync; df --output=avail -B1 /full"
)
ALLOWED = "core_dumps,rotated_logs"


@dataclass(frozen=True)
class Run:
    """What a run of the playbook has said, and its records by release."""

    done: subprocess.CompletedProcess[str]
    records: dict[str, dict[str, Any]]

    def found(self, release: str) -> dict[str, Any]:
        """What was found on the one file system that was looked into."""
        (found,) = self.records[release]["found"]
        assert isinstance(found, dict)
        return found

    def account(self, release: str) -> str:
        """What people read."""
        return "\n".join(self.records[release]["account"])


def disk_full(fleet: Fleet, folder: Path, *options: str) -> Run:
    """Run the playbook as a technician does."""
    words = ["ansible-playbook", "-i", str(fleet.folder / "inventory.json"), *options]
    variables = {"SERVERTECHNIK_RECORDS": str(folder), "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder)}
    done = subprocess.run(
        [*words, "servertechnik.core.disk_full"],
        cwd=ROOT,
        env=environment() | variables | fleet.environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    documents = [json.loads(path.read_text()) for path in folder.glob("disk_full/*.json")]
    names = {host.name: release for release, host in fleet.hosts.items()}
    return Run(done, {names[one["host"]]: one["data"] for one in documents})


@pytest.fixture(scope="module")
def runs(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Runs on a full file system, one after the other."""
    for host in fleet.hosts.values():
        host.sh(SCENE)
        assert host.sh(FILL).split() == ["Avail", "0"]

    def run(*options: str) -> Run:
        return disk_full(fleet, tmp_path_factory.mktemp("run"), *options)

    found = {"check": run("--check", "-e", "disk_full_path=/full"), "first": run()}
    for host in fleet.hosts.values():
        host.sh(
            "rm /full/filler; head -c 12M /dev/zero >/full/srv/new; truncate -s 0 /full/spool/*"
        )
    found["allowed"] = run("-e", "disk_full_path=/full/srv", "-e", f"disk_full_allow={ALLOWED}")
    return found


def freed(entries: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Bytes by name."""
    assert [one["error"] for one in entries if one["error"]] == []
    return {one["name"]: one["bytes"] for one in entries}


def test_check_says_what_the_run_frees(runs: dict[str, Run]) -> None:
    assert runs["check"].records == {}
    told = runs["check"].done.stdout
    assert told.count("Would free 9.0 MiB: packages that apt has kept") == len(RELEASES)
    for release in RELEASES:
        assert freed(runs["first"].found(release)["freed"]) == {"apt_cache": 9 * MIB}


def test_full_to_the_last_byte_and_then_not(runs: dict[str, Run], release: str, host: Host) -> None:
    found = runs["first"].found(release)
    assert found["target"] == "/full"
    assert found["before"]["available"] == 0
    assert found["before"]["percent"] == 100
    assert found["after"]["available"] == 9 * MIB
    assert found["scan"]["complete"]
    assert "large_1_all.deb" not in host.sh("ls /var/cache/apt/archives")
    assert "/full: 64 MiB of 64 MiB used (100 %)" in runs["first"].account(release)


def test_what_fills_it(runs: dict[str, Run], release: str) -> None:
    found = runs["first"].found(release)
    largest = {one["path"]: one["bytes"] for one in found["largest"]}
    assert largest['/full/srv/a b/bäck"up.tar'] == 7 * MIB
    assert largest["/full/srv/a b/x\\xffy"] == 2 * MIB
    assert not [
        path for path in largest if "elsewhere" in path or path.startswith("/full/srv/link")
    ]
    assert {"path": "/full/srv/a b", "bytes": 9 * MIB} in found["heavy"]
    # One that is explained by the folder inside isn't told.
    assert "/full/srv" not in [one["path"] for one in found["heavy"]]
    assert found["crowded"][0] == {"path": "/full/spool", "entries": 3000}
    assert {"path": "/full/mnt", "bytes": 2 * MIB} in found["hidden"]
    recent = [one["path"] for one in found["recent"]]
    assert "/full/filler" in recent
    assert '/full/srv/a b/bäck"up.tar' not in recent


def test_deleted_but_open(runs: dict[str, Run], release: str) -> None:
    (leak,) = runs["first"].found(release)["deleted"]
    assert (leak["path"], leak["bytes"]) == ("/full/srv/leak", 6 * MIB)
    assert (leak["process"], leak["unit"]) == ("sleep", "leaky.service")
    assert "a restart of leaky.service gives them back" in runs["first"].account(release)


def test_what_needs_permission_is_asked_for_and_left(runs: dict[str, Run], release: str) -> None:
    asked = runs["first"].found(release)["permissions"]
    assert {one["allow"] for one in asked} == {"core_dumps", "rotated_logs"}
    assert "With disk_full_allow=core_dumps: 3.0 MiB" in runs["first"].account(release)


def test_what_is_allowed_is_done(runs: dict[str, Run], release: str, host: Host) -> None:
    found = runs["allowed"].found(release)
    gained = freed(found["freed"])
    assert gained["core_dumps"] == 3 * MIB
    assert 3.8 * MIB < gained["rotated_logs"] < 4 * MIB
    assert found["permissions"] == []
    assert host.sh("ls /var/lib/systemd/coredump") == ""
    assert host.sh("zcat /var/log/app/app.log.1.gz | head -n 1") == "a line of a log\n"
    assert host.sh("ls /var/log/app") == "app.log.1.gz\n"
    real = found["after"]["available"] - found["before"]["available"]
    assert abs(real - sum(gained.values())) < MIB


def test_what_has_grown_since(runs: dict[str, Run], release: str) -> None:
    found = runs["allowed"].found(release)
    assert found["since"]
    # What was kept the last time had no room before the cache of apt was gone.
    assert runs["first"].found(release)["state_kept"]
    assert found["grown"] == [{"path": "/full/srv", "bytes": 12 * MIB}]


@pytest.mark.usefixtures("runs")
def test_nothing_more_to_do_changes_nothing(fleet: Fleet, release: str) -> None:
    look = {"path": "/full", "free": True, "allow": ALLOWED.split(",")}
    told = fleet.play([{"name": "look", "servertechnik.core.disk_usage": look}])[release]["look"]
    assert not told["changed"]
    assert told["found"][0]["freed"] == []


@pytest.mark.usefixtures("runs")
def test_time_is_bounded(fleet: Fleet, release: str) -> None:
    look = {"path": "/full", "seconds": 0}
    told = fleet.play([{"name": "look", "servertechnik.core.disk_usage": look}])[release]["look"]
    (found,) = told["found"]
    assert not found["scan"]["complete"]
    assert found["scan"]["files"] < 3000
    assert "Only " in told["account"][1]


@pytest.mark.parametrize("path", ["relative", "/nowhere/at/all"])
def test_paths_that_are_no_use(fleet: Fleet, release: str, path: str) -> None:
    task = {"name": "look", "servertechnik.core.disk_usage": {"path": path}}
    told = fleet.play([task])[release]["look"]
    assert told["failed"]
    assert told["msg"].startswith("path: found ")
