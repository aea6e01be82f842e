# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Changes that cut off the one who makes them are undone by the host; others stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.conftest_hosts import Fleet, Results, Task
from tests.fault.changes import TIMEOUT, component, journals, look, nft, sshd

Saw = Callable[[str, object], None]

LATEST = 5  # seconds after the timeout in which a host on a busy machine is back

LOCKOUTS = {
    "wrong port": sshd("Port 2222\n"),
    "wrong AllowUsers": sshd("AllowUsers nobody\n"),
    "firewall drop": nft("tcp dport 22 drop"),
    "no sudo": component(
        "sudo",
        "/etc/sudoers.d/zz-fault",
        "technician ALL=(ALL) !ALL\n",
        None,
        file={"mode": "0440", "validate": "visudo -cf %s"},
    ),
    "no key": component(
        "keys",
        "/home/technician/.ssh/authorized_keys",
        "# nobody\n",
        None,
        file={"owner": "technician", "group": "technician"},
    ),
}


@dataclass
class LockOut:
    """What a change that locked its maker out did to both hosts."""

    name: str
    results: Results
    before: dict[str, str]
    after: dict[str, str]


@pytest.fixture(scope="module")
def ready(fleet: Fleet) -> Fleet:
    """Hosts with a firewall and sshd settings that were confirmed."""
    results = fleet.play([nft("tcp dport 23 drop"), sshd("LogLevel INFO\n")])
    for release in fleet.hosts:
        for name in ("firewall", "sshd"):
            assert results[release][name]["changed"], results[release][name]
    return fleet


@pytest.fixture(scope="module", params=list(LOCKOUTS))
def lockout(request: pytest.FixtureRequest, ready: Fleet) -> Iterator[LockOut]:
    """Each of the changes, made on both hosts at once."""
    before = look(ready)
    results = ready.play([LOCKOUTS[request.param]])
    yield LockOut(request.param, results, before, look(ready))
    for host in ready.hosts.values():
        assert host.sh("systemctl list-units --failed --plain --no-legend") == ""


def test_lockout_is_undone_byte_for_byte(lockout: LockOut, release: str) -> None:
    assert lockout.after[release].splitlines() == lockout.before[release].splitlines()


def test_lockout_fails_the_run_with_one_clear_message(lockout: LockOut, release: str) -> None:
    (result,) = lockout.results[release].values()
    assert (result.get("failed"), result["changed"]) == (True, False), result
    assert result["rolled_back"], result
    lost = "the host could not be reached over a new connection ("
    said = (
        f"The host says: nobody confirmed the change within {TIMEOUT} s. The host is as before: "
        "files and units were put back."
    )
    assert result["msg"].startswith(lost), result["msg"]
    assert result["msg"].endswith(said), result["msg"]


def test_lockout_is_undone_in_time(
    lockout: LockOut, ready: Fleet, release: str, record_property: Saw
) -> None:
    host = ready.hosts[release]
    journal = journals(host)[-1]
    began = float(host.sh(f"date +%s.%N --date={journal['at']}"))
    took = journal["ended"] - began
    message = next(iter(lockout.results[release].values()))["msg"]
    record_property("saw", f"{lockout.name}: back {took:.1f} s after it began; {message}")
    assert journal["state"] == "rolled back"
    assert TIMEOUT <= took < TIMEOUT + LATEST


def test_change_stays_once_confirmed_over_a_new_connection(ready: Fleet) -> None:
    results = ready.play([sshd("LogLevel VERBOSE\n")])
    for release, host in ready.hosts.items():
        assert results[release]["sshd"]["changed"], results[release]["sshd"]
        assert "loglevel VERBOSE" in host.sh("sshd -T")
        assert journals(host)[-1]["state"] == "committed"
        assert host.sh("systemctl list-units --plain --no-legend 'servertechnik-*'") == ""


def test_host_moves_to_a_new_port_and_the_run_follows(ready: Fleet) -> None:
    def move(port: int, present: int) -> Task:
        address = f"{{{{ ansible_host }}}}:{port}"
        moved = sshd(f"Port {port}\n", confirm={"timeout": TIMEOUT, "address": address})
        return {**moved, "vars": {"ansible_port": present}}

    ask = {"name": "ask", "servertechnik.core.transaction_info": {"component": "sshd"}}
    there = ready.play([move(2222, 22), ask])
    back = ready.play([move(22, 2222), ask])
    for release in ready.hosts:
        for results in (there, back):
            assert results[release]["sshd"]["changed"], results[release]["sshd"]
            newest = results[release]["ask"]["transactions"][0]
            assert newest["state"] == "committed"


def test_new_address_that_does_not_answer_is_undone(ready: Fleet) -> None:
    before = look(ready)
    results = ready.play(
        [
            sshd(
                "Port 22\nPort 2222\n",
                confirm={"timeout": 3, "address": "{{ ansible_host }}:2223"},
            )
        ]
    )
    for release in ready.hosts:
        result = results[release]["sshd"]
        assert result["rolled_back"], result
        assert "2223" in result["msg"]
        assert "The host is as before" in result["msg"]
    assert look(ready) == before
