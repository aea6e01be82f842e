# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._chrony import (
    SourceError,
    source_lines,
)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ({"address": "192.0.2.1"}, "server 192.0.2.1 iburst"),
        ({"address": "192.0.2.1", "iburst": False}, "server 192.0.2.1"),
        (
            {"address": "pool.example.org", "type": "pool", "maxsources": 3},
            "pool pool.example.org iburst maxsources 3",
        ),
        (
            {"address": "ntp.example.org", "nts": True, "prefer": True, "minpoll": 0, "maxpoll": 9},
            "server ntp.example.org iburst nts prefer minpoll 0 maxpoll 9",
        ),
        (
            {"address": "2001:db8::1", "type": "peer", "iburst": False, "key": 7, "xleave": True},
            "peer 2001:db8::1 xleave key 7",
        ),
        ({"address": "192.0.2.1", "nts": False}, "server 192.0.2.1 iburst"),
    ],
)
def test_line(source: dict[str, Any], line: str) -> None:
    assert list(source_lines([source])) == [line]


@pytest.mark.parametrize(
    ("source", "accepted"),
    [
        ({"nts": True, "type": "peer"}, "nts with a server or a pool"),
        ({"nts": True, "key": 1}, "without key"),
        ({"maxsources": 2}, "maxsources with type pool"),
    ],
)
def test_refuses(source: dict[str, Any], accepted: str) -> None:
    with pytest.raises(SourceError, match=f"192.0.2.1 .*accepted: .*{accepted}"):
        list(source_lines([{"address": "192.0.2.1", **source}]))
