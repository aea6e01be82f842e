#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Packages, files and units of one part of a server, changed as one transaction."""

from __future__ import annotations

DOCUMENTATION = r"""
module: component
short_description: Packages, files and units of one part of a server as one transaction
version_added: 0.1.0
description:
  - Brings packages, files and systemd units of a component to the described state, all of it or
    nothing. If a validation, activation or verification fails, every file gets its former bytes,
    owner and mode back, and units return to their former state. Packages stay installed.
  - A journal is on disk before the first write. A run that finds a transaction which did not
    finish (killed, power lost) first puts the host back, then goes on. So does the host at boot.
  - A package that comes with the component doesn't start its units before their configuration is
    in place.
  - Templates are rendered on the controller. Where nothing changes, one call is all it takes.
extends_documentation_fragment:
  - servertechnik.core.transaction
  - servertechnik.core.transaction.confirm
  - servertechnik.core.transaction.attributes
options:
  name:
    description: The component, of V(a-z), V(0-9), V(_) and V(-); keys its journal.
    type: str
    required: true
  packages:
    description: Debian packages that must be there, as C(NAME) or C(NAME=VERSION).
    type: list
    elements: str
    default: []
  packages_absent:
    description: Debian packages that must not be there. Their configuration files stay.
    type: list
    elements: str
    default: []
  files:
    description:
      - Files, links and folders. Parents are made as needed, C(root:root 0755).
      - A link or file in the way of a file or link is replaced. A folder in the way of either, and
        either in the way of a folder, is refused before anything changes.
    type: list
    elements: dict
    default: []
    suboptions:
      dest:
        description: Absolute path on the host.
        type: str
        required: true
      template:
        description: A Jinja template on the controller, found as by M(ansible.builtin.template).
        type: str
      content:
        description: The content itself.
        type: str
      source:
        description: A file on the controller, found as by M(ansible.builtin.copy), of any content.
        type: str
      link:
        description: The target of a symbolic link.
        type: str
      state:
        description:
          - V(present) needs exactly one of O(files[].template), O(files[].content),
            O(files[].source) and O(files[].link), the others need none.
          - V(absent) removes a folder with all that is in it.
        type: str
        choices: [present, absent, directory]
        default: present
      purge:
        description: Remove from a folder, at any depth, all that the component doesn't list.
        type: bool
        default: false
      owner:
        description: Name or number of the owner. It may come with one of the packages.
        type: str
        default: root
      group:
        description: Name or number of the group. It may come with one of the packages.
        type: str
        default: root
      mode:
        description:
          - Permissions in octal, quoted. By default V('0644'), V('0755') for folders, and
            V('0600') for sensitive files.
        type: str
      validate:
        description: A command that checks the file before it is put in place, C(%s) is its path.
        type: str
      sensitive:
        description:
          - Keep the content out of differences, results and logs. The words of the component's
            own commands are then kept back too.
        type: bool
        default: false
      outline:
        description:
          - The file says in plain words, one line each, what the component does. Lines that come
            and go are returned as RV(outline), also in check mode.
        type: bool
        default: false
      units:
        description: The units that this file concerns; by default all of the component.
        type: list
        elements: str
  validate:
    description: Commands that check the files together, before anything is activated.
    type: list
    elements: str
    default: []
  commands:
    description: Commands that activate the files; run only on change. Words, not shell.
    type: list
    elements: str
    default: []
  units:
    description: The systemd units of the component.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The unit with its suffix, such as V(ssh.service).
        type: str
        required: true
      enabled:
        description: Whether it starts at boot. Units that can't be enabled count as enabled.
        type: bool
        default: true
      state:
        description: Whether it runs. A one-shot that has run well counts as started.
        type: str
        choices: [started, stopped]
        default: started
      masked:
        description: Whether it is masked, which includes that it is stopped.
        type: bool
        default: false
      on_change:
        description: What happens to it when a file it depends on changes.
        type: str
        choices: [restart, reload, reload-or-restart, none]
        default: restart
  live:
    description:
      - What has a state of its own beside files and units, to be saved before the change and
        restored when it is undone. V(network) is links, addresses, routes and policy rules.
    type: list
    elements: str
    choices: [network]
    default: []
  verify:
    description: What must hold after activation, each within its time.
    type: list
    elements: dict
    default: []
    suboptions:
      unit:
        description: A unit that must be active.
        type: str
      tcp:
        description: Something that must accept a connection from the host itself, C([HOST:]PORT).
        type: str
      command:
        description: A command that must end with status 0. Words, not shell.
        type: str
      timeout:
        description: Seconds until it must hold.
        type: int
        default: 10
  payload:
    description: Contents of the files, filled in by the action plugin; not for people.
    type: str
  origin:
    description: Who asks, filled in by the action plugin; not for people.
    type: dict
    default: {}
author: Servertechnik contributors (@servertechnik)
seealso:
  - module: servertechnik.core.transaction_info
  - module: servertechnik.core.transaction_revert
  - module: servertechnik.core.drift
"""

EXAMPLES = r"""
- name: Keep the clock right
  servertechnik.core.component:
    name: timesync
    packages: [chrony]
    files:
      - dest: /etc/chrony/chrony.conf
        template: etc/chrony/chrony.conf.j2
        validate: chronyd -p -f %s
    units:
      - name: chrony.service
    verify:
      - unit: chrony.service

- name: Change who may log in, and be sure that we still may
  servertechnik.core.component:
    name: sshd
    files:
      - dest: /etc/ssh/sshd_config.d/00-servertechnik.conf
        content: |
          AllowUsers alice@192.0.2.0/24
    validate: [sshd -t]
    units:
      - name: ssh.service
        on_change: reload-or-restart
    confirm:
      timeout: 30
"""

RETURN = r"""
packages:
  description: Packages that were, or in check mode would be, installed and removed.
  returned: success
  type: dict
  sample: {"installed": ["chrony"], "removed": []}
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
outline:
  description: Lines that come and go in files with O(files[].outline).
  returned: success
  type: dict
  sample: {"added": ["ssh: tcp 22 from office (192.0.2.0/24)"], "removed": []}
transaction:
  description: Id of the transaction; none if nothing changed or in check mode.
  returned: when something was begun, else null
  type: str
  sample: 20261124T091233.123456Z-timesync-5f0c2a91
rolled_back:
  description: Whether the host was put back, because something failed or nobody confirmed.
  returned: always
  type: bool
  sample: false
moved:
  description: >-
    What was changed on the controller for a host that has moved to O(confirm.address); what a
    person has to change there is among the warnings.
  returned: when a host has moved
  type: list
  elements: str
  sample: ["hosts.yml:12: ansible_host of web1 is 198.51.100.20, it was 198.51.100.10"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import (
    COMPONENT,
    component_of,
    run_module,
)
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._transaction import transact


def main() -> None:
    """Translate between Ansible and the transaction."""
    module = AnsibleModule(argument_spec=COMPONENT, supports_check_mode=True)
    run_module(module, lambda: transact(Host(), component_of(module)))


if __name__ == "__main__":
    main()
