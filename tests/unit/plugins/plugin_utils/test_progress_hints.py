# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors

from __future__ import annotations

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_hints import fix_for


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("ssh: connect to host 192.0.2.1 port 22: Connection refused", "ansible_port"),
        ("admin@192.0.2.1: Permission denied (publickey,password).", "authorized_keys"),
        ("Received disconnect: Too many authentication failures", "authorized_keys"),
        ("ssh: Could not resolve hostname web1: Name or service not known", "spelling"),
        ("ssh: connect to host 192.0.2.1 port 22: No route to host", "VPN"),
        ("ssh: connect to host 192.0.2.1 port 22: Connection timed out", "VPN"),
        (
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            "ssh-keygen -R",
        ),
        ("Host key verification failed.", "fingerprint"),
        ("kex_exchange_identification: read: Connection reset by peer", "MaxStartups"),
        ("Missing sudo password", "-K"),
        ("sudo: a password is required", "-K"),
        ("Incorrect sudo password", "login user"),
        ("admin is not in the sudoers file.", "group sudo"),
        ("Timeout (12s) waiting for privilege escalation prompt", "/etc/hosts"),
        ("/bin/sh: 1: /usr/bin/python3: not found", "apt-get install -y python3"),
        ("The module interpreter '/usr/bin/python3' was not found.", "apt-get install -y python3"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend.", "unattended-upgrades"),
        ("Failed to lock apt for exclusive operation", "unattended-upgrades"),
        ("E: dpkg was interrupted, you must manually run", "dpkg --configure -a"),
        ("E: Unable to locate package nginxx", "spelling"),
        ("Temporary failure resolving 'deb.example.org'", "DNS"),
        ("[Errno 28] No space left on device", "df -h"),
        ("[Errno 30] Read-only file system: '/etc/x'", "dmesg"),
        ("Attempting to decrypt but no vault secrets found", "--ask-vault-pass"),
        ("couldn't resolve module/action 'foo.bar.baz'", "requirements"),
        ("'base_domain' is undefined", "ansible-inventory"),
    ],
)
def test_known_causes_have_advice(message: str, advice: str) -> None:
    assert advice in fix_for(message)


@pytest.mark.parametrize("message", ["", "sshd -t: line 3: Bad configuration option", "python3.11"])
def test_unknown_causes_have_none(message: str) -> None:
    assert fix_for(message) == ""
