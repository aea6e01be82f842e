# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What dpkg's files and apt's words mean. Pure text in, data out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable

from ansible_collections.servertechnik.core.plugins.module_utils._model import PackageState

POLICY = "/usr/sbin/policy-rc.d"

_WITH_FILES = {b"installed", b"triggers-awaited", b"triggers-pending"}


def parse_status(status: bytes, names: Iterable[str]) -> dict[str, PackageState]:
    """Return what dpkg's status file (deb822, dpkg(1)) says of `names`.

    A name may carry an architecture (`libc6:i386`). Packages it doesn't mention, and those of
    which only configuration files remain or that are half-installed, have no version.
    """
    wanted = {name: PackageState() for name in names}
    by_name: dict[bytes, list[str]] = {}
    for name in wanted:
        by_name.setdefault(name.partition(":")[0].encode(), []).append(name)
    for paragraph in status.split(b"\n\n") if wanted else ():
        head = paragraph.partition(b"\n")[0]
        keys = by_name.get(head.removeprefix(b"Package: "))
        if not keys:
            continue
        words = (_field(paragraph, b"Status") or b"unknown ok not-installed").split()
        version = _field(paragraph, b"Version") if words[2] in _WITH_FILES else None
        state = PackageState(
            version=version.decode() if version else None, held=words[0] == b"hold"
        )
        architecture = (_field(paragraph, b"Architecture") or b"").decode()
        for key in keys:
            asked = key.partition(":")[2]
            if asked in ("", architecture) and wanted[key].version is None:
                wanted[key] = state
    return wanted


def _field(paragraph: bytes, name: bytes) -> bytes | None:
    start = paragraph.find(b"\n" + name + b": ")
    if start < 0:
        return None
    end = paragraph.find(b"\n", start + 1)
    return paragraph[start + len(name) + 3 : end if end > 0 else None].strip()


def surprises(simulation: str, removable: Collection[str]) -> list[str]:
    """Return the packages that `apt-get --simulate` would remove though nobody asked for it."""
    gone = re.findall(r"^Remv (\S+)", simulation, re.MULTILINE)
    return sorted(name for name in gone if name.partition(":")[0] not in removable)


def needs_lists(output: str) -> bool:
    """Whether apt's words mean that its package lists are missing or older than the mirror."""
    return bool(
        re.search(
            r"Unable to locate package|has no installation candidate|Version '.*' for '.*' was not "
            r"found|404 +Not Found|Unable to fetch some archives",
            output,
        )
    )


def policy(units: Iterable[str], former: bool) -> str:
    """Return a policy-rc.d (invoke-rc.d(8)) that keeps `units`, and nothing else, from starting.

    It is asked by unit name (deb-systemd-invoke) or by init script name (invoke-rc.d). All other
    services are left to the policy that was there before, kept beside it, if there was a `former`.
    """
    names = " | ".join(
        shlex.quote(name) for unit in units for name in (unit, unit.rpartition(".")[0])
    )
    other = f'exec {POLICY}.servertechnik "$@"' if former else "exit 0"
    return (
        "#!/bin/sh\n# Services of a component that is being installed start when their "
        "configuration is in place.\n"
        'for word in "$@"; do\n    case "$word" in\n        --*) ;;\n'
        f"        {names}) exit 101 ;;\n        *) {other} ;;\n    esac\ndone\nexit 0\n"
    )
