# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Files that were deleted and still take room, since a process has them open (proc(5))."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import TypedDict

from ansible_collections.servertechnik.core.plugins.module_utils._usage_mounts import parse

BLOCK = 512
GONE = " (deleted)"


class Deleted(TypedDict):
    """A file without a name; a restart of `unit` gives its bytes back."""

    path: str
    bytes: int
    pid: int
    process: str
    unit: str


def deleted(device: str, proc: str = "/proc") -> list[Deleted]:
    """Return the deleted files on a file system (major:minor), each once, the largest first.

    Files on other file systems aren't even asked for their size: their server may be gone.
    """
    seen: dict[int, Deleted] = {}
    places: dict[str, frozenset[int]] = {}
    for pid in filter(str.isdigit, os.listdir(proc)):
        # Processes come and go.
        with contextlib.suppress(OSError):
            for number, path in _open_and_gone(f"{proc}/{pid}"):
                if _mount(f"{proc}/{pid}", number) not in _mounts(f"{proc}/{pid}", device, places):
                    continue
                found = os.stat(f"{proc}/{pid}/fd/{number}")
                if found.st_ino not in seen and not found.st_nlink:
                    seen[found.st_ino] = {
                        "path": path,
                        "bytes": found.st_blocks * BLOCK,
                        "pid": int(pid),
                        "process": _text(f"{proc}/{pid}/comm").strip(),
                        "unit": unit_of(_text(f"{proc}/{pid}/cgroup")),
                    }
    return sorted(seen.values(), key=lambda one: -one["bytes"])


def unit_of(cgroup: str) -> str:
    """Return the systemd unit that a process belongs to, by its cgroup; else nothing."""
    found = re.findall(r"/([^/\n]+\.(?:service|scope|socket|mount))(?=/|$)", cgroup, re.MULTILINE)
    return found[-1] if found else ""


def _open_and_gone(process: str) -> Iterator[tuple[str, str]]:
    for number in os.listdir(f"{process}/fd"):
        with contextlib.suppress(OSError):
            path = os.readlink(f"{process}/fd/{number}")
            if path.startswith("/") and path.endswith(GONE):
                yield number, path.removesuffix(GONE)


def _mount(process: str, number: str) -> int:
    """Return the number of the mount that an open file is on."""
    found = re.search(r"^mnt_id:\s*(\d+)", _text(f"{process}/fdinfo/{number}"), re.MULTILINE)
    return int(found[1]) if found else -1


def _mounts(process: str, device: str, known: dict[str, frozenset[int]]) -> frozenset[int]:
    """Return the mounts of a file system as a process sees them; containers have their own."""
    space = os.readlink(f"{process}/ns/mnt")
    if space not in known:
        mounts = parse(_text(f"{process}/mountinfo"))
        known[space] = frozenset(one.number for one in mounts if one.device == device)
    return known[space]


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
