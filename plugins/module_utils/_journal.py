# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What a host remembers: its transactions, and what was last committed of each component.

    /var/lib/servertechnik/               root only
        active -> transactions/ID         the transaction that has not finished, if there is one
        components/NAME.json              what was last committed of the component
        transactions/ID/journal.json      plan, former state and progress
        transactions/ID/N                 former content of the Nth file

Every write is complete on disk before the next step begins.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._model import Desired, FileSpec

HOME = "/var/lib/servertechnik"
LOCK = "/run/servertechnik.lock"
PROGRAM = "/usr/local/lib/servertechnik/servertechnik.pyz"
KEPT = 20
STAMP = len("20260101T000000.000000Z-")
NEW, GONE = ".new", ".gone"  # folders of transactions that are being made and removed
FINISHED = ("committed", "rolled back", "reverted")


@dataclass(kw_only=True)
class Journal:
    """One transaction. `state` goes from preparing over prepared, applied, activating and

    activated to committed, or from any of them to rolled back; reverted follows committed.
    """

    id: str
    component: str
    at: str
    by: str
    run: str
    desired: dict[str, Any]
    former: dict[str, Any] | None
    state: str = "preparing"
    packages: dict[str, list[str]] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    units: list[dict[str, Any]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    live: dict[str, Any] | None = None
    confirm: dict[str, Any] | None = None
    owed: bool = False
    activation: bool = False
    error: str | None = None
    reverts: str | None = None

    def numbers(self) -> dict[str, int]:
        """Return the place of each path among the files."""
        return {entry["spec"]["path"]: number for number, entry in enumerate(self.files)}

    def candidate(self, number: int) -> str:
        """Return where the new content of the Nth file waits: beside it, under a hidden name."""
        folder = os.path.dirname(self.files[number]["spec"]["path"])
        return f"{folder}/.servertechnik-{self.id[-8:]}-{number}"

    @property
    def discreet(self) -> bool:
        """Whether the words of commands may hold what is not to be shown."""
        return any(spec["sensitive"] for spec in self.desired["files"])

    @property
    def finished(self) -> bool:
        """Whether nothing remains to be done or undone."""
        return self.state in FINISHED

    @property
    def awaits_confirmation(self) -> bool:
        """Whether the controller may still confirm: in time, and since the same boot."""
        return (
            self.confirm is not None
            and self.state in ("applied", "activating", "activated")
            and self.confirm["boot"] == boot()
            and time.clock_gettime(time.CLOCK_BOOTTIME) < self.confirm["deadline"]
        )


class Store:
    """The folder of a host that holds all this."""

    def __init__(self, host: Host) -> None:
        """Use the folder on `host`; it is made by the first write."""
        self.host = host

    @contextlib.contextmanager
    def locked(self, wait: float, who: str) -> Iterator[None]:
        """Hold the host's lock; HostError names its holder when `wait` seconds were not enough."""
        handle = os.open(self.host.at(LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            deadline = time.monotonic() + wait
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        holder = os.pread(handle, 1000, 0).decode(errors="replace")
                        raise HostError(
                            f"another run is at work on this host, waited {wait:.0f} s: {holder}"
                        ) from None
                    time.sleep(0.1)
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{who}, since {now()}, process {os.getpid()}".encode(), 0)
            yield
        finally:
            os.close(handle)

    def begin(self, component: str, **values: Any) -> Journal:
        """Make a journal and declare it the active one.

        It appears at once, with its first content: cut off before, nothing has begun.
        """
        at = now()
        stamp = at.translate(str.maketrans("", "", "-:"))
        journal = Journal(
            id=f"{stamp}-{component}-{os.urandom(4).hex()}", component=component, at=at, **values
        )
        self.host.make_folder(HOME, 0o700)
        self.host.make_folder(f"{HOME}/transactions", 0o700)
        self.host.make_folder(f"{HOME}/components", 0o700)
        self._discard(GONE)
        self.host.make_folder(self.folder(NEW), 0o700)
        self._write(f"{self.folder(NEW)}/journal.json", asdict(journal))
        self.host.link(f"transactions/{journal.id}", f"{HOME}/active.new")
        self.host.move(f"{HOME}/active.new", f"{HOME}/active")
        self.host.move(self.folder(NEW), self.folder(journal.id))
        return journal

    def declare_good(self, journal: Journal) -> None:
        """Let a transaction stand from now on, whatever happens."""
        journal.state = "committed"
        self.save(journal)

    def commit(self, journal: Journal) -> None:
        """Let a transaction stand, and finish all that follows from it."""
        if journal.state != "committed":
            self.declare_good(journal)
        record: dict[str, Any] | None = {
            "desired": journal.desired,
            "transaction": journal.id,
            "owed": False,
        }
        if journal.reverts:
            reverted = self.load(journal.reverts)
            reverted.state = "reverted"
            self.save(reverted)
            record = reverted.former
        self.set_record(journal.component, record)
        self.close(journal)

    def abandon(self, journal: Journal) -> None:
        """Declare a transaction undone; what its packages still need is owed by the next run."""
        record = journal.former
        if journal.owed:
            empty = {"desired": Desired(name=journal.component).as_dict(), "transaction": None}
            record = {**(record or empty), "owed": True}
        self.set_record(journal.component, record)
        journal.state = "rolled back"
        self.save(journal)
        self.close(journal)

    def close(self, journal: Journal) -> None:
        """Make no transaction the active one, and forget the component's oldest ones."""
        self.host.remove(f"{HOME}/active")
        self.host.sync(HOME)
        mine = [name for name in self.ids() if name[STAMP:-9] == journal.component]
        for name in mine[KEPT:]:
            self.host.move(self.folder(name), self.folder(GONE))
            self._discard(GONE)

    def _discard(self, name: str) -> None:
        shutil.rmtree(self.host.at(self.folder(name)), ignore_errors=True)

    def active(self) -> Journal | None:
        """Return the transaction that has not finished, if there is one."""
        try:
            name = os.path.basename(os.readlink(self.host.at(f"{HOME}/active")))
        except FileNotFoundError:
            return None
        return self.load(name) if os.path.exists(self.host.at(self.folder(name))) else None

    def folder(self, name: str) -> str:
        """Return the folder of a transaction."""
        return f"{HOME}/transactions/{name}"

    def ids(self) -> list[str]:
        """Return the ids of all transactions, newest first."""
        with contextlib.suppress(FileNotFoundError):
            names = os.listdir(self.host.at(f"{HOME}/transactions"))
            return sorted((name for name in names if not name.startswith(".")), reverse=True)
        return []

    def load(self, name: str) -> Journal:
        """Return a transaction by id. Raises HostError for one that isn't there."""
        data = self._read(f"{self.folder(name)}/journal.json")
        if data is None:
            raise HostError(f"this host has no transaction {name}")
        return Journal(**data)

    def save(self, journal: Journal) -> None:
        """Have a journal on disk as it is now."""
        self._write(f"{self.folder(journal.id)}/journal.json", asdict(journal))

    def keep(self, journal: Journal, number: int, content: bytes) -> None:
        """Have the former content of the Nth file on disk."""
        path = f"{self.folder(journal.id)}/{number}"
        self.host.write(path, content, FileSpec(path=path, mode=0o600))

    def kept(self, name: str, number: int) -> bytes:
        """Return the former content of the Nth file of a transaction."""
        return self.host.content(f"{self.folder(name)}/{number}")

    def components(self) -> list[str]:
        """Return the names of all components that were committed, sorted."""
        with contextlib.suppress(FileNotFoundError):
            names = os.listdir(self.host.at(f"{HOME}/components"))
            return sorted(n.removesuffix(".json") for n in names if n.endswith(".json"))
        return []

    def record(self, component: str) -> dict[str, Any] | None:
        """Return what was last committed of a component: desired, transaction, owed."""
        return self._read(f"{HOME}/components/{component}.json")

    def set_record(self, component: str, record: dict[str, Any] | None) -> None:
        """Replace what was last committed of a component, or forget it."""
        path = f"{HOME}/components/{component}.json"
        if record is None:
            self.host.remove(path)
            return
        self.host.make_folder(HOME, 0o700)
        self.host.make_folder(f"{HOME}/components", 0o700)
        self._write(path, record)

    def _read(self, path: str) -> dict[str, Any] | None:
        try:
            data: dict[str, Any] = json.loads(self.host.content(path))
        except FileNotFoundError:
            return None
        return data

    def _write(self, path: str, data: dict[str, Any]) -> None:
        spec = FileSpec(path=path, mode=0o600)
        self.host.write(f"{path}.new", json.dumps(data).encode(), spec)
        self.host.move(f"{path}.new", path)


def now() -> str:
    """Return the time in UTC (RFC 3339, microseconds)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def boot() -> str:
    """Return the kernel's id of this boot (random(4))."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()
