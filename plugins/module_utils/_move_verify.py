# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Whether a system that was moved will start from its new place. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import below
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import (
    Device,
    Document,
)
from ansible_collections.servertechnik.core.plugins.module_utils._move_plan import Target

_MODULES = {"raid4": "raid456", "raid5": "raid456", "raid6": "raid456"}
_STATIC = re.compile(r"/(?:usr|opt|lib\w*|bin|sbin)/|/boot/(?:vmlinuz|System\.map|config)-")


def initramfs(names: Sequence[str], document: Document, root: Device) -> Iterator[str]:
    """Yield what the initial file system, with files of these `names`, lacks to find the root."""
    inside = {f"/{name.lstrip('/')}" for name in names}
    modules = {name.rpartition("/")[2].partition(".")[0] for name in inside if ".ko" in name}
    levels = {array["path"]: array["level"] for array in document["arrays"]}
    wanted: set[str] = set()
    for device in below(document, root):
        if device["path"] in levels:
            level = levels[device["path"]]
            wanted |= {"/etc/mdadm/mdadm.conf", "mdadm", f"{_MODULES.get(level, level)}.ko"}
        elif device["kind"] == "crypt":
            wanted |= {"/cryptroot/crypttab", "cryptsetup", "dm-crypt.ko"}
        elif device["kind"] == "lvm":
            wanted |= {"lvm", "dm-mod.ko"}
    programs = {name.rpartition("/")[2] for name in inside if "/sbin/" in name or "/bin/" in name}
    for one in sorted(wanted):
        name = one.removesuffix(".ko").replace("-", "_")
        kernel = {module.replace("-", "_") for module in modules}
        there = one in inside if "/" in one else name in (kernel if ".ko" in one else programs)
        if not there:
            yield f"the initial file system has no {one}"


def grub(text: str, root: Target) -> Iterator[str]:
    """Yield what is wrong with grub.cfg: each kernel must be told the new root."""
    names = {f"root={name}" for name in (f"UUID={root.uuid}", *_names(root.device))}
    lines = [line for line in text.splitlines() if line.split()[:1] == ["linux"]]
    if not lines:
        yield "GRUB knows no kernel"
    for line in lines:
        if not names & set(line.split()):
            yield f"GRUB starts a kernel with another root than {root.uuid}: {line.strip()}"
            return


def _names(device: Device) -> Iterator[str]:
    """Yield what GRUB may call a device: a volume also has a name with its hyphens doubled."""
    name = device["name"]
    yield name
    if device["kind"] == "lvm":
        yield "/dev/mapper/" + "-".join(one.replace("-", "--") for one in name.split("/")[2:])


def fstab(text: str, found: Sequence[Target]) -> Iterator[str]:
    """Yield what fstab(5) lacks."""
    lines = [line.split()[:2] for line in text.splitlines()]
    for target in found:
        if [f"UUID={target.uuid}", target.mount] not in lines:
            yield f"fstab doesn't mount {target.uuid} at {target.mount}"


def differing(source: str, itemized: str) -> Iterator[str]:
    """Yield programs and kernels that `rsync --dry-run --itemize-changes` would copy once more.

    Anything else changes as a system runs, or was written for the new place.
    """
    for line in itemized.splitlines():
        change, _space, name = line.partition(" ")
        path = f"{source.rstrip('/')}/{name.strip()}"
        if change[:1] == ">" and _STATIC.match(path):
            yield f"{path} is not as it was"
