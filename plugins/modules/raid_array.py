#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A software RAID array of a host, as it must be."""

from __future__ import annotations

DOCUMENTATION = r"""
module: raid_array
short_description: Have a software RAID array as it must be, and never destroy by surprise
version_added: 0.1.0
description:
  - Creates, assembles, grows, scrubs and stops one array of the kernel's md, and adds, fails,
    removes and replaces its members. It calls C(mdadm); what is so already is left alone.
  - Either says what the array is made of (O(level) and O(members)), or what is to be done with
    members of an array that runs (O(add), O(fail), O(remove), O(replace)).
  - A device that holds anything, is in use or too small is refused before the first step; the
    superblock of this very array is the exception. An array keeps its data at any step, no copy
    that is needed can be failed or removed.
  - A creation that was interrupted is finished, and an array that didn't start is assembled.
  - What has to wait for a rebuild to end is told in RV(pending) and done by a later call.
  - Keeps the array's line in C(/etc/mdadm/mdadm.conf) and the initramfs true, so that the machine
    boots. Other lines stay as they are.
  - No member in use goes because the arguments leave it out. Superblocks are not erased.
options:
  name:
    description:
      - The name of the array, which appears as C(/dev/md/NAME). An array that runs may be given by
        any path of its device, such as C(/dev/md127), as well.
    type: str
    required: true
  uuid:
    description:
      - The UUID that a new array gets, in md's form (C(aaaaaaaa:bbbbbbbb:cccccccc:dddddddd)) or
        in the usual one. By default it is random.
      - An array that exists must have it, whatever its name.
    type: str
  state:
    description:
      - V(present) has the array running. V(stopped) stops it, if nothing uses it.
    type: str
    choices: [present, stopped]
    default: present
  level:
    description: The RAID level. Another one than that of the array needs O(grow).
    type: int
    choices: [0, 1, 5, 6, 10]
  members:
    description:
      - The devices that hold the data, by any path. The word V(missing) stands for one that comes
        later, when the array is created.
      - One that isn't in the array fills a place that is free; or replaces the member that isn't
        in the list any more, by copying, and with redundancy kept; or makes the array larger if
        O(grow). Faulty members that aren't in the list are taken out.
    type: list
    elements: str
  spares:
    description: The devices that take the place of one that fails.
    type: list
    elements: str
    default: []
  metadata:
    description:
      - The format of the superblock, by default V(1.2) for a new array. V(1.0) has it at the end,
        as firmware needs it.
    type: str
    choices: ["1.0", "1.2"]
  chunk:
    description: How much of a file is on one member, in KiB. By default mdadm decides.
    type: int
  bitmap:
    description:
      - Whether the array keeps a record of what isn't on all members yet (internal write-intent
        bitmap), so that a rebuild after a power cut or with a member that was only away is quick.
      - By default new arrays with redundancy have it, and others stay as they are.
    type: bool
  homehost:
    description: The host that a new array belongs to. By default mdadm takes the host's name.
    type: str
  grow:
    description:
      - Whether the array may become larger, by more O(members), by the whole size of members that
        were replaced with larger ones, or change its O(level) (1 to 5 with two members, 5 to 6
        with one member more, 0 to 10 with twice the members). This can't be undone.
    type: bool
    default: false
  add:
    description:
      - Devices to add to the array that runs; they fill free places, or are spares. One that was
        only away comes back with what has changed.
    type: list
    elements: str
    default: []
  fail:
    description: Members to declare faulty.
    type: list
    elements: str
    default: []
  remove:
    description:
      - Members to take out of the array; one that is active is declared faulty first. The word
        V(failed) means all that are faulty, V(detached) all whose disks are gone.
    type: list
    elements: str
    default: []
  replace:
    description:
      - Members to replace by copying, with redundancy kept until the new one is complete. Then the
        old one is faulty, and the same call again removes it.
    type: list
    elements: dict
    default: []
    suboptions:
      old:
        description: The member.
        type: str
        required: true
      new:
        description: The device that takes its place.
        type: str
        required: true
  speed_min:
    description:
      - How quickly a rebuild goes at least while others use the array, in KiB/s and member. V(0)
        is the system's limit. It holds until the machine restarts.
    type: int
  speed_max:
    description: How quickly it goes at most, likewise.
    type: int
  scrub:
    description: Starts reading and comparing all members, or stops that.
    type: str
    choices: [started, stopped]
  initramfs:
    description:
      - Whether the initramfs is made anew when it is older than mdadm.conf. V(false) leaves it to a
        later call, so that it is made once for several arrays.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
    description: Predicts what a run does, refusals among it, and changes nothing.
  diff_mode:
    support: full
    description: Shows the steps, and how mdadm.conf changes.
  platform:
    platforms: debian
    support: full
    description: Debian 12 and Debian 13.
requirements:
  - mdadm and root (use C(become)) on the host
author: Servertechnik contributors (@servertechnik)
"""

