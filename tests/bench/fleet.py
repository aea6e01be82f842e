"""Hosts for measurements, and timed Ansible runs on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.plays import Play
from tests.conftest_hosts import BED, ROOT, Host

LAB = ROOT / "inventories" / "lab"
HERE = Path(__file__).parent


class BenchError(Exception):
    """Something didn't run as it must for its time to mean anything."""


@dataclass(frozen=True)
class Timed:
    """A run: its duration with all that Ansible does around it, and its record's data."""

    seconds: float
    record: dict[str, Any]

    @property
    def changes(self) -> list[str]:
        """The tasks that changed something, each with its hosts."""
        told = []
        for task in self.record["tasks"]:
            hosts = [name for name, said in task["hosts"].items() if said["status"] == "changed"]
            if hosts:
                told.append(f"{task['name']} ({', '.join(hosts)})")
        return told


class Fleet:
    """Hosts of the benchmark's own; records and connections of its runs stay in `folder`."""

    def __init__(self, folder: Path) -> None:
        """Start without hosts."""
        self.folder = folder
        self.hosts: dict[str, Host] = {}
        self.number = 0
        self.generation = 0

    def up(self, names: Iterable[str], *, fresh: bool = False) -> None:
        """Have these hosts run, half of them Debian 12; new ones if `fresh`. Raises BenchError."""
        wanted = {name: _release(name) for name in names}
        if fresh:
            self.down(wanted)
        if missing := [f"{name}={of}" for name, of in wanted.items() if name not in self.hosts]:
            # A new host may have the address of a former one, and no connection of it.
            self.generation += 1
            keys = ("name", "release", "address", "known_hosts")
            for one in json.loads(_bed("up", *missing)):
                self.hosts[one["name"]] = Host(**{key: one[key] for key in keys})

    def down(self, names: Iterable[str]) -> None:
        """Remove hosts; those that aren't there are as wanted."""
        _bed("down", *names)
        self.hosts = {name: host for name, host in self.hosts.items() if name not in names}

    def play(self, plays: Sequence[Play], names: Iterable[str]) -> Timed:
        """Run plays on hosts of this fleet. Raises BenchError."""
        return self.run(self.written(plays), self.inventory(names))

    def inventory(
        self, names: Iterable[str], more: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Path:
        """Write an inventory of these hosts, with `more` variables by host."""
        hosts = {
            name: {**self.hosts[name].variables, **(more or {}).get(name, {})} for name in names
        }
        path = self.folder / f"inventory-{'-'.join(hosts)}{'-more' if more else ''}.json"
        path.write_text(json.dumps({"all": {"hosts": hosts}}))
        return path

    def written(self, plays: Sequence[Play]) -> Path:
        """Write a playbook."""
        self.number += 1
        path = self.folder / f"playbook-{self.number}.json"
        path.write_text(json.dumps(plays))
        return path

    def run(self, playbook: str | Path, inventory: Path, *options: str) -> Timed:
        """Run a playbook as the project's configuration has it, into a pipe. Raises BenchError."""
        self.number += 1
        records = self.folder / f"records-{self.number}"
        began = time.perf_counter()
        self.ansible(playbook, inventory, *options, SERVERTECHNIK_RECORDS=str(records))
        seconds = time.perf_counter() - began
        record = next((records / "run").glob("*.json"))
        return Timed(seconds, json.loads(record.read_text())["data"])

    def ansible(
        self, playbook: str | Path, inventory: Path, *options: str, **variables: str
    ) -> str:
        """Run a playbook and return what it says. Raises BenchError with its last lines."""
        mine = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        if inventory != LAB:
            variables["ANSIBLE_SSH_CONTROL_PATH_DIR"] = str(self.folder / f"ssh{self.generation}")
        done = subprocess.run(
            [Path(sys.executable).parent / "ansible-playbook", "-i", inventory, *options, playbook],
            cwd=ROOT,
            env=mine
            | {
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_LIBRARY": str(HERE / "library"),
                "ANSIBLE_ROLES_PATH": str(HERE / "roles"),
                "SERVERTECHNIK_HISTORY": str(self.folder / "history.json"),
            }
            | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BenchError("\n".join(done.stdout.strip().splitlines()[-12:]))
        return done.stdout


def lab() -> int:
    """Have the lab's hosts run; return how many there are. Raises BenchError."""
    return len(json.loads(_bed("up", "--inventory", str(LAB))))


def _release(name: str) -> str:
    number = name.rpartition("-")[2]
    return "bookworm" if number.isdigit() and int(number) % 2 else "trixie"


def _bed(*words: str) -> str:
    done = subprocess.run([BED, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(done.stderr.strip())
    return done.stdout
