"""QEMU's processes: what a machine is made of on its command line, and how it is accelerated."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from tests.bed.environment import locked, run
from tests.vm.images import CACHE, Image
from tests.vm.wire import Qmp, VmError

QEMU = "qemu-system-x86_64"
# Where machines reach the machine under the bed, and it them: no further, for it is restricted.
MANAGEMENT = "net=10.0.2.0/24,host=10.0.2.2,ipv6=off,restrict=on"
ADDRESS = "10.0.2.15"
# The first two are taken by the root disk and the management link, the others are for more.
_SLOTS = 14
# Disks can be plugged in there only while there is no power.
SATA = tuple(f"ide.{number}" for number in range(6))
FREE = tuple(f"slot{number}" for number in range(2, _SLOTS))
_BUS = "pcie-root-port,id=slot{0},bus=pcie.0,chassis={1},addr={2:#x}.{3},multifunction=on"
_KERNEL = "root=LABEL=root rw console=ttyS0 quiet systemd.show_status=yes panic=-1"
_KVM = "kvm -cpu host"
_TCG = "tcg,thread=multi -cpu max"
_PROBE = 10.0
Firmware = Literal["bios", "efi"]
_OVMF = Path("/usr/share/OVMF")


def version() -> str:
    """QEMU's own words on its version."""
    return run(QEMU, "--version").stdout.splitlines()[0]


def accelerator(image: Image) -> list[str]:
    """Options for KVM if it really runs a kernel here, else for emulation; found out once.

    A nested machine may have the device and yet get no further than the firmware.
    """
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return _options(_TCG)
    here = f"{os.uname().release} {version()}"
    known = CACHE / f"accelerator-{hashlib.sha256(here.encode()).hexdigest()[:12]}"
    with locked("vm-accelerator"):
        if not known.exists():
            known.write_text(_KVM if _boots(image, _options(_KVM)) else _TCG)
    return _options(known.read_text())


def command(overlay: Path, sockets: Path, port: int, accelerated: Sequence[str]) -> list[str]:
    """The machine that all machines are, before disks and links are plugged into its slots.

    Its SSH answers at `port` of this machine's loopback, its console goes to a log beside
    `overlay`. A saved state fits every machine with the same words here and in `boot_words`.
    """
    slots = [_BUS.format(n, n + 1, 3 + n // 8, n % 8) for n in range(_SLOTS)]
    forward = f"hostfwd=tcp:127.0.0.1:{port}-{ADDRESS}:22"
    log = overlay.with_name("console.log")
    return [
        *(QEMU, "-name", sockets.name, "-nodefaults", "-display", "none"),
        *("-machine", "q35", *accelerated, "-m", "768", "-smp", "2"),
        *("-qmp", f"unix:{sockets}/qmp,server=on,wait=off"),
        *("-chardev", f"socket,id=console,{_server(sockets / 'console')},logfile={log}"),
        *("-serial", "chardev:console"),
        *("-device", "virtio-serial-pci,addr=0x2"),
        *("-chardev", f"socket,id=agent,{_server(sockets / 'agent')}"),
        *("-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"),
        *(word for slot in slots for word in ("-device", slot)),
        *("-netdev", f"user,id=management,{MANAGEMENT},{forward}"),
        *("-device", "virtio-net-pci,id=eno1,netdev=management,acpi-index=1,bus=slot1,romfile="),
    ]


def boot_words(image: Image, overlay: Path) -> list[str]:
    """A kernel from outside and `overlay` for its root: the disk that the machine comes with."""
    return [
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", _KERNEL),
        *("-blockdev", _qcow2("root", overlay)),
        *("-device", "virtio-blk-pci,drive=root,serial=root,bus=slot0"),
    ]


def firmware_words(firmware: Firmware, overlay: Path) -> list[str]:
    """The firmware: SeaBIOS, which is QEMU's own, or OVMF with its variables beside `overlay`."""
    if firmware == "bios":
        return []
    code = f"if=pflash,format=raw,unit=0,readonly=on,file={_OVMF / 'OVMF_CODE_4M.fd'}"
    return ["-drive", code, "-drive", f"if=pflash,format=raw,unit=1,file={_variables(overlay)}"]


def make_variables(overlay: Path) -> None:
    """Make the variables of a machine with EFI, as they come from its maker.

    Raises:
        VmError: its firmware isn't installed.
    """
    try:
        shutil.copy(_OVMF / "OVMF_VARS_4M.fd", _variables(overlay))
    except FileNotFoundError as error:
        raise VmError("no EFI firmware; `tests/bed/bed install` installs it (ovmf)") from error


def _variables(overlay: Path) -> Path:
    return overlay.with_name("variables.fd")


def start(words: Sequence[str], log: Path, *, tied: bool) -> subprocess.Popen[bytes]:
    """Start QEMU; if `tied`, the kernel kills it when the calling thread ends (prctl(2))."""
    leash = ["setpriv", "--pdeathsig", "KILL"] if tied else []
    with log.open("ab") as output:
        return subprocess.Popen(
            [*leash, *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def connect(process: subprocess.Popen[bytes], path: Path, log: Path) -> Qmp:
    """Speak to a QEMU that was just started.

    Raises:
        VmError: it ended at once; the text is what it said.
    """
    while process.poll() is None:
        with suppress(FileNotFoundError, ConnectionRefusedError):
            return Qmp(path)
        time.sleep(0.02)
    raise VmError(f"QEMU ended with {process.returncode}: {log.read_text().strip()}")


def overlay(of: Path, disk: Path, form: str) -> None:
    """Make `disk`, which begins as `of` (in that form) and keeps what is written."""
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", of, "-F", form, disk)


def _server(path: Path) -> str:
    return f"path={path},server=on,wait=off"


def _qcow2(node: str, path: Path) -> str:
    # This machine's crash may take the disk along: there is nothing on it that anybody keeps.
    cache = "cache.no-flush=on,file.cache.no-flush=on"
    unmap = "discard=unmap,file.discard=unmap"
    return f"qcow2,node-name={node},file.driver=file,file.filename={path},{cache},{unmap}"


def _options(named: str) -> list[str]:
    return ["-accel", *named.split()]


def _boots(image: Image, accelerated: Sequence[str]) -> bool:
    """Whether the kernel gets as far as to miss its root, which ends this machine."""
    words = [QEMU, "-nodefaults", "-display", "none", "-machine", "q35", *accelerated]
    words += ["-no-reboot", "-serial", "stdio", "-kernel", str(image.kernel)]
    words += ["-append", "console=ttyS0 panic=-1"]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return b"Linux version" in done.stdout
