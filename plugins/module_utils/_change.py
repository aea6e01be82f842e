# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The steps of a transaction up to its activation."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ansible_collections.servertechnik.core.plugins.module_utils import _live_network
from ansible_collections.servertechnik.core.plugins.module_utils._activation import (
    run_command,
    spoken,
)
from ansible_collections.servertechnik.core.plugins.module_utils._apt import Apt
from ansible_collections.servertechnik.core.plugins.module_utils._host import (
    STATUS,
    Host,
    HostError,
)
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Journal, Store
from ansible_collections.servertechnik.core.plugins.module_utils._model import Desired
from ansible_collections.servertechnik.core.plugins.module_utils._plan import FileChange, Plan


class Change:
    """A transaction under way; `step` says in words what it is doing."""

    def __init__(
        self,
        host: Host,
        store: Store,
        journal: Journal,
        desired: Desired,
        contents: Mapping[str, bytes],
    ) -> None:
        """Take the journal of a transaction that has just begun."""
        self.host = host
        self.store = store
        self.journal = journal
        self.desired = desired
        self.contents = contents
        self.step = "preparation"

    def carry_out(self, plan: Plan, apt: Apt) -> None:
        """Go as far as everything but the activation. Raises HostError, InputError, OSError."""
        if plan.install or plan.remove:
            self.step = "packages"
            plan = self._packages(plan, apt)
        self.step = "preparation"
        self._prepare(plan)
        self.step = "files"
        self._write(plan)
        self.step = "validation"
        for command in self.desired.validate if plan.files else ():
            run_command(self.host, self.journal, command)
        self.step = "activation"

    def _packages(self, plan: Plan, apt: Apt) -> Plan:
        """Install and remove, and return what is left to do. No unit starts on its defaults."""
        known, owed = self.host.file_state(STATUS), self.journal.owed
        self.journal.owed = True
        self.journal.units = [_unit_entry(unit) for unit in plan.units]
        names = [unit.name for unit in self.desired.units]
        # A package may replace what is there, such as systemd-resolved /etc/resolv.conf.
        self._remember(change for change in plan.files if change.before.kind != "absent")
        self.store.save(self.journal)
        try:
            if names:
                self.host.hold_services(names)
            apt.change(plan.install, plan.remove)
        except HostError:
            if self.host.file_state(STATUS) == known:  # apt refused before it began
                self.journal.owed = owed
            raise
        finally:
            self.host.release_services()
        return Plan.between(self.host.read(self.desired), self.desired, owed=True)

    def _prepare(self, plan: Plan) -> None:
        """Save all that is needed to put the host back."""
        new = {u["spec"]["name"]: u["before"] for u in self.journal.units}
        self.journal.units = [_unit_entry(unit, new) for unit in plan.units]
        self.journal.commands = list(plan.commands)
        self.journal.folders = list(self._missing_folders(plan))
        for change in plan.files:
            if change.spec.kind in ("file", "directory"):
                self.host.ids(change.spec.owner, change.spec.group)
        known = self.journal.numbers()
        self._remember(change for change in plan.files if change.spec.path not in known)
        if self.desired.live:
            self.journal.live = _live_network.save(self.host)
        self.journal.state = "prepared"
        self.store.save(self.journal)

    def _remember(self, changes: Iterable[FileChange]) -> None:
        """Save what is at the paths of these changes now."""
        for change in changes:
            spec, before = change.spec, change.before
            if before.kind in ("file", "directory"):
                before = replace(before, attributes=self.host.attributes(spec.path))
            if before.kind == "file":
                number = len(self.journal.files)
                self.store.keep(self.journal, number, self.host.content(spec.path))
            self.journal.files.append(
                {"spec": spec.as_dict(), "before": before.as_dict(), "change": change.change}
            )

    def _missing_folders(self, plan: Plan) -> Iterator[str]:
        """Yield the folders that have to be made for files to be in, from the top."""
        seen = {change.spec.path for change in plan.files if change.spec.kind == "directory"}
        for change in plan.files:
            folder, missing = os.path.dirname(change.spec.path), []
            while folder not in seen and not os.path.isdir(self.host.at(folder)):
                missing.append(folder)
                seen.add(folder)
                folder = os.path.dirname(folder)
            yield from reversed(missing if change.spec.kind != "absent" else [])

    def _write(self, plan: Plan) -> None:
        """Put candidates beside all files, check each, and only then put them in place."""
        for folder in self.journal.folders:
            self.host.make_folder(folder)
        numbers = self.journal.numbers()
        numbered = [(numbers[change.spec.path], change) for change in plan.files]
        for number, change in numbered:
            if change.spec.kind == "directory":
                self.host.set_folder(change.spec.path, change.spec)
            elif change.spec.kind != "absent":
                self._candidate(number, change)
        for number, change in numbered:
            if change.spec.kind in ("file", "link"):
                self.host.move(self.journal.candidate(number), change.spec.path)
            elif change.spec.kind == "absent":
                self.host.remove(change.spec.path)
        self.journal.state = "applied"
        self.store.save(self.journal)

    def _candidate(self, number: int, change: FileChange) -> None:
        spec, candidate = change.spec, self.journal.candidate(number)
        if spec.kind == "link":
            self.host.link(str(spec.target), candidate, spec)
            return
        self.host.write(candidate, self.contents[str(spec.digest)], spec)
        if spec.validate is None:
            return
        words = [candidate if word == "%s" else word for word in shlex.split(spec.validate)]
        output = self.host.run(words)
        if output.status:
            said = spoken(self.journal, output).replace(candidate, spec.path)
            raise HostError(
                f"{spec.path} is not valid, '{spec.validate}' says ({output.status}): {said}"
            )


def _unit_entry(unit: object, new: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return a unit as the journal holds it; one that a package brought was not there before."""
    spec, before, actions = unit.spec, unit.before, unit.actions  # type: ignore[attr-defined]
    former = (new or {}).get(spec.name)
    if isinstance(former, dict) and former["load"] == "not-found":
        before_data = former
    else:
        before_data = before.as_dict()
    return {"spec": spec.as_dict(), "before": before_data, "actions": list(actions)}
