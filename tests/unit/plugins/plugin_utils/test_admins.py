# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.filter.admins import admins
from ansible_collections.servertechnik.core.plugins.plugin_utils._admins import Admins, AdminsError

KEY = "ssh-ed25519 AAAA anna"


def rules(**admin: Any) -> list[str]:
    return Admins.of([{"name": "anna", **admin}], "").sudo


@pytest.mark.parametrize(
    ("admin", "expected"),
    [
        ({}, ["anna ALL=(ALL:ALL) NOPASSWD: ALL"]),
        ({"sudo": "nopasswd"}, ["anna ALL=(ALL:ALL) NOPASSWD: ALL"]),
        ({"sudo": "password"}, ["anna ALL=(ALL:ALL) ALL"]),
        ({"sudo": "none"}, []),
        ({"state": "absent"}, []),
        (
            {"sudo_commands": ["/bin/a", "/bin/b -x"]},
            ["anna ALL=(root) NOPASSWD: /bin/a, /bin/b -x"],
        ),
        (
            {"sudo": "password", "sudo_commands": ["/bin/a"], "sudo_as": "www-data"},
            ["anna ALL=(www-data) /bin/a"],
        ),
        (
            {"sudo_commands": [r"/bin/a x=1,2 b:c d\=e"]},
            [r"anna ALL=(root) NOPASSWD: /bin/a x\=1\,2 b\:c d\=e"],
        ),
    ],
)
def test_rights_as_sudoers_writes_them(admin: dict[str, Any], expected: list[str]) -> None:
    assert rules(**admin) == expected


def test_keys_are_the_files_of_those_present() -> None:
    found = Admins.of(
        [
            {"name": "anna", "keys": [f"{KEY}\n", "ssh-rsa BBBB"]},
            {"name": "bob"},
            {"name": "carl", "state": "absent", "keys": [KEY]},
        ],
        "",
    )
    folder, *files = found.key_files()
    assert (folder["state"], folder["purge"]) == ("directory", True)
    assert {file["dest"].rpartition("/")[2]: file["content"] for file in files} == {
        "anna": f"{KEY}\nssh-rsa BBBB\n",
        "bob": "",
    }
    assert all(entry["units"] == [] for entry in (folder, *files))
    assert found.names == ["anna", "bob"]


def test_accounts_get_what_the_module_takes_and_no_rights_by_group() -> None:
    found = Admins.of(
        [
            {"name": "anna", "uid": 2001, "groups": ["adm"], "keys": [KEY], "sudo": "none"},
            {"name": "bob", "groups": ["sudo"]},
            {"name": "carl", "state": "absent", "remove_home": True},
        ],
        "",
    )
    assert found.accounts == [
        {"name": "anna", "uid": 2001, "groups": ["adm"], "groups_absent": ["sudo"]},
        {"name": "bob", "groups": ["sudo"]},
        {"name": "carl", "state": "absent", "remove_home": True},
    ]


@pytest.mark.parametrize(
    "admin",
    [
        {"state": "absent"},
        {"sudo": "none", "keys": [KEY]},
        {"sudo_commands": ["/bin/a"], "keys": [KEY]},
        {"keys": []},
        {},
    ],
)
def test_the_one_who_comes_in_keeps_account_keys_and_rights(admin: dict[str, Any]) -> None:
    entries = [{"name": "anna", **admin}]
    with pytest.raises(AdminsError, match=r"Ansible comes in as anna.*accepted: "):
        Admins.of(entries, "anna")
    assert Admins.of(entries, "bob").accounts


def test_filter_translates() -> None:
    result = admins([{"name": "anna", "keys": [KEY]}], "anna")
    assert set(result) == {"names", "files", "sudo", "accounts"}
    with pytest.raises(AnsibleFilterError, match="found root"):
        admins([{"name": "root"}])
