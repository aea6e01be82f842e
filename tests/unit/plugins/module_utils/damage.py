# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Damaged output of programs, for parsers that must not fail on it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

_SMALL = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just([{}]),
    st.just("\\xff;0x,:/"),
)


@st.composite
def cut(draw: st.DrawFn, text: str) -> str:
    """A text that ends somewhere, or has something else in its middle."""
    begin = draw(st.integers(0, len(text)))
    end = draw(st.integers(begin, len(text)))
    return (
        text[:begin]
        + draw(st.sampled_from(["", "\0", "null", "\n", "{", "]", "999" * 99]))
        + (text[end:] if draw(st.booleans()) else "")
    )


@st.composite
def bent(draw: st.DrawFn, whole: Any) -> Any:
    """A value of JSON in which one part, at any depth, is something else or missing."""
    if isinstance(whole, dict) and whole and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(whole)))
        rest = {name: value for name, value in whole.items() if name != key}
        return rest if not draw(st.integers(0, 3)) else {**rest, key: draw(bent(whole[key]))}
    if isinstance(whole, list) and whole and draw(st.integers(0, 9)):
        at = draw(st.integers(0, len(whole) - 1))
        return [*whole[:at], draw(bent(whole[at])), *whole[at + 1 :]]
    return draw(_SMALL)


def damaged(text: str) -> st.SearchStrategy[str]:
    """The output of a program in JSON, cut or bent."""
    return st.one_of(cut(text), bent(json.loads(text)).map(json.dumps))
