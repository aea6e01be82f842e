"""Giving a machine, a clone as it starts, an identity of its own and letting the bed's key in."""

from __future__ import annotations

import secrets
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bed.environment import run
from tests.bed.hosts import KEY, USER, public_key
from tests.vm.wire import Agent, VmError

_HERE = "/usr/local/sbin"


def enrol(agent: Agent, name: str, known_hosts: Path) -> None:
    """Give the machine its name, keys, clock and randomness; write its key to `known_hosts`.

    All through its agent rather than over the wire: that is what makes the key trustworthy.

    Raises:
        VmError: a step failed in the machine.
    """
    with tempfile.TemporaryDirectory(prefix="vm-") as folder:
        keys = Path(folder, "etc", "ssh")
        keys.mkdir(parents=True)
        run("ssh-keygen", "-q", "-A", "-f", folder)
        words = ["tar", "--create", "--owner=0", "--group=0", f"--directory={folder}", "etc/ssh"]
        files = subprocess.run(words, capture_output=True, check=True).stdout
        key = (keys / "ssh_host_ed25519_key.pub").read_text().split()
    identity = (name, f"{time.time():.3f}", secrets.token_hex(32))
    _run(agent, f"{_HERE}/vm-enrol", *identity, stdin=files)
    _run(agent, f"{_HERE}/bed-enrol", stdin=public_key().encode())
    known_hosts.write_text(f"{name} {key[0]} {key[1]}\n")


def ssh_words(name: str, port: int, known_hosts: Path) -> list[str]:
    """The command that logs in as technician, knowing the machine by its own key."""
    options = {
        "Port": port,
        "User": USER,
        "UserKnownHostsFile": known_hosts,
        "HostKeyAlias": name,
        "IdentityFile": KEY,
        "IdentitiesOnly": "yes",
    }
    settings = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    return ["ssh", *settings, "127.0.0.1"]


def _run(agent: Agent, *words: str, stdin: bytes) -> None:
    done = agent.run(*words, stdin=stdin)
    if done.status:
        raise VmError(f"{words[0]} failed ({done.status}): {done.out}{done.err}")
