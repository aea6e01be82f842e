from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._record import envelope
from rich.console import Console

from tests.bench import table
from tests.bench.measure import Line, Target

MACHINE: dict[str, Any] = {
    "cores": 2,
    "python": "3.13.0",
    "ansible_core": "2.21.5",
    "load_start": 0.5,
    "load_end": 1.0,
    "seconds": 240.0,
}
LINES = [
    Line("site.yml again", (6.0, 6.2, 6.1), "pings", (5.0, 5.0, 5.0), (Target(1.5, "ratio"),)),
    Line("drift", (3.5,), targets=(Target(3, "seconds"),)),
    Line("role", problem="[bed] is not there"),
]


def shown(**machine: float) -> str:
    stream = io.StringIO()
    table.show(LINES, MACHINE | machine, Console(file=stream))
    return stream.getvalue()


def test_a_pipe_gets_plain_lines_of_bounded_width() -> None:
    text = shown()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= table.WIDTH


def test_a_line_says_seconds_ratio_and_aim() -> None:
    line = next(line for line in shown().splitlines() if line.startswith("site.yml"))
    assert " ".join(line.split()) == (
        "site.yml again 6.10 s pings 5.00 s 1.22 (1.20-1.24) ratio ≤ 1.50 reached 3"
    )
    assert "< 3.00 s NOT reached" in shown()


def test_what_could_not_be_measured_says_why() -> None:
    assert "role could not be measured:\n[bed] is not there" in shown()


def test_a_busy_machine_is_told() -> None:
    assert "WARNING" not in shown(load_start=1.0)
    assert "WARNING" in shown(load_start=1.1)


def test_the_record_keeps_every_time() -> None:
    document = envelope(
        kind="bench",
        schema=1,
        host="a",
        run="20261124T083000Z-1f3c",
        data=table.data(LINES, MACHINE),
        at=datetime(2026, 11, 24, tzinfo=UTC),
    )
    first, second, third = document["data"]["lines"]
    assert first["seconds"] == [6.0, 6.2, 6.1]
    assert first["aims"] == [{"of": "ratio", "most": 1.5, "reached": True}]
    assert second["ratio"] is None
    assert third["problem"] == "[bed] is not there"
