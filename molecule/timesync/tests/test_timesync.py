# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import csv
import io

import pytest
from testinfra.host import Host

SERVER, CLIENT = "timesync-trixie", "timesync-bookworm"


def name_of(host: Host) -> str:
    return str(host.backend.get_hostname())


def report(host: Host, what: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(host.check_output(f"chronyc -c -N {what}"))))


def test_unit_runs(host: Host) -> None:
    unit = host.service("chrony.service")
    assert unit.is_running
    assert unit.is_enabled


def test_clock_is_left_alone(host: Host) -> None:
    assert "-F 1 -x" in host.check_output("pgrep --list-full --oldest chronyd")


def test_nobody_else_keeps_the_time(host: Host) -> None:
    assert not host.package("systemd-timesyncd").is_installed


def test_keys_are_for_chrony_alone(host: Host) -> None:
    keys = host.file("/etc/chrony/chrony.keys")
    assert (keys.user, keys.group, keys.mode) == ("root", "_chrony", 0o640)


@pytest.mark.parametrize(
    ("of", "source", "mode", "key"),
    [(SERVER, CLIENT, "SK", "7"), (CLIENT, SERVER, "NTS", None)],
)
def test_sources_prove_who_they_are(
    host: Host, of: str, source: str, mode: str, key: str | None
) -> None:
    if name_of(host) != of:
        pytest.skip(f"{of} is the one that asks {source}")
    (found,) = report(host, "authdata")
    assert found[1] == mode
    assert key in (None, found[2])
    # An answer whose proof doesn't fit is dropped and counts as no answer.
    (heard,) = report(host, "sources")
    assert heard[5] != "0"


@pytest.mark.parametrize(("of", "stratum"), [(SERVER, "8"), (CLIENT, "9")])
def test_time_comes_from_the_server(host: Host, of: str, stratum: str) -> None:
    if name_of(host) != of:
        pytest.skip(f"this stratum is that of {of}")
    (tracking,) = report(host, "tracking")
    assert tracking[2] == stratum
    assert tracking[13] == "Normal"


def test_client_is_answered(host: Host) -> None:
    if name_of(host) != CLIENT:
        pytest.skip("the server asks nobody that it follows")
    host.check_output("chronyc waitsync 30 0 0 1")
    (source,) = report(host, "sources")
    assert source[:2] == ["^", "*"]


@pytest.mark.parametrize(
    ("address", "answer"),
    [("10.1.2.3", "208 Access allowed"), ("10.255.1.1", "209 Access denied"),
     ("192.0.2.1", "209 Access denied")],
)  # fmt: skip
def test_who_may_ask(host: Host, address: str, answer: str) -> None:
    assert answer in host.run(f"chronyc accheck {address}").stdout


def test_flood_is_limited(host: Host) -> None:
    assert host.file("/etc/chrony/chrony.conf").contains("^ratelimit interval 3 burst 8 leak 2$")


def test_measurements_are_logged(host: Host) -> None:
    assert host.file("/var/log/chrony/measurements.log").size > 0
