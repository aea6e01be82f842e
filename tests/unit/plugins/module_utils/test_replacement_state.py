# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A host remembers how far the replacement of a disk is, and carries out one step after the other.

Arrays and partitions are the machines' business (tests/vm/test_replace_disk.py).
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils import _replacement_state
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._replacement import (
    StepError,
    take,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_case import case_of
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_check import (
    selftest_of,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_host import Order
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_judge import Wish
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_state import (
    FOLDER,
    STEPS,
    States,
    next_step,
    opened,
)

from tests.unit.plugins.module_utils.replacements import Machine, mirror

Json = dict[str, Any]
ANYWAY = Wish(healthy_too=True)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    (tmp_path / "sys/block").mkdir(parents=True)
    return Host(str(tmp_path))


def state(serial: str = "A") -> Json:
    case = case_of(mirror().tree, "A")
    case["disk"]["serial"] = serial
    return opened(case, run="20261124T153000Z-1f3c") | {"opened": "2026-11-24T15:30:00Z"}


def call(host: Host, machine: Machine, step: str = "verify", **other: Any) -> dict[str, Any]:
    order = Order(serial=other.pop("serial", "A"), step=step, wish=ANYWAY, **other)
    return take(host, lambda _smart: machine.document, order)


def test_a_case_is_there_as_it_was_written(host: Host) -> None:
    states = States(host)
    states.save(state())
    assert states.load("A") == state()
    assert states.load("B") is None


def test_only_root_may_look(host: Host) -> None:
    States(host).save(state())
    folder = Path(host.at(FOLDER))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("serial", ["/dev/disk/by-path/pci-0000:00:1f.2", "WD 1", "../../etc"])
def test_any_name_is_a_file_of_the_folder(serial: str, host: Host) -> None:
    states = States(host)
    states.save(state(serial))
    assert states.open_cases() == [serial]
    assert [path.parent for path in Path(host.at("/")).rglob("*.json")] == [Path(host.at(FOLDER))]


def test_closed_cases_are_not_open(host: Host) -> None:
    states = States(host)
    states.save(state("A"))
    states.save({**state("B"), "closed": "2026-11-24T15:30:00Z"})
    assert states.open_cases() == ["A"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "is no JSON"), ('{"version": 9}', "found version 9, accepted: 1")],
)
def test_a_file_of_another_form(text: str, words: str, host: Host) -> None:
    states = States(host)
    states.save(state())
    Path(host.at(states.path("A"))).write_text(text)
    with pytest.raises(HostError, match=words):
        states.load("A")


def test_one_call_at_a_time(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_replacement_state, "_PATIENCE", 0)
    with States(host).alone(), pytest.raises(HostError, match="accepted: one at a time"):
        call(host, mirror())


def test_another_call_is_waited_for(host: Host) -> None:
    inside, done = threading.Event(), list[str]()

    def first() -> None:
        with States(host).alone():
            inside.set()
            done.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    call(host, mirror())
    assert done == ["first"]
    thread.join()


def test_steps_in_their_order() -> None:
    done: list[str] = []
    while step := next_step({"done": done}):
        done.append(step)
    assert done == list(STEPS)


def test_verifying_opens_a_case(host: Host) -> None:
    result = call(host, mirror())
    assert (result["next"], result["changed"]) == ("announce", False)
    assert States(host).open_cases() == ["A"]


def test_check_mode_leaves_nothing(host: Host) -> None:
    call(host, mirror(), check=True)
    assert States(host).open_cases() == []


def test_all_well(host: Host) -> None:
    result = call(host, mirror(), serial="")
    assert (result["state"], result["next"]) == (None, "")


def test_a_refusal_leaves_nothing(host: Host) -> None:
    machine = mirror()
    machine.document["arrays"][0]["members"][1] |= {"path": "", "state": "missing"}
    with pytest.raises(StepError, match="its last copy") as caught:
        call(host, machine)
    assert (caught.value.state, caught.value.refused) == (None, True)
    assert States(host).open_cases() == []


