# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Have the machine start from the new disk as well: mdadm.conf, initramfs and boot loader."""

from __future__ import annotations

from ansible_collections.servertechnik.core.plugins.module_utils import _boot, _raid_config
from ansible_collections.servertechnik.core.plugins.module_utils._boot_grub import System
from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import BootError
from ansible_collections.servertechnik.core.plugins.module_utils._disk_health import document
from ansible_collections.servertechnik.core.plugins.module_utils._host import HostError
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_host import Site
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import (
    Json,
    Tree,
)

_PLACES = {"/", "/boot", "/boot/efi"}


def have_started(site: Site, state: Json, tree: Tree) -> None:
    """Have files and boot loader as they must be, if the old disk had to do with the start.

    Raises HostError.
    """
    site.did += _raid_config.keep(site.host, tree.arrays).steps
    if not site.order.boot_loader or not starts(state):
        return
    try:
        kept = _boot.keep(System(site.host), lambda: document(site.host, smart=False))
    except BootError as error:
        raise HostError(f"the rebuild runs, but the boot loader is not well: {error}") from error
    site.did += kept["steps"]
    state["notes"] += [one for one in kept["warnings"] if one not in state["notes"]]


def starts(state: Json) -> bool:
    """Whether the old disk had a part in starting the machine."""
    return any(unit["use"] == "boot" or _PLACES & set(unit["carries"]) for unit in state["units"])
