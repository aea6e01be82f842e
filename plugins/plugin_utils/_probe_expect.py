# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compare what a probe found with what was expected. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_LONGEST = 120


class ExpectationError(ValueError):
    """An expectation that can't be read; the text says what is accepted."""


def unmet(values: Mapping[str, Any], expect: Mapping[str, Any]) -> Iterator[str]:
    """Yield for each expectation that isn't met what was found and what was expected.

    `expect` gives for names of values what they must be: a plain value (for a list: must be in it),
    a list (for a list: the same entries in any order, else: one of them), or a dictionary with any
    of ``min``, ``max`` (of a list: of its length), ``matches`` and ``contains``.
    Raises ExpectationError.
    """
    for name, wanted in expect.items():
        found = values.get(name)
        if not _fits(found, wanted, name):
            shown = "nothing" if found is None else _short(found)
            yield f"{name} found {shown}, expected {_words(wanted)}"


def _fits(found: Any, wanted: Any, name: str) -> bool:
    if isinstance(wanted, Mapping):
        return all(_measure(found, how, bound, name) for how, bound in wanted.items())
    if isinstance(wanted, (list, tuple)):
        if isinstance(found, list):
            return sorted(map(str, found)) == sorted(map(str, wanted))
        return any(_same(found, one) for one in wanted)
    if isinstance(found, list):
        return any(_same(one, wanted) for one in found)
    return _same(found, wanted)


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    return str(found) == str(wanted)


def _measure(found: Any, how: str, bound: Any, name: str) -> bool:
    measure = _MEASURES.get(how)
    if measure is None:
        accepted = ", ".join(_MEASURES)
        raise ExpectationError(f"expect: {name}: found {how!r}, accepted: {accepted}, or a value")
    try:
        return found is not None and measure(found, bound)
    except (TypeError, ValueError, re.error) as error:
        raise ExpectationError(
            f"expect: {name}: {how}: found {bound!r} for {_short(found)} ({error}), accepted: a "
            "number for min and max, a regular expression for matches"
        ) from None


def _size(found: Any) -> float:
    return float(len(found) if isinstance(found, (list, Mapping)) else found)


def _texts(found: Any) -> list[str]:
    return [str(one) for one in found] if isinstance(found, list) else [str(found)]


_MEASURES: dict[str, Callable[[Any, Any], bool]] = {
    "min": lambda found, bound: _size(found) >= float(bound),
    "max": lambda found, bound: _size(found) <= float(bound),
    "matches": lambda found, bound: any(re.search(bound, text) for text in _texts(found)),
    "contains": lambda found, bound: any(str(bound) in text for text in _texts(found)),
}
_SIGNS = {"min": "at least", "max": "at most", "matches": "a match of", "contains": "with"}


def _words(wanted: Any) -> str:
    if isinstance(wanted, Mapping):
        return " and ".join(f"{_SIGNS.get(how, how)} {bound}" for how, bound in wanted.items())
    return _short(wanted)


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    if isinstance(value, (list, tuple)) and not value:
        text = "none"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
