#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The storage of a host, and how it is doing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_health
short_description: Disks, arrays, volumes and file systems of a host, and how each disk is doing
version_added: 0.1.0
description:
  - One document of all that holds data on a host, with a verdict on each disk and the reasons.
  - Nothing is changed, and no disk that sleeps is woken, unless O(contents) asks for it.
  - Programs that are not installed are named in RV(unread), as is all else that can't be read. A
    program that gets no answer from a disk within 10 seconds is given up, and that is a finding.
extends_documentation_fragment:
  - servertechnik.core.transaction.read_only
options:
  smart:
    description: Whether to ask the disks how they are, with smartctl(8).
    type: bool
    default: true
  contents:
    description:
      - Whether to read from the devices, for signatures where udev has recognised nothing (those
        that contradict each other, for example) and for the sizes that file systems claim.
    type: bool
    default: false
author: Servertechnik contributors (@servertechnik)
"""

EXAMPLES = r"""
- name: See how the disks are
  servertechnik.core.disk_health:
  register: disk_health

- name: Stop where a disk has to be replaced
  ansible.builtin.assert:
    that: disk_health['disks'] | rejectattr('verdict', 'in', ['healthy', 'watch']) | length == 0
    quiet: true
"""

RETURN = r"""
disks:
  description:
    - The disks, those that hardware RAID hides included where smartctl finds them; V(behind) then
      names the controller.
    - V(verdict) is V(healthy), V(watch) (look into it), V(replace) (it won't last) or V(failed).
    - Sizes are in bytes, temperatures in degrees Celsius, wear and spare in percent. What a disk
      doesn't say is null.
  returned: success
  type: list
  elements: dict
  sample:
    - path: /dev/sda
      serial: SER001
      model: EXAMPLE 4TB
      slot: Slot 03
      size: 4000787030016
      table: gpt
      partitions:
        - {path: /dev/sda1, number: 1, name: system, start: 1048576, size: 4000784056832}
      smart: {available: true, passed: true, hours: 41233, temperature: 34, pending: 8}
      kernel_errors: 0
      verdict: watch
      reasons: ["sectors that could not be read and wait to be reallocated: 8"]
devices:
  description:
    - Every block device, with what it is made of (V(parents)), what is on it (V(content)) and where
      it is mounted. With O(contents), V(signatures) are those that udev has passed over.
  returned: success
  type: list
  elements: dict
  sample:
    - path: /dev/md127
      kind: raid
      name: /dev/md/system
      size: 4000649838592
      parents: [/dev/sda1, /dev/sdb1]
      read_only: false
      content: {type: crypto_LUKS, uuid: 6e0d6c4e-0b3c-4e4e-9d0e-6f6f5c1b0a11, version: "2"}
      mounts: []
      signatures: []
arrays:
  description:
    - Software RAID. V(sync) has what is under way, V(done) from 0 to 1, V(speed) in bytes a second,
      V(left) in seconds.
  returned: success
  type: list
  elements: dict
  sample:
    - path: /dev/md127
      name: /dev/md/system
      level: raid1
      state: [clean, degraded, recover]
      members:
        - {path: /dev/sda1, slot: 0, state: in_sync}
        - {path: /dev/sdb1, slot: 1, state: rebuilding}
      sync: {action: recover, done: 0.42, speed: 181231616, left: 12803}
luks:
  description: Encrypted devices; V(name) is empty while they are closed.
  returned: success
  type: list
  elements: dict
  sample:
    - {device: /dev/md127, name: system, version: 2, slots: [0, 1], cipher: aes-xts-plain64}
volume_groups:
  description: LVM, with the physical and logical volumes of each group.
  returned: success
  type: list
  elements: dict
  sample:
    - name: main
      size: 4000225165312
      free: 1073741824
      missing: 0
      physical_volumes: [{path: /dev/mapper/system, missing: false}]
      volumes: [{name: srv, path: /dev/main/srv, type: linear, health: ""}]
file_systems:
  description: The file systems of the host itself that are mounted, with space and inodes.
  returned: success
  type: list
  elements: dict
  sample:
    - target: /srv
      source: /dev/dm-1
      type: ext4
      size: 1055762868
      used: 24576
      available: 1001234432
      inodes: 65536
      inodes_free: 65525
      read_only: false
      remounted_read_only: false
      errors: 0
configured:
  description: What fstab(5), crypttab(5) and mdadm.conf(5) say.
  returned: success
  type: dict
  contains:
    fstab:
      description: Its lines; V(path) is the device that is meant, empty if it isn't there.
      type: list
      elements: dict
    crypttab:
      description: Its lines.
      type: list
      elements: dict
    mdadm:
      description: Its arrays.
      type: list
      elements: dict
controllers:
  description: Controllers that may hide disks, and how to look behind them.
  returned: success
  type: list
  elements: dict
  sample:
    - driver: megaraid_sas
      address: "0000:03:00.0"
      hidden: 8
      advice: "smartctl --device=megaraid,N; storcli /call show all"
tools:
  description: The programs for storage that are installed.
  returned: success
  type: list
  elements: str
  sample: [lvm, mdadm, smartctl]
unread:
  description: What could not be read, and why.
  returned: success
  type: list
  elements: str
  sample: ["smartctl is not installed (package smartmontools)"]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import run_module
from ansible_collections.servertechnik.core.plugins.module_utils._disk_health import document
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host

ARGUMENTS = {
    "smart": {"type": "bool", "default": True},
    "contents": {"type": "bool", "default": False},
}


def main() -> None:
    """Translate between Ansible and the document."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)

    def work() -> dict[str, Any]:
        return dict(document(Host(), **module.params))

    run_module(module, work)


if __name__ == "__main__":
    main()
