# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""People's accounts on a host: what is there, what is wanted, and the commands in between. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# login.defs(5): UID_MIN as Debian ships it; what is below belongs to the system.
FIRST_PERSON = 1000
SHELL = "/bin/bash"
# No password fits "*" either, but sshd without PAM doesn't take it for a locked account, as it
# does with "!".
NO_PASSWORD = "*"  # noqa: S105 -- a field of shadow(5), not a password


class AccountsError(Exception):
    """The accounts can't become as wanted; the text says what was found and what is accepted."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How one account must be; None leaves a property as it is, or to useradd(8) if it is new."""

    name: str
    present: bool = True
    uid: int | None = None
    comment: str | None = None
    shell: str | None = None
    groups: frozenset[str] = frozenset()
    groups_absent: frozenset[str] = frozenset()
    password_hash: str | None = field(default=None, repr=False)
    remove_home: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Wanted:
        """From the options of the module: `state` and lists instead of `present` and sets."""
        plain = ("name", "uid", "comment", "shell", "password_hash", "remove_home")
        return cls(
            present=options["state"] == "present",
            groups=frozenset(options["groups"]),
            groups_absent=frozenset(options["groups_absent"]),
            **{name: options[name] for name in plain},
        )


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account as passwd(5), group(5) and shadow(5) tell it; `groups` are the supplementary."""

    name: str
    uid: int | None
    comment: str
    home: str
    shell: str
    groups: frozenset[str]
    password: str = field(repr=False)

    def shown(self) -> dict[str, Any]:
        """Return what may be shown of it: all but the password."""
        return {
            "uid": self.uid,
            "comment": self.comment,
            "home": self.home,
            "shell": self.shell,
            "groups": sorted(self.groups),
        }


@dataclass(frozen=True)
class Database:
    """The accounts and groups of one host."""

    accounts: Mapping[str, Account]
    groups: frozenset[str]


@dataclass(frozen=True)
class Command:
    """Words to run, the line they read from standard input, whether their failure matters."""

    words: tuple[str, ...]
    stdin: str | None = field(default=None, repr=False)
    may_fail: bool = False


@dataclass(frozen=True)
class Change:
    """One account that is to change; `new_shell` and `new_groups` must exist by then."""

    name: str
    before: Account | None
    after: Account | None
    commands: tuple[Command, ...]

    @property
    def kind(self) -> str:
        """One of created, changed and removed."""
        if self.before is None:
            return "created"
        return "removed" if self.after is None else "changed"

    def diff(self) -> dict[str, Any]:
        """Return the difference as Ansible shows it; of a password only that it is another one."""
        before, after = (a.shown() if a else {} for a in (self.before, self.after))
        if self.before and self.after and self.before.password != self.after.password:
            before["password"], after["password"] = "the former", "another"
        return {
            "before_header": self.name,
            "after_header": self.name,
            "before": before,
            "after": after,
        }

    @property
    def new_shell(self) -> str | None:
        """The shell that the account doesn't have yet."""
        if self.after is None or (self.before and self.before.shell == self.after.shell):
            return None
        return self.after.shell

    @property
    def new_groups(self) -> frozenset[str]:
        """The groups that the account isn't in yet."""
        if self.after is None:
            return frozenset()
        return self.after.groups - (self.before.groups if self.before else frozenset())


def parse(passwd: str, group: str, shadow: str) -> Database:
    """Return what the texts of /etc/passwd, /etc/group and /etc/shadow say."""
    passwords = {row[0]: row[1] for row in _rows(shadow, 2)}
    members = {row[0]: set(row[3].split(",")) for row in _rows(group, 4)}
    accounts = {
        name: Account(
            name=name,
            uid=int(uid),
            comment=comment,
            home=home,
            shell=shell,
            groups=frozenset(g for g, names in members.items() if name in names),
            password=passwords.get(name, ""),
        )
        for name, _password, uid, _gid, comment, home, shell in _rows(passwd, 7)
    }
    return Database(accounts, frozenset(members))


def _rows(text: str, fields: int) -> Iterator[list[str]]:
    """Yield the rows of at least `fields` fields, cut there; others (NIS, comments) don't count."""
    for line in text.splitlines():
        row = line.split(":")
        if len(row) >= fields and not line.startswith(("#", "+", "-")):
            yield row[:fields]


