# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: validate_inventory
version_added: 0.1.0
short_description: Check the whole inventory against the roles of a playbook
description:
  - Reads the plays of a playbook, finds for each host which roles apply, and checks the variables
    of every host against the C(meta/argument_specs.yml) and C(meta/formats.yml) of these roles.
  - Everything happens on the controller; no host is contacted and no fact is needed. A value that
    is computed from facts is left to the check that each role makes when it runs.
  - All mistakes of all hosts are reported at once, each on one line with the host, the place in the
    variable, what was found, what is accepted and the line of the inventory. Secrets are not shown.
  - Stricter than Ansible where Ansible would convert a value for its check and then hand the role
    the unconverted one, such as V('false') in quotes for a boolean or a number for a text.
  - Then all hosts of the inventory are compared, those that C(--limit) leaves out included.
    Reported are addresses outside of their network, with another prefix length, or on two hosts;
    gateways that no address reaches, or between which the host could not choose; links, ports,
    VLANs and networks that do not fit together; zones that overlap; services of unknown zones,
    hosts and groups; a firewall that would keep Ansible out; name servers that answer on no
    address of theirs; storage whose things don't fit together.
  - Reports variables that begin with the name of a role and that the role doesn't have, and warns
    about hosts to which no play applies.
  - Takes all roles of a play to apply; conditions on roles are not evaluated.
options:
  playbook:
    description: The playbook whose plays say which roles apply, by full name or path.
    type: str
    required: true
attributes:
  check_mode:
    description: Can run in check mode and report what it would report otherwise.
    support: full
  diff_mode:
    description: Nothing is changed, so there is no difference to show.
    support: none
  platform:
    description: Where this can run.
    support: full
    platforms: posix
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Check the variables of all hosts
  servertechnik.core.validate_inventory:
    playbook: servertechnik.core.site
  run_once: true
"""

RETURN = r"""
mistakes:
  description: What is wrong, in the order of the plays.
  returned: always
  type: list
  elements: dict
  contains:
    hosts:
      description: The hosts that share the mistake.
      type: list
      elements: str
      sample: [web1, web2]
    path:
      description: The variable, or the place in it.
      type: str
      sample: base_admins[0].name
    found:
      description: What was found.
      type: str
      sample: "'Root'"
    accepted:
      description: What is accepted.
      type: str
      sample: "a user name: lower case letters, digits, - and _, at most 32 (admin)"
    origin:
      description: File and line, where Ansible knows them.
      type: str
      sample: inventories/example/group_vars/base.yml:12
"""
