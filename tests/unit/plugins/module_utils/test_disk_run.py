# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Programs that may hang."""

from __future__ import annotations

from ansible_collections.servertechnik.core.plugins.module_utils._disk_run import run, run_all


def test_what_a_program_says() -> None:
    ran = run(["sh", "-c", "printf out; printf ' err ' >&2; exit 3"])
    assert (ran.status, ran.output, ran.errors, ran.late) == (3, b"out", "err", False)


def test_a_program_that_is_not_there() -> None:
    ran = run(["no-such-program"])
    assert (ran.status, ran.errors) == (127, "no-such-program: No such file or directory")


def test_a_program_that_hangs_is_given_up() -> None:
    ran = run(["sleep", "1000"], patience=0.01)
    assert (ran.late, ran.errors) == (True, "no answer in 0.01 s")


def test_one_that_hangs_does_not_hold_up_the_others() -> None:
    found = run_all({"a": ["sleep", "1000"], "b": ["printf", "b"]}, patience=2)
    assert found["a"].late
    assert found["b"].output == b"b"


def test_none() -> None:
    assert run_all({}) == {}
