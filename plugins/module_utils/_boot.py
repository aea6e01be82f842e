# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Have every disk of a boot mirror start the system by itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils import (
    _boot_bios,
    _boot_efi,
    _boot_grub,
)
from ansible_collections.servertechnik.core.plugins.module_utils._boot_grub import System
from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import (
    BootError,
    Place,
    disks_below,
    holder,
    places_bios,
    places_efi,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Device,
    Disk,
    Document,
)

_UNKNOWN = "the firmware has no entry for it"

# Raises OSError.
Documents = Callable[[], Document]


@dataclass
class Finding:
    """How one disk is: what is wrong with its boot loader, and what keeps it from having one."""

    place: Place
    problem: str
    impossible: str = ""

    def as_dict(self, *, done: bool) -> dict[str, Any]:
        """Return it as results tell it; `done` if what was wrong has been put right."""
        area = self.place.area
        state = "impossible" if self.impossible else "installed" if self.problem else "current"
        return {
            "path": self.place.disk["path"],
            "serial": self.place.disk["serial"],
            "partition": area["path"] if area else "",
            "state": state,
            "found": self.impossible or self.problem,
            "bootable": not self.impossible and (done or not self.problem),
        }


@dataclass
class Kept:
    """What there was to do, disk by disk, and the steps for it in words."""

    firmware: str
    findings: list[Finding] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def as_dict(self, *, check: bool) -> dict[str, Any]:
        """Return it as the module does."""
        warnings = [
            f"{one.place.called}: {one.impossible}" for one in self.findings if one.impossible
        ]
        return {
            "changed": bool(self.steps),
            "firmware": self.firmware,
            "disks": [one.as_dict(done=not check) for one in self.findings],
            "steps": self.steps,
            "warnings": warnings,
        }


def keep(
    system: System,
    read: Documents,
    *,
    disks: Sequence[str] = (),
    firmware: str = "",
    check: bool = False,
) -> dict[str, Any]:
    """Install GRUB on each disk that doesn't start the system; what was found and done.

    `disks` are paths, by default the disks below /boot, of which some may be unfit. A host without
    GRUB is started by something else, and left alone unless `disks` are given. `firmware` is `efi`
    or `bios`, by default what the running system was started by. Raises BootError, HostError.
    """
    firmware = firmware or _boot_grub.firmware(system.host)
    if not disks and not system.has(_boot_grub.PACKAGES[firmware]):
        return Kept("").as_dict(check=check)
    _boot_grub.require(system, firmware)
    document = read()
    boot = _mounted(document, system, "/boot", "/")
    chosen = _chosen(document, boot, disks)
    work = _Efi(system, document, boot) if firmware == "efi" else _Bios(system, document, boot)
    kept = Kept(firmware, work.look(chosen))
    unfit = [one for one in kept.findings if one.impossible]
    if unfit and (disks or len(unfit) == len(kept.findings)):
        raise BootError("; ".join(f"{one.place.called}: {one.impossible}" for one in unfit))
    able = [one for one in kept.findings if not one.impossible]
    kept.steps = work.steps(able)
    wanted = _boot_grub.wanted_answers(firmware, [one.place.link for one in able])
    package = _boot_grub.PACKAGES[firmware]
    told = _boot_grub.answers(system)
    news = {name: pair for name, pair in wanted.items() if told.get(name) != pair[1]}
    kept.steps += [f"debconf: {name} is {pair[1]}" for name, pair in news.items()]
    if check or not kept.steps:
        return kept.as_dict(check=check)
    if news:
        _boot_grub.answer(system, package, news)
    work.install(able)
    still = [one for one in work.look([one.place.disk for one in able]) if one.problem]
    if still:
        text = "; ".join(f"{one.place.called}: {one.problem}" for one in still)
        raise BootError(f"GRUB was installed, and yet: {text}")
    return kept.as_dict(check=check)


