# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""People with keys and certificates who log in to the host from addresses of its loopback."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from testinfra.backend.base import CommandResult
from testinfra.host import Host

KEYS = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
PEOPLE = {"anna": "", "bob": "staff", "carl": "staff", "deploy": "", "dora": "customers", "eve": ""}
Login = Callable[..., CommandResult]


@pytest.fixture(scope="module")
def people(host: Host, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Make accounts that all know one key, and keep it in root's folder."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("own", "certified"):
        _keygen("-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    for name in ("lost", "lost.pub"):
        shutil.copy(KEYS / name, folder)
    for name in ("certified", "lost"):
        _keygen("-q", "-s", str(KEYS / "ca"), "-I", "test", "-n", "release,anna", "-V", "+1h",
                str(folder / f"{name}.pub"))  # fmt: skip
    for name in ("own", "certified", "certified-cert.pub", "lost", "lost-cert.pub"):
        _write(host, f"/root/{name}", (folder / name).read_text(), "0600")
    _write(host, "/root/authorities", f"@cert-authority * {(KEYS / 'ca.pub').read_text()}", "0600")
    known = (folder / "own.pub").read_text() + (folder / "lost.pub").read_text()
    for group in {*PEOPLE.values()} - {""}:
        host.check_output(f"getent group {group} || groupadd {group}")
    for name, group in PEOPLE.items():
        membership = f"-G {group}" if group else ""
        host.check_output(f"id {name} || useradd -m -s /bin/bash {membership} {name}")
        host.check_output(f"install -d -o {name} -m 0700 /home/{name}/.ssh")
        _write(host, f"/home/{name}/.ssh/authorized_keys", known, "0644")
    host.check_output("install -d /srv/sftp/dora && install -d -o dora -m 0770 /srv/sftp/dora/in")


@pytest.fixture
def login(host: Host, people: None) -> Login:  # noqa: ARG001 - the accounts must be there
    """Return a function that logs in as somebody and runs a command."""
    name = host.backend.get_hostname()
    options = (
        f"-o BatchMode=yes -o IdentitiesOnly=yes -o UserKnownHostsFile=/root/authorities "
        f"-o StrictHostKeyChecking=yes -o HostKeyAlias={name}"
    )

    def run(
        user: str, command: str = "id -un", *, source: str = "127.0.0.1", key: str = "own",
        program: str = "ssh", more: str = "",
    ) -> CommandResult:  # fmt: skip
        where = f"{user}@127.0.0.1"
        return host.run(
            f"{program} {options} -o BindAddress={source} -i /root/{key} {more} {where} {command}"
        )

    return run


def _keygen(*words: str) -> None:
    subprocess.run(["ssh-keygen", *words], check=True, capture_output=True)


def _write(host: Host, path: str, text: str, mode: str) -> None:
    host.check_output(f"printf %s {shlex.quote(text)} > {path} && chmod {mode} {path}")
