#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put a committed transaction back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: transaction_revert
short_description: Put one committed transaction of a host back
version_added: 0.1.0
description:
  - Gives every file of a committed transaction the bytes, owner and mode that it had before, and
    every unit its former state. This is a transaction of its own, so it rolls back if it fails
    and can itself be put back. Packages stay as they are.
  - A transaction that was made under confirmed commit is put back under confirmed commit.
extends_documentation_fragment:
  - servertechnik.core.transaction
  - servertechnik.core.transaction.confirm
  - servertechnik.core.transaction.attributes
options:
  transaction:
    description: Id of the transaction, as M(servertechnik.core.transaction_info) shows it.
    type: str
  run:
    description: All transactions of this run, newest first; V(last) means the newest run here.
    type: str
  force:
    description:
      - Go on although a file was changed since, a later transaction of the component stands, or a
        folder that has to go holds what came later.
    type: bool
    default: false
  origin:
    description: Who asks, filled in by the action plugin; not for people.
    type: dict
    default: {}
author: Servertechnik contributors (@servertechnik)
"""

EXAMPLES = r"""
- name: Undo what the last run did here
  servertechnik.core.transaction_revert:
    run: last

- name: Undo one change
  servertechnik.core.transaction_revert:
    transaction: 20261124T091233.123456Z-timesync-5f0c2a91
"""

RETURN = r"""
reverted:
  description: Ids of the transactions that were put back.
  returned: success
  type: list
  elements: str
  sample: [20261124T091233.123456Z-timesync-5f0c2a91]
files:
  description: Files that changed; C(change) is created, removed, replaced, content or attributes.
  returned: success
  type: list
  elements: dict
  sample: [{"path": "/etc/chrony/chrony.conf", "change": "content"}]
units:
  description: Units that changed, with what was done to them, in order.
  returned: success
  type: list
  elements: dict
  sample: [{"name": "chrony.service", "actions": ["restarted"]}]
transaction:
  description: Id of the transaction that put the last one back.
  returned: when something was begun, else null
  type: str
  sample: 20261124T101233.123456Z-timesync-00c2a915
rolled_back:
  description: Whether the host is as before the call, because something failed.
  returned: always
  type: bool
  sample: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import (
    COMMON,
    CONFIRM,
    order_options,
    run_module,
)
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._revert import revert


def main() -> None:
    """Translate between Ansible and the transaction."""
    module = AnsibleModule(
        argument_spec={
            "transaction": {"type": "str"},
            "run": {"type": "str"},
            "force": {"type": "bool", "default": False},
            "confirm": CONFIRM,
            **COMMON,
        },
        required_one_of=[("transaction", "run")],
        mutually_exclusive=[("transaction", "run")],
        supports_check_mode=True,
    )
    params = module.params
    run_module(
        module,
        lambda: revert(
            Host(), params["transaction"], force=params["force"], **order_options(module)
        ),
    )


if __name__ == "__main__":
    main()
