# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._usage_mounts import holding, parse
from ansible_collections.servertechnik.core.plugins.module_utils._usage_open import (
    deleted,
    unit_of,
)


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/mariadb.service\n", "mariadb.service"),
        ("0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n",
         "postgresql@15-main.service"),
        ("0::/user.slice/user-1000.slice/session-4.scope\n", "session-4.scope"),
        ("0::/user.slice/user-0.slice/user@0.service/app.slice/x.service\n", "x.service"),
        ("12:pids:/system.slice/ssh.service\n1:name=systemd:/system.slice/ssh.service\n",
         "ssh.service"),
        ("0::/init.scope\n", "init.scope"),
        ("0::/\n", ""),
    ],
)  # fmt: skip
def test_unit_of_a_process(cgroup: str, unit: str) -> None:
    assert unit_of(cgroup) == unit


def test_own_file_without_a_name(tmp_path: Path) -> None:
    mounts = parse(Path("/proc/self/mountinfo").read_text())
    here = holding(mounts, os.path.realpath(tmp_path)).device
    path = tmp_path / "large (deleted)"
    with path.open("wb") as file:
        file.write(b"x" * 100_000)
        file.flush()
        again = os.dup(file.fileno())
        assert str(path) not in [one["path"] for one in deleted(here)]
        path.unlink()
        mine = [one for one in deleted(here) if one["path"] == str(path)]
        os.close(again)
        elsewhere = [one for one in deleted("0:0") if one["path"] == str(path)]
    assert len(mine) == 1
    assert mine[0]["pid"] == os.getpid()
    assert mine[0]["bytes"] >= 100_000
    assert elsewhere == []
