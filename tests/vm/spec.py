"""What a machine is to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.vm.devices import Disk
from tests.vm.networks import Network
from tests.vm.qemu import Firmware


@dataclass(frozen=True)
class Spec:
    """A machine that is wanted: its disks by serial, and its links, one network each.

    A saved state is one of a machine with BIOS that knows no SATA disks: another machine with EFI
    meets that once it boots from disks of its own, and one with SATA disks starts from nothing.
    """

    name: str
    release: str
    disks: Mapping[str, str | Disk] = field(default_factory=dict)
    networks: Sequence[Network] = ()
    saved: bool = True
    firmware: Firmware = "bios"

    @property
    def cloned(self) -> bool:
        """Whether it starts from a saved state."""
        sata = any(Disk.of(disk).kind == "sata" for disk in self.disks.values())
        return self.saved and not sata
