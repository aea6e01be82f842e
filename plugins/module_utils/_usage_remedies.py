# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What can be removed from a full file system: what is safe, and what needs a permission."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError

ALLOW = ("core_dumps", "journal", "old_kernels", "rotated_logs")
BLOCK = 512
APT = "/var/cache/apt/archives"
JOURNAL = "/var/log/journal"
DUMPS = ("/var/lib/systemd/coredump", "/var/crash")
LOGS = "/var/log"
_DAY = 86400
_SAMPLE = 1 << 20
_USUAL_LIMIT = 4 << 30  # of journald.conf(5), SystemMaxUse
_KERNEL = re.compile(r"linux-(?:image|headers|modules|modules-extra|kbuild)-(\d+\.\S+)")
_ROTATED = re.compile(r".+(?:\.\d+|-\d{8})")


class Freed(TypedDict):
    """What was, or would be, removed; `allow` is the word that permits it, if it isn't safe."""

    name: str
    what: str
    bytes: int
    allow: str
    error: str


@dataclass(frozen=True)
class Remedy:
    """Something to remove: its words, its bytes, the permission it needs, and how it is done."""

    name: str
    what: str
    bytes: int
    apply: Callable[[], object]
    allow: str = ""

    def done(self, error: str = "") -> Freed:
        """Return the remedy as data."""
        gained = 0 if error else self.bytes
        return {
            "name": self.name,
            "what": self.what,
            "bytes": gained,
            "allow": self.allow,
            "error": error,
        }


class Remedies:
    """What can be removed from one file system."""

    def __init__(self, host: Host, here: Callable[[str], bool], journal_keep: int) -> None:
        """Consider what is `here` alone; the journal keeps `journal_keep` bytes when told to."""
        self._host = host
        self._here = here
        self._journal_keep = journal_keep

    def all(self, size: int) -> Iterator[Remedy]:
        """Yield what would gain something, safe ones first; `size` is that of the file system."""
        ways = (
            self.apt_cache(),
            *self.journal(size),
            self.rotated_logs(),
            self.core_dumps(),
            self.old_kernels(),
        )
        yield from (one for one in ways if one.bytes > 0)

    def apt_cache(self) -> Remedy:
        """Packages that were downloaded and can be again."""
        files = [path for path in _below(self._host.at(APT)) if not path.endswith("/lock")]
        size = self._size(files)
        words = "packages that apt has kept after installing them"
        return Remedy("apt_cache", words, size, lambda: self._host.must("apt-get", "clean"))

    def journal(self, size: int) -> Iterator[Remedy]:
        """Yield what is beyond the journal's own limit, and what is beyond what it should keep."""
        files = [path for path in _below(self._host.at(JOURNAL)) if self._here(path)]
        sizes = sorted(_journal_sizes(files))
        text = self._host.run(["systemd-analyze", "cat-config", "systemd/journald.conf"]).text
        limit = journal_limit(text, size)
        beyond = beyond_limit(sizes, limit)
        yield self._vacuum("journal beyond its own limit", limit, beyond, "")
        if self._journal_keep < limit:
            more = beyond_limit(sizes, self._journal_keep) - beyond
            words = f"older entries of the journal, of which {self._journal_keep >> 20} MiB stay"
            yield self._vacuum(words, self._journal_keep, more, "journal")

    def _vacuum(self, what: str, limit: int, size: int, allow: str) -> Remedy:
        words = ("journalctl", "--quiet", f"--vacuum-size={limit}")
        return Remedy("journal", what, size, lambda: self._host.must(*words), allow)

    def rotated_logs(self) -> Remedy:
        """Logs that were rotated more than a day ago and aren't compressed."""
        old = time.time() - _DAY
        found = [
            path
            for path in _below(self._host.at(LOGS))
            if _ROTATED.fullmatch(path)
            and self._here(path)
            and os.lstat(path).st_mtime < old
            and os.lstat(path).st_size > _SAMPLE
        ]
        size = sum(_gain(path) for path in found)
        what = f"{len(found)} rotated logs, by compressing them"
        return Remedy("rotated_logs", what, size, lambda: _compress_all(found), "rotated_logs")

    def core_dumps(self) -> Remedy:
        """What programs have left that crashed."""
        found = [path for place in DUMPS for path in _below(self._host.at(place))]
        found = [path for path in found if self._here(path)]
        what = f"{len(found)} dumps of programs that crashed"
        return Remedy("core_dumps", what, self._size(found), lambda: _remove(found), "core_dumps")

    def old_kernels(self) -> Remedy:
        """Kernels that apt would remove; never the one that runs, nor the newest."""
        simulated = self._host.run(["apt-get", "--simulate", "autoremove"]).text
        installed = self._host.run(["dpkg-query", "--show", "--showformat=${Package}\n"]).text
        names = old_kernels(simulated, installed.split(), os.uname().release)
        files = [path for name in names for path in self._files(name)]
        words = ("apt-get", "--quiet=2", "--yes", "purge", *names)
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        return Remedy(
            "old_kernels",
            f"old kernels: {', '.join(names)}",
            self._size(files),
            lambda: _must(self._host, words, quiet),
            "old_kernels",
        )

    def _files(self, package: str) -> Iterator[str]:
        listed = self._host.run(["dpkg-query", "--listfiles", package]).text
        yield from (path for path in listed.splitlines() if os.path.isfile(self._host.at(path)))
        if found := _KERNEL.fullmatch(package):
            yield f"/boot/initrd.img-{found[1]}"

    def _size(self, paths: Iterable[str]) -> int:
        return sum(_blocks(path) for path in set(paths) if self._here(path))


