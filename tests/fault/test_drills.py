# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Every drill is undone by the host itself, in time, completely, and ends in one clear message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.conftest_hosts import Fleet, Results
from tests.fault.changes import journals, look
from tests.fault.drills import DRILLS, LONGER, READY, Drill

Saw = Callable[[str, object], None]

LATEST = 20  # seconds after the timeout in which a host on a busy machine is back
UNDONE = "The host is as before: files and units were put back."
LATE = "The host says: nobody confirmed the change within "


@dataclass
class Done:
    """What a drill did to both hosts."""

    drill: Drill
    name: str
    results: Results
    before: dict[str, str]
    after: dict[str, str]

    def result(self, release: str) -> dict[str, object]:
        """The result of the task that had to fail."""
        return next(one for one in self.results[release].values() if one.get("failed"))


@pytest.fixture(scope="module")
def ready(fleet: Fleet) -> Fleet:
    """Hosts whose settings were confirmed."""
    results = fleet.play(READY)
    for told in results.values():
        for name, one in told.items():
            assert not one.get("failed"), (name, one.get("msg"))
    return fleet


@pytest.fixture(scope="module", params=list(DRILLS))
def done(request: pytest.FixtureRequest, ready: Fleet) -> Iterator[Done]:
    """Each drill, on both hosts at once."""
    before, drill = look(ready), DRILLS[request.param]
    results = ready.play(drill.tasks)
    yield Done(drill, request.param, results, before, look(ready))
    for host in ready.hosts.values():
        assert host.sh("systemctl list-units --failed --plain --no-legend") == ""


def test_it_is_undone_byte_for_byte(done: Done, release: str) -> None:
    assert done.after[release].splitlines() == done.before[release].splitlines()


def test_it_ends_in_one_clear_message(done: Done, release: str) -> None:
    result = done.result(release)
    assert not result["changed"], result
    assert done.drill.says in str(result["msg"])
    if done.drill.refused:
        return
    assert result["rolled_back"], result
    assert str(result["msg"]).endswith(UNDONE), result["msg"]
    assert (LATE in str(result["msg"])) is not done.drill.at_once, result["msg"]


def test_it_is_undone_in_time(done: Done, ready: Fleet, release: str, record_property: Saw) -> None:
    if done.drill.refused:
        record_property("saw", f"{done.name}: refused; {done.result(release)['msg']}")
        return
    host = ready.hosts[release]
    journal = journals(host)[-1]
    began = float(host.sh(f"date +%s.%N --date={journal['at']}"))
    took = journal["ended"] - began
    record_property(
        "saw", f"{done.name}: back {took:.1f} s after it began; {done.result(release)['msg']}"
    )
    assert journal["state"] == "rolled back"
    assert took < LONGER + LATEST
