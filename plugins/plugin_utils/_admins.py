# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a list of administrators means for accounts, keys and sudo. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

KEYS = "/etc/ssh/admin_keys.d"
ROOT = "root"
_ACCOUNT = ("name", "state", "uid", "comment", "shell", "groups", "password_hash", "remove_home")
# sudoers(5), "Cmnd": these separate and assign unless a backslash stands before them.
_SPECIAL = re.compile(r"(?<!\\)([,:=])")


class AdminsError(ValueError):
    """A list of administrators that can't be carried out; the text says what is accepted."""


@dataclass(frozen=True)
class Admins:
    """`names` and `keys` (name: public keys) of those present, `sudo` rules, `accounts` of all."""

    names: list[str]
    keys: dict[str, list[str]]
    sudo: list[str]
    accounts: list[dict[str, Any]]

    @classmethod
    def of(cls, admins: Iterable[Mapping[str, Any]], controller: str) -> Admins:
        """From `base_admins` as argument_specs.yml describes it.

        `controller` is the account by which Ansible comes in, empty if unknown: it must not lose
        its account or its rights. Raises AdminsError.
        """
        admins = list(admins)
        for admin in admins:
            _check(admin, controller)
        there = [admin for admin in admins if _is_there(admin)]
        return cls(
            names=[admin["name"] for admin in there],
            keys={admin["name"]: list(admin.get("keys", ())) for admin in there},
            sudo=[rule for admin in there for rule in _rules(admin)],
            accounts=[_account(admin) for admin in admins],
        )

    def key_files(self) -> list[dict[str, Any]]:
        """Return the folder of keys and one file for each admin, as files of a component."""
        folder = {"dest": KEYS, "state": "directory", "purge": True, "units": []}
        files = [
            {"dest": f"{KEYS}/{name}", "content": "".join(f"{key.strip()}\n" for key in keys)}
            for name, keys in self.keys.items()
        ]
        return [folder, *({**file, "units": []} for file in files)]


def _is_there(admin: Mapping[str, Any]) -> bool:
    return bool(admin.get("state", "present") == "present")


def _check(admin: Mapping[str, Any], controller: str) -> None:
    name = admin["name"]
    if name == ROOT:
        raise AdminsError("base_admins: found root; accepted: the accounts of people")
    if name != controller:
        return
    if not _is_there(admin):
        raise AdminsError(
            f"base_admins: {name} is absent, but Ansible comes in as {name}; accepted: another "
            "ansible_user, or no entry for this one"
        )
    if admin.get("sudo") == "none" or admin.get("sudo_commands") or not admin.get("keys"):
        raise AdminsError(
            f"base_admins: Ansible comes in as {name}, who would lose the keys or the right to "
            "become root; accepted: keys, sudo password or nopasswd, and no sudo_commands"
        )


def _rules(admin: Mapping[str, Any]) -> list[str]:
    """Return the lines of sudoers(5) for one admin."""
    right = admin.get("sudo", "nopasswd")
    if right == "none":
        return []
    commands = [_SPECIAL.sub(r"\\\1", command) for command in admin.get("sudo_commands", ())]
    runas = f"({admin.get('sudo_as', ROOT)})" if commands else "(ALL:ALL)"
    tag = "NOPASSWD: " if right == "nopasswd" else ""
    return [f"{admin['name']} ALL={runas} {tag}{', '.join(commands) or 'ALL'}"]


def _account(admin: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry for the accounts module; rights come from sudoers alone, not a group."""
    account = {name: admin[name] for name in _ACCOUNT if name in admin}
    if _is_there(admin) and "sudo" not in admin.get("groups", ()):
        account["groups_absent"] = ["sudo"]
    return account
