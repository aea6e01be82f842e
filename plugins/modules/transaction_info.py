#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal of a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: transaction_info
short_description: The transactions of a host, newest first
version_added: 0.1.0
description:
  - Returns what was changed on a host by components, when, by whom, and how it ended. The last 20
    transactions of each component are kept.
extends_documentation_fragment:
  - servertechnik.core.transaction.read_only
options:
  component:
    description: Only transactions of this component.
    type: str
  run:
    description: Only transactions of this run; V(last) means the newest run on this host.
    type: str
author: Servertechnik contributors (@servertechnik)
"""

EXAMPLES = r"""
- name: See what the last run did here
  servertechnik.core.transaction_info:
    run: last
"""

RETURN = r"""
transactions:
  description: Transactions, newest first; C(at) is in UTC (RFC 3339).
  returned: success
  type: list
  elements: dict
  sample:
    - id: 20261124T091233.123456Z-timesync-5f0c2a91
      component: timesync
      at: "2026-11-24T09:12:33.123456Z"
      state: committed
      by: alice@controller.example.org
      run: 20261124T091230Z-1f3c
      packages: {installed: [chrony], removed: []}
      paths: [/etc/chrony/chrony.conf]
      units: [chrony.service]
      error: null
      reverts: null
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import run_module
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Store
from ansible_collections.servertechnik.core.plugins.module_utils._revert import transactions


def main() -> None:
    """Translate between Ansible and the journal."""
    module = AnsibleModule(
        argument_spec={"component": {"type": "str"}, "run": {"type": "str"}},
        supports_check_mode=True,
    )
    run_module(module, lambda: {"transactions": transactions(Store(Host()), **module.params)})


if __name__ == "__main__":
    main()
