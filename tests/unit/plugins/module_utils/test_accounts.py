# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._accounts import (
    AccountsError,
    Change,
    Database,
    Wanted,
    parse,
    plan,
)

USERS = """\
root:x:0:0:root:/root:/bin/bash
# a comment
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
anna:x:1000:1000:Anna Albers,,,:/home/anna:/bin/bash
bob:x:1001:1001::/srv/bob:/bin/sh
+::::::
"""
GROUP = """\
root:x:0:
adm:x:4:anna
sudo:x:27:anna,bob
anna:x:1000:
bob:x:1001:
carl:x:2000:
"""
SHADOW = "root:*:20000:0:99999:7:::\nanna:$y$j9T$old:20000:0:99999:7:::\nbob:!:20000:0:99999:7:::\n"
FOUND = parse(USERS, GROUP, SHADOW)
HASH = "$y$j9T$new"


def changes(*wanted: Wanted, database: Database = FOUND, protected: str = "") -> list[Change]:
    return plan(wanted, database, {protected})


def words(*wanted: Wanted) -> list[str]:
    return [" ".join(c.words) for change in changes(*wanted) for c in change.commands]


def test_reads_what_debian_writes() -> None:
    anna = FOUND.accounts["anna"]
    assert (anna.uid, anna.comment, anna.home) == (1000, "Anna Albers,,,", "/home/anna")
    assert (anna.shell, anna.password) == ("/bin/bash", "$y$j9T$old")
    assert anna.groups == {"adm", "sudo"}
    assert FOUND.accounts["bob"].groups == {"sudo"}
    assert set(FOUND.accounts) == {"root", "www-data", "anna", "bob"}
    assert FOUND.groups == {"root", "adm", "sudo", "anna", "bob", "carl"}


@pytest.mark.parametrize(
    ("wanted", "commands"),
    [
        ({"name": "anna"}, []),
        ({"name": "anna", "uid": 1000, "shell": "/bin/bash", "groups": {"adm"}}, []),
        ({"name": "anna", "password_hash": "$y$j9T$old"}, []),
        ({"name": "anna", "groups_absent": {"docker"}}, []),
        ({"name": "eve", "present": False}, []),
        ({"name": "anna", "comment": "Anna"}, ["usermod --comment Anna anna"]),
        ({"name": "anna", "comment": ""}, ["usermod --comment  anna"]),
        ({"name": "bob", "shell": "/bin/bash"}, ["usermod --shell /bin/bash bob"]),
        ({"name": "bob", "groups": {"z", "adm"}}, ["usermod --append --groups adm,z bob"]),
        ({"name": "bob", "groups_absent": {"sudo"}}, ["gpasswd --delete bob sudo"]),
        ({"name": "bob", "password_hash": HASH}, ["chpasswd --encrypted"]),
        (
            {"name": "eve"},
            ["useradd --create-home --key HOME_MODE=0700 --password * --shell /bin/bash "
             "--user-group eve"],
        ),
        (
            {"name": "carl", "uid": 2000, "comment": "Carl C", "shell": "/bin/sh",
             "groups": {"adm"}, "groups_absent": {"sudo"}, "password_hash": HASH},
            ["useradd --create-home --key HOME_MODE=0700 --password * --shell /bin/sh "
             "--gid carl --uid 2000 --comment Carl C --groups adm carl",
             "chpasswd --encrypted"],
        ),
        (
            {"name": "bob", "present": False},
            ["usermod --lock --expiredate 1 bob", "loginctl terminate-user bob",
             "pkill --signal KILL --uid bob", "userdel bob"],
        ),
    ],
)  # fmt: skip
def test_does_what_is_missing_and_no_more(wanted: dict[str, Any], commands: list[str]) -> None:
    assert words(Wanted(**wanted)) == commands


def test_files_go_only_if_asked() -> None:
    wanted = Wanted(name="bob", present=False, remove_home=True)
    assert words(wanted)[-1] == "userdel --remove bob"


@pytest.mark.parametrize(
    ("wanted", "protected", "told"),
    [
        ([Wanted(name="anna", present=False)], "anna", "Ansible came in as anna"),
        ([Wanted(name="root", present=False)], "", "belongs to the system (uid 0)"),
        ([Wanted(name="www-data", comment="web")], "", "belongs to the system (uid 33)"),
        ([Wanted(name="anna", uid=2001)], "", "has uid 1000 and 2001 is wanted"),
        ([Wanted(name="eve", uid=1000)], "", "which belongs to anna"),
        ([Wanted(name="anna"), Wanted(name="anna")], "", "listed twice"),
    ],
)
def test_refuses_what_would_break_the_host(wanted: list[Wanted], protected: str, told: str) -> None:
    with pytest.raises(AccountsError) as error:
        changes(*wanted, protected=protected)
    assert told in str(error.value)
    assert "accepted: " in str(error.value)


def test_protected_account_may_change() -> None:
    assert changes(Wanted(name="anna", comment="A"), protected="anna")


@pytest.mark.parametrize("before", ["", "$y$j9T$old"])
def test_password_travels_by_standard_input_and_is_never_shown(before: str) -> None:
    name = "anna" if before else "eve"
    (change,) = changes(Wanted(name=name, password_hash=HASH))
    assert change.commands[-1].stdin == f"{name}:{HASH}"
    shown = f"{change.diff()} {change} {Wanted(name=name, password_hash=HASH)}"
    assert HASH not in shown
    assert not any(HASH in word for c in change.commands for word in c.words)
    assert not before or change.diff()["before"] != change.diff()["after"]


def test_tells_kinds_and_what_the_host_must_have() -> None:
    created, changed, removed = changes(
        Wanted(name="eve", shell="/bin/zsh", groups=frozenset({"adm"})),  # noqa: S604 -- of login
        Wanted(name="anna", groups=frozenset({"adm", "docker"})),
        Wanted(name="bob", present=False),
    )
    assert [c.kind for c in (created, changed, removed)] == ["created", "changed", "removed"]
    assert [c.new_shell for c in (created, changed, removed)] == ["/bin/zsh", None, None]
    assert [set(c.new_groups) for c in (created, changed, removed)] == [{"adm"}, {"docker"}, set()]


def test_plan_of_an_applied_plan_is_empty() -> None:
    wanted = [
        Wanted(name="anna", comment="A", groups_absent=frozenset({"sudo"})),
        Wanted(name="carl", comment="C"),
        Wanted(name="eve", uid=2001, password_hash=HASH, groups=frozenset({"adm"})),
        Wanted(name="bob", present=False),
    ]
    accounts = dict(FOUND.accounts)
    for change in changes(*wanted):
        accounts.pop(change.name, None)
        if change.after:
            accounts[change.name] = change.after
    assert changes(*wanted, database=replace(FOUND, accounts=accounts)) == []
