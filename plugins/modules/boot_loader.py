#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Have a host start from each disk of its boot mirror."""

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_loader
short_description: Have a host start from each disk of its boot mirror
version_added: 0.1.0
description:
  - Looks at every disk below the file system with C(/boot) in one call, and installs GRUB where it
    isn't, or isn't the one that the host's packages bring. Afterwards it looks again.
  - With BIOS, GRUB is on each disk by itself, its core in a partition of type BIOS boot.
  - With EFI, C(/boot/efi) is one EFI system partition, or a RAID 1 of them with metadata 1.0. GRUB
    is also put at the path that firmware tries by itself, and the firmware is told of each disk.
    What it was told of disks that are gone, it is made to forget.
  - debconf is told the disks, so that upgrades of GRUB update all of them.
  - A host without the package of GRUB for its firmware is started by something else. It is left
    alone unless O(disks) are given.
options:
  disks:
    description:
      - Paths of the disks, of which each must be fit for a boot loader. By default those below
        C(/boot), of which one at least must be; there is a warning about each of the others.
    type: list
    elements: str
    default: []
  firmware:
    description: What the host is started by. By default what has started the running system.
    type: str
    choices: [bios, efi]
  root:
    description: Where the system that is to start is mounted, with its C(/boot) and C(/boot/efi).
    type: path
    default: /
attributes:
  check_mode:
    support: full
    description: Predicts what a run then does, and changes nothing.
  diff_mode:
    support: none
    description: What changes are boot sectors; RV(steps) says which.
  platform:
    platforms: debian
    support: full
    description: Debian 12 and Debian 13.
author: Servertechnik contributors (@servertechnik)
"""

EXAMPLES = r"""
- name: Have both disks of the mirror start the host
  servertechnik.core.boot_loader:
"""

RETURN = r"""
firmware:
  description: V(bios) or V(efi), empty for a host without GRUB.
  returned: success
  type: str
  sample: efi
disks:
  description: Each disk, with the partition that its boot loader is in.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The kernel's path of the disk.
      type: str
    serial:
      description: Its serial number.
      type: str
    partition:
      description: The partition that the boot loader is in; empty for none.
      type: str
    state:
      description:
        - V(current) if there was nothing to do, V(installed) if GRUB was installed or would be,
          V(impossible) if the disk is unfit.
      type: str
    found:
      description: What was wrong with it, in words.
      type: str
    bootable:
      description: Whether the host starts from it now.
      type: bool
  sample:
    - path: /dev/vdb
      serial: SER002
      partition: /dev/vdb1
      state: installed
      found: its first sector is not GRUB's
      bootable: true
steps:
  description: What was done, or would be.
  returned: success
  type: list
  elements: str
  sample: ["/dev/vdb (SER002): install GRUB"]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import run_module
from ansible_collections.servertechnik.core.plugins.module_utils._boot import keep
from ansible_collections.servertechnik.core.plugins.module_utils._boot_grub import System
from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import BootError
from ansible_collections.servertechnik.core.plugins.module_utils._disk_health import document
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError

ARGUMENTS: dict[str, Any] = {
    "disks": {"type": "list", "elements": "str", "default": []},
    "firmware": {"type": "str", "choices": ["bios", "efi"]},
    "root": {"type": "path", "default": "/"},
}


def main() -> None:
    """Translate between Ansible and the boot loader."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    host = Host()

    def work() -> dict[str, Any]:
        try:
            return keep(
                System(host, module.params["root"].rstrip("/")),
                lambda: document(host, smart=False),
                disks=module.params["disks"],
                firmware=module.params["firmware"] or "",
                check=module.check_mode,
            )
        except BootError as error:
            raise HostError(str(error)) from error

    run_module(module, work)


if __name__ == "__main__":
    main()
