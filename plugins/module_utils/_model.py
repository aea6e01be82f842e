# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What a component is made of: its specification, and the state of a host that it concerns.

Everything here is data and pure. `as_dict` and `from_dict` are inverse; the dictionaries are what
the journal on the host and the module's results hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeVar

FileKind = Literal["file", "link", "directory", "absent"]
OnChange = Literal["restart", "reload", "reload-or-restart", "none"]

LAST_PORT = 65535
NAME = re.compile(r"[a-z0-9_-]{1,64}")
# Debian Policy 5.6.1 (package names, an architecture after a colon) and 5.6.12 (versions).
PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[A-Za-z0-9.+:~-]+)?")
# systemd.unit(5): a valid character set and one of the suffixes that can be started.
UNIT = re.compile(
    r"[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|mount|automount|swap|path|target|slice)"
)


class InputError(Exception):
    """A specification that can't be carried out; the text names the option and what is accepted."""


T = TypeVar("T", bound="_Data")


class _Data:
    """Conversion between a frozen dataclass and a dictionary that JSON can hold."""

    def as_dict(self) -> dict[str, Any]:
        """Return a dictionary of plain values; the inverse of `from_dict`."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]  # subclasses are dataclasses

    @classmethod
    def from_dict(cls: type[T], data: Mapping[str, Any]) -> T:
        """Return the object that `data` describes; lists become tuples."""
        known = {f.name for f in fields(cls)}  # type: ignore[arg-type]  # subclasses are dataclasses
        return cls(
            **{k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in known}
        )


@dataclass(frozen=True, kw_only=True)
class FileSpec(_Data):
    """How one path must be. `mode` is an integer, `digest` the SHA-256 of the content in hex."""

    path: str
    kind: FileKind = "file"
    digest: str | None = None
    size: int = 0
    target: str | None = None
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    purge: bool = False
    sensitive: bool = False
    outline: bool = False
    validate: str | None = None
    units: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse paths that don't name exactly one place, and validations without a candidate."""
        parts = self.path.split("/")
        if not self.path.startswith("/") or {"", ".", ".."} & set(parts[1:]):
            raise InputError(
                f"files: dest {self.path!r} is not accepted; accepted: an absolute path without "
                "'.', '..', '//' or a final '/'"
            )
        if "\0" in self.path:
            raise InputError(f"files: dest {self.path!r} holds a null character")
        if self.validate is not None and "%s" not in self.validate.split():
            raise InputError(
                f"files: validate {self.validate!r} of {self.path} has no %s; accepted: a command "
                "with %s as a word of its own, in place of the candidate"
            )


@dataclass(frozen=True, kw_only=True)
class UnitSpec(_Data):
    """How one systemd unit must be, and what happens to it when a file it depends on changes."""

    name: str
    enabled: bool = True
    state: Literal["started", "stopped"] = "started"
    masked: bool = False
    on_change: OnChange = "restart"

    def __post_init__(self) -> None:
        """Refuse names without a suffix."""
        if not UNIT.fullmatch(self.name):
            raise InputError(
                f"units: name {self.name!r} is not accepted; accepted: a unit with its suffix, "
                "such as ssh.service"
            )


@dataclass(frozen=True, kw_only=True)
class Check(_Data):
    """One thing that must hold after activation, within `timeout` seconds."""

    unit: str | None = None
    tcp: str | None = None
    command: str | None = None
    timeout: int = 10

    def __post_init__(self) -> None:
        """Refuse anything but exactly one subject."""
        given = [k for k in ("unit", "tcp", "command") if getattr(self, k) is not None]
        if len(given) != 1:
            raise InputError(
                f"verify: found {', '.join(given) or 'nothing'}; accepted: exactly one of unit, "
                "tcp, command"
            )
        if self.tcp is not None:
            self.endpoint()

    def endpoint(self) -> tuple[str, int]:
        """Return host and port of `tcp`; a port alone means this host."""
        host, _colon, port = (self.tcp or "").rpartition(":")
        if not port.isdigit() or not 0 < int(port) <= LAST_PORT:
            raise InputError(
                f"verify: tcp {self.tcp!r} is not accepted; accepted: PORT or HOST:PORT"
            )
        return host.strip("[]") or "localhost", int(port)


