# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What is mounted, with its space, and what configuration says should be. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Configured,
    CrypttabEntry,
    Device,
    FileSystem,
    FstabEntry,
    MdadmEntry,
    Mount,
    Partition,
    Raw,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_values import (
    at,
    count,
)

SWAP = "[SWAP]"
# Others may hang for as long as a server is away, or have no space of their own.
_OWN_SPACE = ("tmpfs", "btrfs", "zfs")
_ALWAYS_READ_ONLY = ("squashfs", "iso9660", "erofs", "cramfs")
_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mounted:
    """A line of /proc/self/mountinfo; `whole` says whether it is no part bound elsewhere."""

    number: str
    whole: bool
    target: str
    options: tuple[str, ...]
    type: str
    source: str
    inner: tuple[str, ...]

    @property
    def has_space(self) -> bool:
        """Whether it is a file system of this host with space of its own."""
        return self.type in _OWN_SPACE or self.source.startswith("/dev/")


def mounted(text: str, unread: list[str]) -> list[Mounted]:
    """Return the mounts of a mountinfo file (proc_pid_mountinfo(5)); later ones cover earlier."""
    found: dict[str, Mounted] = {}
    for line in text.splitlines():
        before, mark, after = line.partition(" - ")
        words, rest = [plain(one) for one in before.split(" ")], after.split(" ")
        if not mark or len(words) < 6 or len(rest) < 3:  # noqa: PLR2004 -- fields of the format
            unread.append(f"mountinfo: found {line!r}, accepted: a line of proc_pid_mountinfo(5)")
            continue
        _id, _parent, number, root, target, options = words[:6]
        found[target] = Mounted(
            number=number,
            whole=root == "/" or rest[0] == "btrfs",
            target=target,
            options=tuple(options.split(",")),
            type=rest[0],
            source=plain(rest[1]),
            inner=tuple(rest[2].split(",")),
        )
    return list(found.values())


def plain(word: str) -> str:
    """Return a word without the octal escapes of getmntent(3)."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), word)


def by_device(
    mounts: list[Mounted], swaps: str, numbers: Mapping[str, str], real: Mapping[str, str]
) -> dict[str, list[Mount]]:
    """Return the mounts of each device by path.

    `numbers` gives paths by device number, `real` those that other paths lead to, which /dev/mapper
    does. A swap file counts for no device.
    """
    found: dict[str, list[Mount]] = {}
    for one in mounts:
        path = device_of(one, numbers, real)
        if path:
            options = [*one.options, *(o for o in one.inner if o not in one.options)]
            found.setdefault(path, []).append({"target": one.target, "options": options})
    for line in swaps.splitlines()[1:]:
        source = plain(line.split(" ")[0])
        path = real.get(source, source)
        if path in numbers.values():
            found.setdefault(path, []).append({"target": SWAP, "options": []})
    return found


def device_of(one: Mounted, numbers: Mapping[str, str], real: Mapping[str, str]) -> str:
    """Return the path of the device that is mounted; empty if it is none."""
    if one.number in numbers:
        return numbers[one.number]
    path = real.get(one.source, one.source)  # Btrfs has numbers of its own
    return path if path in numbers.values() else ""


def file_systems(
    raw: Raw,
    mounts: list[Mounted],
    numbers: Mapping[str, str],
    real: Mapping[str, str],
    configured: list[FstabEntry],
) -> list[FileSystem]:
    """Return the file systems with space of their own, where they are mounted."""
    wanted = {one["target"]: one["options"] for one in configured}
    found = []
    for one in mounts:
        space = at(raw, "space", one.target)
        if not one.has_space or not one.whole or not isinstance(space, Mapping):
            continue
        block, free = count(space.get("block")), count(space.get("free"))
        path = device_of(one, numbers, real)
        found.append(
            FileSystem(
                target=one.target,
                source=path or one.source,
                type=one.type,
                options=[*one.options, *(o for o in one.inner if o not in one.options)],
                size=count(space.get("blocks")) * block,
                used=max(0, count(space.get("blocks")) - free) * block,
                available=count(space.get("available")) * block,
                inodes=count(space.get("files")),
                inodes_free=count(space.get("files_free")),
                read_only="ro" in one.options or "ro" in one.inner,
                remounted_read_only=_is_remounted(one, wanted.get(one.target)),
                errors=count(at(raw, "errors", path)),
            )
        )
    return sorted(found, key=lambda one: one["target"])


def _is_remounted(one: Mounted, wanted: list[str] | None) -> bool:
    """Whether somebody has made it read-only since.

    The kernel, when it finds errors, does so with the file system as a whole and leaves the mount
    writable; a person does so with the mount, which then is not as fstab has it.
    """
    if one.type in _ALWAYS_READ_ONLY:
        return False
    by_kernel = "ro" in one.inner and "rw" in one.options
    return by_kernel or (wanted is not None and "ro" not in wanted and "ro" in one.options)


def configured(raw: Raw, devices: list[Device], partitions: list[Partition]) -> Configured:
    """Return what fstab, crypttab and mdadm.conf say."""
    paths = dict(_specs(raw, devices, partitions))
    files = raw.get("files") or {}
    return {
        "fstab": list(_fstab(files.get("/etc/fstab") or "", paths)),
        "crypttab": list(_crypttab(files.get("/etc/crypttab") or "")),
        "mdadm": list(_mdadm(files.get("/etc/mdadm/mdadm.conf") or "")),
    }


def _specs(
    raw: Raw, devices: list[Device], partitions: list[Partition]
) -> Iterator[tuple[str, str]]:
    """Yield each way in which fstab(5) may name a device, with its path."""
    for link, name in (raw.get("links") or {}).items():
        yield link, f"/dev/{name}"
    for device in devices:
        yield device["path"], device["path"]
        yield device["name"], device["path"]
        # Members of an array or of Btrfs share their UUID, and fstab means the array.
        if not device["content"]["type"].endswith("_member"):
            for key in ("uuid", "label"):
                yield f"{key.upper()}={device['content'][key]}", device["path"]
    for partition in partitions:
        yield f"PARTUUID={partition['uuid']}", partition["path"]
        yield f"PARTLABEL={partition['name']}", partition["path"]


def _lines(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            yield words


def _fstab(text: str, paths: Mapping[str, str]) -> Iterator[FstabEntry]:
    for words in _lines(text):
        spec, target, kind, options = [*map(plain, words[:4]), "", "", ""][:4]
        yield {
            "spec": spec,
            "target": target,
            "type": kind,
            "options": options.split(",") if options else [],
            "path": paths.get(spec.replace('"', ""), ""),
        }


def _crypttab(text: str) -> Iterator[CrypttabEntry]:
    for words in _lines(text):
        name, device, key, options = [*words[:4], "", "", ""][:4]
        yield {
            "name": name,
            "device": device,
            "key": key,
            "options": options.split(",") if options else [],
        }


def _mdadm(text: str) -> Iterator[MdadmEntry]:
    joined = re.sub(r"\n[ \t]+", " ", text)  # a line that begins with blanks goes on
    for line in joined.splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # a quote without end, which mdadm takes up to the end of the line
            words = line.split()
        if words and words[0].lower() == "array":
            said = dict(one.partition("=")[::2] for one in words[1:] if "=" in one)
            path = next((one for one in words[1:] if "=" not in one), "")
            yield {"path": path, "uuid": said.get("UUID", ""), "name": said.get("name", "")}
