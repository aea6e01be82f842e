# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Everything that a host says of its storage, unread: the one place that asks for it."""

from __future__ import annotations

import os
import shutil
from base64 import b64encode
from collections.abc import Iterator

from ansible_collections.servertechnik.core.plugins.module_utils import _disk_sysfs
from ansible_collections.servertechnik.core.plugins.module_utils._blocks import (
    COLUMNS,
    listed,
    path_of,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_controllers import RAID
from ansible_collections.servertechnik.core.plugins.module_utils._disk_disks import (
    has_smart,
    is_disk,
    key_of,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_heads import (
    BLOCK,
    START,
    trimmed,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_kernel import (
    WANTED,
    first_number,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_mounts import mounted
from ansible_collections.servertechnik.core.plugins.module_utils._disk_run import (
    PATH,
    Ran,
    run,
    run_all,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import Raw
from ansible_collections.servertechnik.core.plugins.module_utils._disk_smart import (
    OPTIONS,
    hidden_disks,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_values import at, word
from ansible_collections.servertechnik.core.plugins.module_utils._disk_volumes import REPORTS
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._usage_mounts import (
    parse,
    visible,
)

TOOLS = (
    *("cryptsetup", "efibootmgr", "grub-install", "ledctl", "lvm", "mdadm", "mkfs.btrfs"),
    *("mkfs.ext4", "mkfs.vfat", "mkfs.xfs", "mkswap", "nvme", "parted", "quotaon", "resize2fs"),
    *("sfdisk", "sgdisk", "smartctl", "thin_check", "xfs_growfs", "xfs_quota"),
)
# The Debian package of those that are needed here.
_PACKAGES = {"smartctl": "smartmontools", "lvm": "lvm2", "cryptsetup": "cryptsetup-bin"}
_FILES = ("/etc/fstab", "/etc/crypttab", "/etc/mdadm/mdadm.conf")
_LSBLK = ("lsblk", "--list", "--json", "--bytes", "--output", COLUMNS)
_LVM = ("lvm", "fullreport", "--reportformat", "json", "--units", "b", "--nosuffix")
_RECORD = 8192  # the longest message of the kernel's log

_JOURNAL = ("journalctl", "--dmesg", "--boot", "--output=json", "--output-fields=MESSAGE")
# Past the cache, for XFS writes past it; so the block must be one that every disk can read.
_DD = (f"bs={BLOCK}", "count=1", "iflag=direct", "status=none")

Command = tuple[tuple[str, str], tuple[str, ...]]


def read(host: Host, *, smart: bool, contents: bool) -> Raw:
    """Return what the host says; see `_disk_health.document` for the arguments."""
    raw: Raw = {"unread": [], "sysfs": _disk_sysfs.blocks(host), "pci": _disk_sysfs.pci(host)}
    _keep(raw, ("lsblk", ""), run(_LSBLK))
    raw["links"] = _disk_sysfs.links(host, raw["sysfs"])
    raw["errors"] = _disk_sysfs.errors(host)
    raw["tools"] = [name for name in TOOLS if shutil.which(name, path=PATH)]
    raw["files"] = {path: _disk_sysfs.text(host, path) or "" for path in _FILES}
    raw["mountinfo"] = _disk_sysfs.text(host, "/proc/self/mountinfo") or ""
    raw["swaps"] = _disk_sysfs.text(host, "/proc/swaps") or ""
    raw["space"] = _space(host, raw["mountinfo"])
    raw["kmsg"] = _ring(host, raw)
    hides = any(one["driver"] in RAID for one in raw["pci"].values())
    if smart and hides and "smartctl" in raw["tools"]:
        _keep(raw, ("scan", ""), run(("smartctl", "--scan-open", "--json=c")))
    wanted = dict(_commands(raw, smart=smart, contents=contents))
    present = {key: words for key, words in wanted.items() if _is_there(raw, key, words[0])}
    for key, ran in run_all(present).items():
        _keep(raw, key, ran)
    return raw


def _commands(raw: Raw, *, smart: bool, contents: bool) -> Iterator[Command]:
    """Yield what to run side by side, with what it is about and the device."""
    listing = listed(raw, [])
    if first_number(raw["kmsg"]):
        yield ("journal", ""), (*_JOURNAL, f"--grep={WANTED}")
    names = [word(at(one, "dm", "uuid")) for one in raw["sysfs"].values()]
    kinds = {name: word(row.get("fstype")) for name, row in listing.items()}
    if "LVM2_member" in kinds.values() or any(name.startswith("LVM-") for name in names):
        reports = (("--configreport", kind, "-o", keys) for kind, keys in REPORTS.items())
        yield ("lvm", ""), (*_LVM, *(option for report in reports for option in report))
    used = {below for one in raw["sysfs"].values() for below in one.get("slaves", ())}
    for name, row in listing.items():
        path = path_of(name)
        if kinds[name] == "crypto_LUKS":
            form = () if word(row.get("fsver")) == "1" else ("--dump-json-metadata",)
            yield ("luks", path), ("cryptsetup", "luksDump", *form, path)
        if smart and is_disk(raw, name, row) and has_smart(path):
            yield ("smart", path), ("smartctl", *OPTIONS, path)
        if contents and kinds[name] in START:
            yield ("heads", path), ("dd", f"if={path}", *_DD, f"skip={START[kinds[name]] // BLOCK}")
        if contents and row.get("size") and not kinds[name] and name not in used:
            yield ("wipefs", path), ("wipefs", "--no-act", "--json", path)
    for path, reach in hidden_disks(word(raw.get("scan")), []):
        yield ("smart", key_of(path, reach)), ("smartctl", *OPTIONS, f"--device={reach}", path)


def _is_there(raw: Raw, key: tuple[str, str], program: str) -> bool:
    """Whether a program is installed; if it isn't, that is noted once."""
    if program not in TOOLS or program in raw["tools"]:
        return True
    missing = f"{program} is not installed (package {_PACKAGES[program]})"
    if missing not in raw["unread"]:
        raw["unread"].append(missing)
    if key[0] == "smart":
        raw.setdefault("silent", {})[key[1]] = missing
    return False


def _keep(raw: Raw, key: tuple[str, str], ran: Ran) -> None:
    """Keep what a program said, below what it is about and the device."""
    kind, path = key
    if kind == "smart" and not ran.output:
        raw.setdefault("hangs" if ran.late else "silent", {})[path] = ran.errors
        return
    # lvm and journalctl have their say and then fail for little; smartctl's status is in its words.
    if ran.status and not ran.output and kind != "journal":
        raw["unread"].append(f"{kind} {path}".strip() + f": {ran.errors or ran.status}")
        return
    said = ran.output.decode(errors="replace")
    if kind == "heads":
        said = b64encode(trimmed(ran.output)).decode()
    if path:
        raw.setdefault(kind, {})[path] = said
    else:
        raw[kind] = said


def _space(host: Host, mountinfo: str) -> dict[str, dict[str, int]]:
    """Return the blocks and files of each file system that is this host's own."""
    found = {}
    reachable = {one.target for one in visible(parse(mountinfo))}
    for one in mounted(mountinfo, []):
        if not one.has_space or one.target not in reachable:
            continue
        try:
            space = os.statvfs(host.at(one.target))
        except OSError:  # gone meanwhile, or a disk that isn't there any more
            continue
        found[one.target] = {
            "block": space.f_frsize,
            "blocks": space.f_blocks,
            "free": space.f_bfree,
            "available": space.f_bavail,
            "files": space.f_files,
            "files_free": space.f_ffree,
        }
    return found


def _ring(host: Host, raw: Raw) -> str:
    """Return the log of the kernel, as far as its memory goes back."""
    try:
        log = os.open(host.at("/dev/kmsg"), os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raw["unread"].append(f"/dev/kmsg: {error.strerror}")
        return ""
    found = []
    try:
        while True:
            try:
                found.append(os.read(log, _RECORD))
            except BrokenPipeError:  # what was next was overwritten just now
                continue
            except OSError:
                return b"".join(found).decode(errors="replace")
    finally:
        os.close(log)
