# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: record
version_added: 0.1.0
short_description: Write down what a job found out about a host
description:
  - Writes one JSON document for each host on the controller, for reports to be made from.
  - The document has the keys C(kind), C(schema), C(host), C(at) (time in UTC), C(run) and C(data).
    It is checked before it is written; data is checked too if the collection has a schema for
    its kind and version.
  - Documents are never changed or overwritten. Their names sort by time.
  - The directory is that of the callback P(servertechnik.core.progress#callback).
options:
  kind:
    description: What the record is about; lower case letters, digits and underscores.
    type: str
    required: true
  schema:
    description: The version of the shape of O(data).
    type: int
    default: 1
  data:
    description: What was found out. Never put a secret in it.
    type: dict
    required: true
notes:
  - Nothing is sent to the host, and no connection is made.
  - With C(delegate_to) the record is still that of the host the task runs for.
attributes:
  check_mode:
    support: full
    description: >-
      Nothing is written and O(data) isn't judged, because tasks before this one may have been
      skipped.
  diff_mode:
    support: none
    description: A record is new each time.
  platform:
    support: full
    description: The controller alone.
    platforms: posix
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Keep what the disks say
  servertechnik.core.record:
    kind: disk_health
    data:
      disks:
        - device: /dev/sda
          serial: SER001
          healthy: true
"""

RETURN = r"""
path:
  description: Where the record was written; empty in check mode.
  returned: success
  type: str
  sample: records/disk_health/20261124T083000.123456Z-web1.json
changed:
  description: Always V(false), because writing a record changes no host.
  returned: always
  type: bool
  sample: false
"""
