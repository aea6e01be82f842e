# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Move the running system onto other file systems, so that it starts from there."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils import (
    _boot,
    _boot_grub,
    _move_files,
    _move_plan,
    _move_verify,
)
from ansible_collections.servertechnik.core.plugins.module_utils._boot_grub import System
from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import (
    Place,
    below,
    disks_below,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import Document
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._move_plan import (
    BOOT,
    EFI,
    MARK,
    ROOT,
    Copy,
    MoveError,
)

PLACE = "/run/servertechnik/move"
_RSYNC = ("rsync", "-aHAXx", "--numeric-ids", "--delete")
_VANISHED = 24  # rsync(1): some files vanished before they could be copied
_SPARE = 128 << 20
_QUIET = {"DEBIAN_FRONTEND": "noninteractive"}


@dataclass
class Move:
    """A move: `read` returns the document of the host as it is, `asked` what to move onto."""

    host: Host
    read: Callable[[], Document]
    asked: Sequence[Mapping[str, Any]]
    firmware: str = ""
    steps: list[str] = field(default_factory=list)

    def run(self, *, check: bool) -> dict[str, Any]:
        """Bring everything over, or, with `check`, say what there is to do.

        Until the host is restarted each run copies what has changed since the last. Raises
        MoveError, BootError, HostError.
        """
        self.firmware = self.firmware or _boot_grub.firmware(self.host)
        self.system = System(self.host, PLACE)
        self.document = self.read()
        asked = self._resolved()
        if all(one["path"] for one in asked):
            if _move_plan.is_there(self.document, asked[0]["path"]):
                boot = _boot.keep(System(self.host), self.read, check=check)
                return {"state": "moved", **boot}
            self.targets = _move_plan.targets(self.document, asked, PLACE)
        elif not check:
            lost = next(one for one in asked if not one["path"])
            raise MoveError(
                f"{lost['mount']}: {lost['device']} isn't there; accepted: a file system, which "
                "the role storage makes"
            )
        self.copies = _move_plan.copies(self.document, PLACE)
        if check:
            onto = ", ".join(f"{one['device']} ({one['mount']})" for one in asked)
            sources = ", ".join(copy.source for copy in self.copies)
            steps = [f"copy {sources} onto {onto}", "write fstab, crypttab, mdadm.conf"]
            return {"state": "planned", "changed": True, "steps": [*steps, "install GRUB"]}
        self._mount()
        self._copy()
        self._describe()
        self._install()
        self._verify()
        self.host.must("umount", "--recursive", PLACE)
        return {"state": "ready", "changed": True, "steps": self.steps, "disks": self.boot["disks"]}

    def _resolved(self) -> list[dict[str, Any]]:
        """Return what was asked for with the kernel's paths; empty for what is still to come."""
        found = _move_plan.wanted(self.asked)
        for one in found:
            real = os.path.realpath(self.host.at(one["device"]))
            one["path"] = real if os.path.exists(real) else ""
        return found

    def _mount(self) -> None:
        """Mount the new place, and see that it is ours and large enough."""
        os.makedirs(self.host.at(PLACE), exist_ok=True)
        mounted = {mount["target"] for d in self.document["devices"] for mount in d["mounts"]}
        for target in self.targets:
            where = target.at(PLACE)
            if where not in mounted:
                os.makedirs(self.host.at(where), exist_ok=True)
                words = ("mount", "-t", target.type, target.device["path"], where)
                self.host.must(*words)
        self._own()
        room = _move_plan.needs(self.targets, self.copies)
        for target in self.targets:
            found = os.statvfs(self.host.at(target.at(PLACE)))
            size, needed = found.f_blocks * found.f_frsize, room[target.mount]
            if needed and size < needed + _SPARE:
                self._leave(
                    f"{target.mount}: {target.device['name']} has {size >> 20} MiB, and "
                    f"{needed >> 20} MiB are to be copied; accepted: "
                    f"{(needed + _SPARE) >> 20} MiB or more"
                )
        self.steps.append(f"mount {', '.join(target.mount for target in self.targets)}")

    def _own(self) -> None:
        """Have a mark where the system goes, and refuse a place that others have filled."""
        mark = self.host.at(PLACE + MARK)
        mine = {"machine": self.host.content("/etc/machine-id").decode().strip()}
        if os.path.exists(mark):
            with open(mark, encoding="utf-8") as file:
                if json.load(file) != mine:
                    self._leave(f"/: another system was moved there ({MARK}); accepted: empty")
            return
        for target in self.targets:
            inside = set(os.listdir(self.host.at(target.at(PLACE)))) - {"lost+found"}
            below = [one for one in self.targets if one is not target]
            others = {os.path.relpath(one.mount, target.mount).partition("/")[0] for one in below}
            if full := sorted(inside - others):
                self._leave(
                    f"{target.mount}: {target.device['name']} holds {', '.join(full[:3])}; "
                    "accepted: an empty file system"
                )
        with open(mark, "w", encoding="utf-8") as file:
            json.dump(mine, file)

    def _leave(self, problem: str) -> None:
        self.host.run(["umount", "--recursive", PLACE])
        raise MoveError(problem)

    def _copy(self) -> None:
        """Copy twice: what changed meanwhile is the little that the second time brings."""
        for _time in range(2):
            for copy in self.copies:
                done = self.host.run(self._words(copy))
                if done.status not in (0, _VANISHED):
                    raise MoveError(f"copying {copy.source} failed ({done.status}): {done.text}")
            self.host.must("sync", "--file-system", PLACE)
        self.steps.append(f"copy {', '.join(copy.source for copy in self.copies)}")

    def _words(self, copy: Copy, *more: str) -> list[str]:
        without = [f"--exclude={one}" for one in copy.without]
        source = copy.source.rstrip("/")
        return [*_RSYNC, *more, *without, f"{source}/", f"{PLACE}{source}/"]

    def _describe(self) -> None:
        """Tell the new place where it is."""
        old = _move_plan.old_disks(self.document)
        gone = [
            line
            for line in self.document["configured"]["fstab"]
            if line["target"] in {copy.source for copy in self.copies}
            or (line["type"] == "swap" and self._is_on(line["path"], old))
        ]
        kernel = self.host.content("/proc/cmdline").decode()
        told = self._text(_move_files.GRUB)
        files = {
            _move_files.FSTAB: _move_files.fstab(self._text("/etc/fstab"), self.targets, gone),
            _move_files.CRYPTTAB: _move_files.crypttab(
                self._text(_move_files.CRYPTTAB),
                _move_files.containers(self.document, self.targets),
            ),
            _move_files.MDADM: _move_files.mdadm(
                self._text(_move_files.MDADM), self.document, self.targets
            ),
            _move_files.CONSOLE: _move_files.console(kernel, told),
        }
        if os.path.exists(self.system.at(_move_files.RESUME)) and gone:
            files[_move_files.RESUME] = "RESUME=none\n"
        written = [path for path, text in files.items() if text]
        for path in written:
            where = self.system.at(path)
            os.makedirs(os.path.dirname(where), exist_ok=True)
            with open(where, "w", encoding="utf-8") as file:
                file.write(files[path])
        self.steps.append(f"write {', '.join(written)}")

    def _is_on(self, path: str, disks: set[str]) -> bool:
        found = [one for one in self.document["devices"] if one["path"] == path]
        on = {d["path"] for one in found for d in below(self.document, one) if d["kind"] == "disk"}
        return bool(on) and on <= disks

    def _text(self, path: str) -> str:
        return self.system.content(path).decode()

    def _install(self) -> None:
        """Have packages, the initial file system and the boot loader there."""
        by_mount = {target.mount: target for target in self.targets}
        boot = by_mount.get(BOOT, by_mount[ROOT])
        if self.firmware == "efi" and EFI not in by_mount:
            raise MoveError(f"the host starts with EFI; accepted: a file system for {EFI} as well")
        links = [Place(disk, None).link for disk in disks_below(self.document, boot.device)]
        package = _boot_grub.PACKAGES[self.firmware]
        kinds = {d["kind"] for one in self.targets for d in below(self.document, one.device)}
        needed = {"raid": "mdadm", "crypt": "cryptsetup-initramfs", "lvm": "lvm2"}
        wanted = [package, *(name for kind, name in needed.items() if kind in kinds)]
        if missing := [name for name in wanted if not self.system.has(name)]:
            answers = _boot_grub.wanted_answers(self.firmware, links)
            _boot_grub.answer(self.system, package, answers)
            self.system.must("apt-get", "-qq", "--yes", "install", *missing, environment=_QUIET)
            self.steps.append(f"install {', '.join(missing)}")
        kernels = [os.path.basename(p) for p in glob.glob(self.system.at("/boot/vmlinuz-*"))]
        if not kernels:
            raise MoveError("/boot has no kernel; accepted: a package linux-image-… installed")
        for name in kernels:
            self.system.must("update-initramfs", "-c", "-k", name.removeprefix("vmlinuz-"))
        self.steps.append("make the initial file system")
        self.boot = _boot.keep(self.system, self.read, firmware=self.firmware)
        self.system.must("update-grub")
        self.steps += [*self.boot["steps"], "configure GRUB"]

    def _verify(self) -> None:
        """See that the new place will start, and has all files. Raises MoveError."""
        document = self.read()
        root = self.targets[0]
        problems = [
            *_move_verify.fstab(self._text(_move_files.FSTAB), self.targets),
            *_move_verify.grub(self._text("/boot/grub/grub.cfg"), root),
        ]
        for path in glob.glob(self.system.at("/boot/initrd.img-*")):
            inside = self.system.must("lsinitramfs", path.removeprefix(self.host.at(PLACE)))
            problems += _move_verify.initramfs(inside.splitlines(), document, root.device)
        for copy in self.copies:
            seen = self.host.run(self._words(copy, "--dry-run", "--itemize-changes"))
            problems += _move_verify.differing(copy.source, seen.text)
        if problems:
            shown = "; ".join(problems[:5])
            raise MoveError(f"the system was copied, and would not start: {shown}. Run it again.")
        self.steps.append("verify")
