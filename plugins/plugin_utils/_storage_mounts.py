# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Mount and swap units of systemd, with options that are as strict as their place allows. Pure.

Source: systemd.mount(5), systemd.swap(5), systemd.unit(5); CIS Debian Linux 12 Benchmark, 1.1.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

FOLDER = "/etc/systemd/system"
HEADER = "# Managed by Servertechnik: storage_*\n"
_ALL = ("nodev", "nosuid", "noexec")
# The longest of these that a mount point is, or is below, says how strict its options are.
_STRICT: Mapping[str, tuple[str, ...]] = {
    "/usr": ("nodev",),
    "/opt": ("nodev",),
    "/boot": _ALL,
    "/tmp": _ALL,  # noqa: S108 -- a mount point
    "/var/tmp": _ALL,  # noqa: S108 -- a mount point
    "/var/log": _ALL,
}
_OTHERS = ("nodev", "nosuid")
_OPPOSITES = {"dev": "nodev", "suid": "nosuid", "exec": "noexec"}
# What each kind of file system is given beside, unless it is said otherwise.
_KINDS = {"ext4": ("errors=remount-ro",), "vfat": ("umask=0077",)}
# Those that systemd has checked before they are mounted; the others check themselves.
_CHECKED = ("ext4", "vfat")


def options_of(mount: str, kind: str, given: Sequence[str]) -> list[str]:
    """Return the options of a mount: what its place and kind ask for, and what is given.

    A given option takes the place of its opposite (`exec`), or of the same with another value.
    """
    strict = () if mount == "/" else next(filter(None, map(_STRICT.get, _above(mount))), _OTHERS)
    gone = {_OPPOSITES[one] for one in given if one in _OPPOSITES}
    keys = {one.partition("=")[0] for one in given}
    ours = (one for one in (*strict, *_KINDS.get(kind, ())) if one.partition("=")[0] not in keys)
    return [*(one for one in ours if one not in gone), *given]


def _above(path: str) -> Iterator[str]:
    """Yield a path and those above it."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def unit_of(path: str, suffix: str) -> str:
    """Return the name of the unit for a path (`systemd-escape --path`): `srv-data.mount`."""
    plain = re.sub(r"/+", "/", path).strip("/")
    escaped = re.sub(
        rb"[^A-Za-z0-9:_.-]|^\.|-",
        lambda found: b"\\x%02x" % found[0][0],
        plain.encode(),
    ) if plain else b"-"  # fmt: skip
    return escaped.decode().replace("\\x2f", "-") + suffix


def component_of(
    mounts: Iterable[Mapping[str, Any]],
    tmpfs: Iterable[Mapping[str, Any]],
    absent: Iterable[str],
) -> dict[str, Any]:
    """Return `files`, `units` and `verify` of the component that mounts all of these.

    `mounts` are those of the module `storage`, `tmpfs` the variable of the role, and `absent` are
    mount points that are to be mounted no longer.
    """
    files: list[dict[str, Any]] = []
    units: list[dict[str, Any]] = []
    for name, text in (*map(_mount, mounts), *map(_tmpfs, tmpfs)):
        files.append({"dest": f"{FOLDER}/{name}", "content": HEADER + text})
        # A mount unit that is reloaded is mounted again with its new options, in use.
        units.append(
            {"name": name, "on_change": "reload" if name.endswith(".mount") else "restart"}
        )
    verify = [{"unit": unit["name"]} for unit in units]
    for path in absent:
        name = unit_of(path, ".mount")
        files.append({"dest": f"{FOLDER}/{name}", "state": "absent"})
        units.append({"name": name, "enabled": False, "state": "stopped"})
    return {"files": files, "units": units, "verify": verify}


def _mount(one: Mapping[str, Any]) -> tuple[str, str]:
    device, kind = str(one["device"]), str(one["type"])
    if kind == "swap":
        options = ",".join(one["options"])
        body = f"[Swap]\nWhat={device}\n" + (f"Options={options}\n" if options else "")
        return unit_of(device, ".swap"), _unit(f"Swap space on {one['name']}", "", body, "swap")
    check = f"systemd-fsck@{unit_of(device, '.service')}"
    needs = f"Requires={check}\nAfter={check}\n" if kind in _CHECKED else ""
    return unit_of(one["mount"], ".mount"), _unit(
        f"{one['name']} at {one['mount']}", needs, _mounted(one, device, kind), "local-fs"
    )


def _tmpfs(one: Mapping[str, Any]) -> tuple[str, str]:
    mount = str(one["mount"])
    mode = str(one.get("mode") or ("1777" if mount.endswith("/tmp") else "0755"))  # noqa: S108 -- a mount point
    size = [f"size={one['size']}"] if one.get("size") else []
    options = options_of(mount, "tmpfs", [f"mode={mode}", *size, *(one.get("options") or ())])
    body = _mounted({"mount": mount, "options": options}, "tmpfs", "tmpfs")
    return unit_of(mount, ".mount"), _unit(f"Memory at {mount}", "", body, "local-fs")


def _mounted(one: Mapping[str, Any], device: str, kind: str) -> str:
    options = ",".join(one["options"])
    return f"[Mount]\nWhat={device}\nWhere={one['mount']}\nType={kind}\n" + (
        f"Options={options}\n" if options else ""
    )


def _unit(description: str, needs: str, body: str, target: str) -> str:
    # Wanted and not required: a host that lacks a disk of data still starts, and can be reached.
    return (
        f"[Unit]\nDescription={description}\n{needs}\n{body}\n[Install]\nWantedBy={target}.target\n"
    )
