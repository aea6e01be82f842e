# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Hosts for the fault tests, and what they saw, as a list at the end with `-v`."""

from __future__ import annotations

import pytest

from tests.conftest_hosts import fleet, host, release  # noqa: F401 -- fixtures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what each test noted with `record_property("saw", …)`."""
    if terminalreporter.verbosity < 1:
        return
    reports = [one for key in ("passed", "failed") for one in terminalreporter.getreports(key)]
    for report in reports:
        for name, text in report.user_properties:
            if name == "saw":
                terminalreporter.section(report.nodeid, "-")
                terminalreporter.write_line(str(text))
