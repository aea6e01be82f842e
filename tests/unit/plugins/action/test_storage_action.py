# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What the action refuses before it calls any host; the rest is tried in virtual machines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SECRET = "correct horse"  # noqa: S105 -- that of a test


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"arrays": [{"name": "system", "level": 1, "members": ["front"]}]},
            "storage_arrays[0].members: found 'front'; accepted: one of none yet",
        ),
        ({"disks": [{"serial": "SER001"}]}, "an entry lacks the key 'name'"),
        (
            {"encrypted": [{"name": "a", "device": "b", "passphrase": f"{SECRET}\nstaple"}]},
            "storage_encrypted[0].passphrase: found more than one line (hidden)",
        ),
        ({"disk": []}, "Unsupported parameters"),
    ],
)
def test_mistake_is_told_without_calling_the_host(
    arguments: dict[str, Any], said: str, run: Run, tmp_path: Path
) -> None:
    task = {"servertechnik.core.storage": arguments}
    playbook = [{"hosts": "all", "gather_facts": False, "tasks": [task]}]
    (tmp_path / "play.json").write_text(json.dumps(playbook))
    # Nobody answers there: a call would end in another message.
    hosts = "192.0.2.1,"
    words = ("-e", "ansible_ssh_executable=/bin/false", "-vvv", tmp_path / "play.json")
    done = run("ansible-playbook", "-i", hosts, *words)
    assert done.returncode == 2
    assert said in done.stdout
    assert "unreachable=0" in done.stdout
    assert SECRET not in done.stdout + done.stderr
