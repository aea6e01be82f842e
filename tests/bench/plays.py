"""The playbooks of the benchmark that are made on the way. Pure: data in, plays out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._arguments import pack

Play = dict[str, Any]
PING = {"name": "Ping", "ansible.builtin.ping": {}}
UNITS = 3
FILES = 10


def play(*tasks: Mapping[str, Any], name: str = "Benchmark") -> Play:
    """Return a play of these tasks on all hosts, as root."""
    head = {"name": name, "hosts": "all", "become": True, "gather_facts": False}
    return {**head, "tasks": list(tasks)}


def role(name: str, tasks_from: str) -> Play:
    """Return a play of one file of tasks of a role."""
    arguments = {"name": name, "tasks_from": tasks_from}
    return play({"name": "Apply the role", "ansible.builtin.import_role": arguments})


def floor(tasks: Iterable[Mapping[str, Any]]) -> list[Play]:
    """Return plays of pings, one for each task of a run record, on the hosts where it ran.

    Tasks that were skipped everywhere are left out.
    """
    hosts = {name for task in tasks for name in task["hosts"]}
    return [
        play(*(ping for task in group if (ping := _ping(task, hosts))), name=name)
        for name, group in groupby(tasks, key=itemgetter("play"))
    ]


def _ping(task: Mapping[str, Any], hosts: set[str]) -> dict[str, Any] | None:
    ran = sorted(name for name, said in task["hosts"].items() if said["status"] != "skipped")
    if not ran:
        return None
    return PING if hosts == set(ran) else {**PING, "when": f"inventory_hostname in {ran}"}


def role_time(tasks: Iterable[Mapping[str, Any]]) -> float:
    """Return the seconds that the tasks and handlers of a run record took, one after the other."""
    return float(sum(task["seconds"] for task in tasks))


def units_and_files() -> dict[str, Any]:
    """Return a component with ten files, three of them the units that it runs."""
    names = [f"bench-{number}.service" for number in range(1, UNITS + 1)]
    units = {
        f"/etc/systemd/system/{name}": "[Service]\nType=oneshot\nRemainAfterExit=true\n"
        "ExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n"
        for name in names
    }
    texts = {
        f"/etc/bench/{number}.conf": f"# Configuration {number}\n" + "setting = value\n" * 50
        for number in range(1, FILES - UNITS + 1)
    }
    return {
        "name": "bench",
        "packages": ["openssh-server", "sudo"],
        "files": [{"dest": dest, "content": text} for dest, text in {**units, **texts}.items()],
        "units": [{"name": name} for name in names],
    }


def one_file(content: str, **options: Any) -> dict[str, Any]:
    """Return a task that changes one file of a component when `content` is new."""
    arguments = {
        "name": "bench-confirm",
        "files": [{"dest": "/etc/bench-confirm.conf", "content": f"{content}\n"}],
        **options,
    }
    return {"name": "Change a file", "servertechnik.core.component": arguments}


def clocked(component: Mapping[str, Any], times: int) -> dict[str, Any]:
    """Return a task that calls the component's module with a clock, in a new process each time.

    It gets what the action plugin sends: the contents apart from the files.
    """
    contents = {one["dest"]: one["content"].encode() for one in component["files"]}
    files = [{**one, "content": ""} for one in component["files"]]
    arguments = {**component, "files": files, "payload": pack(contents)}
    loop = list(range(times))
    return {"name": "Clock", "bench_component": arguments, "loop": loop}
