# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Drills that need a kernel of the host's own: links, routers, and what a restart leaves behind.

Hosts begin with ifupdown, as many do. A router beside them advertises an IPv6 prefix.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

import pytest

from tests.conftest_hosts import RELEASES, Fleet, Results, Task
from tests.fault.changes import LOOK, component, journals
from tests.fault.drills import FACTS
from tests.vm.conftest import Machines, Reached, reaches, skip_if_emulated
from tests.vm.machine import Machine

Saw = Callable[[str, object], None]

TIMEOUT = 60
SETTLED = 60  # seconds in which addresses are checked for duplicates, or advertised again
UNDONE = "The host is as before: files and units were put back."
LATE = f"nobody confirmed the change within {TIMEOUT} s. {UNDONE}"
# Without hardware virtualisation a login alone takes some seconds.
PATIENT = {"ANSIBLE_TIMEOUT": "30"}
LOST = "the host could not be reached over a new connection ("
PREFIX = "2001:db8:1:"

IFUPDOWN = """
apt-get -qq --yes install ifupdown >/dev/null
rm /usr/local/lib/systemd/network/90-management.network
cat >/etc/network/interfaces <<'END'
auto lo
iface lo inet loopback
auto eno1
iface eno1 inet static
    address 10.0.2.15/24
    gateway 10.0.2.2
END
systemctl disable --now systemd-networkd.service systemd-networkd.socket 2>&1
ip -4 address flush dev eno1
systemctl restart networking.service
"""
ROUTER = f"""
cat >/etc/systemd/network/lan.network <<'END'
[Match]
Name=eno2
[Network]
Address=198.51.100.1/24
IPv6SendRA=yes
[IPv6Prefix]
Prefix={PREFIX}:/64
END
networkctl reload
networkctl reconfigure eno2
until ip -o address show dev eno2 | grep -q 198.51.100.1; do sleep 0.2; done
"""
SILENCE = "rm /etc/systemd/network/lan.network; networkctl reload; ip link set eno2 down"
SEE = f"""
while test -L /var/lib/servertechnik/active; do sleep 0.1; done
{LOOK}
find /etc/network /etc/udev/rules.d -type f -exec sha256sum '{{}}' +
"""
ACTIVATED = '"state": "activated"'
JOURNAL = "/var/lib/servertechnik/transactions/*/journal.json"
WAY_IN = {"name": "eno1", "addresses": ["10.0.2.15/24"], "gateways": ["10.0.2.2"]}
LAN = {"name": "eno2", "accept_ra": True}
CUT_OFF = {"name": "eno1", "addresses": ["10.0.2.15/32"]}


def bond(*ports: str) -> dict[str, Any]:
    """A bond of these ports."""
    mode = {"mode": "active-backup"}
    address = "198.51.100.{{ 2 + groups['all'].index(inventory_hostname) }}/24"
    return {"name": "bond0", "type": "bond", "ports": ports, "bond": mode, "addresses": [address]}


def network(*links: Any, timeout: int = TIMEOUT, settle: int = 20) -> Task:
    """A task that has these links alone."""
    return {
        "name": "network",
        "ansible.builtin.include_role": {"name": "servertechnik.core.network"},
        "vars": {
            "network_links": list(links),
            "network_settle_timeout": settle,
            "network_confirm_timeout": timeout,
        },
    }


@dataclass(frozen=True)
class Scene:
    """The router, and a host of each release with three links to it."""

    router: Machine
    fleet: Fleet

    @property
    def hosts(self) -> list[Machine]:
        """The machines of the fleet."""
        return [host.machine for host in self.fleet.hosts.values() if isinstance(host, Reached)]

    def see(self) -> dict[str, list[str]]:
        """Everything on the hosts that could be different afterwards."""
        return {machine.spec.release: machine.sh(SEE).splitlines() for machine in self.hosts}

    def play(self, *tasks: Task) -> Results:
        """Run the tasks on all hosts; none of them may fail."""
        results = self.fleet.play(tasks)
        for told in results.values():
            for name, result in told.items():
                lost = result.get("failed") or result.get("unreachable")
                assert not lost, (name, result)
        return results

    def settled(self, wanted: dict[str, list[str]]) -> dict[str, list[str]]:
        """What is to be seen in the end: addresses take a moment to be checked or advertised."""
        deadline = time.monotonic() + SETTLED
        while (seen := self.see()) != wanted and time.monotonic() < deadline:
            time.sleep(1)
        return seen


def unplug_bond(scene: Scene, *, up: bool = False) -> None:
    """Take the carrier of the bond's ports away."""
    for machine in scene.hosts:
        for port in ("eno3", "eno4"):
            machine.carrier(port, up=up)


@dataclass(frozen=True)
class Drill:
    """A change that must be undone, what goes before it, and words of the message at its end."""

    task: Task
    says: str
    at_once: bool = False
    first: Callable[[Scene], object] = lambda scene: scene
    last: Callable[[Scene], object] = lambda scene: scene


TAKEOVER = "takeover from ifupdown with a wrong prefix"
DRILLS = {
    TAKEOVER: Drill(network(CUT_OFF), LOST),
    "VLAN that isn't there": Drill(
        network(
            {"name": "eno1"},
            {
                "name": "office",
                "type": "vlan",
                "vlan": {"id": 99, "link": "eno1"},
                "addresses": ["10.0.2.15/24"],
            },
        ),
        LOST,
    ),
    "bond without working ports": Drill(
        network(WAY_IN, LAN, bond("eno3", "eno4")),
        "bond0",
        at_once=True,
        first=unplug_bond,
        last=lambda scene: unplug_bond(scene, up=True),
    ),
    "router that advertises nothing": Drill(
        network(WAY_IN, LAN, {"name": "eno3", "accept_ra": True}),
        "eno3",
        at_once=True,
        first=lambda scene: scene.router.sh(SILENCE),
        last=lambda scene: scene.router.sh(ROUTER),
    ),
}


