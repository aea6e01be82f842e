# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What is wanted of a software RAID array: the arguments of the module, checked. Pure.

Source: mdadm(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._model import InputError

MISSING = "missing"
# mdadm since 4.3 takes the portable set of POSIX; 32 bytes of the superblock hold the host as well.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,30}")
_HEX = re.compile(r"[0-9a-f]{32}")
# How many members each level needs.
LEAST = {0: 2, 1: 2, 5: 2, 6: 4, 10: 2}


class RaidError(InputError):
    """What is asked of an array can't be had, or would lose data; the text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The arguments of the module; `uuid` is in md's form or empty, None leaves things as is."""

    name: str
    uuid: str = ""
    state: str = "present"
    level: int | None = None
    members: tuple[str, ...] = ()
    spares: tuple[str, ...] = ()
    metadata: str = ""
    chunk: int = 0
    bitmap: bool | None = None
    homehost: str = ""
    grow: bool = False
    add: tuple[str, ...] = ()
    fail: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    replace: tuple[tuple[str, str], ...] = ()
    speed_min: int | None = None
    speed_max: int | None = None
    scrub: str = ""

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Wanted:
        """Return what the module's parameters say. Raises RaidError where they can't be had."""
        wanted = cls(
            name=params["name"].removeprefix("/dev/md/"),
            uuid=as_uuid(params["uuid"] or ""),
            state=params["state"],
            level=params["level"],
            members=tuple(params["members"] or ()),
            spares=tuple(params["spares"]),
            metadata=params["metadata"] or "",
            chunk=params["chunk"] or 0,
            bitmap=params["bitmap"],
            homehost=params["homehost"] or "",
            grow=params["grow"],
            add=tuple(params["add"]),
            fail=tuple(params["fail"]),
            remove=tuple(params["remove"]),
            replace=tuple((one["old"], one["new"]) for one in params["replace"]),
            speed_min=params["speed_min"],
            speed_max=params["speed_max"],
            scrub=params["scrub"] or "",
        )
        wanted.check()
        return wanted

    @property
    def path(self) -> str:
        """Where the array's device is looked for."""
        return self.name if self.name.startswith("/") else f"/dev/md/{self.name}"

    @property
    def devices(self) -> tuple[str, ...]:
        """Every device that is named, as it is named."""
        named = (*self.members, *self.spares, *self.add, *self.fail, *self.remove)
        named += tuple(one for pair in self.replace for one in pair)
        return tuple(dict.fromkeys(one for one in named if one.startswith("/")))

    def check(self) -> None:
        """Raise RaidError for what no array can be."""
        if not self.name.startswith("/dev/") and not _NAME.fullmatch(self.name):
            raise RaidError(
                f"name: found {self.name!r}; accepted: letters, digits, '.', '_' and '-', or the "
                "path of an array that runs"
            )
        for one in self._words():
            if not one.startswith("/dev/"):
                raise RaidError(f"array {self.name}: found {one!r}; accepted: paths below /dev")
        if self.level is not None:
            self._check_shape(self.level)

    def _words(self) -> Iterable[str]:
        yield from (one for one in self.members if one != MISSING)
        yield from (*self.spares, *self.add, *self.fail)
        yield from (one for one in self.remove if one not in ("failed", "detached"))
        yield from (one for pair in self.replace for one in pair)

    def _check_shape(self, level: int) -> None:
        if len(self.members) < LEAST[level]:
            raise RaidError(
                f"array {self.name}: found {len(self.members)} members; accepted for level "
                f"{level}: {LEAST[level]} or more"
            )
        if level == 0 and (self.spares or self.bitmap or MISSING in self.members):
            raise RaidError(
                f"array {self.name}: found spares, a bitmap or a missing member at level 0; "
                "accepted: none of them, for it has no redundancy"
            )
        if self.chunk and level == 1:
            raise RaidError(f"array {self.name}: found a chunk at level 1; accepted: none")
        if self.chunk and (self.chunk < 4 or self.chunk & (self.chunk - 1)):  # noqa: PLR2004 -- KiB, mdadm(8)
            raise RaidError(
                f"array {self.name}: found a chunk of {self.chunk} KiB; accepted: a power of two "
                "from 4"
            )


def as_uuid(text: str) -> str:
    """Return a UUID in md's form, empty for an empty one. Raises RaidError."""
    digits = text.lower().replace("-", "").replace(":", "")
    if text and not _HEX.fullmatch(digits):
        raise RaidError(
            f"uuid: found {text!r}; accepted: 32 hexadecimal digits, such as "
            "11111111:22222222:33333333:44444444"
        )
    return ":".join(digits[start : start + 8] for start in range(0, len(digits), 8))
