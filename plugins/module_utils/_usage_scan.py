# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What takes the room of a file system: one walk, with bounds for time and memory."""

from __future__ import annotations

import contextlib
import ctypes
import heapq
import os
import stat
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

BLOCK = 512  # the unit of st_blocks (stat(2))
EXPLAINED = (
    0.8  # a folder of which one folder inside takes this share isn't worth a line of its own
)
LINKS = 500_000  # files with several names that are remembered, so as to count each once
HIDDEN = 1 << 20  # bytes below a mount point that are worth a word
TREE = 2000  # folders whose size is remembered for the next time
_CHECK = 256  # entries between two looks at the clock
_OPEN_TREE, _AT_FDCWD, _CLONE, _CLOEXEC = 428, -100, 1, os.O_CLOEXEC
Entry = dict[str, Any]


class Top:
    """The largest few of many entries."""

    def __init__(self, count: int) -> None:
        """Keep `count` entries."""
        self._count = count
        self._heap: list[tuple[int, str, Entry]] = []

    def offer(self, size: int, path: str, more: Entry) -> None:
        """Take an entry, if it is large enough."""
        one = (size, path, more)
        if len(self._heap) < self._count:
            heapq.heappush(self._heap, one)
        elif size > self._heap[0][0]:
            heapq.heapreplace(self._heap, one)

    def all(self, name: str) -> list[Entry]:
        """Return what was kept, the largest first, with its size under `name`."""
        return [
            {"path": path, name: size, **more}
            for size, path, more in sorted(self._heap, key=lambda one: (-one[0], one[1]))
        ]


@dataclass
class Folder:
    """A folder that is being walked: what was found in it so far."""

    path: str
    left: list[str] = field(default_factory=list)  # folders inside that are still to be walked
    bytes: int = 0
    count: int = 0
    largest: int = 0  # of the folders right inside


@dataclass
class Found:
    """What a walk has found; paths are those that people know."""

    files: int = 0
    folders: int = 0
    bytes: int = 0
    complete: bool = True
    seconds: float = 0.0
    largest: list[Entry] = field(default_factory=list)  # path, bytes, modified
    recent: list[Entry] = field(default_factory=list)  # the same, of the last hours
    heavy: list[Entry] = field(default_factory=list)  # folders: path, bytes
    crowded: list[Entry] = field(default_factory=list)  # folders: path, entries
    hidden: list[Entry] = field(default_factory=list)  # below mount points: path, bytes
    tree: dict[str, int] = field(default_factory=dict)  # folder -> bytes
    watched: dict[str, int] = field(default_factory=dict)  # those asked for -> bytes


@contextlib.contextmanager
def alone(target: str) -> Iterator[str]:
    """Yield a path to the file system at `target` on which nothing else is mounted.

    It shows what mount points hide, and no walk through it can get to another file system
    (open_tree(2), Linux 5.2). Where that isn't allowed, the path is `target` itself.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.syscall(_OPEN_TREE, _AT_FDCWD, os.fsencode(target), _CLONE | _CLOEXEC)
    if handle < 0:
        yield target
        return
    try:
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)


class Walk:
    """One walk through a file system."""

    def __init__(
        self,
        where: str,
        target: str,
        mount_points: Collection[str],
        *,
        seconds: float,
        top: int,
        recent_since: float,
        watch: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Walk through `where`, which people know as `target`, for at most `seconds`.

        `mount_points` are absolute paths; they are gone into only where nothing is mounted on them.
        """
        self._where, self._target = where.rstrip("/"), target.rstrip("/")
        self._mount_points = frozenset(mount_points) - {target}
        self._watch = frozenset(watch)
        self._recent_since = recent_since
        self._clock = clock
        self._begin = clock()
        self._deadline = self._begin + seconds
        self._links: set[int] = set()
        self._largest, self._recent, self._heavy = Top(top), Top(top), Top(top)
        self._crowded, self._tree = Top(top), Top(TREE)
        self._steps = 0
        self.found = Found()

    def run(self) -> Found:
        """Walk; return what was found until then if time is up."""
        found, stack = self.found, [self._enter("")]
        while stack:
            folder = stack[-1]
            if folder.left and found.complete:
                stack.append(self._enter(f"{folder.path}/{folder.left.pop()}"))
            else:
                stack.pop()
                self._leave(folder, stack[-1] if stack else None)
        found.largest = self._largest.all("bytes")
        found.recent = self._recent.all("bytes")
        found.heavy = self._heavy.all("bytes")
        found.crowded = self._crowded.all("entries")
        found.tree = {one["path"]: one["bytes"] for one in self._tree.all("bytes")}
        found.seconds = round(self._clock() - self._begin, 1)
        return found

    def _enter(self, path: str) -> Folder:
        """Count the files right in a folder, which is closed before those inside are opened."""
        folder = Folder(path)
        self.found.folders += 1
        # What has gone in the meantime, or is damaged, is left out.
        with contextlib.suppress(OSError), os.scandir(f"{self._where}{path}/") as entries:
            for entry in entries:
                folder.count += 1
                if not entry.is_dir(follow_symlinks=False):
                    self._file(folder, entry)
                elif not self._is_elsewhere(self._name(f"{path}/{entry.name}")):
                    folder.left.append(entry.name)
                if self._is_late():
                    break
        return folder

    def _is_late(self) -> bool:
        self._steps += 1
        if self._steps % _CHECK == 0 and self._clock() > self._deadline:
            self.found.complete = False
        return not self.found.complete

    def _is_elsewhere(self, path: str) -> bool:
        """Whether another file system is mounted there, in a walk that would get into it."""
        return self._where == self._target and path in self._mount_points

    def _name(self, path: str) -> str:
        """Return the path that people know."""
        return f"{self._target}{path}" or "/"

    def _leave(self, folder: Folder, above: Folder | None) -> None:
        path, size = self._name(folder.path), folder.bytes
        if folder.largest < EXPLAINED * size:
            self._heavy.offer(size, path, {})
        self._crowded.offer(folder.count, path, {})
        self._tree.offer(size, path, {})
        if path in self._watch:
            self.found.watched[path] = size
        if path in self._mount_points and size >= HIDDEN:
            self.found.hidden.append({"path": path, "bytes": size})
        if above:
            above.bytes += size
            above.largest = max(above.largest, size)
        else:
            self.found.bytes = size

    def _file(self, folder: Folder, entry: os.DirEntry[str]) -> None:
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:
            return
        self.found.files += 1
        if found.st_nlink > 1:
            if found.st_ino in self._links:
                return
            if len(self._links) < LINKS:
                self._links.add(found.st_ino)
        size = found.st_blocks * BLOCK
        folder.bytes += size
        if stat.S_ISREG(found.st_mode):
            path = self._name(f"{folder.path}/{entry.name}")
            more = {"modified": int(found.st_mtime)}
            self._largest.offer(size, path, more)
            if found.st_mtime >= self._recent_since:
                self._recent.offer(size, path, more)
