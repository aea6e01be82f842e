# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The arrays' lines in mdadm.conf, and the initramfs that has a copy of it.

Sources: mdadm.conf(5); Debian's hook /usr/share/initramfs-tools/hooks/mdadm, which copies the file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._model import FileSpec
from ansible_collections.servertechnik.core.plugins.module_utils._raid_wanted import (
    RaidError,
    as_uuid,
)

CONFIG = "/etc/mdadm/mdadm.conf"
# There as long as the initramfs is older than the arrays' lines, also over a power cut.
OWED = "/var/lib/servertechnik/initramfs-owed"
UPDATE = ("update-initramfs", "-u", "-k", "all")
_PROGRAM = "/usr/sbin/update-initramfs"
_LEAST_WORD = 3  # letters to which a keyword may be cut


@dataclass(frozen=True)
class Line:
    """An ARRAY line: the device, and what the array must have to be called so."""

    path: str
    uuid: str
    name: str = ""
    metadata: str = ""

    @property
    def text(self) -> str:
        """The line as we write it: by UUID alone, since names change with the host's."""
        metadata = [f"metadata={self.metadata}"] if self.metadata else []
        return " ".join(["ARRAY", self.path, *metadata, f"UUID={self.uuid}"])


@dataclass(frozen=True)
class Kept:
    """What `keep` did or would do: its steps, and the text of mdadm.conf before and after."""

    steps: tuple[str, ...]
    before: str
    after: str


def entries(text: str) -> list[tuple[str, Line | None]]:
    """Return mdadm.conf in pieces, each with the ARRAY line that it is, if it is one.

    A piece is a line with those that continue it, which begin with white space.
    """
    pieces: list[str] = []
    for line in text.splitlines(keepends=True):
        if pieces and line[0] in " \t" and line.strip():
            pieces[-1] += line
        else:
            pieces.append(line)
    return [(piece, _line(piece)) for piece in pieces]


def _line(piece: str) -> Line | None:
    words = [word for line in piece.splitlines() for word in line.partition("#")[0].split()]
    if not words or len(words[0]) < _LEAST_WORD or not "array".startswith(words[0].lower()):
        return None
    path = next((word for word in words[1:] if "=" not in word), "")
    tags = {key.lower(): value for key, _sign, value in (word.partition("=") for word in words[1:])}
    try:
        uuid = as_uuid(tags.get("uuid", ""))
    except RaidError:
        uuid = ""
    return Line(_full(path), uuid, tags.get("name", ""), tags.get("metadata", ""))


def _full(path: str) -> str:
    """Return a device as mdadm takes it: a name without a slash is below /dev/md."""
    return path if path.startswith("/") or path in ("", "<ignore>") else f"/dev/md/{path}"


def with_line(text: str, line: Line) -> str:
    """Return mdadm.conf with a line for an array, and as it was if it has a true one.

    Other lines of its device or UUID go.
    """
    pieces = entries(text)
    own = [n for n, (_text, one) in enumerate(pieces) if one and _same(one, line)]
    if len(own) == 1 and _true(pieces[own[0]][1], line):
        return text
    kept = [piece for n, (piece, _line) in enumerate(pieces) if n not in own]
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += "\n"
    where = own[0] if own else len(kept)
    return "".join([*kept[:where], f"{line.text}\n", *kept[where:]])


def _same(one: Line, line: Line) -> bool:
    return one.path == line.path or (line.uuid != "" and one.uuid == line.uuid)


def _true(one: Line | None, line: Line) -> bool:
    return (
        one is not None
        and (one.path, one.uuid) == (line.path, line.uuid)
        and not one.name
        and one.metadata in ("", line.metadata)
    )


def uuid_of(text: str, path: str) -> str:
    """Return the UUID that mdadm.conf has for an array's device, empty if none."""
    return next((one.uuid for _text, one in entries(text) if one and one.path == path), "")


def keep(
    host: Host, arrays: Sequence[Mapping[str, Any]], *, initramfs: bool = True, check: bool = False
) -> Kept:
    """Have a line in mdadm.conf for each array, and the initramfs made anew where it lacks one.

    `arrays` are entries of the document of `disk_health` (`name`, `uuid`, `metadata`). With
    `initramfs` off that is left to a later call, which knows of it. Raises HostError.
    """
    before = read(host)
    after = before
    steps = []
    for array in arrays:
        line = Line(array["name"], array["uuid"], metadata=array["metadata"])
        new = with_line(after, line)
        if new != after:
            steps.append(f"{CONFIG}: {line.path}")
        after = new
    owed = bool(steps) or os.path.exists(host.at(OWED))
    if steps and not check:
        _write(host, after)
    if owed and initramfs:
        if os.path.exists(host.at(_PROGRAM)):
            steps.append(" ".join(UPDATE))
        if not check:
            _update(host)
    return Kept(tuple(steps), before, after)


def read(host: Host) -> str:
    """Return mdadm.conf, empty where there is none."""
    try:
        return host.content(CONFIG).decode(errors="surrogateescape")
    except FileNotFoundError:
        return ""


def _write(host: Host, text: str) -> None:
    host.make_folder(os.path.dirname(OWED))
    owner, group = str(os.geteuid()), str(os.getegid())
    host.write(OWED, b"", FileSpec(path=OWED, mode=0o600, owner=owner, group=group))
    host.sync(os.path.dirname(OWED))
    state = host.file_state(CONFIG)
    spec = FileSpec(path=CONFIG, mode=0o644, owner=owner, group=group)
    if state.kind == "file":
        spec = replace(spec, owner=state.owner, group=state.group, mode=state.mode)
    host.make_folder(os.path.dirname(CONFIG))
    host.write(f"{CONFIG}.new", text.encode(errors="surrogateescape"), spec)
    host.move(f"{CONFIG}.new", CONFIG)


def _update(host: Host) -> None:
    if os.path.exists(host.at(_PROGRAM)):
        host.must(*UPDATE)
    host.remove(OWED)
