# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What no array can be is refused before the host is asked anything."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._raid_wanted import (
    RaidError,
    Wanted,
    as_uuid,
)

NOTHING: dict[str, Any] = {
    **dict.fromkeys(("uuid", "level", "members", "metadata", "chunk", "bitmap", "homehost")),
    **dict.fromkeys(("speed_min", "speed_max", "scrub")),
    **{key: [] for key in ("spares", "add", "fail", "remove", "replace")},
    "name": "system",
    "state": "present",
    "grow": False,
}


def wanted(**given: Any) -> Wanted:
    return Wanted.of({**NOTHING, **given})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "a b"}, "name: found 'a b'"),
        ({"name": "-a"}, "name: found '-a'"),
        ({"name": "x" * 32}, "accepted: letters, digits"),
        ({"uuid": "1234"}, "uuid: found '1234'; accepted: 32 hexadecimal digits"),
        ({"add": ["sda"]}, "array system: found 'sda'; accepted: paths below /dev"),
        ({"remove": ["broken"]}, "found 'broken'"),
        ({"replace": [{"old": "/dev/a", "new": "b"}]}, "found 'b'"),
        ({"level": 1, "members": ["/dev/a"]}, "found 1 members; accepted for level 1: 2 or more"),
        ({"level": 6, "members": ["/dev/a"] * 3}, "accepted for level 6: 4 or more"),
        ({"level": 0, "members": ["/dev/a", "missing"]}, "a missing member at level 0"),
        ({"level": 1, "members": ["/dev/a", "/dev/b"], "chunk": 64}, "a chunk at level 1"),
        ({"level": 5, "members": ["/dev/a", "/dev/b"], "chunk": 100}, "a power of two from 4"),
    ],
)
def test_what_can_not_be_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(RaidError) as refused:
        wanted(**given)
    assert words in str(refused.value)


def test_every_device_is_known_once() -> None:
    found = wanted(
        name="/dev/md/system",
        level=1,
        members=["/dev/a", "missing"],
        spares=["/dev/c", "/dev/a"],
        remove=["failed", "/dev/d"],
        replace=[{"old": "/dev/e", "new": "/dev/f"}],
    )
    assert found.devices == ("/dev/a", "/dev/c", "/dev/d", "/dev/e", "/dev/f")
    assert (found.name, found.path) == ("system", "/dev/md/system")
    assert wanted(name="/dev/md127").path == "/dev/md127"


@pytest.mark.parametrize(
    "text",
    ["11111111-2222-2222-3333-333344444444", "11111111:22222222:33333333:44444444"],
)
def test_uuid_is_taken_in_both_forms(text: str) -> None:
    assert as_uuid(text) == "11111111:22222222:33333333:44444444"
    assert as_uuid("") == ""
