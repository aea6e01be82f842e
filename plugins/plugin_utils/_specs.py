# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Variables against the specification of a role: every mistake, each with its exact place.

Stricter than Ansible where Ansible would convert a value for the check and then hand the role the
unconverted one: text that looks like a boolean or a list, a number where text is wanted.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._formats import format_named
from ansible_collections.servertechnik.core.plugins.plugin_utils._relations import (
    RELATIONS,
    broken_relations,
)

_SECRET = re.compile(
    r"pass(word|phrase|wd)|(\b|_)pass(_|\b)|secret|token|vault|credential|(private|api)_?key", re.I
)
_LONGEST = 60
_MANY = 12


@dataclass(frozen=True)
class Mistake:
    """Where, what was found, what is accepted, and the place in the inventory (`file:line`)."""

    path: str
    found: str
    accepted: str
    origin: str = ""

    @property
    def variable(self) -> str:
        """The variable that the place is in."""
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]

    def __str__(self) -> str:
        """One line for people, without the hosts."""
        place = f" [{self.origin}]" if self.origin else ""
        return f"{self.path}: found {self.found}; accepted: {self.accepted}{place}"


@dataclass(frozen=True)
class Unresolved:
    """Stands for a value whose template failed; `pending` when it needs facts not yet gathered."""

    value: Any
    reason: str
    pending: bool = False


@dataclass(frozen=True)
class Hidden:
    """Wraps a value that must not be shown, such as one from a vault."""

    value: Any


def _unknown(_value: object) -> str:
    return ""


@dataclass(frozen=True)
class Specification:
    """What one role accepts: its `options` as in argument_specs.yml, its formats by path."""

    role: str
    options: Mapping[str, Mapping[str, Any]]
    formats: Mapping[str, str] = field(default_factory=dict)

    def check(
        self, name: str, value: Any, origin_of: Callable[[Any], str] = _unknown
    ) -> Iterator[Mistake]:
        """Yield every mistake in the value of the variable called `name`.

        `origin_of` tells where a value was written (`file:line`), or an empty text.
        """
        yield from _check(value, self.options[name], self._place(name, origin_of))

    def missing(self, given: Collection[str]) -> Iterator[Mistake]:
        """Yield a mistake for each required variable that is not among those given."""
        for name, option in self.options.items():
            if option.get("required") and name not in given:
                yield self._place(name).missing(option)

    def _place(self, name: str, origin_of: Callable[[Any], str] = _unknown) -> _Place:
        return _Place(name, name, self.formats, origin_of).narrowed(name, self.options[name])

    def unknown(self, name: str, origin: str = "") -> Mistake:
        """Return the mistake of a variable with the prefix of this role that it doesn't have."""
        found = f"a variable that role {self.role} does not have"
        return Mistake(name, found, _names(name, self.options), origin)


@dataclass(frozen=True)
class _Place:
    """A position in a value: as people read it, and as formats.yml names it."""

    path: str
    pattern: str
    formats: Mapping[str, str]
    origin_of: Callable[[Any], str]
    secret: bool = False
    # This value and those around it, outermost first: the innermost that knows its origin tells.
    values: tuple[Any, ...] = ()

    @property
    def format(self) -> str | None:
        return self.formats.get(self.pattern)

    def narrowed(self, name: str, option: Mapping[str, Any]) -> _Place:
        """The same place, secret if the option or its name says so."""
        can_hold_a_secret = option.get("type", "str") != "bool" and not option.get("choices")
        secret = option.get("no_log", can_hold_a_secret and names_a_secret(name))
        return replace(self, secret=True) if secret and not self.secret else self

    def key(self, name: str, option: Mapping[str, Any]) -> _Place:
        inner = replace(self, path=f"{self.path}.{name}", pattern=f"{self.pattern}.{name}")
        return inner.narrowed(name, option)

    def index(self, number: int) -> _Place:
        return replace(self, path=f"{self.path}[{number}]", pattern=f"{self.pattern}[]")

    def at(self, value: object) -> _Place:
        return replace(self, values=(*self.values, value))

    def mistake(self, found: str, wanted: str) -> Mistake:
        origins = filter(None, map(self.origin_of, reversed(self.values)))
        return Mistake(self.path, found, wanted, next(origins, ""))

    def missing(self, option: Mapping[str, Any]) -> Mistake:
        return self.mistake("nothing, and it is required", accepted(option, self.format))

    def shown(self, value: object) -> str:
        return "a value that is kept secret" if self.secret else shown(value)


