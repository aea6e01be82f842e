# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""GRUB on a host: where its packages keep what, and the commands that install it."""

from __future__ import annotations

import filecmp
import glob
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.servertechnik.core.plugins.module_utils._boot_bios import Images
from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import BootError
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._packages import parse_status

EFI_VARIABLES = "/sys/firmware/efi/efivars"
PACKAGES = {"bios": "grub-pc", "efi": "grub-efi-amd64"}
TARGETS = {"bios": "i386-pc", "efi": "x86_64-efi"}
STATUS = "/var/lib/dpkg/status"
ANSWERS = "/var/cache/debconf/config.dat"
# What the removable path of EFI holds, which firmware tries where it was told of nothing.
REMOVABLE = "EFI/BOOT/BOOTX64.EFI"
_SHIM = "/usr/lib/shim/shimx64.efi.signed"
_SIGNED = "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
# The system's own devices in a namespace of this command's own, which leaves nothing mounted.
_INSIDE = """
root=$1; shift
for each in dev proc sys run; do mount --rbind /$each "$root/$each"; done
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class System:
    """The installed system that is to boot, mounted at `root` (empty for the running one)."""

    host: Host
    root: str = ""

    def words(self, *words: str) -> list[str]:
        """Return the command that runs these words within the system."""
        if not self.root:
            return list(words)
        apart = ["unshare", "--mount", "--propagation", "slave", "sh", "-euc", _INSIDE, "sh"]
        return [*apart, self.root, *words]

    def must(self, *words: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a command within the system and return its output. Raises HostError."""
        done = self.host.run(self.words(*words), environment=environment)
        if done.status:
            raise HostError(f"'{' '.join(words)}' failed ({done.status}): {done.text}")
        return done.text

    def at(self, path: str) -> str:
        """Return where a file of the system is."""
        return self.host.at(self.root + path)

    def content(self, path: str) -> bytes:
        """Return the bytes of a file of the system, none if it isn't there."""
        try:
            with open(self.at(path), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def has(self, package: str) -> bool:
        """Whether the system has the package."""
        return parse_status(self.content(STATUS), [package])[package].version is not None

    @property
    def distributor(self) -> str:
        """Return the name of the system in menus and of its folder in the EFI partition.

        GRUB's default for Debian; a `GRUB_DISTRIBUTOR` that was changed is not looked at.
        """
        return "debian"


def firmware(host: Host) -> str:
    """Return what the running system was started by: `efi` or `bios`."""
    return "efi" if os.path.isdir(host.at("/sys/firmware/efi")) else "bios"


def images(system: System) -> Images:
    """Return what `grub-install` for BIOS puts on disks: empty if it is not, or no more, current.

    What packages bring and what is below /boot are the same after a `grub-install`.
    """
    kept, brought = "/boot/grub/i386-pc", "/usr/lib/grub/i386-pc"
    boot = system.content(f"{brought}/boot.img")
    same = _same_modules(system.at(brought), system.at(kept))
    return Images(boot, system.content(f"{kept}/core.img") if same else b"")


def _same_modules(brought: str, kept: str) -> bool:
    names = [os.path.basename(path) for path in glob.glob(f"{brought}/*.mod")]
    _same, differ, lost = filecmp.cmpfiles(brought, kept, names, shallow=False)
    return bool(names) and not differ and not lost


def loader(system: System) -> str:
    r"""Return what firmware starts, as EFI writes it: `\EFI\debian\shimx64.efi`, or GRUB itself."""
    first = "shimx64.efi" if _shim(system) else "grubx64.efi"
    return f"\\EFI\\{system.distributor}\\{first}"


def efi_problem(system: System, uuid: str) -> str:
    """Say why the EFI system partition doesn't start this GRUB, empty if it does.

    `uuid` is that of the file system with GRUB's configuration. A signed GRUB is told of it in a
    file beside it, another has it built in.
    """
    folder = f"/boot/efi/EFI/{system.distributor}"
    signed, shim = _signed(system), _shim(system)
    core = _SIGNED if signed else "/boot/grub/x86_64-efi/core.efi"
    modules = [system.at(f"{path}/x86_64-efi") for path in ("/usr/lib/grub", "/boot/grub")]
    if not signed and not _same_modules(*modules):
        return "GRUB was not installed from this system yet"
    wanted = {f"{folder}/grubx64.efi": core, f"/boot/efi/{REMOVABLE}": _SHIM if shim else core}
    if shim:
        wanted[f"{folder}/shimx64.efi"] = _SHIM
    for path, source in wanted.items():
        content = system.content(path)
        if not content or content != system.content(source):
            return f"{path.removeprefix('/boot/efi/')} is {'another' if content else 'missing'}"
    if signed and uuid.encode() not in system.content(f"{folder}/grub.cfg"):
        return "it leads to another file system"
    return ""


def _signed(system: System) -> bool:
    return os.path.exists(system.at(_SIGNED))


def _shim(system: System) -> bool:
    return _signed(system) and os.path.exists(system.at(_SHIM))


def install_bios(system: System, disk: str) -> None:
    """Install GRUB on a disk. Raises HostError."""
    system.must("grub-install", "--target=i386-pc", disk)


def install_efi(system: System) -> None:
    """Install GRUB in the EFI system partition; firmware is told of it elsewhere. Raises HostError.

    `grub-install` itself can't tell the firmware of a partition that is a part of an array.
    """
    options = ["--target=x86_64-efi", "--efi-directory=/boot/efi", "--no-nvram"]
    system.must("grub-install", *options, "--force-extra-removable")


def answers(system: System) -> dict[str, str]:
    """Return what debconf was told, by question, from its file (debconf-devel(7))."""
    found: dict[str, str] = {}
    for stanza in system.content(ANSWERS).decode(errors="replace").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line)
        if "Name" in fields:
            found[fields["Name"]] = fields.get("Value", "")
    return found


def wanted_answers(firmware_is: str, links: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return what debconf must know, so that upgrades of GRUB update all of it: type and value."""
    if firmware_is == "bios":
        return {
            "grub-pc/install_devices": ("multiselect", ", ".join(links)),
            "grub-pc/install_devices_empty": ("boolean", "false"),
        }
    return {
        "grub2/force_efi_extra_removable": ("boolean", "true"),
        "grub2/update_nvram": ("boolean", "false"),
    }


def answer(system: System, package: str, wanted: Mapping[str, tuple[str, str]]) -> None:
    """Tell debconf. Raises HostError."""
    lines = "\n".join(f"{package} {name} {kind} {text}" for name, (kind, text) in wanted.items())
    system.must("sh", "-euc", 'printf "%s\\n" "$1" | debconf-set-selections', "sh", lines)


def require(system: System, firmware_is: str) -> None:
    """Have the package of GRUB for that firmware. Raises BootError."""
    package = PACKAGES[firmware_is]
    if not system.has(package):
        raise BootError(
            f"the host starts with {firmware_is.upper()} and has no package {package}; accepted: "
            f"{package} installed"
        )
