#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compare a host with what was committed there."""

from __future__ import annotations

DOCUMENTATION = r"""
module: drift
short_description: What differs on a host from what was last committed there
version_added: 0.1.0
description:
  - Compares packages, files and units with the last committed transaction of every component, in
    one call and without rendering a template.
extends_documentation_fragment:
  - servertechnik.core.transaction.read_only
author: Servertechnik contributors (@servertechnik)
"""

EXAMPLES = r"""
- name: See what was changed by hand
  servertechnik.core.drift:
"""

RETURN = r"""
components:
  description: The components that were committed, with the transaction that did it, if it is known.
  returned: success
  type: dict
  sample: {"timesync": "20261124T091233.123456Z-timesync-5f0c2a91"}
differences:
  description:
    - What differs. C(kind) is file, unit, package, or component where it can't be compared;
      C(since) is empty where the host doesn't know.
  returned: success
  type: list
  elements: dict
  sample:
    - component: timesync
      kind: unit
      name: chrony.service
      wanted: started, enabled
      found: inactive, enabled
      since: "2026-11-24T09:12:33.123456Z"
findings:
  description: The differences in words.
  returned: success
  type: list
  elements: str
  sample:
    - "timesync: unit chrony.service: found inactive, enabled; committed started, enabled"
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import run_module
from ansible_collections.servertechnik.core.plugins.module_utils._drift import drift, findings
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Store


def main() -> None:
    """Translate between Ansible and the comparison."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    host = Host()

    def work() -> dict[str, Any]:
        found = drift(host, Store(host))
        return {**found, "findings": findings(found)}

    run_module(module, work)


if __name__ == "__main__":
    main()
