#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Replace a failed disk, step by step; the action plugin of the same name takes all of them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_replacement
version_added: 0.1.0
short_description: Replace a failed disk, from the first look to the last
description:
  - Goes through the steps verify, announce, locate, remove, insert, copy, rebuild and check. Each
    can be done again. Where it was is kept on the host, in
    C(/var/lib/servertechnik/disks/SERIAL.json), so that a call goes on after a reboot, a power cut
    or the loss of the controller.
  - Refuses, before anything is changed, what would lose data; the message says what to do.
  - Each step that has come to its end, and each refusal, leaves a record of the kind
    C(disk_replacement) on the controller; and for the person at the rack there is a sheet to
    print, in German and English.
options:
  serial:
    description:
      - The serial number of the disk (its WWN or path if it has none). Without it, the one disk
        that has failed or is gone, or the one whose replacement was begun.
    type: str
    default: ""
  step:
    description: Does this step (up to O(until)), without record and sheet.
    type: str
    choices: [verify, announce, locate, remove, insert, copy, rebuild, check]
  stop_after:
    description: Ends after this step; the next call goes on from there.
    type: str
    choices: [verify, announce, locate, remove, insert, copy, rebuild, check]
  replace_healthy:
    description: Whether a disk that hasn't failed may be replaced.
    type: bool
    default: false
  accept:
    description:
      - What is put up with. V(loss) - data that is on this disk alone is lost; needs a recent
        O(backup). V(risk) - another disk, on which everything depends meanwhile, is suspicious.
        V(worn) - the new disk is not like new.
    type: list
    elements: str
    choices: [loss, risk, worn]
    default: []
  new:
    description: The serial number of the new disk, if it was there before, or if there are several.
    type: str
    default: ""
  wipe:
    description: The serial number of the new disk, if what is on it may be destroyed.
    type: str
    default: ""
  backup:
    description:
      - A file or record on the controller whose time is that of the last good backup of this host.
    type: str
    default: ""
  backup_hours:
    description: How old the last good backup may be where data is lost.
    type: float
    default: 26
  speed:
    description:
      - How quickly arrays are rebuilt and compared. V(gentle) leaves services nearly all of the
        disks (at most 20 MB/s), V(fast) takes what it gets, V(normal) is the kernel's way.
    type: str
    choices: [fast, normal, gentle]
    default: normal
  wait:
    description:
      - How many seconds to wait for the new disk. After that the call ends with what to do, and
        another one goes on.
    type: int
    default: 3600
  wait_rebuild:
    description: How many seconds to wait for the rebuild, and for the comparison after it.
    type: int
    default: 172800
  scrub:
    description: Whether all copies are compared in the end.
    type: bool
    default: true
  boot_loader:
    description: Whether the new disk gets the boot loader, if the old one had a place for it.
    type: bool
    default: true
  expected:
    description: The disks that the host should have, as in C(storage_disks).
    type: list
    elements: dict
    default: []
  poll:
    description: How many seconds one call on the host may take to wait for something to happen.
    type: float
    default: 10
  backup_age:
    description: The age of the last good backup in hours; the action plugin finds it out.
    type: float
  run:
    description: The run this is part of; the action plugin knows it.
    type: str
    default: ""
  until:
    description: With O(step), goes on up to this step in the same call.
    type: str
    choices: [verify, announce, locate, remove, insert, copy, rebuild, check]
  worked:
    description: Seconds of work of all calls so far; the action plugin keeps them.
    type: float
    default: 0
attributes:
  check_mode:
    support: full
    description: Only verifies.
  diff_mode:
    support: none
    description: What is done is returned as RV(did).
  platform:
    platforms: debian
    support: full
    description: Debian 12 and Debian 13.
requirements:
  - root on the host (use C(become)), mdadm, sfdisk; ledctl and smartctl are used where they are
author: Servertechnik contributors (@servertechnik)
seealso:
  - module: servertechnik.core.disk_health
  - module: servertechnik.core.raid_array
  - module: servertechnik.core.boot_loader
"""

EXAMPLES = r"""
- name: Replace the disk that has failed
  servertechnik.core.disk_replacement:

- name: Prepare everything until the disk can be pulled
  servertechnik.core.disk_replacement:
    serial: EXAMPLE1
    stop_after: remove
"""

RETURN = r"""
state:
  description:
    - The case as the host remembers it. None when no disk has failed. Among its keys are C(disk),
      C(replacement), C(units) (what it carries), C(layout), C(done) (steps), C(steps) (times),
      C(left) (how many more disks each array can lose), C(notes), C(opened) and C(closed).
  returned: always
  type: dict
  sample:
    disk: {serial: EXAMPLE1, path: /dev/sdb}
    done: [verify, announce]
next:
  description: The step that comes next; empty when all are done.
  returned: success
  type: str
  sample: locate
waiting:
  description: What the step is waiting for; empty when it is done.
  returned: success
  type: str
  sample: waiting for a new disk
progress:
  description: How far arrays are. C(done) is from 0 to 1, C(left) in seconds, C(speed) in bytes/s.
  returned: success
  type: list
  elements: dict
  sample: [{name: system, done: 0.42, left: 310, speed: 104857600}]
did:
  description: The commands that changed something.
  returned: success
  type: list
  elements: str
  sample: [mdadm --manage /dev/md127 --fail /dev/sdb2]
slept:
  description: Seconds of this call in which nothing was done but wait.
  returned: success
  type: float
  sample: 9.0
worked:
  description: Seconds of work so far, as the controller saw it, waiting not counted.
  returned: success, without O(step)
  type: float
  sample: 4.2
refused:
  description: Whether a failure is a refusal, with nothing changed by this step.
  returned: failure
  type: bool
  sample: true
sheets:
  description: The sheets to print, on the controller.
  returned: when the case was announced
  type: list
  elements: str
  sample: [records/disk_replacement/20261124T083000Z-web1-EXAMPLE1.de.html]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import (
    readable,
    run_module,
)
from ansible_collections.servertechnik.core.plugins.module_utils._disk_health import document
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._replacement import (
    StepError,
    take,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_arguments import (
    ARGUMENTS,
    order_of,
)


def main() -> None:
    """Translate between Ansible and one step."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    host = Host()

    def work() -> dict[str, Any]:
        order = order_of(module.params, check=module.check_mode)
        try:
            return take(host, lambda smart: document(host, smart=smart, contents=smart), order)
        except StepError as error:
            module.fail_json(
                msg=readable(str(error)), state=readable(error.state), refused=error.refused
            )
            raise

    run_module(module, work)


if __name__ == "__main__":
    main()
