# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables of many hosts against the roles that apply to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible._internal._datatag._tags import Origin
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.servertechnik.core.plugins.plugin_utils._specs import (
    Hidden,
    Mistake,
    Specification,
    Unresolved,
    names_a_secret,
)

_FACTS = ("ansible_facts", "ansible_local")
_NAMED_HOSTS = 5


@dataclass
class Findings:
    """Mistakes, each with the hosts that share it, in the order in which they were found."""

    hosts: dict[Mistake, list[str]] = field(default_factory=dict)

    def add(self, host: str, mistake: Mistake) -> None:
        """Note that `host` has this mistake; once is enough."""
        hosts = self.hosts.setdefault(mistake, [])
        if host not in hosts:
            hosts.append(host)

    def lines(self) -> Iterator[str]:
        """Yield one line for each mistake."""
        for mistake, hosts in self.hosts.items():
            yield f"{_named(hosts)}: {mistake}"


def _named(hosts: list[str]) -> str:
    if len(hosts) == 1:
        return hosts[0]
    more = f" and {len(hosts) - _NAMED_HOSTS} more" if len(hosts) > _NAMED_HOSTS else ""
    return f"hosts {', '.join(hosts[:_NAMED_HOSTS])}{more}"


def origin_of(value: object) -> str:
    """Return where Ansible read a value (`file:line`, the file relative to the working directory).

    Empty for a value that carries no origin, such as true, false and null.
    """
    origin = Origin.get_tag(value)
    if origin is None or (origin.path is None and origin.description is None):
        return ""
    if origin.path is None:
        return str(origin.description)
    path = Path(origin.path)
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return f"{shown}:{origin.line_num}" if origin.line_num else str(shown)


def resolve(value: Any, templar: Templar) -> Any:
    """Return a value with every template in it rendered, each failure an Unresolved in its place.

    A value is Hidden when it comes from a vault or from a template that names a secret.
    """
    if is_plain(value):
        return value
    if isinstance(value, Mapping):
        return _with_origin(value, {key: resolve(entry, templar) for key, entry in value.items()})
    if isinstance(value, list):
        return _with_origin(value, [resolve(entry, templar) for entry in value])
    try:
        rendered = templar.template(value)
    except AnsibleError as error:
        return _unresolved(value, error)
    is_secret = not isinstance(value, str) or names_a_secret(value)
    return Hidden(rendered) if is_secret else rendered


def is_plain(value: object) -> bool:
    """Whether a value holds no template and nothing from a vault, so that it is final as it is."""
    if isinstance(value, str):
        return "{{" not in value and "{%" not in value
    if isinstance(value, Mapping):
        return all(map(is_plain, value.values()))
    if isinstance(value, list):
        return all(map(is_plain, value))
    return value is None or isinstance(value, bool | int | float)


def _with_origin(value: object, resolved: Any) -> Any:
    origin = Origin.get_tag(value)
    return origin.tag(resolved) if origin else resolved


def _unresolved(value: object, error: AnsibleError) -> Unresolved:
    if not isinstance(value, str):
        return Unresolved(value, "a value of a vault that can't be opened")
    # Facts are gathered after this check, and what an earlier run left in the cache may be stale.
    pending = any(fact in f"{value} {error}" for fact in _FACTS)
    return Unresolved(value, f"{str(value)!r}, where {error}", pending)


def without_facts(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables without facts: a template that needs them fails and names them."""
    return {name: value for name, value in variables.items() if name not in _FACTS}


def misspelt(
    variables: Mapping[str, Any], specifications: Mapping[str, Specification]
) -> Iterator[Mistake]:
    """Yield a mistake for each variable with the prefix of a role that has no such variable.

    `specifications` are keyed by the name of the role, which is the prefix of its variables.
    """
    known = {name for specification in specifications.values() for name in specification.options}
    for name, value in variables.items():
        owners = [role for role in specifications if name.startswith(f"{role}_")]
        if owners and name not in known:
            yield specifications[max(owners, key=len)].unknown(name, origin_of(value))


class Checker:
    """Checks one host after the other, and the plain values that many hosts share only once."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        # The value itself is kept, so that no other can come to have its id.
        self._seen: dict[tuple[str, int], tuple[Any, list[Mistake]]] = {}

    def mistakes(
        self, variables: dict[str, Any], specification: Specification, loader: DataLoader
    ) -> Iterator[Mistake]:
        """Yield every mistake in the variables of one host, as one of its roles sees them."""
        templar = Templar(loader, variables)
        yield from specification.missing(variables)
        for name in specification.options:
            if name in variables:
                yield from self._variable(name, variables[name], specification, templar)

    def _variable(
        self, name: str, value: Any, specification: Specification, templar: Templar
    ) -> list[Mistake]:
        key = (name, id(value))
        if key in self._seen:
            return self._seen[key][1]
        resolved = resolve(value, templar)
        mistakes = list(specification.check(name, resolved, origin_of))
        if resolved is value:
            self._seen[key] = (value, mistakes)
        return mistakes