def journal_limit(configuration: str, size: int) -> int:
    """Return SystemMaxUse in bytes: as configured (the last line holds), else journald's own."""
    units = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
    found = re.findall(r"^SystemMaxUse=\s*(\d+)([KMGT]?)B?\s*$", configuration, re.MULTILINE)
    if found:
        number, unit = found[-1]
        return int(number) * units[unit]
    return min(size // 10, _USUAL_LIMIT)


def beyond_limit(files: Iterable[tuple[float, int, bool]], limit: int) -> int:
    """Return what journalctl(1) --vacuum-size would remove.

    `files` are time, bytes and whether the file is archived, the oldest first.
    """
    files = list(files)
    total, removed = sum(size for _time, size, _archived in files), 0
    for _time, size, archived in files:
        if total - removed <= limit:
            break
        removed += size if archived else 0
    return removed


def old_kernels(simulated: str, installed: Iterable[str], running: str) -> list[str]:
    """Return the packages of kernels that `apt-get --simulate autoremove` would remove.

    Without those of the running and of the newest kernel, whatever apt says.
    """
    images = [found for name in installed if (found := re.fullmatch(r"linux-image-(\d.+)", name))]
    newest = max((found[1] for found in images), key=_version, default="")
    names = re.findall(r"^Remv (\S+)", simulated, re.MULTILINE)
    kept = {version for version in (running, newest) if version}
    return sorted(
        name
        for name in names
        if (found := _KERNEL.fullmatch(name)) and not any(_same(found[1], one) for one in kept)
    )


def _same(version: str, kept: str) -> bool:
    """Whether a package belongs to a kernel: to 6.1.0-18-amd64 also headers of 6.1.0-18-common."""
    abi = re.match(r"[\d.]+(?:\+deb\d+(?:u\d+)?)?(?:-\d+)?", kept)
    return version == kept or (abi is not None and version in (abi[0], f"{abi[0]}-common"))


def _version(text: str) -> list[tuple[int, str]]:
    return [(int(number or -1), word) for number, word in re.findall(r"(\d+)|(\D+)", text)]


def _journal_sizes(paths: Iterable[str]) -> Iterator[tuple[float, int, bool]]:
    for path in paths:
        archived = "@" in os.path.basename(path) or path.endswith("~")
        yield os.lstat(path).st_mtime, _blocks(path), archived


def _below(folder: str) -> Iterator[str]:
    """Yield the files below a folder, without following links, where nobody but root can write.

    Others could put a link in the place of what is about to be removed.
    """
    for where, folders, names in os.walk(folder):
        found = os.lstat(where)
        if found.st_uid or found.st_mode & 0o022:
            folders.clear()
            continue
        yield from (f"{where}/{name}" for name in names if os.path.isfile(f"{where}/{name}"))


def _blocks(path: str) -> int:
    try:
        return os.lstat(path).st_blocks * BLOCK
    except OSError:
        return 0


def _gain(path: str) -> int:
    """Return what compressing a file gains, by the look of its beginning."""
    with open(path, "rb") as file:
        sample = file.read(_SAMPLE)
    ratio = len(zlib.compress(sample)) / max(1, len(sample))
    return int(_blocks(path) * max(0.0, 1 - ratio))


def _compress_all(paths: Iterable[str]) -> None:
    """Compress files, the smallest first, since each needs a little room before it gives some."""
    for path in sorted(paths, key=_blocks):
        _compress(path)


def _compress(path: str) -> None:
    candidate = f"{path}.gz"
    if os.path.lexists(candidate):
        return
    with open(path, "rb", opener=_not_through_links) as source, open(candidate, "xb") as target:
        try:
            found = os.fstat(source.fileno())
            os.fchown(target.fileno(), found.st_uid, found.st_gid)
            os.fchmod(target.fileno(), found.st_mode & 0o7777)
            with gzip.GzipFile(path, "wb", fileobj=target) as packed:
                shutil.copyfileobj(source, packed)
            target.flush()
            os.utime(target.fileno(), ns=(found.st_atime_ns, found.st_mtime_ns))
        except BaseException:
            os.unlink(candidate)
            raise
    os.unlink(path)


def _not_through_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _remove(paths: Iterable[str]) -> None:
    for path in paths:
        os.unlink(path)


def _must(host: Host, words: Iterable[str], environment: Mapping[str, str]) -> None:
    output = host.run(words, environment=environment)
    if output.status:
        raise HostError(output.text[-1000:])
