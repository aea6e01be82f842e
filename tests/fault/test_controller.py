# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The controller, or the host itself, goes down in the middle of a confirmed commit."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.conftest_hosts import BED, Fleet, Host, up
from tests.fault.changes import AT_REST, journals, look, nft, sshd

Saw = Callable[[str, object], None]

TIMEOUT = 15
GO = "/run/fault-go"
# The change is not confirmed before this says so.
GATE = {"verify": [{"command": f"test -e {GO}", "timeout": 60}], "confirm": {"timeout": TIMEOUT}}
IS = """
until grep -qs '"state": "{state}"' /var/lib/servertechnik/active/journal.json; do sleep 0.05; done
"""
OVER = "while test -L /var/lib/servertechnik/active; do sleep 0.1; done"


def family(process: int) -> Iterator[int]:
    """A process and all that it started; Ansible's workers are in sessions of their own."""
    done = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    yield process
    for child, parent in parents:
        if parent == process:
            yield from family(child)


def send(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal to the controller, all of it."""
    for one in list(family(process.pid)):
        os.kill(one, number)


@pytest.fixture(scope="module")
def ready(fleet: Fleet) -> Fleet:
    """Hosts whose firewall and sshd settings were confirmed."""
    results = fleet.play([nft("tcp dport 23 drop"), sshd("LogLevel INFO\n")])
    assert not any(one.get("failed") for told in results.values() for one in told.values())
    return fleet


def cut_off_after_activation(fleet: Fleet, **change: object) -> None:
    """Start a change and kill the controller once all hosts have activated it."""
    for host in fleet.hosts.values():
        host.sh(f"rm -f {GO}")
    run = fleet.start([nft("tcp dport 22 drop", **change)])
    for host in fleet.hosts.values():
        host.sh(IS.format(state="activating"))
    send(run, signal.SIGSTOP)
    for host in fleet.hosts.values():
        host.sh(f"touch {GO}" + IS.format(state="activated"))
    send(run, signal.SIGKILL)
    run.communicate()


def last(host: Host) -> tuple[str, str]:
    """State and error of the newest transaction."""
    newest = journals(host)[-1]
    return newest["state"], newest["error"]


def goes_on(fleet: Fleet) -> None:
    """A later run finds nothing in its way."""
    for release, results in fleet.play(
        [nft("tcp dport 24 drop"), nft("tcp dport 23 drop")]
    ).items():
        for result in results.values():
            assert result["changed"], (release, result)
            assert not result.get("warnings"), result


def test_controller_killed_after_activation(ready: Fleet, record_property: Saw) -> None:
    before = look(ready)
    cut_off_after_activation(ready, **GATE)
    for host in ready.hosts.values():
        host.sh(OVER)
        state, error = last(host)
        record_property("saw", f"{host.release}: {error}")
        assert state == "rolled back"
        assert error.startswith(f"nobody confirmed the change within {TIMEOUT} s. The host is as b")
    assert look(ready) == before
    goes_on(ready)


def test_controller_killed_before_activation(ready: Fleet, record_property: Saw) -> None:
    before = look(ready)
    slow = ["sh -c 'until test -e /run/fault-valid; do sleep 0.1; done'"]
    change = {**nft("tcp dport 22 drop"), "name": "slow"}
    change["servertechnik.core.component"]["validate"] = slow
    run = ready.start([change])
    for host in ready.hosts.values():
        host.sh(IS.format(state="applied"))
    send(run, signal.SIGKILL)
    run.communicate()
    for host in ready.hosts.values():
        host.sh(f"touch /run/fault-valid; {OVER}")
        state, error = last(host)
        record_property("saw", f"{host.release}: {error}")
        assert state == "rolled back"
    assert look(ready) == before
    goes_on(ready)


def test_host_loses_power_before_it_is_confirmed(ready: Fleet, record_property: Saw) -> None:
    before = look(ready, AT_REST)
    cut_off_after_activation(ready, **{**GATE, "confirm": {"timeout": 300}})
    for host in ready.hosts.values():
        subprocess.run([BED, "restart", host.name, "--hard"], check=True)
        state, error = last(host)
        record_property("saw", f"{host.release}: {error}")
        assert state == "rolled back"
        assert error.startswith("the host was restarted while the transaction was activated. The h")
    assert look(ready, AT_REST) == before
    # A host may have another address after its start.
    goes_on(Fleet(up([f"{one.name}={one.release}" for one in ready.hosts.values()]), ready.folder))
