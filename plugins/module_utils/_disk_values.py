# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Values out of what other programs print, which may be cut off, of another shape, or missing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_WHOLE = re.compile(r"\s*(-?\d+)")
_MOST = 1 << 128  # NVMe counts in 128 bits
_SHOWN = 80


def loaded(text: str, what: str, unread: list[str]) -> dict[str, Any]:
    """Return a JSON object; where there is none, an empty one and a line in `unread`."""
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        unread.append(f"{what}: {error}; it begins with {text[:_SHOWN]!r}")
        return {}
    if not isinstance(found, dict):
        unread.append(f"{what}: found {text[:_SHOWN]!r}, accepted: a JSON object")
        return {}
    return found


def whole(value: object) -> int | None:
    """Return a number, also one at the start of a text (`8 (0 8)`); None if there is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < _MOST else None
    if isinstance(value, float):
        return int(value) if abs(value) < _MOST else None
    if isinstance(value, str) and (found := _WHOLE.match(value[:_SHOWN])):
        return int(found[1])
    return None


def count(value: object) -> int:
    """Return the same, and 0 for none or less than none."""
    return max(0, whole(value) or 0)


def share(value: object) -> float | None:
    """Return a number with a fraction, also from a text; None if there is none."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            found = float(value)
        except (ValueError, OverflowError):
            return None
        return found if abs(found) < _MOST else None
    return None


def word(value: object) -> str:
    """Return a text without blanks around it; empty for anything else."""
    return value.strip() if isinstance(value, str) else ""


def words(value: object) -> list[str]:
    """Return the texts in a list; nothing if it isn't one."""
    return [one for one in map(word, value) if one] if isinstance(value, list) else []


def at(value: object, *keys: str) -> Any:
    """Return what is deeper in objects, None if the way there ends."""
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def rows(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects in a list; nothing if it isn't one."""
    for one in value if isinstance(value, list) else ():
        if isinstance(one, Mapping):
            yield one
