# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._sshd import (
    AccessError,
    access,
    certificate_files,
    endpoints,
    refuse_lockout,
    sftp_blocks,
)

Entries = list[dict[str, Any]]
OFFICE = "192.0.2.0/24"
STAFF = {"group": "staff"}


@pytest.mark.parametrize(
    ("allow", "users"),
    [
        ([], []),
        ([{"user": "anna"}], ["anna"]),
        ([{"user": "anna", "from": [OFFICE, "2001:db8::/32"]}],
         ["anna@192.0.2.0/24", "anna@2001:db8::/32"]),
        ([{"user": "anna", "from": []}], ["anna"]),
        ([STAFF], [":"]),
        ([STAFF, {"user": "anna"}], ["anna"]),
    ],
)  # fmt: skip
def test_allowed_users(allow: Entries, users: list[str]) -> None:
    assert access(allow, [])["settings"]["AllowUsers"] == users


@pytest.mark.parametrize(
    ("allow", "criteria"),
    [
        ([STAFF], "Group staff"),
        ([{**STAFF, "from": [OFFICE, "2001:db8::1"]}],
         "Group staff Address 192.0.2.0/24,2001:db8::1"),
    ],
)  # fmt: skip
def test_allowed_groups(allow: Entries, criteria: str) -> None:
    blocks = access(allow, [])["blocks"]
    assert blocks == [{"criteria": criteria, "settings": {"AllowUsers": "*"}}]


def test_denied() -> None:
    found = access([], [{"user": "bob", "from": [OFFICE]}, STAFF, {"group": "x", "from": [OFFICE]}])
    assert found["settings"]["DenyUsers"] == ["bob@192.0.2.0/24"]
    assert found["settings"]["DenyGroups"] == ["staff"]
    assert found["blocks"] == [
        {"criteria": "Group x Address 192.0.2.0/24", "settings": {"DenyUsers": "*"}}
    ]


@pytest.mark.parametrize(
    ("controller", "allow", "deny", "root_login", "found"),
    [
        ("root", [], [], "no", "sshd_root_login"),
        ("root", [], [], False, "sshd_root_login"),
        ("anna", [{"user": "bob"}], [], "no", "no entry is for anna"),
        ("anna", [], [{"user": "anna"}], "no", "anna is denied"),
        ("anna", [], [{"user": "*"}], "no", "anna is denied"),
    ],
)
def test_refuses_to_lock_out(
    controller: str, allow: Entries, deny: Entries, root_login: object, found: str
) -> None:
    with pytest.raises(AccessError, match=f"{found}.*; accepted: "):
        refuse_lockout(controller, allow, deny, root_login)


@pytest.mark.parametrize(
    ("controller", "allow", "deny", "root_login"),
    [
        ("", [{"user": "bob"}], [], "no"),
        ("root", [], [], "prohibit-password"),
        ("anna", [], [], "no"),
        ("anna", [{"user": "an*"}], [], "no"),
        ("anna", [{"user": "bob"}, STAFF], [], "no"),
        ("anna", [{"user": "anna", "from": [OFFICE]}], [], "no"),
        ("anna", [], [{"user": "anna", "from": [OFFICE]}], "no"),
        ("anna", [], [STAFF], "no"),
    ],
)
def test_leaves_to_the_host_what_it_alone_knows(
    controller: str, allow: Entries, deny: Entries, root_login: object
) -> None:
    refuse_lockout(controller, allow, deny, root_login)


def test_certificate_files() -> None:
    found = certificate_files(
        [{"type": "rsa", "certificate": " line \n"}],
        [{"user": "deploy", "principals": ["a", 'from="192.0.2.0/24" b']}],
    )
    assert found == [
        {"dest": "/etc/ssh/ssh_host_rsa_key-cert.pub", "content": "line\n"},
        {"dest": "/etc/ssh/authorized_principals.d/deploy",
         "content": 'a\nfrom="192.0.2.0/24" b\n'},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "criteria", "command"),
    [
        ({"group": "web"}, "Group web", "internal-sftp -l INFO -u 0027"),
        ({"user": "anna", "umask": "0007", "read_only": True, "directory": "/data"},
         "User anna", "internal-sftp -l INFO -u 0007 -R -d /data"),
        ({"user": "anna", "read_only": False}, "User anna", "internal-sftp -l INFO -u 0027"),
    ],
)  # fmt: skip
def test_sftp_blocks(entry: dict[str, Any], criteria: str, command: str) -> None:
    (block,) = sftp_blocks([{"chroot": "/srv/%u", **entry}])
    assert block["criteria"] == criteria
    assert block["settings"]["ForceCommand"] == command
    assert block["settings"]["ChrootDirectory"] == "/srv/%u"
    assert block["settings"]["DisableForwarding"] is True


@pytest.mark.parametrize(
    ("addresses", "found"),
    [
        ([], ["localhost:22", "localhost:2222"]),
        (["192.0.2.1", "2001:db8::1"],
         ["192.0.2.1:22", "[2001:db8::1]:22", "192.0.2.1:2222", "[2001:db8::1]:2222"]),
    ],
)  # fmt: skip
def test_endpoints(addresses: list[str], found: list[str]) -> None:
    assert endpoints([22, 2222], addresses) == [{"tcp": endpoint} for endpoint in found]
