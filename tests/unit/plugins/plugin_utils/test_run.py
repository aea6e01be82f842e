# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils import _run


def test_an_id_names_the_second_in_utc() -> None:
    east = timezone(timedelta(hours=2))
    made = _run.new_run_id(datetime(2026, 3, 29, 1, 30, 5, tzinfo=east))
    assert re.fullmatch(r"20260328T233005Z-[0-9a-f]{4}", made)


def test_ids_of_one_second_differ() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert len({_run.new_run_id(now) for _ in range(20)}) > 1


@pytest.mark.parametrize("found", ["", "../../etc", "20260101T000000Z-12345", "x\n"])
def test_an_unusable_id_is_replaced_once(monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    monkeypatch.setenv(_run.VARIABLE, found)
    first = _run.run_id()
    assert first != found
    assert _run.run_id() == first


def test_a_given_id_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_run.VARIABLE, "20260101T000000Z-12af")
    assert _run.run_id() == "20260101T000000Z-12af"


def test_children_inherit_the_id() -> None:
    child = f"import os; print(os.environ['{_run.VARIABLE}'])"
    shown = subprocess.run(
        [sys.executable, "-c", child], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == _run.run_id()


def test_the_person_behind_sudo_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "root")
    monkeypatch.setenv("SUDO_USER", "ada")
    assert _run.run_by().startswith("ada@")
    monkeypatch.delenv("SUDO_USER")
    assert _run.run_by().startswith("root@")
