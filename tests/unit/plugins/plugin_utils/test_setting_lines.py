# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._setting_lines import (
    SettingError,
    setting_lines,
)


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("text with spaces", ["K text with spaces"]),
        (True, ["K yes"]),
        (False, ["K no"]),
        (0, ["K 0"]),
        (1.5, ["K 1.5"]),
        (None, []),
        ("", []),
        ([], []),
        ([22, 2222], ["K 22", "K 2222"]),
        ([True, "", None, "x"], ["K yes", "K x"]),
    ],
)
def test_value(value: object, lines: list[str]) -> None:
    assert list(setting_lines({"K": value})) == lines


def test_order_and_separator() -> None:
    assert list(setting_lines({"B": 1, "A": 2}, "=")) == ["B=1", "A=2"]


@pytest.mark.parametrize("value", ["a\nPermitRootLogin yes", "a\0", {"a": 1}, [["a"]]])
def test_refuses_what_is_not_one_line(value: Any) -> None:
    with pytest.raises(SettingError, match="K: found"):
        list(setting_lines({"K": value}))
