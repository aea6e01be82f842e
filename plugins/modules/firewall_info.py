#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the firewall of a host is at the moment."""

from __future__ import annotations

DOCUMENTATION = r"""
module: firewall_info
short_description: Which rules are live on a host, and what listens there
version_added: 0.1.0
description:
  - Compares the rules that the kernel has with the file that the role
    P(servertechnik.core.firewall#role) has left, which is loaded for this into a network namespace
    of its own. The rules of other programs are only named.
  - Lists the sockets that others could reach if nothing kept them out.
extends_documentation_fragment:
  - servertechnik.core.transaction.read_only
author: Servertechnik contributors (@servertechnik)
"""

EXAMPLES = r"""
- name: See which rules were added by hand
  servertechnik.core.firewall_info:
"""

RETURN = r"""
managed:
  description: Whether the host has a firewall of the role.
  returned: success
  type: bool
  sample: true
differences:
  description: The rules that were added or removed since, with the table and chain they are in.
  returned: success
  type: list
  elements: dict
  sample:
    - change: added
      chain: servertechnik input
      rule: tcp dport 2525 accept
others:
  description: Chains of other programs that may drop what comes in, with family and table.
  returned: success
  type: list
  elements: str
  sample: ["inet netavark INPUT"]
sockets:
  description: What listens beyond the host itself.
  returned: success
  type: list
  elements: dict
  sample:
    - protocol: tcp
      address: "::"
      port: 22
findings:
  description: The differences in words.
  returned: success
  type: list
  elements: str
  sample:
    - "live rule added in servertechnik input: tcp dport 2525 accept"
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import run_module
from ansible_collections.servertechnik.core.plugins.module_utils._firewall_live import firewall
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._probe_sockets import all_sockets


def main() -> None:
    """Translate between Ansible and the comparison."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)

    def work() -> dict[str, Any]:
        found = firewall(Host())
        findings = [
            f"live rule {one['change']} in {one['chain']}: {one['rule']}"
            for one in found["differences"]
        ]
        return {**found, "sockets": all_sockets(), "findings": findings}

    run_module(module, work)


if __name__ == "__main__":
    main()