@dataclass
class _Bios:
    """GRUB's first sector and core, on each disk by itself."""

    system: System
    document: Document
    boot: Device

    def look(self, disks: list[Disk]) -> list[Finding]:
        """Return how each disk is."""
        images = _boot_grub.images(self.system)
        return [
            Finding(
                place,
                _boot_bios.problem(place, images, self._read),
                _boot_bios.impossible(place),
            )
            for place in places_bios(disks)
        ]

    def steps(self, findings: Sequence[Finding]) -> list[str]:
        """Return what there is to do."""
        return [f"{one.place.called}: install GRUB" for one in findings if one.problem]

    def install(self, findings: Sequence[Finding]) -> None:
        """Do it."""
        for one in findings:
            if one.problem:
                _boot_grub.install_bios(self.system, one.place.disk["path"])

    def _read(self, path: str, start: int, size: int) -> bytes:
        with open(self.system.host.at(path), "rb") as device:
            device.seek(start)
            return device.read(size)


@dataclass
class _Efi:
    """One EFI system partition, or its mirror, and an entry of the firmware for each disk."""

    system: System
    document: Document
    boot: Device

    def look(self, disks: list[Disk]) -> list[Finding]:
        """Return how each disk is."""
        esp = _mounted(self.document, self.system, "/boot/efi")
        places = places_efi(self.document, disks, esp)
        self.loader = _boot_grub.loader(self.system)
        self.files = _boot_grub.efi_problem(self.system, self.boot["content"]["uuid"])
        found = self._entries()
        self.found = found or []
        missing = [] if found is None else _boot_efi.lacking(places, self.loader, found)
        self.missing = missing
        unknown = {place.disk["path"] for place, _area in missing}
        return [
            Finding(
                place,
                self.files or (_UNKNOWN if place.disk["path"] in unknown else ""),
                "" if place.area else "no part of the EFI system partition is on it",
            )
            for place in places
        ]

    def steps(self, _findings: Sequence[Finding]) -> list[str]:
        """Return what there is to do."""
        return [
            *(["EFI system partition: install GRUB"] if self.files else []),
            *(f"{place.called}: have the firmware start it" for place, _area in self.missing),
            *(f"firmware: forget {one.label}, which is gone" for one in self._stale()),
        ]

    def install(self, _findings: Sequence[Finding]) -> None:
        """Do it."""
        if self.files:
            _boot_grub.install_efi(self.system)
        name = self.system.distributor
        for one in self._stale():
            self.system.must("efibootmgr", "--quiet", "--delete-bootnum", "--bootnum", one.number)
        # The last one that is made comes first in the firmware's order.
        for place, area in reversed(self.missing):
            self.system.must(*_boot_efi.create(place, area, self.loader, name))

    def _stale(self) -> list[_boot_efi.Entry]:
        parts = [part["uuid"] for disk in self.document["disks"] for part in disk["partitions"]]
        return _boot_efi.stale(parts, self.loader, self.system.distributor, self.found)

    def _entries(self) -> list[_boot_efi.Entry] | None:
        """Return what the firmware knows, None where it can't be asked."""
        where = self.system.host.at(_boot_grub.EFI_VARIABLES)
        if not os.path.isdir(where) or not os.listdir(where):
            return None
        return _boot_efi.entries(self.system.must("efibootmgr", "--verbose"))


def _mounted(document: Document, system: System, *targets: str) -> Device:
    places = [system.root + ("" if system.root and one == "/" else one) for one in targets]
    found = holder(document, *places)
    if not found:
        raise BootError(f"nothing is mounted at {places[0]}; accepted: a file system of the host's")
    return found


def _chosen(document: Document, boot: Device, paths: Sequence[str]) -> list[Disk]:
    if not paths:
        return disks_below(document, boot)
    by_path = {path: one for one in document["disks"] for path in (one["path"], *one["links"])}
    if lost := [path for path in paths if path not in by_path]:
        there = ", ".join(one["path"] for one in document["disks"])
        raise BootError(f"disks: no disk is at {', '.join(lost)}; accepted: {there}")
    return [by_path[path] for path in paths]
