# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The controller's part of the replacement of a disk: steps, words, sheet and inventory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_case import case_of
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_state import (
    STEPS,
    opened,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._record import envelope
from ansible_collections.servertechnik.core.plugins.plugin_utils._replacement_inventory import (
    left_to_do,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._replacement_job import (
    Job,
    Way,
    gauge,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._replacement_sheet import (
    LANGUAGES,
    keep_sheets,
    sheet,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._replacement_words import (
    WORDS,
    about,
    estimate,
    phase_of,
    words_of,
)

from tests.unit.plugins.module_utils.replacements import mirror

Json = dict[str, Any]
NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
ARGUMENTS = {"stop_after": None, "wait": 100, "wait_rebuild": 1000, "poll": 10}
HALF = {"name": "system", "done": 0.5, "left": 90, "speed": 110_000_000}


def state(*done: str, **other: Any) -> Json:
    """The case of disk A of a mirror, up to these steps."""
    case = opened(case_of(mirror().tree, "A"), run="20261124T153000Z-1f3c")
    known = {"opened": "2026-11-24T15:30:00Z", "done": list(done), "left": {"system": 0}}
    return case | known | other


def at(step: str, *, waiting: str = "", **other: Any) -> Json:
    """What a call returns that has come as far as this step."""
    done = STEPS[: STEPS.index(step)] if step else STEPS
    new = {"serial": "NEW"} if "insert" in done else None
    result = {"state": state(*done, replacement=new), "next": step, "waiting": waiting}
    return result | {"progress": [], "did": [], "changed": False, "slept": 0.0} | other


class World:
    """A host that answers in turn, and all that the controller does about it."""

    def __init__(self, *answers: Json | Exception) -> None:
        self.answers: Iterator[Json | Exception] = iter(answers)
        self.calls: list[Json] = []
        self.lines: list[str] = []
        self.records: list[Json] = []
        self.resets = 0
        self.time = 0.0

    def run(self, *, check: bool = False, **arguments: Any) -> Json:
        """Run the job."""
        way = Way(
            call=self.call,
            reset=self.reset,
            say=self.lines.append,
            keep=self.records.append,
            sheets=lambda _state: ["a.de.html"],
            sleep=self.sleep,
            clock=lambda: self.time,
        )
        return Job("web1", ARGUMENTS | arguments, way).run(check=check)

    def call(self, arguments: Json) -> Json:
        """Answer one call, which takes a second."""
        self.calls.append(arguments)
        self.time += 1
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sleep(self, seconds: float) -> None:
        """Let time go by."""
        self.time += seconds

    def reset(self) -> None:
        """Count new connections."""
        self.resets += 1

    @property
    def phases(self) -> list[str]:
        """The phases of all records."""
        return [one["phase"] for one in self.records]


WHOLE = (
    at("announce"),
    at("insert", waiting="waiting for a new disk"),
    at("rebuild", waiting="rebuilding", progress=[HALF]),
    at("check", waiting="comparing all copies"),
    at(""),
)


def test_all_steps() -> None:
    world = World(*WHOLE)
    result = world.run()
    assert "replaced by NEW" in result["msg"]
    assert [call["step"] for call in world.calls] == [
        "verify",
        "announce",
        "insert",
        "rebuild",
        "check",
    ]
    assert world.phases == ["open", "waiting", "rebuilding", "checking", "closed"]
    assert result["worked"] == 5.0


def test_every_record_fits_its_schema() -> None:
    world = World(*WHOLE)
    world.run()
    for data in world.records:
        run = "20261124T153000Z-1f3c"
        envelope(kind="disk_replacement", schema=1, host="web1", run=run, data=data, at=NOW)


def test_the_person_at_the_rack_is_told_before_anybody_waits() -> None:
    world = World(*WHOLE)
    world.run()
    assert world.lines[:2] == [
        "web1: to print for the rack: a.de.html",
        "web1: A can be pulled; waiting for a new disk",
    ]
    polls = {call["step"]: call["poll"] for call in world.calls}
    assert (polls["announce"], polls["insert"]) == (0, 10)


def test_waiting_is_no_work() -> None:
    world = World(at("announce"), at("insert", waiting="waiting", slept=0.75), at(""))
    assert world.run()["worked"] == 2.25


def test_work_of_earlier_runs_counts() -> None:
    first = at("check")
    first["state"]["worked"] = 40.0
    world = World(first, at(""))
    assert world.run()["worked"] == 42.0
    assert world.calls[-1]["worked"] == 41.0


@pytest.mark.parametrize("step", STEPS[1:])
def test_goes_on_where_it_was(step: str) -> None:
    world = World(at(step), at(""))
    world.run()
    assert [call["step"] for call in world.calls] == ["verify", step]
    assert bool(world.lines) == (step == "announce")


@pytest.mark.parametrize("step", STEPS[:-1])
def test_stops_after_a_step(step: str) -> None:
    following = STEPS[STEPS.index(step) + 1]
    world = World(at("announce"), at(following))
    result = world.run(stop_after=step)
    assert (result["next"], world.calls[-1]["until"]) == (following, step)


def test_check_mode_only_verifies() -> None:
    world = World(at("announce"))
    result = world.run(check=True)
    assert result["msg"] == "A at /dev/sda can be replaced: /dev/sda1: array system"
    assert (len(world.calls), world.records) == (1, [])


def test_a_refusal_is_recorded() -> None:
    refused = {"failed": True, "refused": True, "msg": "too small", "state": state("verify")}
    world = World(at("insert"), refused)
    result = world.run()
    assert (result["failed"], result["msg"]) == (True, "too small")
    assert (world.phases[-1], world.records[-1]["message"]) == ("refused", "too small")


def test_no_new_disk_in_time() -> None:
    waits = [at("insert", waiting="waiting for a new disk", slept=0.0)] * 200
    world = World(at("insert"), *waits)
    result = world.run()
    assert result["msg"].startswith("waiting for a new disk: that took too long. Run this again")
    assert world.phases == ["waiting", "waiting"]


@pytest.mark.parametrize("step", ["insert", "rebuild", "check"])
def test_a_host_that_restarts_is_waited_for(step: str) -> None:
    away = AnsibleConnectionFailure("no route to host")
    world = World(at(step), away, away, at(""))
    world.run()
    assert world.resets == 2
    assert world.lines == ["web1: it doesn't answer, maybe it restarts: waiting"]


@pytest.mark.parametrize("step", ["announce", "copy"])
def test_elsewhere_a_lost_host_is_an_error(step: str) -> None:
    with pytest.raises(AnsibleConnectionFailure):
        World(at(step), AnsibleConnectionFailure("no route to host")).run()


def test_nothing_has_failed() -> None:
    world = World(at("announce") | {"state": None, "next": ""})
    assert world.run()["msg"] == "no disk has failed"


def test_the_bar() -> None:
    assert gauge(HALF) == "system ████████████░░░░░░░░░░░░ 50%, 110 MB/s, 1:30 min left"
    assert gauge({**HALF, "speed": None, "left": None}).endswith("50%")


def test_progress_is_shown_when_there_is_some() -> None:
    steps = [
        at("rebuild", waiting="rebuilding", progress=[{**HALF, "done": done}])
        for done in (0.10, 0.11, 0.12, 0.20)
    ]
    world = World(at("rebuild"), *steps, at(""))
    world.run()
    assert [line.split()[-6] for line in world.lines if "█" in line] == ["10%,", "20%,"]


@pytest.mark.parametrize("phase", WORDS)
@pytest.mark.parametrize(
    ("left", "losses", "safety"),
    [
        ({"system": 0}, [], "no other disk may fail"),
        ({"system": 1}, [], "1 more may fail"),
        ({}, [], "Services go on."),
        ({"system": 0}, ["/srv"], "comes back from the backup"),
    ],
)
def test_words(phase: str, left: dict[str, int], losses: list[str], safety: str) -> None:
    words = words_of("web1", state(left=left, losses=losses, replacement={"serial": "NEW"}), phase)
    assert "{" not in "".join(words.values())
    assert all("web1" in text for text in words.values())
    assert phase in ("checking", "closed") or safety in words["en"]
    assert words["de"] != words["en"]


def test_phases_in_their_order() -> None:
    phases = [phase_of(step) for step in (*STEPS, "")]
    assert list(dict.fromkeys(phases)) == ["open", "waiting", "rebuilding", "checking", "closed"]


def test_estimates() -> None:
    case = state(layout={"size": 8e9})
    assert estimate(case, "insert", []) == 200
    assert estimate(case, "rebuild", [HALF]) == 190
    assert estimate(case, "check", [HALF]) == 90
    assert estimate(case, "", []) == 0
    assert [about(seconds)["en"] for seconds in (5, 200, 9000)] == [
        "less than a minute",
        "about 3 min",
        "about 2 hours",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sheet(language: str) -> None:
    case = state()
    case["disk"] |= {"serial": "WD<1>2345", "slot": "7", "reasons": ["it & clicks"]}
    page = sheet("web1", case, language, NOW)
    assert "WD&lt;1&gt;<i>2345</i>" in page
    assert "it &amp; clicks" in page
    assert page.count('class="bay bad"') == 1
    assert page.count('class="bay"') == 1
    assert "525353472" in page
    assert "{{" not in page


def test_the_sheets_speak_their_language() -> None:
    words = [set(re.findall(r"<h2>(.*?)</h2>", sheet("w", state(), la, NOW))) for la in LANGUAGES]
    assert not words[0] & words[1]


def test_sheets_of_a_case_are_written_once(tmp_path: Path) -> None:
    first = keep_sheets("web1", state(), tmp_path, NOW)
    assert first == keep_sheets("web1", state(), tmp_path, NOW)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(p.name for p in first)


def changes(expected: Iterable[Json]) -> list[str]:
    return left_to_do(list(expected), state(replacement={"serial": "NEW", "wwn": "0x2"}))


def test_what_is_left_to_do_in_the_inventory() -> None:
    front = {"name": "front", "serial": "A", "partitions": [{"name": "system"}]}
    assert changes([front, {"name": "back", "serial": "B"}]) == [
        "storage_disks: the disk front has serial NEW now"
    ]


def test_partitions_that_the_inventory_wants_otherwise() -> None:
    (_serial, parts) = changes([{"name": "front", "serial": "A", "partitions": []}])
    assert parts.endswith("the disk front has partitions system; the inventory wants none")
