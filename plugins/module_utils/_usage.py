# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Find what fills the file systems of a host, and remove what may be removed."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ansible_collections.servertechnik.core.plugins.module_utils._disk_health import document
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._usage_account import (
    account,
    fullness,
)
from ansible_collections.servertechnik.core.plugins.module_utils._usage_growth import (
    Growth,
    grown,
    growth,
)
from ansible_collections.servertechnik.core.plugins.module_utils._usage_mounts import (
    Figures,
    Mount,
    UsageError,
    figures,
    hiding,
    holding,
    is_network,
    local,
    parse,
    visible,
    whole,
)
from ansible_collections.servertechnik.core.plugins.module_utils._usage_open import deleted
from ansible_collections.servertechnik.core.plugins.module_utils._usage_remedies import Remedies
from ansible_collections.servertechnik.core.plugins.module_utils._usage_scan import (
    TREE,
    Found,
    Walk,
    alone,
)

STATE = "/var/lib/servertechnik/usage"
CONTAINERS = (
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/docker",
    "/var/lib/incus",
    "/var/lib/libvirt/images",
    "/var/lib/lxc",
    "/var/lib/lxd",
    "/var/lib/machines",
)
_HOUR = 3600
_INODES = 80  # percent of the inodes from which folders with many entries are of interest
_RESERVED = 5  # percent of the size from which what is reserved for root is
_MOST = 3  # file systems that are looked into in one call


@dataclass(frozen=True)
class Wish:
    """What a call wants; percents and bytes as the module documents them."""

    path: str
    full: int
    allow: tuple[str, ...]
    free: bool
    grow: int
    aim: int
    seconds: float
    top: int
    recent_hours: float
    journal_keep: int
    check: bool


def usage(host: Host, wish: Wish) -> dict[str, Any]:
    """Return what fills the file systems that are meant. Raises UsageError, HostError."""
    mounts = visible(parse(os.fsdecode(host.content("/proc/self/mountinfo"))))
    folders = [one for one in local(mounts) if os.path.isdir(host.at(one.target))]
    every = [{"target": one.target, **_figures(host, one)} for one in folders]
    every.sort(key=lambda one: (-_fullest(one), one["target"]))
    targets = _targets(host, mounts, wish, every)
    found = [_examine(host, mounts, target, wish) for target in targets]
    lines = [line for one in found for line in account(one, check=wish.check)]
    if not found and every:
        lines = [
            f"No file system is {wish.full} % full; the fullest is {every[0]['target']}: "
            f"{fullness(every[0])}"
        ]
    changed = any(freed["bytes"] for one in found for freed in one["freed"])
    return {"changed": changed, "file_systems": every, "found": found, "account": lines}


def _targets(
    host: Host, mounts: list[Mount], wish: Wish, every: list[dict[str, Any]]
) -> list[Mount]:
    if not wish.path:
        full = [one["target"] for one in every if _fullest(one) >= wish.full]
        return [holding(mounts, target) for target in full[:_MOST]]
    path = os.path.normpath(wish.path)
    if not path.startswith("/"):
        raise UsageError(f"path: found {wish.path!r}, accepted: an absolute path")
    # By its name first: to follow a link on a network mount may already wait for ever.
    _refuse_remote(holding(mounts, path), wish.path)
    path = os.path.realpath(host.at(path))
    mount = holding(mounts, path)
    _refuse_remote(mount, wish.path)
    if not os.path.exists(host.at(path)):
        raise UsageError(f"path: found {wish.path!r}, which isn't there; accepted: one that is")
    return [whole(mounts, mount)]


def _refuse_remote(mount: Mount, path: str) -> None:
    if is_network(mount.type):
        raise UsageError(
            f"path: found {path!r}, which is on {mount.source} ({mount.type}); accepted: a file "
            "system of this host, so go to the one that has it"
        )


def _figures(host: Host, mount: Mount) -> Figures:
    return figures(os.statvfs(host.at(mount.target)))


def _fullest(of: Mapping[str, Any]) -> int:
    return max(int(of["percent"]), int(of["inodes_percent"]))