@dataclass(frozen=True, kw_only=True)
class Desired(_Data):
    """A whole component as it must be."""

    name: str
    packages: tuple[str, ...] = ()
    packages_absent: tuple[str, ...] = ()
    files: tuple[FileSpec, ...] = ()
    validate: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    units: tuple[UnitSpec, ...] = ()
    live: tuple[str, ...] = ()
    verify: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if not NAME.fullmatch(self.name):
            raise InputError(
                f"name {self.name!r} is not accepted; accepted: 1 to 64 of a-z, 0-9, _ and -"
            )
        for package in (*self.packages, *self.packages_absent):
            if not PACKAGE.fullmatch(package):
                raise InputError(
                    f"packages: {package!r} is not accepted; accepted: NAME, NAME:ARCHITECTURE, "
                    "or NAME=VERSION"
                )
        _no_twins(
            "packages", (p.partition("=")[0] for p in (*self.packages, *self.packages_absent))
        )
        _no_twins("files", (f.path for f in self.files))
        _no_twins("units", (u.name for u in self.units))
        _no_contradiction(self.files)
        names = {u.name for u in self.units}
        for spec in self.files:
            if strangers := set(spec.units or ()) - names:
                raise InputError(
                    f"files: {spec.path} concerns {', '.join(sorted(strangers))}, which is not "
                    f"among the component's units; accepted: {', '.join(sorted(names)) or 'none'}"
                )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Desired:
        """Return the component that a dictionary of plain values describes."""
        parts: dict[str, type[_Data]] = {"files": FileSpec, "units": UnitSpec, "verify": Check}
        values: dict[str, Any] = {
            f.name: tuple(parts[f.name].from_dict(part) for part in data[f.name])
            if f.name in parts
            else (data["name"] if f.name == "name" else tuple(data[f.name]))
            for f in fields(cls)
            if f.name in data
        }
        return cls(**values)


def _no_contradiction(files: Iterable[FileSpec]) -> None:
    """Refuse a path below one that will not be a folder. Raises InputError."""
    kinds = {spec.path: spec.kind for spec in files}
    for path, kind in kinds.items():
        parts = path.split("/")
        for above in ("/".join(parts[:n]) for n in range(2, len(parts))):
            other = kinds.get(above, "directory")
            if other in ("file", "link") or (other == "absent" and kind != "absent"):
                raise InputError(
                    f"files: {path} is below {above}, which is to be {other}; accepted: only what "
                    "can be there together"
                )


def _no_twins(option: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{option}: {name} is listed twice")
        seen.add(name)


@dataclass(frozen=True, kw_only=True)
class FileState(_Data):
    """What is at one path; it is blocked where something above it is not a folder."""

    kind: Literal["file", "link", "directory", "absent", "other", "blocked"] = "absent"
    digest: str | None = None
    size: int = 0
    target: str | None = None
    owner: str = ""
    group: str = ""
    uid: int = -1
    gid: int = -1
    mode: int = 0
    mtime_ns: int = 0
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class UnitState(_Data):
    """What systemd says of one unit (properties of `systemctl show`, systemd.unit(5))."""

    name: str
    load: str = "not-found"
    active: str = "inactive"
    sub: str = "dead"
    file_state: str = ""
    kind: str = ""
    ran: bool = False
    stale: bool = False
    since: str = ""

    @property
    def is_active(self) -> bool:
        """Whether the unit does its work, which for a one-shot means that it has run."""
        if self.sub.startswith("auto-restart"):  # it has just failed, once more
            return False
        return self.active in ("active", "reloading", "activating") or (
            self.kind == "oneshot" and self.active == "inactive" and self.ran
        )

    @property
    def is_enabled(self) -> bool:
        """Whether it starts by itself; units that can't be enabled count as such."""
        return self.file_state not in ("", "disabled", "masked", "masked-runtime", "bad")

    @property
    def is_masked(self) -> bool:
        """Whether it is masked for good or until the next boot."""
        return self.file_state.startswith("masked") or self.load == "masked"


@dataclass(frozen=True, kw_only=True)
class PackageState(_Data):
    """What dpkg knows of one package."""

    version: str | None = None
    held: bool = False


@dataclass(kw_only=True)
class State:
    """The part of a host that a component concerns; `trees` lists what stands below a folder."""

    packages: dict[str, PackageState] = field(default_factory=dict)
    files: dict[str, FileState] = field(default_factory=dict)
    trees: dict[str, tuple[str, ...]] = field(default_factory=dict)
    units: dict[str, UnitState] = field(default_factory=dict)
