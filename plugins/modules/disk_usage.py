#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What fills a file system, and what of it can go."""

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_usage
short_description: Find what fills a file system, and free what is safe to free
version_added: 0.1.0
description:
  - Looks into the fullest file systems of a host, or into one, and returns what takes their room.
    It never follows a link, never gets to another file system, and sees what mount points hide.
    File systems of other hosts aren't touched.
  - Works on a file system that is full to the last byte, if Ansible itself finds room elsewhere;
    see the playbook C(servertechnik.core.disk_full).
  - Safe to free are packages that apt has kept, and what the journal has beyond its own limit. All
    else needs a permission.
extends_documentation_fragment:
  - servertechnik.core.transaction.attributes
options:
  path:
    description:
      - A path on the file system to look into. Without it those are looked into that are full, at
        most the three fullest.
    type: path
    default: ""
  full:
    description: From how many percent, of space or of inodes, a file system is full.
    type: int
    default: 90
  free:
    description: Whether what is safe or allowed is removed. Otherwise it is only named.
    type: bool
    default: false
  allow:
    description:
      - What may be removed as well.
      - V(core_dumps) are those of programs that have crashed.
      - V(journal) is the journal down to O(journal_keep).
      - V(old_kernels) are those that apt would remove, never the running or the newest one.
      - V(rotated_logs) are compressed, if they were rotated more than a day ago.
    type: list
    elements: str
    choices: [core_dumps, journal, old_kernels, rotated_logs]
    default: []
  journal_keep:
    description: How much of the journal stays when it may be shortened, such as V(100M).
    type: str
    default: 100M
  grow:
    description:
      - By how much the volume below may grow, such as V(10G). This module only says whether it can
        and by how much it should.
    type: str
    default: "0"
  aim:
    description: How many percent of a file system should be used once it has grown.
    type: int
    default: 80
  seconds:
    description:
      - For how long each file system is looked into. What was found until then is returned.
    type: float
    default: 120
  top:
    description: How many files and folders of each kind are returned.
    type: int
    default: 10
  recent_hours:
    description: How young a file is that counts as recent.
    type: float
    default: 24
author: Servertechnik contributors (@servertechnik)
"""

EXAMPLES = r"""
- name: See what fills the fullest file systems
  servertechnik.core.disk_usage:

- name: Make room where the logs are, whatever it takes
  servertechnik.core.disk_usage:
    path: /var/log
    free: true
    allow: [core_dumps, journal, rotated_logs]
"""

RETURN = r"""
account:
  description: What was found, done, and could be done, in words.
  returned: success
  type: list
  elements: str
  sample:
    - "/: 19.8 GiB of 20.0 GiB used (100 %), 12 % of its inodes"
    - "  Freed 412 MiB: packages that apt has kept after installing them"
file_systems:
  description:
    - All file systems of the host with data of their own, the fullest first. Sizes are in bytes.
  returned: success
  type: list
  elements: dict
  sample:
    - target: /
      size: 21474836480
      used: 21367463936
      available: 0
      reserved: 107372544
      percent: 100
      inodes: 1310720
      inodes_used: 157286
      inodes_percent: 12
found:
  description: The file systems that were looked into.
  returned: success
  type: list
  elements: dict
  contains:
    target:
      description: Where it is mounted.
      type: str
      sample: /
    source:
      description: What it is on.
      type: str
      sample: /dev/mapper/main-root
    type:
      description: Its type.
      type: str
      sample: ext4
    before:
      description: How full it was, as in RV(file_systems).
      type: dict
    after:
      description: How full it is, after what was freed.
      type: dict
    scan:
      description:
        - How many V(files) and V(folders) were counted in V(seconds), and whether that was
          V(complete).
      type: dict
    heavy:
      description:
        - Folders with most in them, each with V(path) and V(bytes). One inside that explains it
          stands for it.
      type: list
      elements: dict
    largest:
      description: The largest files, with V(path), V(bytes), V(modified) (seconds since 1970).
      type: list
      elements: dict
    recent:
      description: The largest files of the last hours, in the same form.
      type: list
      elements: dict
    grown:
      description: Folders that have grown most since the last call, with V(path) and V(bytes).
      type: list
      elements: dict
    since:
      description: When the last call was, empty if there was none.
      type: str
      sample: "2026-11-24T08:30:00Z"
    crowded:
      description: Folders with most entries, with V(path) and V(entries).
      type: list
      elements: dict
    hidden:
      description: What is hidden below mount points, with V(path) and V(bytes).
      type: list
      elements: dict
    deleted:
      description:
        - Deleted files that are still open, with V(path), V(bytes), V(pid), V(process), V(unit).
      type: list
      elements: dict
    containers:
      description: Storage of containers and virtual machines, with V(path) and V(bytes).
      type: list
      elements: dict
    snapshots:
      description: Snapshots on the file system, in the words of its tool.
      type: list
      elements: str
    inodes_matter:
      description: Whether inodes are running out.
      type: bool
    reserved_matters:
      description: Whether much is reserved for root.
      type: bool
    freed:
      description:
        - What was removed, in check mode what would be, with V(name), V(what), V(bytes), V(allow),
          V(error).
      type: list
      elements: dict
    permissions:
      description: What could be removed with the word V(allow) in O(allow), in the same form.
      type: list
      elements: dict
    growth:
      description:
        - The volume below, V(vg)/V(lv), whose group has V(free) bytes, can grow by V(by) bytes, or
          V(why) it can't. None where there is no volume of LVM.
      type: dict
    state_kept:
      description: Whether what there is could be kept for the next comparison.
      type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.formatters import human_to_bytes
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import run_module
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._usage import Wish, usage
from ansible_collections.servertechnik.core.plugins.module_utils._usage_mounts import UsageError
from ansible_collections.servertechnik.core.plugins.module_utils._usage_remedies import ALLOW

ARGUMENTS = {
    "path": {"type": "path", "default": ""},
    "full": {"type": "int", "default": 90},
    "free": {"type": "bool", "default": False},
    "allow": {"type": "list", "elements": "str", "choices": list(ALLOW), "default": []},
    "journal_keep": {"type": "str", "default": "100M"},
    "grow": {"type": "str", "default": "0"},
    "aim": {"type": "int", "default": 80},
    "seconds": {"type": "float", "default": 120},
    "top": {"type": "int", "default": 10},
    "recent_hours": {"type": "float", "default": 24},
}
PERCENT = range(1, 101)


def main() -> None:
    """Translate between Ansible and the search."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    asked = dict(module.params)
    try:
        for name in ("grow", "journal_keep"):
            asked[name] = human_to_bytes(asked[name])
    except ValueError as error:
        module.fail_json(msg=f"{name}: {error}; accepted: a size such as 10G")
    for name in ("full", "aim"):
        if asked[name] not in PERCENT:
            module.fail_json(msg=f"{name}: found {asked[name]}, accepted: 1 to 100 percent")
    wish = Wish(**asked | {"allow": tuple(asked["allow"]), "check": module.check_mode})
    try:
        run_module(module, lambda: usage(Host(), wish))
    except UsageError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
