# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The one place that touches a host: reads its state, writes its files, runs its commands."""

from __future__ import annotations

import contextlib
import errno
import grp
import hashlib
import os
import pwd
import stat
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.servertechnik.core.plugins.module_utils._model import (
    Desired,
    FileSpec,
    FileState,
    State,
    UnitState,
)
from ansible_collections.servertechnik.core.plugins.module_utils._packages import (
    POLICY,
    parse_status,
    policy,
)

FILES_SPARE = 64
STATUS = "/var/lib/dpkg/status"
_PROPERTIES = (
    "LoadState,ActiveState,SubState,UnitFileState,Type,NeedDaemonReload,Result,"
    "ExecMainExitTimestampMonotonic,ConditionResult,ConditionTimestampMonotonic,"
    "StateChangeTimestamp"
)


class HostError(Exception):
    """The host refused; the text says what, the command's own words included."""


@dataclass(frozen=True)
class Output:
    """What a command did: exit status and both streams as text."""

    status: int
    text: str


class Host:
    """A host below `root`, which is the real one unless a test says otherwise."""

    def __init__(self, root: str = "") -> None:
        """Look at the file system below `root` (empty for the real one)."""
        self.root = root

    # -- commands ---------------------------------------------------------------------------

    def run(self, words: Iterable[str], *, environment: Mapping[str, str] | None = None) -> Output:
        """Run a command without a shell and return its output; a missing program is status 127."""
        words = list(words)
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
                check=False,
            )
        except OSError as error:
            return Output(127, f"{words[0]}: {error.strerror}")
        return Output(done.returncode, done.stdout.decode(errors="replace").strip())

    def must(self, *words: str) -> str:
        """Run a command that has to succeed and return its output. Raises HostError."""
        output = self.run(words)
        if output.status:
            raise HostError(f"'{' '.join(words)}' failed ({output.status}): {output.text}")
        return output.text

    def command_line(self, process: str) -> str:
        """Return the command line of a process, given by number; empty when it is gone."""
        try:
            words = self.content(f"/proc/{process}/cmdline")
        except OSError:
            return ""
        return words.decode(errors="replace").replace("\0", " ").strip()

    # -- reading ----------------------------------------------------------------------------

    def read(self, desired: Desired, units: dict[str, UnitState] | None = None) -> State:
        """Return the state of all that `desired` speaks of; `units` spares asking for those."""
        files = {spec.path: self.file_state(spec.path) for spec in desired.files}
        trees = {
            spec.path: tuple(self.below(spec.path))
            for spec in desired.files
            if (spec.purge or spec.kind == "absent") and files[spec.path].kind == "directory"
        }
        for paths in trees.values():
            files.update({path: self.file_state(path) for path in paths if path not in files})
        names = [p.partition("=")[0] for p in desired.packages] + list(desired.packages_absent)
        return State(
            packages=parse_status(self.content(STATUS), names) if names else {},
            files=files,
            trees=trees,
            units=self.units([unit.name for unit in desired.units]) if units is None else units,
        )

    def at(self, path: str) -> str:
        """Return where `path` really is."""
        return self.root + path

    def content(self, path: str) -> bytes:
        """Return the bytes of a file."""
        with open(self.at(path), "rb") as file:
            return file.read()

    def file_state(self, path: str) -> FileState:
        """Return what is at `path`, without following a link there."""
        where = self.at(path)
        try:
            found = os.lstat(where)
        except (FileNotFoundError, NotADirectoryError):
            return FileState(kind="absent" if self._may_hold(os.path.dirname(path)) else "blocked")
        kind, digest, target = "other", None, None
        if stat.S_ISREG(found.st_mode):
            kind = "file"
            with open(where, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        elif stat.S_ISLNK(found.st_mode):
            kind, target = "link", os.readlink(where)
        elif stat.S_ISDIR(found.st_mode):
            kind = "directory"
        return FileState(
            kind=kind,  # type: ignore[arg-type]  # one of the kinds, as written above
            digest=digest,
            size=found.st_size,
            target=target,
            owner=_name(found.st_uid, pwd.getpwuid),
            group=_name(found.st_gid, grp.getgrgid),
            uid=found.st_uid,
            gid=found.st_gid,
            mode=stat.S_IMODE(found.st_mode),
            mtime_ns=found.st_mtime_ns,
        )

    def _may_hold(self, folder: str) -> bool:
        """Whether a folder is there or can be made: no file or dead link is in the way."""
        while not os.path.lexists(self.at(folder)):
            folder = os.path.dirname(folder)
        return os.path.isdir(self.at(folder))

    def below(self, path: str) -> Iterator[str]:
        """Yield all paths below a folder, from the top, without following links."""
        for entry in sorted(os.scandir(self.at(path)), key=lambda e: e.name):
            yield f"{path}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from self.below(f"{path}/{entry.name}")

    def units(self, names: list[str]) -> dict[str, UnitState]:
        """Return what systemd says of units, in one call. Raises HostError without systemd."""
        if not names:
            return {}
        text = self.must(
            "systemctl", "show", "--timestamp=us+utc", f"--property={_PROPERTIES}", "--", *names
        )
        states = {}
        for name, block in zip(names, text.split("\n\n"), strict=True):
            said = dict(line.partition("=")[::2] for line in block.splitlines())
            states[name] = UnitState(
                name=name,
                load=said["LoadState"],
                active=said["ActiveState"],
                sub=said["SubState"],
                file_state=said.get("UnitFileState", ""),
                kind=said.get("Type", ""),
                ran=_ran(said),
                stale=said.get("NeedDaemonReload") == "yes",
                since=_moment(said.get("StateChangeTimestamp", "")),
            )
        return states

    # -- writing ----------------------------------------------------------------------------

    def room(self, path: str) -> tuple[int, bool]:
        """Return the free bytes where `path` is or will be, and whether that can be written to.

        Without free inodes (where the file system counts them) there is no room either.
        """
        while not os.path.exists(self.at(path)):
            path = os.path.dirname(path)
        found = os.statvfs(self.at(path or "/"))
        full = found.f_files > 0 and found.f_ffree < FILES_SPARE
        return 0 if full else found.f_bfree * found.f_frsize, not found.f_flag & os.ST_RDONLY

    def attributes(self, path: str) -> tuple[tuple[str, str], ...]:
        """Return extended attributes (xattr(7); ACLs and labels are among them), in base64."""
        with contextlib.suppress(OSError):
            return tuple(
                (name, b64encode(os.getxattr(self.at(path), name)).decode())
                for name in os.listxattr(self.at(path))
            )
        return ()

    def make_folder(self, path: str, mode: int = 0o755) -> list[str]:
        """Make a folder and the parents that it lacks; return those made, from the top.

        Raises HostError when something else stands in the way.
        """
        missing: list[str] = []
        while not os.path.isdir(self.at(path)):
            missing.insert(0, path)
            path = os.path.dirname(path)
        for folder in missing:
            try:
                os.mkdir(self.at(folder), mode)
            except FileExistsError:
                raise HostError(f"{folder} is not a folder, and one is needed there") from None
            os.chmod(self.at(folder), mode)  # mkdir obeys the umask, chmod doesn't
        return missing

    def set_folder(self, path: str, like: FileSpec | FileState) -> None:
        """Have a folder with its owner, mode and attributes."""
        self.make_folder(path, like.mode)
        os.chown(self.at(path), *self.ids(like.owner, like.group))
        os.chmod(self.at(path), like.mode)
        for name, value in getattr(like, "attributes", ()):
            os.setxattr(self.at(path), name, b64decode(value))

    def write(self, path: str, data: bytes, like: FileSpec | FileState) -> None:
        """Write a new file with owner, mode and attributes in place before its content is."""
        uid, gid = self.ids(like.owner, like.group)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        handle = os.open(self.at(path), flags, 0o600)
        try:
            os.fchown(handle, uid, gid)
            os.fchmod(handle, like.mode)
            for name, value in getattr(like, "attributes", ()):
                os.setxattr(handle, name, b64decode(value))
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            if stamp := getattr(like, "mtime_ns", 0):
                os.utime(handle, ns=(stamp, stamp))
            os.fsync(handle)
        finally:
            os.close(handle)

    def move(self, source: str, path: str) -> None:
        """Put `source` in the place of `path` at once, and on disk."""
        try:
            os.replace(self.at(source), self.at(path))
        except OSError as error:
            # A mount point, such as container engines make of a file, can't be replaced.
            if error.errno != errno.EBUSY:
                raise
            with open(self.at(path), "wb") as file:
                file.write(self.content(source))
            found = os.stat(self.at(source))
            os.chown(self.at(path), found.st_uid, found.st_gid)
            os.chmod(self.at(path), stat.S_IMODE(found.st_mode))
            self.remove(source)
        self.sync(os.path.dirname(path))

    def link(self, target: str, path: str, like: FileSpec | FileState | None = None) -> None:
        """Make a symbolic link, with its owner if given; an older one of that name goes."""
        self.remove(path)
        os.symlink(target, self.at(path))
        if like:
            os.chown(self.at(path), *self.ids(like.owner, like.group), follow_symlinks=False)

    def remove(self, path: str) -> None:
        """Remove a file, link or empty folder; one that isn't there is as wanted."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            try:
                os.unlink(self.at(path))
            except IsADirectoryError:
                os.rmdir(self.at(path))

    def remove_empty(self, folder: str) -> bool:
        """Remove a folder if it is one and empty; return whether there is none any more."""
        with contextlib.suppress(OSError):
            os.rmdir(self.at(folder))
        return not os.path.isdir(self.at(folder))

    def sync(self, folder: str) -> None:
        """Have the names in a folder on disk."""
        handle = os.open(self.at(folder or "/"), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def ids(self, owner: str, group: str) -> tuple[int, int]:
        """Return the numbers of an owner and a group, given by name or number. Raises HostError."""
        try:
            uid = int(owner) if owner.isdigit() else pwd.getpwnam(owner).pw_uid
            gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
        except KeyError as error:
            raise HostError(f"there is no such account on this host: {error.args[0]}") from None
        return uid, gid

    def hold_services(self, units: list[str]) -> None:
        """Keep the given units from being started by package scripts, until released."""
        self.release_services()
        former = f"{POLICY}.servertechnik"
        present = os.path.lexists(self.at(POLICY))
        if present:
            os.replace(self.at(POLICY), self.at(former))
        self.write(POLICY, policy(units, present).encode(), FileSpec(path=POLICY, mode=0o755))

    def release_services(self) -> None:
        """Undo `hold_services`; right after a crash as well."""
        former = f"{POLICY}.servertechnik"
        if os.path.lexists(self.at(former)):
            os.replace(self.at(former), self.at(POLICY))
            return
        with contextlib.suppress(FileNotFoundError):
            if b"Services of a component that is being installed" in self.content(POLICY):
                self.remove(POLICY)


def _name(number: int, lookup: object) -> str:
    try:
        return str(lookup(number)[0])  # type: ignore[operator]  # getpwuid or getgrgid
    except KeyError:
        return str(number)


def _moment(stamp: str) -> str:
    """Return a time of systemctl (`Tue 2026-11-24 09:12:33.123456 UTC`) in RFC 3339."""
    words = stamp.split()
    return f"{words[1]}T{words[2]}Z" if words else ""


def _ran(said: Mapping[str, str]) -> bool:
    """Whether a one-shot has run well since boot, or was rightly skipped by its conditions."""
    skipped = (
        said.get("ConditionResult") == "no" and said.get("ConditionTimestampMonotonic", "0") != "0"
    )
    finished = said.get("ExecMainExitTimestampMonotonic", "0") != "0"
    return skipped or (finished and said.get("Result") == "success")
