# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The files that tell a system where it lives: fstab, crypttab, mdadm.conf, GRUB's. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import below
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Document,
    FstabEntry,
    Luks,
)
from ansible_collections.servertechnik.core.plugins.module_utils._move_plan import (
    EFI,
    ROOT,
    MoveError,
    Target,
)

FSTAB, CRYPTTAB, MDADM = "/etc/fstab", "/etc/crypttab", "/etc/mdadm/mdadm.conf"
GRUB, CONSOLE = "/etc/default/grub", "/etc/default/grub.d/servertechnik-console.cfg"
RESUME = "/etc/initramfs-tools/conf.d/resume"
_USUAL = {ROOT: ("errors=remount-ro",), EFI: ("umask=0077",)}
# Checked at boot by what they bring themselves (fsck.xfs(8), fsck.btrfs(8)).
_UNCHECKED = ("xfs", "btrfs")
_SERIAL = re.compile(r"console=ttyS(\d+)(?:,(\d+))?")
_LINE = re.compile(r"^\s*([^#\s]\S*)\s+(\S+)", re.MULTILINE)


def fstab(text: str, found: Sequence[Target], gone: Iterable[FstabEntry]) -> str:
    """Return fstab(5) for the new place: the targets first, and what was there but for `gone`."""
    mounts = {target.mount for target in found}
    left = {(entry["spec"], entry["target"]) for entry in gone}
    kept = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if not match or (match.group(2) not in mounts and match.groups() not in left):
            kept.append(line)
    return "\n".join([*(_line(target) for target in found), *kept]) + "\n"


def _line(target: Target) -> str:
    usual = () if target.mount == ROOT and target.type != "ext4" else _USUAL.get(target.mount, ())
    options = ",".join(target.options or usual) or "defaults"
    order = 0 if target.type in _UNCHECKED else 1 if target.mount == ROOT else 2
    return f"UUID={target.uuid} {target.mount} {target.type} {options} 0 {order}"


def containers(document: Document, found: Sequence[Target]) -> list[tuple[Luks, bool]]:
    """Return the encrypted devices below the targets, and whether the root lies on it."""
    by_device = {one["device"]: one for one in document["luks"]}
    needed: dict[str, bool] = {}
    for target in found:
        for device in below(document, target.device):
            if device["path"] in by_device:
                is_root = needed.get(device["path"], False) or target.mount == ROOT
                needed[device["path"]] = is_root
    return [(by_device[path], is_root) for path, is_root in needed.items()]


def crypttab(text: str, needed: Iterable[tuple[Luks, bool]]) -> str:
    """Return crypttab(5) in which each of the containers is opened, that of the root first of all.

    The key of the root's container can't be a file, for that would be in the container: its
    passphrase is asked for at the console. Raises MoveError where a file is named.
    """
    lines = text.splitlines()
    for luks, is_root in needed:
        at, words = _entry(lines, luks)
        if is_root and words[2] not in ("none", "-"):
            raise MoveError(
                f"{CRYPTTAB}: the key of {luks['name']}, which holds the root, is {words[2]}; "
                "accepted: none, so that it is asked for at the console"
            )
        options = [one for one in words[3].split(",") if one]
        if is_root and "initramfs" not in options:
            options.append("initramfs")
        words[3] = ",".join(options)
        lines[at : at + 1] = ["\t".join(words)]
    return "".join(f"{line}\n" for line in lines)


def _entry(lines: Sequence[str], luks: Luks) -> tuple[int, list[str]]:
    """Return where a container's line is, and its four words."""
    for at, line in enumerate(lines):
        words = line.split()
        if words and words[0] == luks["name"]:
            return at, [*words, *["none", "luks"][len(words) - 2 :]]
    return len(lines), [luks["name"], f"UUID={luks['uuid']}", "none", "luks"]


def mdadm(text: str, document: Document, found: Sequence[Target]) -> str:
    """Return mdadm.conf(5) that names all arrays below the targets."""
    known = {line["uuid"] for line in document["configured"]["mdadm"]}
    paths = {device["path"] for target in found for device in below(document, target.device)}
    lines = [
        f"ARRAY {array['name']} metadata={array['metadata']} UUID={array['uuid']}"
        for array in document["arrays"]
        if array["path"] in paths and array["uuid"] not in known
    ]
    return (
        text + ("" if text.endswith("\n") or not text else "\n") + "".join(f"{o}\n" for o in lines)
    )


def console(command_line: str, configured: str) -> str:
    """Return GRUB's settings for a host whose console is a serial line, empty for any other.

    `command_line` is the running kernel's, `configured` what GRUB is told already.
    """
    consoles = [word for word in command_line.split() if word.startswith("console=")]
    serial = next((match for word in consoles if (match := _SERIAL.match(word))), None)
    if not serial or "console=" in configured:
        return ""
    unit, speed = serial.group(1), serial.group(2) or "115200"
    return (
        "# Managed by Servertechnik: the console that the system was moved with.\n"
        f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {" ".join(consoles)}"\n'
        'GRUB_TERMINAL="console serial"\n'
        f'GRUB_SERIAL_COMMAND="serial --unit={unit} --speed={speed}"\n'
    )
