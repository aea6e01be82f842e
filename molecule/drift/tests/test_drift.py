"""The host tells by itself when it was changed by hand."""

from __future__ import annotations

import json

import pytest
from testinfra.host import Host

UNIT = "servertechnik-drift"
METRICS = "/var/lib/prometheus/node-exporter/servertechnik.prom"
SETTING = "/etc/systemd/system/servertechnik-drift.timer"


def checked(host: Host) -> tuple[list[dict[str, str]], str]:
    """Let the host compare itself; return the differences it logs, and its metrics."""
    assert host.run(f"systemctl start {UNIT}.service").rc == 0
    line = host.check_output(f"journalctl --sync; journalctl -t {UNIT} -o cat -n 1 --no-pager")
    differences: list[dict[str, str]] = json.loads(line)["differences"]
    return differences, host.file(METRICS).content_string


def test_timer_runs(host: Host) -> None:
    timer = host.service(f"{UNIT}.timer")
    assert timer.is_running
    assert timer.is_enabled


def test_untouched_host_has_no_drift(host: Host) -> None:
    differences, metrics = checked(host)
    assert differences == []
    assert 'servertechnik_drift_differences{component="drift"} 0' in metrics


@pytest.mark.parametrize(
    ("change", "undo", "kind"),
    [
        (
            f"cp -p {SETTING} /root/kept; echo '# by hand' >> {SETTING}",
            f"mv /root/kept {SETTING}",
            "file",
        ),
        (f"chmod 0600 {SETTING}", f"chmod 0644 {SETTING}", "file"),
        (f"systemctl stop {UNIT}.timer", f"systemctl start {UNIT}.timer", "unit"),
    ],
    ids=["content", "mode", "unit"],
)
def test_change_by_hand_is_told(host: Host, change: str, undo: str, kind: str) -> None:
    host.check_output(change)
    try:
        differences, metrics = checked(host)
    finally:
        host.check_output(undo)
    assert [one["kind"] for one in differences] == [kind]
    assert differences[0]["since"]
    assert 'servertechnik_drift_differences{component="drift"} 1' in metrics