@pytest.fixture(scope="module")
def scene(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Hosts that ifupdown runs, on a network with a router."""
    skip_if_emulated(15)
    lan = machines.network("lan")
    hosts = [machines.spec(release, networks=[lan] * 3) for release in RELEASES]
    router, *started = machines.start(machines.spec("trixie", "router", networks=[lan]), *hosts)
    router.sh(ROUTER)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda machine: machine.sh(IFUPDOWN), started))
    folder = tmp_path_factory.mktemp("network")
    fleet = Fleet([Reached.of(machine) for machine in started], folder)
    # What the first transaction of a host brings along stays, whatever becomes of the change.
    first = component("first", "/etc/first.conf", "first\n", None, confirm={"timeout": 120})
    fleet.environ = PATIENT
    scene = Scene(router, fleet)
    scene.play(FACTS, first)
    return scene


@pytest.fixture(scope="module")
def ready(scene: Scene) -> Scene:
    """The same, taken over from ifupdown: a change that was confirmed."""
    scene.play(network(WAY_IN, LAN, timeout=240, settle=120))
    return scene


@dataclass(frozen=True)
class Done:
    """What a drill did to both hosts."""

    name: str
    drill: Drill
    scene: Scene
    results: Results
    before: dict[str, list[str]]
    after: dict[str, list[str]]

    def failed(self, release: str) -> dict[str, Any]:
        """The result of the task that had to fail."""
        return next(one for one in self.results[release].values() if one.get("failed"))


@pytest.fixture(scope="module", params=list(DRILLS))
def done(request: pytest.FixtureRequest) -> Done:
    """Each drill, on both hosts at once."""
    scene = request.getfixturevalue("scene" if request.param == TAKEOVER else "ready")
    drill = DRILLS[request.param]
    drill.first(scene)
    before = scene.see()
    results = scene.fleet.play([drill.task])
    after = scene.settled(before)
    drill.last(scene)  # pytest would leave that to the end of the file
    return Done(request.param, drill, scene, results, before, after)


def test_it_is_undone_byte_for_byte(done: Done, release: str) -> None:
    assert different(done.before[release], done.after[release]) == []


def test_it_ends_in_one_clear_message(done: Done, release: str) -> None:
    result = done.failed(release)
    assert (result["changed"], result["rolled_back"]) == (False, True), result
    assert done.drill.says in result["msg"]
    assert result["msg"].endswith(UNDONE if done.drill.at_once else LATE), result["msg"]


def test_it_is_undone_by_the_host(done: Done, release: str, record_property: Saw) -> None:
    host = done.scene.fleet.hosts[release]
    journal = journals(host)[-1]
    took = journal["ended"] - float(host.sh(f"date +%s.%N --date={journal['at']}"))
    message = done.failed(release)["msg"]
    record_property("saw", f"{done.name}: back {took:.1f} s after it began; {message}")
    # No limit: without hardware virtualisation, going back alone takes up to a minute.
    assert journal["state"] == "rolled back"


@pytest.fixture(scope="module")
def bonded(ready: Scene) -> Scene:
    """Hosts with a bond of two ports, confirmed."""
    ready.play(network(WAY_IN, LAN, bond("eno3", "eno4"), timeout=240, settle=120))
    return ready


def test_bond_survives_the_loss_of_either_port(bonded: Scene, release: str) -> None:
    host = bonded.fleet.hosts[release]
    assert isinstance(host, Reached)
    for port in ("eno3", "eno4"):
        host.machine.carrier(port, up=False)
        host.sh(
            f"while grep -qx {port} /sys/class/net/bond0/bonding/active_slave; do sleep 0.1; done"
        )
        assert reaches(host.machine, "198.51.100.1")
        host.machine.carrier(port, up=True)
        host.sh(f"until grep -qx up /sys/class/net/{port}/operstate; do sleep 0.1; done")


def different(before: list[str], after: list[str]) -> list[str]:
    """The lines that went and those that came."""
    return list(unified_diff(before, after, n=0, lineterm=""))


def reboot(machine: Machine) -> None:
    """Have the machine restart by itself."""
    machine.sh("systemctl reboot")
    machine.restarted(60)


def cut_power(machine: Machine) -> None:
    """Take the machine's power away, and give it again."""
    machine.cut()
    machine.start()


@pytest.mark.parametrize("restart", [reboot, cut_power])
def test_host_that_restarts_before_it_is_confirmed_comes_up_as_before(
    bonded: Scene, restart: Callable[[Machine], None], record_property: Saw
) -> None:
    before = bonded.see()
    run = bonded.fleet.start([network(CUT_OFF, timeout=600)])

    def activated(machine: Machine) -> None:
        while ACTIVATED not in machine.sh(f"cat {JOURNAL}"):
            assert run.poll() is None, bonded.fleet.results(run)
            time.sleep(0.5)

    with ThreadPoolExecutor() as pool:
        list(pool.map(activated, bonded.hosts))
        # Not in the pool: a machine ends with the thread that started it.
        for machine in bonded.hosts:
            restart(machine)
        list(pool.map(Machine.wait, bonded.hosts))
    results = bonded.fleet.results(run)
    after = bonded.settled(before)
    assert {release: different(before[release], after[release]) for release in RELEASES} == {
        release: [] for release in RELEASES
    }
    for release, host in bonded.fleet.hosts.items():
        result = next(one for one in results[release].values() if one.get("failed"))
        record_property("saw", f"{restart.__name__}: {result['msg']}")
        assert result["rolled_back"], result
        assert "restarted" in result["msg"]
        assert journals(host)[-1]["state"] == "rolled back"
