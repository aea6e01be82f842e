"""What is measured; each function makes the lines of the table that it is named after."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.bench import disks as eight
from tests.bench import firewall as intent
from tests.bench import plays
from tests.bench.fleet import LAB, BenchError, Fleet, Timed, lab
from tests.bench.measure import Line, Target, in_turn, slope

NAMES = [f"bench-{number}" for number in range(1, 9)]
COUNTS = (1, 2, 4, 8)
ROLES = ("bench-component", "bench-standard")
COMPONENT = {
    "name": "Have ten files and three units",
    "servertechnik.core.component": plays.units_and_files(),
}
# A container may not set the clock, and Debian's chrony would not start in it. What apt makes of
# its package lists is there on every host that has been up for an hour.
PREPARATION = """
apt-cache gencaches
mkdir /etc/systemd/system/chrony.service.d
printf '[Unit]\\nConditionCapability=\\n' > /etc/systemd/system/chrony.service.d/bench.conf
"""
# The addresses that others reach, with their prefix lengths.
ADDRESSES = (
    "ip -brief address show dev eth0 scope global | cut -d/ -f1- | awk '{ $1 = $2 = \"\"; print }'"
)
CONVERGENCE = 3  # runs after which a site that still changes something is at fault


def site(fleet: Fleet) -> list[Line]:
    """The main job where nothing changes, against a ping for every task that ran."""
    count = lab()
    for _ in range(CONVERGENCE):
        found = fleet.run("servertechnik.core.site", LAB)
        if not found.changes:
            break
    floor = fleet.written(plays.floor(found.record["tasks"]))
    fleet.run(floor, LAB)
    own, other = in_turn(
        4,
        lambda: _idle(fleet.run("servertechnik.core.site", LAB)).seconds,
        lambda: fleet.run(floor, LAB).seconds,
    )
    targets = (Target(1.5, "ratio"), Target(8, "seconds"))
    return [Line(f"site.yml again, {count} hosts", own, "as many pings", other, targets)]


def role(fleet: Fleet) -> list[Line]:
    """A role as one component and as standard modules, on two new hosts and then again."""
    first = [_role_runs(fleet, fresh=True) for _ in range(3)]
    again = [_role_runs(fleet) for _ in range(5)]
    if any(not run.changes for pair in first for run in pair):
        raise BenchError("a role changed nothing on a new host")
    for run in (run for pair in again for run in pair):
        _idle(run)
    fleet.down(ROLES)
    lines = []
    for when, runs, most in (("first run", first, 1.0), ("nothing changes", again, 0.2)):
        own, other = (
            tuple(plays.role_time(pair[side].record["tasks"]) for pair in runs) for side in (0, 1)
        )
        targets = (Target(most, "ratio"),)
        lines.append(Line(f"role, {when}", own, "standard modules", other, targets))
        own, other = (tuple(pair[side].seconds for pair in runs) for side in (0, 1))
        lines.append(Line("  with Ansible's own start", own, "standard modules", other))
    return lines


def _role_runs(fleet: Fleet, *, fresh: bool = False) -> tuple[Timed, Timed]:
    fleet.up(ROLES, fresh=fresh)
    for name in ROLES if fresh else ():
        fleet.hosts[name].sh(PREPARATION)
    one, two = (
        fleet.play([plays.role("chrony", kind.removeprefix("bench-"))], [kind]) for kind in ROLES
    )
    return one, two


def inside(fleet: Fleet) -> list[Line]:
    """From the start of the module's main() to its result, on an idle host of each release."""
    _component_hosts(fleet)
    lines = []
    for name in NAMES[:2]:
        playbook = fleet.written([plays.play(plays.clocked(plays.units_and_files(), 20))])
        said = fleet.ansible(
            playbook, fleet.inventory([name]), ANSIBLE_STDOUT_CALLBACK="ansible.posix.json"
        )
        task = json.loads(said[said.index("{") :])["plays"][0]["tasks"][0]["hosts"][name]
        if task["changed"]:
            raise BenchError("the component changed something")
        release = fleet.hosts[name].release
        own, imports = (
            tuple(one[key] for one in task["results"]) for key in ("seconds", "imports")
        )
        targets = (Target(0.06, "seconds"),)
        lines.append(Line(f"inside the module, {release}", own, "its imports", imports, targets))
    return lines


