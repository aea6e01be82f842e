"""What is plugged into a machine, in QEMU's own words: disks of several kinds, and links."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.vm.wire import VmError

# A command of QMP and what goes with it.
Part = tuple[str, dict[str, Any]]

_DRIVERS = {"virtio": "virtio-blk-pci", "nvme": "nvme", "sata": "ide-hd"}
_LINKS = {"virtio": "virtio-", "nvme": "nvme-QEMU_NVMe_Ctrl_", "sata": "ata-QEMU_HARDDISK_"}
_OPTIONS = {"blockdev-add": "-blockdev", "netdev_add": "-netdev", "device_add": "-device"}
# Not "flush": QEMU itself flushes before it changes anything.
_KINDS = {"read": ("read",), "write": ("write", "write-zeroes", "discard")}
_EIO = 5


@dataclass(frozen=True)
class Disk:
    """A disk: its size (`10G`), and how it is attached: `virtio`, `nvme` or `sata`."""

    size: str
    kind: str = "virtio"

    def __post_init__(self) -> None:
        """Know the kind."""
        if self.kind not in _DRIVERS:
            raise VmError(f"no disk is a {self.kind}; there are {', '.join(_DRIVERS)}")

    @classmethod
    def of(cls, given: str | Disk) -> Disk:
        """A size alone is one of kind `virtio`."""
        return given if isinstance(given, Disk) else cls(given)

    def link(self, serial: str) -> str:
        """Where the machine sees it."""
        return f"/dev/disk/by-id/{_LINKS[self.kind]}{serial}"

    def parts(self, serial: str, file: Path, slot: str, boot: int | None) -> list[Part]:
        """What makes it, its content in `file`; the firmware tries disks in the order of `boot`."""
        below = {"driver": "file", "node-name": f"file-{serial}", "discard": "unmap"}
        device = {"driver": _DRIVERS[self.kind], "id": device_name(serial), "bus": slot}
        order = {} if boot is None else {"bootindex": boot}
        return [
            ("blockdev-add", {**below, "filename": str(file)}),
            ("blockdev-add", _content(serial, "file")),
            ("device_add", {**device, **order, "drive": f"node-{serial}", "serial": serial}),
        ]


def link_parts(machine: str, link: str, socket: Path, slot: str) -> list[Part]:
    """What makes a link of that machine, its other end at `socket`."""
    digits = hashlib.sha256(f"{machine} {link}".encode()).hexdigest()
    address = ":".join(["02", *(digits[at : at + 2] for at in range(0, 10, 2))])
    end = {"type": "unix", "path": str(socket)}
    nic = {"driver": "virtio-net-pci", "id": device_name(link), "bus": slot, "romfile": ""}
    there = {"mac": address, "netdev": f"net-{link}", "acpi-index": int(link[3:])}
    return [
        ("netdev_add", {"type": "stream", "id": f"net-{link}", "server": False, "addr": end}),
        ("device_add", {**nic, **there}),
    ]


def failing_parts(serial: str, what: str, sectors: Sequence[int]) -> list[Part]:
    """What has each `read` or `write` of the disk fail, or those of these sectors alone.

    Source: QEMU QMP Reference, BlkdebugInjectErrorOptions. A rule of the event "none" always holds.
    """
    rule = {"event": "none", "errno": _EIO}
    where = [{"sector": one} for one in sectors] or [{}]
    rules = [{**rule, "iotype": kind, **place} for kind in _KINDS[what] for place in where]
    node = {"driver": "blkdebug", "node-name": f"errors-{serial}", "image": f"file-{serial}"}
    return [
        ("blockdev-add", {**node, "inject-error": rules}),
        ("blockdev-reopen", {"options": [_content(serial, "errors")]}),
    ]


def healing_parts(serial: str) -> list[Part]:
    """What ends that."""
    return [
        ("blockdev-reopen", {"options": [_content(serial, "file")]}),
        ("blockdev-del", {"node-name": f"errors-{serial}"}),
    ]


def words(parts: Sequence[Part]) -> list[str]:
    """The same on QEMU's command line, for a machine that has it from the start."""
    return [word for name, given in parts for word in (_OPTIONS[name], json.dumps(given))]


def device_name(name: str) -> str:
    """What QEMU calls a disk or link."""
    return f"plugged-{name}"


def _content(serial: str, below: str) -> dict[str, Any]:
    node = {"driver": "raw", "node-name": f"node-{serial}", "discard": "unmap"}
    return {**node, "file": f"{below}-{serial}"}
