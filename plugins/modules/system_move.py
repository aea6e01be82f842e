#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Move the running system onto other file systems."""

from __future__ import annotations

DOCUMENTATION = r"""
module: system_move
short_description: Move the running system onto other file systems, so that it starts from there
version_added: 0.1.0
description:
  - Copies the running Debian system with rsync(1), twice, the second time for what has changed
    meanwhile. What is copied is what lies on the disks of its root; what is mounted from other
    disks stays there.
  - Writes fstab, crypttab and mdadm.conf of the new place, makes its initial file system, has
    M(servertechnik.core.boot_loader) install GRUB on each disk of its C(/boot), and looks whether
    it would start, and has all programs and kernels.
  - Nothing is written to the old disks. The system still starts from them, which is the way back.
  - Run again, it goes on where it was, and copies what has changed since. When the host has been
    restarted from its new place, nothing is left to do. Stop databases before the last run.
options:
  file_systems:
    description:
      - The file systems to move onto, which must be empty. One is that for C(/). A host with EFI
        needs one for C(/boot/efi), one with an encrypted root another for C(/boot).
      - This is what the storage module returns as C(mounts). Swap space is left out.
    type: list
    elements: dict
    required: true
    suboptions:
      mount:
        description: Where it will be mounted; empty for swap space.
        type: path
        required: true
      device:
        description: Path of its device.
        type: path
        required: true
      options:
        description: Mount options. By default C(errors=remount-ro) for an ext4 root.
        type: list
        elements: str
        default: []
      here:
        description: Whether it is in use by the running system already, and stays as it is.
        type: bool
        default: false
      name:
        description: What people call the device. Not looked at.
        type: str
      path:
        description: What the kernel calls the device just now. Not looked at.
        type: str
      type:
        description: What file system it is. Not looked at.
        type: str
  firmware:
    description: What the host is started by. By default what has started the running system.
    type: str
    choices: [bios, efi]
attributes:
  check_mode:
    support: full
    description: Predicts what a run then does, and changes nothing.
  diff_mode:
    support: none
    description: A whole system is too much to show.
  platform:
    platforms: debian
    support: full
    description: Debian 12 and Debian 13.
author: Servertechnik contributors (@servertechnik)
"""

EXAMPLES = r"""
- name: Move onto the mirror
  servertechnik.core.system_move:
    file_systems:
      - mount: /
        device: /dev/mapper/root
      - mount: /boot
        device: /dev/md/boot
      - mount: /boot/efi
        device: /dev/md/efi
"""

RETURN = r"""
state:
  description:
    - V(planned) in check mode, V(ready) when the host is to be restarted from the disks of its new
      place, V(moved) when it runs there.
  returned: success
  type: str
  sample: ready
steps:
  description: What was done, or would be.
  returned: success
  type: list
  elements: str
  sample: ["mount /, /boot", "copy /", "write /etc/fstab, /etc/mdadm/mdadm.conf"]
disks:
  description: The disks that the host starts from, as M(servertechnik.core.boot_loader) tells them.
  returned: when not in check mode
  type: list
  elements: dict
  sample:
    - path: /dev/vdb
      serial: SER001
      partition: /dev/vdb1
      state: installed
      found: its first sector is not GRUB's
      bootable: true
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import run_module
from ansible_collections.servertechnik.core.plugins.module_utils._boot_tree import BootError
from ansible_collections.servertechnik.core.plugins.module_utils._disk_health import document
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._move import Move
from ansible_collections.servertechnik.core.plugins.module_utils._move_plan import MoveError

ARGUMENTS: dict[str, Any] = {
    "file_systems": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "mount": {"type": "path", "required": True},
            "device": {"type": "path", "required": True},
            "options": {"type": "list", "elements": "str", "default": []},
            "here": {"type": "bool", "default": False},
            **{key: {"type": "str"} for key in ("name", "path", "type")},
        },
    },
    "firmware": {"type": "str", "choices": ["bios", "efi"]},
}


def main() -> None:
    """Translate between Ansible and the move."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    host = Host()

    def work() -> dict[str, Any]:
        asked, firmware = module.params["file_systems"], module.params["firmware"] or ""
        move = Move(host, lambda: document(host, smart=False), asked, firmware)
        try:
            return move.run(check=module.check_mode)
        except (BootError, MoveError) as error:
            raise HostError(str(error)) from error

    run_module(module, work)


if __name__ == "__main__":
    main()
