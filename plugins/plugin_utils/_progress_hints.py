# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say what usually helps when a task failed in a well-known way."""

from __future__ import annotations

import re

_HINTS = tuple(
    (re.compile(pattern, re.IGNORECASE), fix)
    for pattern, fix in (
        (
            r"REMOTE HOST IDENTIFICATION HAS CHANGED",
            "The host shows another key than last time. If it was reinstalled, forget the old key "
            "with: ssh-keygen -R NAME. If not, find out who answers there before you go on.",
        ),
        (
            r"Host key verification failed",
            "The host's key isn't known here yet. Log in once by hand with ssh, compare the "
            "fingerprint and accept it.",
        ),
        (
            r"Permission denied \((?:[\w-]+,)*publickey|Too many authentication failures",
            "The host answers but takes none of your keys. Check ansible_user, "
            "ansible_ssh_private_key_file and ssh-add -l; the public key belongs into "
            "~/.ssh/authorized_keys of that user.",
        ),
        (
            r"Connection refused",
            "The host answers but nothing listens on that port. Check ansible_port and, on the "
            "console, systemctl status ssh.",
        ),
        (
            r"Could not resolve hostname|Name or service not known",
            "That name can't be resolved here. Check its spelling, or set ansible_host to an "
            "address.",
        ),
        (
            r"Connection timed out|No route to host|Network is unreachable|Operation timed out",
            "Nothing answers there. Check that the host is switched on, its address, the VPN and "
            "the firewalls between.",
        ),
        (
            r"kex_exchange_identification|Connection (?:reset|closed) by",
            "Something answers but hangs up. Look for a ban (fail2ban, MaxStartups) or an "
            "AllowUsers rule in the journal of ssh on the host.",
        ),
        (
            r"Missing sudo password|sudo: a password is required|sudo password is required",
            "sudo wants a password: run again with --ask-become-pass (-K).",
        ),
        (
            r"Incorrect sudo password|sudo password is incorrect|incorrect password attempt",
            "sudo did not accept the password. Run again with -K and type the password of the "
            "login user, not of root.",
        ),
        (
            r"is not in the sudoers file|is not allowed to (?:execute|run)",
            "The login user may not use sudo there. Let root add it to the group sudo.",
        ),
        (
            r"waiting for privilege escalation prompt",
            "sudo did not answer in time. Often the host can't resolve its own name: check "
            "/etc/hosts there.",
        ),
        (
            r"python[\d.]*['\"]? ?(?:was not found|: (?:command )?not found)"
            r"|python[\d.]*: No such file",
            "Python is missing on the host. Install it once: "
            "ansible NAME -m ansible.builtin.raw -a 'apt-get install -y python3' --become",
        ),
        (
            r"Could not get lock|Unable to acquire the dpkg|lock apt for exclusive|lock-frontend",
            "Another package run is under way (often unattended-upgrades). Wait for it, or see "
            "who it is: fuser -v /var/lib/dpkg/lock-frontend",
        ),
        (r"dpkg was interrupted", "Finish it on the host: dpkg --configure -a"),
        (
            r"Unable to locate package|No package matching|has no installation candidate",
            "The package lists don't have it. Check its spelling and release, and refresh the "
            "lists with: apt-get update",
        ),
        (
            r"Temporary failure resolving|Failed to fetch",
            "The host can't load packages. Check its DNS, its way to the mirror and "
            "/etc/apt/sources.list.d.",
        ),
        (r"No space left on device", "A file system is full. See which one: df -h; df -i"),
        (
            r"Read-only file system",
            "A file system is mounted read-only, often after a disk error. See: dmesg | tail",
        ),
        (
            r"no vault secrets found|Decryption failed",
            "An encrypted value can't be read. Run again with --ask-vault-pass or check "
            "vault_password_file.",
        ),
        (
            r"couldn't resolve module/action|was not found in configured module paths",
            "That module isn't installed here. Install the requirements of this repository again "
            "and check the module's full name.",
        ),
        (
            r"' is undefined|object has no attribute",
            "A variable has no value on this host. Set it in the inventory; "
            "ansible-inventory --host NAME shows what is set.",
        ),
    )
)


def fix_for(message: str) -> str:
    """Return the advice for the first known cause found in `message`, or an empty string."""
    return next((fix for pattern, fix in _HINTS if pattern.search(message)), "")
