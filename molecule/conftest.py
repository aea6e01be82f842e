"""What every scenario's tests share."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from testinfra.host import Host


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the host's last journal lines with a test that failed on it."""
    report = yield
    host = getattr(item, "funcargs", {}).get("host")
    if report.when == "call" and report.failed and isinstance(host, Host):
        journal = host.run("journalctl --no-pager --quiet --lines=60").stdout
        report.sections.append((f"journal of {host.backend.get_hostname()}", journal))
    return report
