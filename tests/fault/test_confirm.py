# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Changes that are confirmed stay, also on a new port; drills are in `test_drills.py`."""

from __future__ import annotations

import pytest

from tests.conftest_hosts import Fleet, Task
from tests.fault.changes import PATIENCE, TIMEOUT, journals, look, nft, sshd


@pytest.fixture(scope="module")
def ready(fleet: Fleet) -> Fleet:
    """Hosts with a firewall and sshd settings that were confirmed."""
    results = fleet.play([nft("tcp dport 23 drop"), sshd("LogLevel INFO\n")])
    for release in fleet.hosts:
        for name in ("firewall", "sshd"):
            assert results[release][name]["changed"], results[release][name]
    return fleet


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
        moved = sshd(f"Port {port}\n", confirm={"timeout": PATIENCE, "address": address})
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


def test_second_change_of_a_run_is_undone_and_the_first_stays(ready: Fleet) -> None:
    results = ready.play([nft("tcp dport 24 drop")])
    before = look(ready)
    results = ready.play(
        [nft("tcp dport 25 drop"), sshd("Port 2222\n", confirm={"timeout": TIMEOUT})]
    )
    after = look(ready)
    for release in ready.hosts:
        assert results[release]["firewall"]["changed"], results[release]
        assert results[release]["sshd"]["rolled_back"], results[release]
        gone = set(before[release].splitlines()) - set(after[release].splitlines())
        rule = [line for line in gone if "dport" in line]
        assert [line.strip() for line in rule] == ["tcp dport 24 drop"]
        # What else differs is the file of that rule.
        assert len(gone) == 2, gone
