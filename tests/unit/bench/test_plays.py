from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import unpack

from tests.bench import plays

Task = dict[str, Any]


def task(play: str, seconds: float = 0.0, **statuses: str) -> Task:
    hosts = {name: {"status": status, "seconds": seconds} for name, status in statuses.items()}
    return {"play": play, "seconds": seconds, "hosts": hosts}


def test_floor_has_a_ping_for_each_task_of_each_play() -> None:
    record = [
        task("one", a="ok", b="ok"),
        task("two", a="ok", b="changed"),
        task("two", a="failed", b="ok"),
    ]
    made = plays.floor(record)
    assert [play["name"] for play in made] == ["one", "two"]
    assert [play["tasks"] for play in made] == [[plays.PING], [plays.PING] * 2]


def test_floor_pings_only_where_a_task_ran() -> None:
    made = plays.floor([task("one", a="ok", b="skipped"), task("one", a="ok"), task("one", b="ok")])
    conditions = [one["when"] for one in made[0]["tasks"]]
    assert conditions == [f"inventory_hostname in {hosts}" for hosts in (["a"], ["a"], ["b"])]


def test_floor_leaves_out_what_ran_nowhere() -> None:
    assert plays.floor([task("one", a="skipped")])[0]["tasks"] == []


def test_role_time_is_that_of_its_tasks() -> None:
    assert plays.role_time([task("one", 0.5, a="ok"), task("one", 0.25, a="ok")]) == 0.75


def test_the_clocked_module_gets_what_the_action_sends() -> None:
    component = plays.units_and_files()
    made = plays.clocked(component, 20)
    sent = made["bench_component"]
    assert len(made["loop"]) == 20
    assert {one["dest"]: one["content"].encode() for one in component["files"]} == unpack(
        sent["payload"]
    )
    assert {one["content"] for one in sent["files"]} == {""}


@pytest.mark.parametrize(("part", "count"), [("files", 10), ("units", 3)])
def test_the_component_is_as_large_as_promised(part: str, count: int) -> None:
    assert len(plays.units_and_files()[part]) == count
