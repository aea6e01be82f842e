# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What separates a host from a component, as a plan. Pure: the same plan serves check mode,
the real run and the search for drift.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._model import (
    Desired,
    FileSpec,
    FileState,
    InputError,
    State,
    UnitSpec,
    UnitState,
)

REPORTED = {
    "enable": "enabled",
    "disable": "disabled",
    "mask": "masked",
    "unmask": "unmasked",
    "start": "started",
    "stop": "stopped",
    "restart": "restarted",
    "reload": "reloaded",
    "reload-or-restart": "reloaded",
}


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """One path that is to change: `change` is created, removed, content, attributes or replaced."""

    spec: FileSpec
    before: FileState
    change: str


@dataclass(frozen=True, kw_only=True)
class UnitChange:
    """One unit that is to change; `actions` are verbs of systemctl, in order."""

    spec: UnitSpec
    before: UnitState
    actions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that is to change. Packages are given as the component names them."""

    install: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    files: tuple[FileChange, ...] = ()
    commands: tuple[str, ...] = ()
    units: tuple[UnitChange, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.install or self.remove or self.files or self.commands or self.units)

    @classmethod
    def between(cls, current: State, desired: Desired, *, owed: bool = False) -> Plan:
        """Return what turns `current` into `desired`.

        `owed` says that packages of this component have changed, just now or in a run that did
        not finish, and that their activation is still due. Raises InputError for held packages
        and for folders and special files that stand in the way.
        """
        install, remove = _packages(current, desired)
        files = tuple(_files(current, desired))
        owed = owed or bool(install or remove)
        units = []
        for spec in desired.units:
            concerned = owed or any(
                c.spec.units is None or spec.name in c.spec.units for c in files
            )
            before = current.units.get(spec.name, UnitState(name=spec.name))
            if actions := tuple(_unit(spec, before, concerned=concerned)):
                units.append(UnitChange(spec=spec, before=before, actions=actions))
        commands = desired.commands if owed or files else ()
        return cls(
            install=install, remove=remove, files=files, commands=commands, units=tuple(units)
        )

    def report(self) -> dict[str, Any]:
        """Return the plan in the module's words: packages, files and units."""
        return {
            "packages": {"installed": list(self.install), "removed": list(self.remove)},
            "files": [{"path": c.spec.path, "change": c.change} for c in self.files],
            "units": [
                {"name": c.spec.name, "actions": [REPORTED[a] for a in c.actions]}
                for c in self.units
            ],
        }


def _packages(current: State, desired: Desired) -> tuple[tuple[str, ...], tuple[str, ...]]:
    install = []
    for wanted in desired.packages:
        name, _equals, version = wanted.partition("=")
        state = current.packages[name]
        if state.version is not None and version in ("", state.version):
            continue
        if state.held:
            raise InputError(
                f"packages: {wanted} is wanted, but {name} {state.version or ''} is held on this "
                f"host; release it with 'apt-mark unhold {name}' or want that version"
            )
        install.append(wanted)
    remove = [
        name for name in desired.packages_absent if current.packages[name].version is not None
    ]
    for name in remove:
        if current.packages[name].held:
            raise InputError(
                f"packages_absent: {name} is held on this host; release it with "
                f"'apt-mark unhold {name}'"
            )
    return tuple(install), tuple(remove)


def _files(current: State, desired: Desired) -> Iterator[FileChange]:
    """Yield changes in an order that works: folders from the top, files, removals from below."""
    made: list[FileChange] = []
    removed: list[FileChange] = []
    for spec in (*desired.files, *_implied_removals(current, desired)):
        if change := _file(spec, current.files.get(spec.path, FileState())):
            (removed if spec.kind == "absent" else made).append(change)
    yield from sorted(made, key=lambda c: (c.spec.kind != "directory", c.spec.path.count("/")))
    yield from sorted(removed, key=lambda c: c.spec.path, reverse=True)


def _implied_removals(current: State, desired: Desired) -> Iterator[FileSpec]:
    """Yield what must go below purged and absent folders: all that the component doesn't list."""
    listed = {f.path for f in desired.files}
    kept = {f.path for f in desired.files if f.kind != "absent"}
    seen: set[str] = set()
    for top in desired.files:
        if not (top.purge or top.kind == "absent"):
            continue
        for path in current.trees.get(top.path, ()):
            if path in listed or path in seen or any(k.startswith(f"{path}/") for k in kept):
                continue
            seen.add(path)
            yield FileSpec(path=path, kind="absent", sensitive=top.sensitive, units=top.units)


def _file(spec: FileSpec, before: FileState) -> FileChange | None:
    if before.kind == "blocked":
        if spec.kind == "absent":
            return None
        raise InputError(
            f"files: {spec.path} can't be there, since something above it is not a folder on this "
            "host; move that away first, or choose another dest"
        )
    folders = [kind == "directory" for kind in (before.kind, spec.kind)]
    both = "absent" not in (before.kind, spec.kind)
    if before.kind == "other" or (both and folders[0] != folders[1]):
        found = "device, socket or pipe" if before.kind == "other" else before.kind
        raise InputError(
            f"files: {spec.path} is a {found} on this host, wanted: {spec.kind}; move it away "
            "first, or choose another dest"
        )
    change = ""
    if spec.kind == "absent":
        change = "removed" if before.kind != "absent" else ""
    elif before.kind == "absent":
        change = "created"
    elif before.kind != spec.kind:
        change = "replaced"
    elif (spec.digest, spec.target) != (before.digest, before.target):
        change = "content"
    elif not _has_attributes(spec, before):
        change = "attributes"
    return FileChange(spec=spec, before=before, change=change) if change else None


def _has_attributes(spec: FileSpec, before: FileState) -> bool:
    """Whether owner and group (by name or number) and mode, which links don't have, are right."""
    return (
        spec.owner in (before.owner, str(before.uid))
        and spec.group in (before.group, str(before.gid))
        and (spec.kind == "link" or spec.mode == before.mode)
    )


def _unit(spec: UnitSpec, now: UnitState, *, concerned: bool) -> Iterator[str]:
    if spec.masked != now.is_masked:
        yield "mask" if spec.masked else "unmask"
    if not spec.masked and spec.enabled and not now.is_enabled:
        yield "enable"
    elif not spec.masked and not spec.enabled and now.file_state.startswith("enabled"):
        yield "disable"
    if spec.masked or spec.state == "stopped":
        if now.active not in ("inactive", "failed"):
            yield "stop"
    elif not now.is_active:
        yield "start"
    elif concerned and spec.on_change != "none":
        yield spec.on_change
