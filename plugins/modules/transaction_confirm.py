#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Confirm that a host can be reached after a change."""

from __future__ import annotations

DOCUMENTATION = r"""
module: transaction_confirm
short_description: Confirm a change after which the host can still be reached
version_added: 0.1.0
description:
  - Commits a transaction that waits for its confirmation, and says how it stands. Modules that
    take C(confirm) do this by themselves; by hand it serves when the controller was lost meanwhile.
extends_documentation_fragment:
  - servertechnik.core.transaction
  - servertechnik.core.transaction.read_only
attributes:
  check_mode:
    support: none
    description: A confirmation is not a change of its own.
options:
  transaction:
    description: Id of the transaction.
    type: str
    required: true
  commit:
    description:
      - Whether to let the change stand; else only ask how it is. What confirms it has to be a
        connection that was opened after the activation.
    type: bool
    default: true
  origin:
    description: Who asks, filled in by the action plugin; not for people.
    type: dict
    default: {}
author: Servertechnik contributors (@servertechnik)
"""

EXAMPLES = r"""
- name: Let the change stand
  servertechnik.core.transaction_confirm:
    transaction: 20261124T091233.123456Z-sshd-5f0c2a91
"""

RETURN = r"""
state:
  description: State of the transaction; committed once it stands, rolled back if it doesn't.
  returned: success
  type: str
  sample: committed
error:
  description: Why the host put itself back.
  returned: when it did, else null
  type: str
  sample: nobody confirmed the change within 30 s
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import (
    COMMON,
    run_module,
)
from ansible_collections.servertechnik.core.plugins.module_utils._confirmation import (
    confirm,
    standing,
)
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Store


def main() -> None:
    """Translate between Ansible and the confirmation."""
    module = AnsibleModule(
        argument_spec={
            "transaction": {"type": "str", "required": True},
            "commit": {"type": "bool", "default": True},
            **COMMON,
        }
    )
    host, name = Host(), module.params["transaction"]
    store = Store(host)
    if module.params["commit"]:
        run_module(module, lambda: confirm(host, store, name, f"confirmation of {name}"))
    run_module(module, lambda: standing(store, name))


if __name__ == "__main__":
    main()