def _examine(host: Host, mounts: list[Mount], target: Mount, wish: Wish) -> dict[str, Any]:
    before, now = _figures(host, target), time.time()
    scan = _scan(host, mounts, target, wish, now)
    last = _Last(host, target.target)
    here = _Here(mounts, target)
    freed, permissions = _free(host, here, wish, before["size"])
    after = _figures(host, target)
    kept = wish.check or last.keep(scan.tree, now)
    return {
        "target": target.target,
        "source": target.source,
        "type": target.type,
        "before": before,
        "after": after,
        "scan": {key: getattr(scan, key) for key in ("files", "folders", "complete", "seconds")},
        "heavy": scan.heavy,
        "largest": scan.largest,
        "recent": scan.recent,
        "crowded": scan.crowded,
        "hidden": sorted(scan.hidden, key=lambda one: -one["bytes"]),
        "since": last.at,
        "grown": grown(last.tree, scan.tree, TREE, wish.top) if last.tree else [],
        "deleted": deleted(target.device)[: wish.top],
        "containers": [
            {"path": path, "bytes": size}
            for path, size in sorted(scan.watched.items())
            if size and path in CONTAINERS
        ],
        "snapshots": list(_snapshots(host, target)),
        "freed": freed,
        "permissions": permissions,
        "growth": _growth(host, target, after, wish),
        "inodes_matter": before["inodes_percent"] >= _INODES,
        "reserved_matters": before["reserved"] * 100 >= before["size"] * _RESERVED,
        "state_kept": kept,
    }


def _scan(host: Host, mounts: list[Mount], target: Mount, wish: Wish, now: float) -> Found:
    # Whoever else works on these disks goes first.
    host.run(["ionice", "--class", "idle", "--pid", str(os.getpid())])
    with alone(host.at(target.target)) as where:
        return Walk(
            where,
            target.target,
            hiding(mounts, target),
            seconds=wish.seconds,
            top=wish.top,
            recent_since=now - wish.recent_hours * _HOUR,
            watch=CONTAINERS,
        ).run()


class _Here:
    """Whether a file is on the file system that is meant."""

    def __init__(self, mounts: list[Mount], target: Mount) -> None:
        self._mounts, self._device = mounts, target.device
        self._known: dict[str, bool] = {}

    def __call__(self, path: str) -> bool:
        folder = os.path.dirname(path)
        if folder not in self._known:
            real = os.path.realpath(folder)
            self._known[folder] = holding(self._mounts, real).device == self._device
        return self._known[folder]


def _free(
    host: Host, here: _Here, wish: Wish, size: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what was removed (would be, in check mode), and what permission is missing for."""
    freed, permissions = [], []
    for remedy in Remedies(host, here, wish.journal_keep).all(size):
        if not wish.free or (remedy.allow and remedy.allow not in wish.allow):
            permissions.append(dict(remedy.done()))
            continue
        error = ""
        try:
            if not wish.check:
                remedy.apply()
        except (HostError, OSError) as problem:
            error = str(problem)
        freed.append(dict(remedy.done(error)))
    return freed, permissions


class _Last:
    """What a file system held the last time, kept on the host."""

    def __init__(self, host: Host, target: str) -> None:
        self._path = f"{host.at(STATE)}/{quote(target, safe='')}.json"
        self.at, self.tree = "", dict[str, int]()
        # The first time there is none; a damaged one is none either.
        with contextlib.suppress(OSError, ValueError, KeyError):
            with open(self._path, encoding="utf-8") as file:
                known = json.load(file)
            self.at, self.tree = known["at"], known["tree"]

    def keep(self, tree: Mapping[str, int], now: float) -> bool:
        """Keep what there is now; return whether there was room for it."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        candidate = f"{self._path}.new"
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            with open(candidate, "w", encoding="utf-8", errors="surrogateescape") as file:
                json.dump({"at": moment, "tree": tree}, file)
            os.replace(candidate, self._path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(candidate)
            return False
        return True


def _snapshots(host: Host, target: Mount) -> Iterator[str]:
    if target.type == "btrfs":
        listed = host.run(["btrfs", "subvolume", "list", "-s", "-o", target.target])
        yield from (listed.text.splitlines() if not listed.status else ())


def _growth(host: Host, target: Mount, now: Figures, wish: Wish) -> Growth | None:
    device = os.path.basename(os.path.realpath(host.at(target.source)))
    try:
        on_volume = host.content(f"/sys/class/block/{device}/dm/uuid").startswith(b"LVM-")
    except OSError:
        on_volume = False
    if not on_volume:
        return None
    known: Mapping[str, Any] = document(host, smart=False)
    aim = {"at_most": wish.grow, "aim": wish.aim}
    return growth(known, target.target, target.type, now, **aim)
