#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All accounts of people on a host, in one call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: accounts
version_added: 0.1.0
short_description: Have the accounts of people on a host as they must be
description:
  - Creates, adopts, changes and removes any number of local accounts in one call.
  - An account that exists already, such as the one the installer made, is adopted; what isn't named
    stays as it is, its home, files and password among it.
  - New accounts have no password and can't be guessed; they come in with a key.
  - Everything is checked before the first account changes. The accounts of the system (uid below
    1000) are refused, a uid is never changed, and the account by which Ansible came in is never
    removed.
  - Keys and rights are files; M(servertechnik.core.component) takes care of those.
options:
  accounts:
    description: The accounts. Others on the host are left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Login name.
        type: str
        required: true
      state:
        description:
          - Whether the account exists.
          - A removed account is locked first, and what still runs under its name is ended.
        type: str
        choices: [present, absent]
        default: present
      uid:
        description: Number of the account. Without it a new account gets the next free one.
        type: int
      comment:
        description: Name of the person.
        type: str
      shell:
        description: Login shell. New accounts have V(/bin/bash) unless told otherwise.
        type: str
      groups:
        description: Groups that the account is in, beside those it is in already.
        type: list
        elements: str
        default: []
      groups_absent:
        description: Groups that the account is not in.
        type: list
        elements: str
        default: []
      password_hash:
        description: Hash of the password as crypt(5) has it, for the console when no network is.
        type: str
      remove_home:
        description: Whether the files of a removed account go as well.
        type: bool
        default: false
  controller:
    description:
      - The account by which Ansible came in, if known; it is never removed.
      - Beside it are protected the one that called sudo, and the one that logged in.
    type: str
    default: ''
attributes:
  check_mode:
    description: Can run in check mode and tell what it would change.
    support: full
  diff_mode:
    description: Tells what was before and what is after, without passwords.
    support: full
  platform:
    description: Where this can run.
    support: full
    platforms: debian
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Have the technicians' accounts
  servertechnik.core.accounts:
    controller: "{{ ansible_user | default('') }}"
    accounts:
      - name: alice
        comment: Alice Example
        uid: 2001
        groups: [adm]
      - name: bob
        state: absent
"""

RETURN = r"""
accounts:
  description: The accounts that changed, in the order given.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Login name.
      type: str
      sample: alice
    change:
      description: V(created), V(changed) or V(removed).
      type: str
      sample: created
"""

import contextlib
import os
import pwd
import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._accounts import (
    AccountsError,
    Change,
    Command,
    Database,
    Wanted,
    parse,
    plan,
)

ARGUMENTS = {
    "accounts": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "uid": {"type": "int"},
            "comment": {"type": "str"},
            "shell": {"type": "str"},
            "groups": {"type": "list", "elements": "str", "default": []},
            "groups_absent": {"type": "list", "elements": "str", "default": []},
            "password_hash": {"type": "str", "no_log": True},
            "remove_home": {"type": "bool", "default": False},
        },
    },
    "controller": {"type": "str", "default": ""},
}
# useradd(8), usermod(8), userdel(8): another program has the account files.
BUSY = 10
# userdel(8): a process of the account is still there.
IN_USE = 8
PATIENCE = 10  # seconds


def came_in(controller: str) -> set[str]:
    """Return the names of the accounts by which this run came in."""
    names = {controller, os.environ.get("SUDO_USER", "")}
    with contextlib.suppress(OSError):  # a kernel without auditing doesn't know
        login = int(Path("/proc/self/loginuid").read_text())
        names |= {entry.pw_name for entry in pwd.getpwall() if entry.pw_uid == login}
    return names - {""}


def read() -> Database:
    """Return what /etc says now. Raises OSError for anybody but root."""
    return parse(*(Path("/etc", name).read_text() for name in ("passwd", "group", "shadow")))


def check_host(changes: list[Change], database: Database) -> None:
    """Raise AccountsError for shells and groups that this host doesn't have."""
    for change in changes:
        if change.new_shell and not os.access(change.new_shell, os.X_OK):
            raise AccountsError(
                f"account {change.name} is to have the shell {change.new_shell}, which this host "
                "doesn't have; accepted: one that is installed"
            )
        if missing := sorted(change.new_groups - database.groups):
            raise AccountsError(
                f"account {change.name} is to be in {', '.join(missing)}, which this host doesn't "
                "have; accepted: groups that exist, such as those that packages make"
            )


def carry_out(module: AnsibleModule, command: Command) -> None:
    """Run a command, again while the account or the account files are in use.

    Raises AccountsError with the command's own words.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        status, out, error = module.run_command(list(command.words), data=command.stdin)
        if status == 0 or command.may_fail:
            return
        if status not in (BUSY, IN_USE) or time.monotonic() > deadline:
            words = " ".join(command.words)
            raise AccountsError(f"'{words}' failed ({status}): {(error or out).strip()}")
        time.sleep(0.2)


def main() -> None:
    """Translate between Ansible and the plan."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        database = read()
        wanted = [Wanted.of(options) for options in module.params["accounts"]]
        changes = plan(wanted, database, came_in(module.params["controller"]))
        if not module.check_mode:
            check_host(changes, database)
            for change in changes:
                for command in change.commands:
                    carry_out(module, command)
    except (AccountsError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=bool(changes),
        accounts=[{"name": change.name, "change": change.kind} for change in changes],
        diff=[change.diff() for change in changes],
    )


if __name__ == "__main__":
    main()
