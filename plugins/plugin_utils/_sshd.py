# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may log in, as sshd_config(5) says it, and the files that certificates need. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

ROOT = "root"
PRINCIPALS = "/etc/ssh/authorized_principals.d"
# A colon separates the fields of passwd(5): no account can have this name.
NOBODY = ":"


class AccessError(ValueError):
    """Rules that shut Ansible out; the text says what is accepted."""


def access(allow: Sequence[Mapping[str, Any]], deny: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return `settings` for everybody, and `blocks` (criteria and settings) for some.

    `allow` and `deny` are lists of dictionaries with either `user` or `group` and, if they are for
    some networks only, `from`. OpenSSH takes AllowUsers and AllowGroups together as "both", and
    AllowGroups knows no networks; here any entry that fits is enough, so groups are Match blocks.
    """
    allowed = [name for entry in allow if "user" in entry for name in _users(entry)]
    denied = [name for entry in deny if "user" in entry for name in _users(entry)]
    settings = {
        "AllowUsers": allowed or [NOBODY] * bool(allow),
        "DenyUsers": denied,
        "DenyGroups": [e["group"] for e in deny if "group" in e and not e.get("from")],
    }
    blocks = [_block(e, "AllowUsers") for e in allow if "group" in e]
    blocks += [_block(e, "DenyUsers") for e in deny if "group" in e and e.get("from")]
    return {"settings": settings, "blocks": blocks}


def _users(entry: Mapping[str, Any]) -> Iterator[str]:
    networks = entry.get("from") or []
    yield from (f"{entry['user']}@{network}" for network in networks)
    if not networks:
        yield entry["user"]


def _block(entry: Mapping[str, Any], keyword: str) -> dict[str, Any]:
    networks = entry.get("from")
    address = f" Address {','.join(networks)}" if networks else ""
    return {"criteria": f"Group {entry['group']}{address}", "settings": {keyword: "*"}}


def refuse_lockout(
    controller: str,
    allow: Sequence[Mapping[str, Any]],
    deny: Sequence[Mapping[str, Any]],
    root_login: object,
) -> None:
    """Raise AccessError if the account by which Ansible comes in is certain to be shut out.

    `controller` is that account, empty if unknown. What can't be known on the controller (groups,
    the address that the host sees) is left to the confirmed commit.
    """
    if controller == ROOT and root_login in (False, "no"):
        raise AccessError(
            "sshd_root_login: found no, but Ansible comes in as root; accepted: another "
            "ansible_user, or sshd_root_login prohibit-password"
        )
    if controller and any(_names(e, controller) and not e.get("from") for e in deny):
        raise AccessError(
            f"sshd_deny: {controller} is denied, but Ansible comes in as {controller}; accepted: "
            "another ansible_user, or a list without that account"
        )
    if controller and allow and not any("group" in e or _names(e, controller) for e in allow):
        raise AccessError(
            f"sshd_allow: no entry is for {controller}, but Ansible comes in as {controller}; "
            "accepted: a list with that account or one of its groups, or another ansible_user"
        )


def _names(entry: Mapping[str, Any], user: str) -> bool:
    return fnmatchcase(user, str(entry.get("user", "")))


def certificate_files(
    host_certificates: Iterable[Mapping[str, str]], principals: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return certificates of host keys and lists of principals as files of a component.

    `host_certificates` have `type` and `certificate`, `principals` have `user` and `principals`.
    """
    files = [
        {
            "dest": f"/etc/ssh/ssh_host_{entry['type']}_key-cert.pub",
            "content": f"{entry['certificate'].strip()}\n",
        }
        for entry in host_certificates
    ]
    return files + [
        {
            "dest": f"{PRINCIPALS}/{entry['user']}",
            "content": "".join(f"{principal}\n" for principal in entry["principals"]),
        }
        for entry in principals
    ]


def sftp_blocks(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return blocks (criteria and settings) for accounts that may only transfer files.

    `entries` have either `user` or `group`, and `chroot`, `umask`, `read_only` and `directory`.
    """
    return [
        {
            "criteria": f"Group {entry['group']}" if "group" in entry else f"User {entry['user']}",
            "settings": {
                "ChrootDirectory": entry["chroot"],
                "ForceCommand": " ".join(_sftp_command(entry)),
                "DisableForwarding": True,
                "PermitTTY": False,
                "PermitUserRC": False,
            },
        }
        for entry in entries
    ]


def _sftp_command(entry: Mapping[str, Any]) -> Iterator[str]:
    yield from ("internal-sftp", "-l", "INFO", "-u", entry.get("umask", "0027"))
    if entry.get("read_only"):
        yield "-R"
    if "directory" in entry:
        yield from ("-d", entry["directory"])


def endpoints(ports: Iterable[int], addresses: Sequence[str]) -> list[dict[str, str]]:
    """Return checks of a component that every port answers, on all addresses if there are any."""
    return [
        {"tcp": f"[{address}]:{port}" if ":" in address else f"{address}:{port}"}
        for port in ports
        for address in addresses or ["localhost"]
    ]