def test_a_disk_behind_a_controller_is_refused(host: Host) -> None:
    machine = mirror()
    machine.document["disks"][0]["behind"] = "megaraid"
    with pytest.raises(StepError, match="the controller's own program"):
        call(host, machine)


def test_the_open_case_needs_no_name(host: Host) -> None:
    call(host, mirror())
    assert call(host, mirror(), serial="")["state"]["disk"]["serial"] == "A"


def test_of_several_open_cases_one_has_to_be_named(host: Host) -> None:
    for serial in ("A", "B"):
        States(host).save(state(serial))
    with pytest.raises(StepError, match="2 replacements under way: A, B; accepted: one of them"):
        call(host, mirror(), serial="")


def test_a_disk_that_was_pulled_since_is_remembered(host: Host) -> None:
    call(host, mirror())
    without = mirror()
    without.document["disks"].pop(0)
    result = call(host, without)
    assert (result["state"]["present"], result["state"]["units"][0]["of"]) == (False, "system")


def test_of_a_disk_that_is_gone_the_redundancy_is_told(host: Host) -> None:
    machine = mirror(disks=3)
    machine.document["disks"].pop(0)
    machine.document["disks"][0] |= {"verdict": "replace", "reasons": ["8 sectors pending"]}
    machine.document["arrays"][0]["members"][0] |= {"path": "", "state": "missing"}
    found = call(host, machine)["state"]
    assert (found["left"], len(found["notes"]), found["disk"]["path"]) == ({"system": 1}, 1, "")


def test_what_a_disk_carried_outlives_its_removal(host: Host) -> None:
    begun = state() | {"done": ["verify"], "steps": {"remove": {"host": 1.0}}}
    States(host).save(begun)
    emptied = mirror()
    emptied.document["arrays"][0]["members"].pop(0)
    emptied.holds("/dev/sda1", "")
    assert [unit["of"] for unit in call(host, emptied)["state"]["units"]] == ["system"]


def test_one_call_goes_as_far_as_it_is_told(host: Host) -> None:
    call(host, mirror())
    result = call(host, mirror(), "announce", until="locate")
    assert (result["state"]["done"], result["next"]) == (["verify", "announce", "locate"], "remove")
    assert (States(host).load("A") or {})["done"] == result["state"]["done"]


def test_a_step_without_a_case(host: Host) -> None:
    with pytest.raises(StepError, match="no case of A is open"):
        call(host, mirror(), "remove")


def test_work_is_summed_up(host: Host) -> None:
    call(host, mirror())
    result = call(host, mirror(), "announce", worked=4.5)
    assert result["state"]["worked"] == 4.5
    assert result["state"]["steps"]["announce"]["host"] >= 0


def test_a_new_disk_that_is_gone_again_is_waited_for_anew(host: Host) -> None:
    gone = state() | {"done": list(STEPS[:6]), "replacement": {"serial": "NEW", "prepared": True}}
    States(host).save(gone)
    result = call(host, mirror(), "rebuild")
    assert (result["next"], result["waiting"]) == ("insert", "the new disk NEW is gone again")
    assert (States(host).load("A") or {})["done"] == list(STEPS[:4])


def test_a_case_file_is_json_that_people_can_read(host: Host) -> None:
    States(host).save(state())
    text = Path(host.at(f"{FOLDER}/A.json")).read_text()
    assert json.loads(text)["version"] == 1
    assert text.count("\n") > 20


@pytest.mark.parametrize(
    ("left", "passed", "result"),
    [
        (90, [True], "running"),
        (None, [True, False], "passed"),
        (0, [False, True], "failed"),
        (None, [None], "unsupported"),
        (None, [], "unsupported"),
    ],
)
def test_self_tests(left: int | None, passed: list[bool | None], result: str) -> None:
    smart = {"self_test_left": left, "self_tests": [{"passed": one} for one in passed]}
    assert selftest_of(smart) == result
