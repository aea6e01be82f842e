# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the variables of a host to its storage tree, and every mistake on the way. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import (
    SWAP,
    UNITS,
    Array,
    Disk,
    Encrypted,
    FileSystem,
    Group,
    Partition,
    Size,
    StorageError,
    Thing,
    Tmpfs,
    Tree,
    Volume,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_order import ordered
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_rules import (
    Broken,
    broken_uses,
)

DISKS = "storage_disks"
ARRAYS = "storage_arrays"
ENCRYPTED = "storage_encrypted"
GROUPS = "storage_volume_groups"
FILE_SYSTEMS = "storage_file_systems"
TMPFS = "storage_tmpfs"
VARIABLES = (DISKS, ARRAYS, ENCRYPTED, GROUPS, FILE_SYSTEMS, TMPFS)
_FOUND_BY = ("serial", "wwn", "path")
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMGTP]iB|%)")
_SIZES = 'a size ("512MiB", "1.5TiB"), a part of what is below ("50%"), or "rest"'
_EVERYTHING = 100
# Mounted before there are any units, and so without their options (systemd, mount-setup.c).
_SHARED = "/dev/shm"  # noqa: S108 -- a mount point
# How many data stripes a volume has at least (lvmraid(7)).
_STRIPES = {"raid0": 2, "raid5": 2, "raid6": 3, "raid10": 2}


def tree_of(variables: Mapping[str, Any]) -> Tree:
    """Return the storage that a host is to have.

    `variables` are those of the host; what is missing counts as empty, and types must have been
    checked (argument_specs). Raises StorageError with the first mistake.
    """
    reader = _Reader(variables)
    tree = reader.read()
    for broken in reader.mistakes:
        raise StorageError(*broken)
    return tree


def mistakes_of(variables: Mapping[str, Any]) -> Iterator[Broken]:
    """Yield every mistake in the storage of one host: where, what was found, what is accepted."""
    reader = _Reader(variables)
    reader.read()
    yield from dict.fromkeys(reader.mistakes)