def more(fleet: Fleet) -> list[Line]:
    """What one more host costs: a component where nothing changes, and a ping."""
    _component_hosts(fleet)
    own, other = in_turn(2, lambda: _slope(fleet, COMPONENT), lambda: _slope(fleet, plays.PING))
    return [Line("one more host, 1 to 8", own, "ping", other)]


def firewall(fleet: Fleet) -> list[Line]:
    """Fifty services for ten zones: where nothing changes, and against every host's real probes."""
    fleet.up(NAMES)
    addresses = {name: fleet.hosts[name].sh(ADDRESSES).split() for name in NAMES}
    inventory = fleet.inventory(NAMES, intent.variables(addresses))
    head = {"name": "Firewall", "hosts": "all", "become": True}
    playbook = fleet.written([{**head, "roles": ["servertechnik.core.firewall"]}])
    while (found := fleet.run(playbook, inventory)).changes:
        pass
    floor = fleet.written(plays.floor(found.record["tasks"]))
    own, other = in_turn(
        4,
        lambda: _idle(fleet.run(playbook, inventory)).seconds,
        lambda: fleet.run(floor, inventory).seconds,
    )
    words = ("servertechnik.core.verify_firewall", inventory, "-e")
    verify = tuple(
        fleet.run(*words, f"verify_firewall_playbook={playbook}").seconds for _ in range(3)
    )
    count = f"{intent.SERVICES} services, {len(NAMES)} hosts"
    return [
        Line(f"firewall again, {count}", own, "as many pings", other, (Target(1.5, "ratio"),)),
        Line(f"verify_firewall.yml, {count}", verify, targets=(Target(30, "seconds"),)),
    ]


def disks(_fleet: Fleet) -> list[Line]:
    """A look at eight disks, two arrays and ten volumes, on a virtual machine by itself."""
    what = f"disk_health, {eight.COUNT} disks, on the host"
    return [Line(what, eight.looks(), targets=(Target(0.5, "seconds"),))]


def drift(fleet: Fleet) -> list[Line]:
    """All hosts against what was committed there."""
    _component_hosts(fleet)
    inventory = fleet.inventory(NAMES)
    own, other = in_turn(
        4,
        lambda: fleet.run("servertechnik.core.drift", inventory).seconds,
        lambda: _ping(fleet, NAMES),
    )
    targets = (Target(3, "seconds"),)
    return [Line(f"drift.yml, {len(NAMES)} hosts", own, "ping", other, targets)]


def confirm(fleet: Fleet) -> list[Line]:
    """What a confirmation adds to a change that succeeds."""
    _component_hosts(fleet)
    own, other = in_turn(
        4,
        lambda: _change(fleet, confirm={"timeout": 30}),
        lambda: _change(fleet),
    )
    return [Line("a change with confirmation", own, "without", other)]


ALL: dict[str, Callable[[Fleet], list[Line]]] = {
    "role": role,
    "inside": inside,
    "confirm": confirm,
    "more": more,
    "firewall": firewall,
    "disks": disks,
    "drift": drift,
    "site": site,
}


def _component_hosts(fleet: Fleet) -> None:
    """Have the hosts with their component on them, and connections to all."""
    fleet.up(NAMES)
    while _component(fleet, NAMES).changes:
        pass


def _component(fleet: Fleet, names: list[str]) -> Timed:
    return fleet.play([plays.play(COMPONENT)], names)


def _slope(fleet: Fleet, task: Mapping[str, Any]) -> float:
    """Return the seconds that one more host costs this task, which changes nothing."""
    runs = [_idle(fleet.play([plays.play(task)], NAMES[:count])).seconds for count in COUNTS]
    return slope(COUNTS, runs)


def _ping(fleet: Fleet, names: list[str]) -> float:
    return fleet.play([plays.play(plays.PING)], names).seconds


def _change(fleet: Fleet, **options: object) -> float:
    run = fleet.play([plays.play(plays.one_file(str(fleet.number), **options))], NAMES[1:2])
    if not run.changes:
        raise BenchError("the change changed nothing")
    return run.seconds


def _idle(run: Timed) -> Timed:
    if run.changes:
        raise BenchError(f"changed, where nothing was to do: {'; '.join(run.changes)}")
    return run