def plan(wanted: Iterable[Wanted], database: Database, protected: Collection[str]) -> list[Change]:
    """Return what turns the accounts in `database` into the `wanted` ones, in their order.

    Raises AccountsError for an account that is named twice, an account of the system, a uid that
    differs or belongs to somebody else, and the removal of a `protected` account.
    """
    changes = []
    seen: set[str] = set()
    for want in wanted:
        if want.name in seen:
            raise AccountsError(f"account {want.name} is listed twice; accepted: once")
        seen.add(want.name)
        found = database.accounts.get(want.name)
        _check(want, found, database, protected)
        if not want.present:
            commands = _removal(want) if found else ()
            after = None
        elif found is None:
            after = _new(want)
            commands = _creation(want, after, database.groups)
        else:
            after = _adapted(want, found)
            commands = tuple(_adaptation(want, found, after))
        if commands:
            changes.append(Change(want.name, found, after, commands))
    return changes


def _check(
    want: Wanted, found: Account | None, database: Database, protected: Collection[str]
) -> None:
    if not want.present and want.name in protected:
        raise AccountsError(
            f"account {want.name} is to be removed, but Ansible came in as {want.name}; accepted: "
            "come in as somebody else, then remove it"
        )
    if found and found.uid is not None and found.uid < FIRST_PERSON:
        raise AccountsError(
            f"account {want.name} belongs to the system (uid {found.uid}); accepted: a name that "
            f"is free, or of a person (uid {FIRST_PERSON} and up)"
        )
    if not want.present or want.uid is None:
        return
    if found and found.uid != want.uid:
        raise AccountsError(
            f"account {want.name} has uid {found.uid} and {want.uid} is wanted; changing it would "
            f"orphan its files; accepted: uid {found.uid}, or none in the inventory"
        )
    for other in database.accounts.values():
        if other.uid == want.uid and other.name != want.name:
            raise AccountsError(
                f"account {want.name} is to have uid {want.uid}, which belongs to {other.name}; "
                "accepted: one that is free"
            )


def _new(want: Wanted) -> Account:
    return Account(
        name=want.name,
        uid=want.uid,
        comment=want.comment or "",
        home=f"/home/{want.name}",
        shell=want.shell or SHELL,
        groups=want.groups,
        password=want.password_hash or NO_PASSWORD,
    )


def _adapted(want: Wanted, found: Account) -> Account:
    return replace(
        found,
        comment=found.comment if want.comment is None else want.comment,
        shell=want.shell or found.shell,
        groups=(found.groups | want.groups) - want.groups_absent,
        password=want.password_hash or found.password,
    )


def _creation(want: Wanted, after: Account, groups: Collection[str]) -> tuple[Command, ...]:
    words = ["useradd", "--create-home", "--key", "HOME_MODE=0700", "--password", NO_PASSWORD]
    words += ["--shell", after.shell]
    words += ["--gid", want.name] if want.name in groups else ["--user-group"]
    words += ["--uid", str(want.uid)] if want.uid is not None else []
    words += ["--comment", after.comment] if after.comment else []
    words += ["--groups", ",".join(sorted(after.groups))] if after.groups else []
    return (Command((*words, want.name)), *_password(want, NO_PASSWORD))


def _adaptation(want: Wanted, found: Account, after: Account) -> Iterator[Command]:
    words = ["--comment", after.comment] if after.comment != found.comment else []
    words += ["--shell", after.shell] if after.shell != found.shell else []
    if added := after.groups - found.groups:
        words += ["--append", "--groups", ",".join(sorted(added))]
    if words:
        yield Command(("usermod", *words, want.name))
    for group in sorted(found.groups - after.groups):
        yield Command(("gpasswd", "--delete", want.name, group))
    yield from _password(want, found.password)


def _password(want: Wanted, found: str) -> Iterator[Command]:
    if want.password_hash and want.password_hash != found:
        # By standard input: the words of a process can be read by everybody.
        yield Command(("chpasswd", "--encrypted"), f"{want.name}:{want.password_hash}")


def _removal(want: Wanted) -> tuple[Command, ...]:
    """Shut the door first, then end what runs, then remove: userdel refuses accounts in use."""
    removal = ("userdel", *(("--remove",) if want.remove_home else ()), want.name)
    return (
        Command(("usermod", "--lock", "--expiredate", "1", want.name)),
        Command(("loginctl", "terminate-user", want.name), may_fail=True),
        Command(("pkill", "--signal", "KILL", "--uid", want.name), may_fail=True),
        Command(removal),
    )
