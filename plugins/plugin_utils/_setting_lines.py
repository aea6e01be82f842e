# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings as lines of a configuration file that has one keyword and its value on each line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class SettingError(ValueError):
    """A value that can't stand on one line of a configuration file."""


def setting_lines(settings: Mapping[str, Any], separator: str = " ") -> Iterator[str]:
    """Yield a line for each setting, in their order.

    True and false become `yes` and `no`, a list becomes one line for each of its entries, and
    null, an empty text and an empty list leave the keyword out. Raises SettingError.
    """
    for keyword, value in settings.items():
        for entry in value if isinstance(value, list) else [value]:
            if entry is not None and entry != "":
                yield f"{keyword}{separator}{_word(keyword, entry)}"


def _word(keyword: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if isinstance(value, Mapping | list) or not text.isprintable():
        raise SettingError(
            f"{keyword}: found {text!r}; accepted: text on one line, a number, true or false, or a "
            "list of these"
        )
    return text