class _Reader:
    """Reads as far as it gets."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self.variables = variables
        self.mistakes: list[Broken] = []
        self.things: dict[str, Thing] = {}

    def wrong(self, path: str, found: str, accepted: str) -> None:
        self.mistakes.append((path, found, accepted))

    def read(self) -> Tree:
        for read in (self._disks, self._arrays, self._encrypted, self._groups):
            read()
        systems = list(self._present(FILE_SYSTEMS))
        for path, given in systems:
            self._file_system(path, given)
        tree = Tree(
            things=ordered(self.things, self.mistakes),
            tmpfs=tuple(self._tmpfs(given) for _path, given in self._present(TMPFS)),
            unmounted=tuple(self._unmounted()),
        )
        self.mistakes += broken_uses(tree)
        self._mounts(systems)
        return tree

    def _entries(self, variable: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        entries: Sequence[Mapping[str, Any]] = self.variables.get(variable) or []
        return ((f"{variable}[{number}]", given) for number, given in enumerate(entries))

    def _present(self, variable: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        return (
            (path, given)
            for path, given in self._entries(variable)
            if given.get("state", "present") == "present"
        )

    def _unmounted(self) -> Iterator[str]:
        for variable in (FILE_SYSTEMS, TMPFS):
            for path, given in self._entries(variable):
                if given.get("state") == "absent":
                    if given.get("mount"):
                        yield str(given["mount"])
                    else:
                        self.wrong(path, "state absent without a mount", "the mount that goes")

    def _add(self, thing: Thing) -> None:
        former = self.things.setdefault(thing.ref, thing)
        if former is not thing:
            found = f"{thing.ref!r}, which {former.place} is called already"
            self.wrong(f"{thing.place}.name", found, "a name of its own")

    def _disks(self) -> None:
        owners: dict[tuple[str, str], str] = {}
        for path, given in self._entries(DISKS):
            name = str(given["name"])
            by = [key for key in _FOUND_BY if given.get(key)]
            if len(by) != 1:
                found = f"{' and '.join(by) or 'nothing'} to find disk {name} by"
                self.wrong(path, found, f"exactly one of {', '.join(_FOUND_BY)}")
                by = by[:1] or [_FOUND_BY[0]]
            value = str(given.get(by[0]) or "")
            former = owners.setdefault((by[0], value), path)
            if former != path:
                self.wrong(f"{path}.{by[0]}", f"{value!r}, as in {former}", "each disk once")
            partitions = tuple(self._partitions(name, given, path))
            self._add(Disk(ref=name, place=path, by=by[0], value=value, partitions=partitions))
            for partition in partitions:
                self._add(partition)

    def _partitions(self, disk: str, given: Mapping[str, Any], path: str) -> Iterator[Partition]:
        entries = given.get("partitions") or []
        sizes: list[tuple[str, Size]] = []
        for number, one in enumerate(entries):
            place = f"{path}.partitions[{number}]"
            size = self._size(one, f"{place}.size")
            sizes.append((place, size))
            if size.is_rest and number < len(entries) - 1:
                wanted = "a size; only the last partition may take the rest"
                self.wrong(f"{place}.size", "the rest of the disk before others", wanted)
            yield Partition(
                ref=f"{disk}/{one['name']}",
                place=place,
                disk=disk,
                name=str(one["name"]),
                number=number + 1,
                size=size,
                type=str(one.get("type") or "linux"),
            )
        self._parts(sizes, "disk")

    def _parts(self, sizes: Iterable[tuple[str, Size]], whole: str) -> None:
        """Refuse parts that can't be had together of whatever size the whole has."""
        rest, percent = "", 0
        for path, size in sizes:
            percent += size.percent
            if size.is_rest and rest:
                self.wrong(f"{path}.size", f"the rest of the {whole}, as in {rest}", "one of them")
            rest = path if size.is_rest else rest
            if percent > _EVERYTHING and size.percent:
                self.wrong(f"{path}.size", f"{percent}% of the {whole} together", "at most 100%")

    def _size(self, given: Mapping[str, Any], path: str) -> Size:
        text = str(given.get("size") or "rest")
        if text == "rest":
            return Size()
        parts = _SIZE.fullmatch(text)
        number = float(parts[1]) if parts else 0.0
        if not parts or not number or (parts[2] == "%" and number != int(number)):
            self.wrong(path, repr(text), _SIZES)
            return Size()
        if parts[2] == "%":
            return Size(percent=int(number))
        return Size(bytes=int(number * UNITS[parts[2]]))

    def _arrays(self) -> None:
        for path, given in self._entries(ARRAYS):
            level = int(given["level"])
            self._add(
                Array(
                    ref=str(given["name"]),
                    place=path,
                    level=level,
                    members=_texts(given, "members"),
                    spares=_texts(given, "spares"),
                    bitmap=bool(level if given.get("bitmap") is None else given["bitmap"]),
                    chunk=int(given.get("chunk") or 0),
                    metadata=str(given.get("metadata") or "1.2"),
                )
            )

    def _encrypted(self) -> None:
        for path, given in self._entries(ENCRYPTED):
            passphrase = str(given.get("passphrase") or "")
            if "\n" in passphrase:
                # It is typed at boot, where a line ends it.
                self.wrong(f"{path}.passphrase", "more than one line (hidden)", "one line")
            self._add(
                Encrypted(
                    ref=str(given["name"]),
                    place=path,
                    device=str(given["device"]),
                    passphrase=passphrase,
                    key_file=str(given.get("key_file") or ""),
                    options=_texts(given, "options"),
                )
            )

    def _groups(self) -> None:
        for path, given in self._entries(GROUPS):
            name = str(given["name"])
            volumes = tuple(self._volumes(name, given, path))
            self._parts(((v.place, v.size) for v in volumes if v.type != "thin"), "group")
            self._add(
                Group(ref=name, place=path, devices=_texts(given, "devices"), volumes=volumes)
            )
            for volume in volumes:
                self._add(volume)

    def _volumes(self, group: str, given: Mapping[str, Any], path: str) -> Iterator[Volume]:
        for number, one in enumerate(given.get("volumes") or []):
            place, kind = f"{path}.volumes[{number}]", str(one.get("type") or "linear")
            mirrored = kind in ("raid1", "raid10")
            yield Volume(
                ref=f"{group}/{one['name']}",
                place=place,
                group=group,
                name=str(one["name"]),
                size=self._size(one, f"{place}.size"),
                type=kind,
                pool=str(one.get("pool") or ""),
                mirrors=int(one.get("mirrors") or mirrored),
                stripes=int(one.get("stripes") or _STRIPES.get(kind, 0)),
            )

    def _file_system(self, path: str, given: Mapping[str, Any]) -> None:
        kind, device = str(given.get("type") or "ext4"), str(given.get("device") or "")
        if not device:
            self.wrong(path, "no device", "device: a partition, array, container or volume")
            return
        former = self.things.get(f"{device}:")
        if former:
            self.wrong(
                f"{path}.device", f"{device!r}, as in {former.place}", "one file system on each"
            )
            return
        self._add(
            FileSystem(
                ref=f"{device}:",
                place=path,
                device=device,
                type=kind,
                label=str(given.get("label") or ""),
                mount="" if kind == SWAP else str(given.get("mount") or ""),
                options=_texts(given, "options"),
                quota=_texts(given, "quota"),
                make_options=_texts(given, "make_options"),
            )
        )

    def _tmpfs(self, given: Mapping[str, Any]) -> Tmpfs:
        words = {key: str(given.get(key) or "") for key in ("mount", "size", "mode")}
        return Tmpfs(**words, options=_texts(given, "options"))

    def _mounts(self, systems: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        owners: dict[str, str] = {}
        for path, given in (*systems, *self._present(TMPFS)):
            mount = str(given.get("mount") or "")
            if mount == _SHARED and path.startswith(TMPFS):
                self.wrong(f"{path}.mount", f"{mount}, which systemd mounts itself", "another")
            elif mount and given.get("type") == SWAP:
                self.wrong(f"{path}.mount", f"{mount} for swap space", "none")
            elif mount and owners.setdefault(mount, path) != path:
                self.wrong(f"{path}.mount", f"{mount}, as in {owners[mount]}", "each mount once")


def _texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(map(str, given.get(name) or ()))