def names_a_secret(text: str) -> bool:
    """Whether a name, or a template that uses names, speaks of a password, a token, a vault …."""
    return _SECRET.search(text) is not None


def shown(value: object) -> str:
    """Return a short text for a value, as it would be written in YAML."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return f"a dictionary ({', '.join(map(str, value))})" if value else "an empty dictionary"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    text = repr(str(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_WORDS = {
    "str": "text",
    "path": "a path",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false, without quotes",
    "list": "a list",
    "dict": "a dictionary",
    "raw": "any value",
}


def accepted(option: Mapping[str, Any], format_name: str | None = None) -> str:
    """Return in words what an option accepts."""
    kind = option.get("type", "str")
    if kind == "list":
        return f"a list, each entry: {accepted(_element(option), format_name)}"
    if option.get("choices"):
        return f"one of {', '.join(map(str, option['choices']))}"
    if format_name:
        return format_named(format_name).words
    if option.get("options"):
        return f"a dictionary with {_option_names(option['options'])}"
    return _WORDS[kind]


def _option_names(options: Mapping[str, Mapping[str, Any]]) -> str:
    return ", ".join(f"{n} (required)" if o.get("required") else n for n, o in options.items())


def _names(wrong: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(wrong, known, n=1)
    if close:
        return f"{close[0]} (the closest name)"
    return ", ".join(known) if len(known) <= _MANY else "the names in the README of the role"


def _element(option: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: option[key] for key in option if key in _OF_ELEMENTS}
    return {"type": option.get("elements", "raw"), **kept}


_OF_ELEMENTS = ("choices", "options", *RELATIONS)


def _is_whole(value: object) -> bool:
    # Values given with -e are always text.
    text = isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value) is not None
    return text or (isinstance(value, int) and not isinstance(value, bool))


_TYPES: dict[str, Callable[[object], bool]] = {
    "str": lambda value: isinstance(value, str),
    "path": lambda value: isinstance(value, str),
    "int": _is_whole,
    "float": lambda value: isinstance(value, float) or _is_whole(value),
    "bool": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "dict": lambda value: isinstance(value, Mapping),
    "raw": lambda _value: True,
}


def _check(value: Any, option: Mapping[str, Any], place: _Place) -> Iterator[Mistake]:
    if isinstance(value, Unresolved):
        if not value.pending:
            yield place.at(value.value).mistake(value.reason, accepted(option, place.format))
        return
    if isinstance(value, Hidden):
        value, place = value.value, replace(place, secret=True)
    place = place.at(value)
    kind = option.get("type", "str")
    if value is None and not option.get("required") and option.get("default") is None:
        return
    if not _TYPES[kind](value):
        wanted = accepted(option, place.format)
        needs_quotes = wanted == _WORDS["str"] and isinstance(value, int | float)
        yield place.mistake(place.shown(value), f"{wanted}, in quotes" if needs_quotes else wanted)
    elif kind == "list":
        element = _element(option)
        for number, entry in enumerate(value):
            yield from _check(entry, element, place.index(number))
    elif kind == "dict":
        yield from _check_dictionary(value, option, place)
    elif value != option.get("default") and not _fits(value, option, place.format):
        yield place.mistake(place.shown(value), accepted(option, place.format))


def _fits(value: object, option: Mapping[str, Any], format_name: str | None) -> bool:
    if option.get("choices"):
        return str(value) in map(str, option["choices"])
    return format_name is None or format_named(format_name).accepts(str(value))


def _check_dictionary(
    value: Mapping[str, Any], option: Mapping[str, Any], place: _Place
) -> Iterator[Mistake]:
    options: Mapping[str, Mapping[str, Any]] = option.get("options") or {}
    for name in value if options else ():
        if name not in options:
            unknown = place.key(str(name), {}).at(name)
            yield unknown.mistake("an unknown name", _names(str(name), options))
    for name, inner in options.items():
        spot = place.key(name, inner)
        if name in value:
            yield from _check(value[name], inner, spot)
        elif inner.get("required"):
            yield spot.missing(inner)
    for found, wanted in broken_relations(value, option):
        yield place.mistake(found, wanted)
