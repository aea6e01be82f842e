# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules between the keys of one dictionary, as argument specifications state them.

Ansible's own checks stop at the first broken rule and don't say what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

_Keys = Mapping[str, Any]
# What was found, and what is accepted.
Broken = Iterator[tuple[str, str]]


def broken_relations(value: Mapping[str, Any], option: Mapping[str, Any]) -> Broken:
    """Yield what was found and what is accepted for each rule of `option` that `value` breaks.

    A key whose value is null counts as not given; a rule that asks for the value of a key takes its
    default where it isn't given.
    """
    given = {name: entry for name, entry in value.items() if entry is not None}
    options = option.get("options") or {}
    defaults = {name: inner.get("default") for name, inner in options.items()}
    for relation, check in RELATIONS.items():
        yield from check(option.get(relation) or (), given, defaults)


def _mutually_exclusive(rules: Collection[list[str]], given: _Keys, _defaults: _Keys) -> Broken:
    for names in rules:
        present = [name for name in names if name in given]
        if len(present) > 1:
            yield f"{' and '.join(present)} together", f"only one of {', '.join(names)}"


def _required_one_of(rules: Collection[list[str]], given: _Keys, _defaults: _Keys) -> Broken:
    for names in rules:
        if not any(name in given for name in names):
            yield f"none of {', '.join(names)}", "at least one of them"


def _required_together(rules: Collection[list[str]], given: _Keys, _defaults: _Keys) -> Broken:
    for names in rules:
        missing = [name for name in names if name not in given]
        if 0 < len(missing) < len(names):
            present = [name for name in names if name in given]
            yield (
                f"{', '.join(present)} without {', '.join(missing)}",
                f"{', '.join(names)} together",
            )


def _required_if(rules: Collection[list[Any]], given: _Keys, defaults: _Keys) -> Broken:
    for name, wanted, names, *options in rules:
        if given.get(name, defaults.get(name)) != wanted:
            continue
        is_one_enough = any(options)
        missing = [other for other in names if other not in given]
        if len(missing) > (len(names) - 1 if is_one_enough else 0):
            needed = (" or " if is_one_enough else ", ").join(names)
            yield f"{name}: {wanted} without {', '.join(missing)}", f"{needed} with it"


def _required_by(rules: Mapping[str, str | list[str]], given: _Keys, _defaults: _Keys) -> Broken:
    for name in rules:
        needed = rules[name]
        names = [needed] if isinstance(needed, str) else needed
        missing = [other for other in names if other not in given]
        if name in given and missing:
            yield f"{name} without {', '.join(missing)}", f"{', '.join(names)} with it"


RELATIONS: dict[str, Callable[[Any, _Keys, _Keys], Broken]] = {
    "mutually_exclusive": _mutually_exclusive,
    "required_one_of": _required_one_of,
    "required_together": _required_together,
    "required_if": _required_if,
    "required_by": _required_by,
}
