# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A plan for an array while it is being made: its steps, and what refuses them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.servertechnik.core.plugins.module_utils._raid_model import (
    Array,
    Device,
    Superblock,
    own_name,
)
from ansible_collections.servertechnik.core.plugins.module_utils._raid_wanted import (
    RaidError,
    Wanted,
)

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True)
class Step:
    """One thing to do: a command, or a value for a file in the array's folder `md` of /sys."""

    words: tuple[str, ...] = ()
    attribute: str = ""
    value: str = ""

    @property
    def text(self) -> str:
        """The step as people read it."""
        return " ".join(self.words) or f"{self.attribute} = {self.value}"


@dataclass
class Draft:
    """What is known, and the plan so far; `array` is None where the kernel has none."""

    wanted: Wanted
    array: Array | None
    devices: Mapping[str, Device]
    hostname: str = ""
    steps: list[Step] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def run(self, *words: str) -> None:
        """Add a command of mdadm."""
        self.steps.append(Step(("mdadm", *words)))

    def write(self, attribute: str, value: str) -> None:
        """Add a value for a file of the array in /sys."""
        self.steps.append(Step(attribute=attribute, value=value))

    def wait(self, what: str, until: str) -> None:
        """Leave something to a later run."""
        self.pending.append(f"{what}: when {until}")

    def error(self, found: str, accepted: str) -> RaidError:
        """An error about this array."""
        return RaidError(f"array {self.wanted.name}: found {found}; accepted: {accepted}")

    def real(self, path: str) -> str:
        """The real path of a device that was named; the name itself when it isn't there."""
        return self.devices[path].real or path

    def present(self, paths: Iterable[str]) -> list[str]:
        """The real paths of those that are there, in their order."""
        return [self.devices[one].real for one in paths if one in self.devices and self.there(one)]

    def there(self, path: str) -> bool:
        """Whether a device that was named is there."""
        return bool(self.devices[path].real)

    def mine(self, superblock: Superblock | None) -> bool:
        """Whether a superblock is that of this very array."""
        if superblock is None:
            return False
        uuid = (self.array.uuid if self.array else "") or self.wanted.uuid
        if uuid:
            return superblock.uuid == uuid
        wanted = self.wanted
        return superblock.level == f"raid{wanted.level}" and own_name(
            wanted.name, wanted.homehost, self.hostname, superblock.name
        )

    def must_fit(self, path: str, need: int = 0) -> str:
        """Return the real path of a device that may become a member of `need` bytes.

        Raises RaidError for one that isn't there, in use, too small, or holds something.
        """
        device = self.devices[path]
        if reason := self._unfit(device, need):
            shown = path if device.real in ("", path) else f"{path} ({device.real})"
            raise RaidError(f"array {self.wanted.name}: {shown} can't become a member: {reason}")
        return device.real

    def _unfit(self, device: Device, need: int) -> str:
        if not device.real:
            return "it isn't there; accepted: a device of this host"
        used = [f"part of {one}" for one in device.holders if not self._own(one)]
        used += [f"mounted at {one}" for one in device.mounts]
        if used:
            return f"it is in use ({', '.join(used)}); accepted: a device that nothing uses"
        block = device.superblock
        if not self.mine(block):
            held = [f"{block.level} array {block.name} ({block.uuid})"] if block else []
            held += device.signatures
            if held:
                return f"it holds {', '.join(held)}; accepted: an empty one (see wipefs(8))"
        if device.read_only:
            return "it is read-only; accepted: one that can be written to"
        if device.size < need:
            return f"it has {size(device.size)}; accepted: {size(need)} or more"
        return ""

    def _own(self, holder: str) -> bool:
        return self.array is not None and holder == self.array.path


def size(number: int) -> str:
    """Return a number of bytes for people, exact where it matters."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if number >= unit:
            return f"{number / unit:.1f} {name} ({number} bytes)"
    return f"{number} bytes"
