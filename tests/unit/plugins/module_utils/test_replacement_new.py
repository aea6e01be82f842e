# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The new disk: which one it is, whether it does, and how it is partitioned."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_case import case_of
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_layout import (
    follows,
    layout_of,
    misfits,
    needed,
    script,
)
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_new import (
    Choice,
    NewDiskError,
    blank_ones,
    choose,
)

from tests.unit.plugins.module_utils.replacements import MIB, Json, Machine, mirror

WIPE = Choice(wipe="NEW")


def replaced(**new: Any) -> tuple[Machine, Json]:
    """A mirror whose disk A is to be replaced, and a new disk."""
    machine = mirror()
    case = case_of(machine.tree, "A")
    machine.disk("NEW", *new.pop("parts", ()), **new)
    return machine, case | {"replacement": None}


def refused(machine: Machine, case: Json, choice: Choice = Choice()) -> str:  # noqa: B008 -- frozen
    with pytest.raises(NewDiskError) as caught:
        choose(machine.tree, case, choice)
    return str(caught.value)


def test_there_is_none_yet() -> None:
    machine = mirror()
    case = case_of(machine.tree, "A") | {"replacement": None}
    assert choose(machine.tree, case, Choice()) is None


def test_the_one_that_wasnt_there_before() -> None:
    machine, case = replaced()
    chosen = choose(machine.tree, case, Choice())
    assert chosen
    assert chosen["serial"] == "NEW"


def test_one_that_was_there_before_is_taken_only_by_name() -> None:
    machine = mirror()
    machine.disk("NEW")
    case = case_of(machine.tree, "A") | {"replacement": None}
    assert choose(machine.tree, case, Choice()) is None
    assert blank_ones(machine.tree, case) == ["NEW"]
    chosen = choose(machine.tree, case, Choice(new="NEW"))
    assert chosen
    assert chosen["serial"] == "NEW"


def test_the_failed_disk_itself_is_no_new_one() -> None:
    machine, case = replaced()
    assert "names the failed disk itself" in refused(machine, case, Choice(new="A"))


def test_several_are_listed() -> None:
    machine, case = replaced()
    machine.disk("MORE")
    assert refused(machine, case) == (
        "found: 2 new disks (NEW at /dev/sdc, MORE at /dev/sdd); accepted: one, or its name with "
        "new=SERIAL"
    )
    chosen = choose(machine.tree, case, Choice(new="MORE"))
    assert chosen
    assert chosen["serial"] == "MORE"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (
            {"size": 400},
            "too small: it has 419 MB (419430400 bytes), needed are 525 MB (525353472 bytes)",
        ),
        ({"logical_sector": 4096}, "sectors of 4096 bytes; needed are 512"),
        ({"read_only": True}, "it can't be written to"),
        (
            {"verdict": "watch", "reasons": ["90 % of its endurance is used"]},
            "is not like new, it is watch: 90 % of its endurance is used",
        ),
        ({"parts": [("old", 300)]}, "is not empty: /dev/sdc1: a partition"),
        ({"table": "gpt"}, "is not empty: /dev/sdc: a partition table (gpt)"),
    ],
)
def test_one_that_doesnt_do(new: dict[str, Any], words: str) -> None:
    machine, case = replaced(**new)
    assert words in refused(machine, case)


def test_signatures_that_udev_makes_nothing_of_count() -> None:
    machine, case = replaced()
    machine.document["devices"][-1]["signatures"] = [
        {"type": "ext4", "offset": 0, "uuid": "", "label": "old"}
    ]
    assert "/dev/sdc: ext4 'old'" in refused(machine, case)


def test_worn_and_full_ones_are_taken_on_request() -> None:
    machine, case = replaced(verdict="watch", parts=[("old", 300)])
    assert choose(machine.tree, case, Choice(wipe="NEW", accept=["worn"]))
    assert "is not empty" in refused(machine, case, Choice(wipe="OTHER", accept=["worn"]))


def test_what_is_in_use_is_never_wiped() -> None:
    machine, case = replaced(parts=[("old", 300)])
    machine.holds("/dev/sdc1", "ext4", at=["/srv"])
    assert "is in use: /srv" in refused(machine, case, WIPE)


def test_a_part_of_something_on_other_disks_is_never_wiped() -> None:
    machine, case = replaced(parts=[("old", 300)])
    machine.disk("MORE", ("old", 300))
    machine.array("other", "raid1", "/dev/sdc1", "/dev/sdd1")
    choice = Choice(new="NEW", wipe="NEW")
    assert "/dev/md/other is also on MORE" in refused(machine, case, choice)


def test_one_that_was_taken_before_is_not_empty_any_more() -> None:
    machine, case = replaced(parts=[("system", 500)])
    case["replacement"] = {"serial": "NEW"}
    assert choose(machine.tree, case, Choice())


def test_whole_disks_need_what_the_array_uses() -> None:
    machine = Machine()
    machine.disk("A", size=1000)
    machine.disk("B", size=900)
    machine.array("system", "raid1", "/dev/sda", "/dev/sdb", component_size=890 * MIB)
    case = case_of(machine.tree, "A") | {"replacement": None}
    machine.disk("NEW", size=891)
    assert choose(machine.tree, case, Choice())
    machine.document["disks"][-1]["size"] -= 1
    assert "too small" in refused(machine, case)


def test_the_end_of_a_gpt_counts() -> None:
    machine = Machine()
    disk = machine.disk("A", ("system", 500))
    layout = layout_of(disk)
    assert needed(layout) == 501 * MIB + 128 * 128 + 512
    assert misfits({**disk, "size": needed(layout)}, layout) == []
    assert misfits({**disk, "size": needed(layout) - 1}, layout) != []


def test_the_layout_for_sfdisk() -> None:
    machine = Machine()
    layout = layout_of(machine.disk("A", ("system", 500), ("data", 300)))
    assert script(layout) == (
        "label: gpt\nunit: sectors\nsector-size: 512\nfirst-lba: 34\n"
        '1 : start=2048, size=1024000, type=a19d880f-05fc-4d3b-a006-743f0f84911e, name="system"\n'
        '2 : start=1026048, size=614400, type=a19d880f-05fc-4d3b-a006-743f0f84911e, name="data"\n'
    )


def test_a_disk_follows_a_layout_whatever_its_identifiers() -> None:
    machine = Machine()
    first = machine.disk("A", ("system", 500))
    assert follows(machine.disk("B", ("system", 500), size=2000), layout_of(first))
    assert not follows(machine.disk("C", ("system", 400)), layout_of(first))
    assert not follows(machine.disk("D"), layout_of(first))