EXAMPLES = r"""
- name: Have a mirror for the system
  servertechnik.core.raid_array:
    name: system
    level: 1
    members:
      - /dev/disk/by-id/ata-EXAMPLE_FRONT-part2
      - /dev/disk/by-id/ata-EXAMPLE_BACK-part2

- name: Take a member out before its disk is pulled
  servertechnik.core.raid_array:
    name: system
    remove: [/dev/disk/by-id/ata-EXAMPLE_BACK-part2]

- name: Put in the new disk, gently
  servertechnik.core.raid_array:
    name: system
    add: [/dev/disk/by-id/ata-EXAMPLE_NEW-part2]
    speed_max: 20000

- name: Replace a member that grows old, without ever losing redundancy
  servertechnik.core.raid_array:
    name: system
    replace:
      - old: /dev/disk/by-id/ata-EXAMPLE_FRONT-part2
        new: /dev/disk/by-id/ata-EXAMPLE_NEW-part2

- name: Have a fourth disk in the archive
  servertechnik.core.raid_array:
    name: archive
    level: 6
    members: [/dev/disk/by-slot/1, /dev/disk/by-slot/2, /dev/disk/by-slot/3, /dev/disk/by-slot/4]
    grow: true

- name: Compare all copies
  servertechnik.core.raid_array:
    name: system
    scrub: started
"""

RETURN = r"""
array:
  description:
    - The array as it is now, with the keys of an entry of C(arrays) that
      M(servertechnik.core.disk_health) returns; empty when there is none (yet).
  returned: success
  type: dict
  sample:
    name: system
    path: /dev/md127
    level: raid1
    state: [clean]
steps:
  description: What was done, or would be in check mode, in order; commands as they were run.
  returned: success
  type: list
  elements: str
  sample:
    - mdadm /dev/md127 --add /dev/vdc2
    - update-initramfs -u -k all
pending:
  description: What is still to be done and has to wait, with the reason.
  returned: success
  type: list
  elements: str
  sample:
    - "remove /dev/vda2: until it is replaced (recover, 34 %)"
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import run_module
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._raid_run import apply
from ansible_collections.servertechnik.core.plugins.module_utils._raid_wanted import Wanted

PATHS = {"type": "list", "elements": "str", "default": []}
ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "uuid": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "stopped"], "default": "present"},
    "level": {"type": "int", "choices": [0, 1, 5, 6, 10]},
    "members": {"type": "list", "elements": "str"},
    "spares": PATHS,
    "metadata": {"type": "str", "choices": ["1.0", "1.2"]},
    "chunk": {"type": "int"},
    "bitmap": {"type": "bool"},
    "homehost": {"type": "str"},
    "grow": {"type": "bool", "default": False},
    "add": PATHS,
    "fail": PATHS,
    "remove": PATHS,
    "replace": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "old": {"type": "str", "required": True},
            "new": {"type": "str", "required": True},
        },
    },
    "speed_min": {"type": "int"},
    "speed_max": {"type": "int"},
    "scrub": {"type": "str", "choices": ["started", "stopped"]},
    "initramfs": {"type": "bool", "default": True},
}


def main() -> None:
    """Translate between Ansible and the array."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_together=[("level", "members")],
        mutually_exclusive=[("members", one) for one in ("add", "fail", "remove", "replace")],
        supports_check_mode=True,
    )

    def work() -> dict[str, Any]:
        return apply(
            Host(),
            Wanted.of(module.params),
            check=module.check_mode,
            initramfs=module.params["initramfs"],
        )

    run_module(module, work)


if __name__ == "__main__":
    main()
