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
    script = [
        _write(f"/root/{name}", (folder / name).read_text())
        for name in ("own", "certified", "certified-cert.pub", "lost", "lost-cert.pub")
    ]
    script.append(_write("/root/authorities", f"@cert-authority * {(KEYS / 'ca.pub').read_text()}"))
    known = (folder / "own.pub").read_text() + (folder / "lost.pub").read_text()
    script += [f"groupadd --force {group}" for group in sorted({*PEOPLE.values()} - {""})]
    for name, group in PEOPLE.items():
        membership = f"-G {group}" if group else ""
        script += [
            f"id {name} 2>&1 || useradd -m -s /bin/bash {membership} {name}",
            f"install -d -o {name} -m 0700 /home/{name}/.ssh",
            _write(f"/home/{name}/.ssh/authorized_keys", known, f"-o {name}"),
        ]
    script.append("install -d /srv/sftp/dora && install -d -o dora -m 0770 /srv/sftp/dora/in")
    host.check_output("set -e; " + "\n".join(script))


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


def _write(path: str, text: str, owner: str = "") -> str:
    return f"printf %s {shlex.quote(text)} | install {owner} -m 0600 /dev/stdin {path}"
