# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The way of the new disk into a host: insert, copy, rebuild."""

from __future__ import annotations

import glob
import os
import time

from ansible_collections.servertechnik.core.plugins.module_utils._host import HostError
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_host import (
    RefusalError,
    Site,
    place,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_layout import (
    follows,
    script,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_lvm import (
    join,
    leave,
    syncing,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_new import (
    blank_ones,
    choose,
    in_use,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_start import (
    have_started,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import (
    EFI,
    Json,
    Tree,
    name_of,
    title,
)

_SHOWN = ("serial", "wwn", "path", "model", "vendor", "size", "slot")
_PAUSE = 1.0


class GoneError(Exception):
    """The new disk isn't there any more."""


def insert(site: Site, state: Json) -> str:
    """Find the new disk; return what is to wait for while there is none.

    Raises NewDiskError for one that doesn't do.
    """
    order, deadline = site.order, time.monotonic() + site.order.poll
    _rescan(site)
    while True:
        names = sorted(os.listdir(site.host.at("/sys/block")))
        tree = site.tree()
        if choose(tree, state, order.choice):
            break
        while sorted(os.listdir(site.host.at("/sys/block"))) == names:
            if time.monotonic() > deadline:
                return _waiting(tree, state, order.choice.new)
            site.sleep(_PAUSE)
        site.settle()
    tree = site.tree(smart=True)
    disk = choose(tree, state, order.choice)
    if disk is None:
        return _waiting(tree, state, order.choice.new)
    former = state["replacement"] or {}
    if former.get("serial") != name_of(disk):
        state["replacement"] = {key: disk.get(key) for key in _SHOWN} | {
            "serial": name_of(disk),
            "prepared": False,
        }
    return ""


def _waiting(tree: Tree, state: Json, new: str) -> str:
    if new:
        return f"waiting for the disk {new}"
    words = "waiting for a new disk"
    if blank := blank_ones(tree, state):
        words += f"; an empty one was there before ({', '.join(blank)}): to take it, say "
        words += f"new={blank[0]}"
    return words


def _rescan(site: Site) -> None:
    """Have the kernel look for disks that came without a word (scsi_mid_low_api; sysfs-bus-pci)."""
    for path in glob.glob(site.host.at("/sys/class/scsi_host/*/scan")):
        site.host.run(["sh", "-c", f"echo '- - -' >{path}"])
    site.host.run(["sh", "-c", "echo 1 >/sys/bus/pci/rescan"])


def copy(site: Site, state: Json) -> str:
    """Give the new disk what the old one had: layout, members, volumes, swap. Can be done again."""
    tree, disk = _new(site, state)
    if not state["replacement"]["prepared"]:
        _prepare(site, state, tree, disk)
        state["replacement"]["prepared"] = True
        site.states.save(state)
    tree, _disk = _new(site, state)
    have_members(site, state)
    have_started(site, state, tree)
    return ""


def _new(site: Site, state: Json) -> tuple[Tree, Json]:
    tree = site.tree()
    disk = tree.disk(state["replacement"]["serial"])
    if disk is None:
        raise GoneError(f"the new disk {state['replacement']['serial']} is gone again")
    return tree, disk


def _prepare(site: Site, state: Json, tree: Tree, disk: Json) -> None:
    """Make the disk empty, which somebody has allowed or it is, and partition it."""
    path, layout = disk["path"], state["layout"]
    if used := in_use(tree, disk):
        raise RefusalError(f"{path} is in use: {', '.join(used)}; nothing was changed")
    if tree.holds(disk):
        _wipe(site, tree, disk)
    if layout["table"]:
        file = site.states.path(state["disk"]["serial"], "sfdisk")
        site.states.keep(file, script(layout))
        words = f'sfdisk --quiet --wipe always --wipe-partitions always "$1" <{file}'
        site.must("sh", "-c", words, "sfdisk", path)
        site.settle()
        now = site.tree().disk(state["replacement"]["serial"])
        if now is None or not follows(now, layout):
            raise HostError(f"{path} hasn't got the layout in {file}; look at both with sfdisk -d")


def _wipe(site: Site, tree: Tree, disk: Json) -> None:
    paths = [disk["path"], *(part["path"] for part in disk["partitions"])]
    above = {one["path"]: one for path in paths for one in tree.above(path)}
    for device in reversed(list(above.values())):
        if device["kind"] == "raid":
            site.must("mdadm", "--stop", device["path"])
        elif device["kind"] in ("lvm", "crypt"):
            site.must("dmsetup", "remove", device["path"])
    site.must("wipefs", "--all", "--quiet", *reversed(paths))
    site.settle()


def have_members(site: Site, state: Json) -> None:
    """Have every array, volume group, swap and boot area of the old disk on the new one."""
    tree, disk = _new(site, state)
    name = name_of(disk)
    for unit in state["units"]:
        device = place(tree, name, unit["number"])
        if not device:
            raise HostError(f"the new disk {name} has lost its partition {unit['number']}")
        if unit["use"] == "array":
            _add_member(site, tree, unit, device)
        elif unit["use"] == "swap" and not tree.devices[device]["content"]["type"]:
            label = ["--label", unit["label"]] if unit["label"] else []
            site.must("mkswap", *label, "--uuid", unit["uuid"], device)
            if unit["carries"]:
                site.must("swapon", device)
        elif unit["use"] == "boot" and unit["type"] == EFI and unit["content"] == "vfat":
            _make_efi(site, tree, unit, device)
        elif unit["use"] == "volumes":
            group = next(one for one in tree.groups if one["uuid"] == unit["uuid"])
            former = place(tree, state["disk"]["serial"], unit["number"])
            join(site.host, site.must, group, device, former)


def _add_member(site: Site, tree: Tree, unit: Json, device: str) -> None:
    array = tree.array(unit["uuid"])
    if array is None or "inactive" in array["state"]:
        raise RefusalError(
            f"array {unit['of']} doesn't run. If the power failed while it lacked a disk and was "
            "written to, md can't know whether its last stripes are whole (md(4), dirty degraded "
            f"array): start it with 'mdadm --stop {array['path'] if array else unit['of']}' and "
            f"'mdadm --assemble --force --run /dev/md/{unit['of']} --uuid={unit['uuid']}', check "
            "what is on it, then run this again"
        )
    own = next((m for m in array["members"] if m["path"] == device), None)
    if own is not None and own["state"] == "faulty":
        raise HostError(
            f"array {title(array)}: the new member {device} has failed: put in another disk, then "
            f"run this again with new=SERIAL"
        )
    if own is None:
        site.must("mdadm", "--manage", array["path"], "--add", device)
        site.set_speed(array["path"], site.order.speed)


def _make_efi(site: Site, tree: Tree, unit: Json, device: str) -> None:
    """Make an EFI system partition that isn't a mirror, under the identity of the old one."""
    if not tree.devices[device]["content"]["type"]:
        site.must("mkfs.vfat", "-i", unit["uuid"].replace("-", ""), device)
    for mount in unit["carries"]:
        if mount not in tree.mounts(device):
            site.must("mount", device, mount)


def rebuild(site: Site, state: Json) -> tuple[str, list[Json]]:
    """Look how far the rebuild is: what is to wait for, and an entry for each array.

    What isn't on the new disk (any more) is added again. Raises GoneError, HostError.
    """
    have_members(site, state)
    deadline = time.monotonic() + site.order.poll
    while True:
        tree, disk = _new(site, state)
        progress = _progress(site, state, tree, disk)
        if not progress or time.monotonic() > deadline:
            break
        site.sleep(_PAUSE)
    if not progress:
        _finish(site, state, tree)
    return ("rebuilding" if progress else ""), progress


def _progress(site: Site, state: Json, tree: Tree, disk: Json) -> list[Json]:
    found: list[Json] = []
    for unit in state["units"]:
        if unit["use"] == "volumes":
            found += syncing(site.host, unit["of"])
        if unit["use"] != "array":
            continue
        array = tree.array(unit["uuid"])
        device = place(tree, name_of(disk), unit["number"])
        own = next((m for m in (array or {"members": []})["members"] if m["path"] == device), None)
        if array is None or own is None or own["state"] == "faulty":
            raise HostError(
                f"array {unit['of']}: the new member {device} has failed during the rebuild; look "
                "at the kernel's log, put in another disk, then run this again with new=SERIAL"
            )
        if own["state"] == "in_sync" or (own["state"] == "spare" and not array["degraded"]):
            continue
        site.set_speed(array["path"], site.order.speed)
        if "read-auto" in array["state"]:
            # Nobody has written to it since the start, and so long it isn't rebuilt (md.rst).
            site.must("mdadm", "--readwrite", array["path"])
        sync = array["sync"]
        found.append(
            {"name": title(array), "done": sync["done"] or 0.0}
            | {key: sync[key] for key in ("left", "speed")}
        )
    return found


def _finish(site: Site, state: Json, tree: Tree) -> None:
    for unit in state["units"]:
        if unit["use"] == "array" and (array := tree.array(unit["uuid"])):
            site.set_speed(array["path"], "normal")
        elif unit["use"] == "volumes":
            group = next(one for one in tree.groups if one["uuid"] == unit["uuid"])
            leave(site.must, group, place(tree, state["disk"]["serial"], unit["number"]))
