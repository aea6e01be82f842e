# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All hosts of an inventory as the rules between hosts want them: what is sound, what is untold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible.inventory.host import Host
from ansible.template import Templar
from ansible_collections.servertechnik.core.plugins.plugin_utils._inventory import (
    Checker,
    resolve,
    without_facts,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._rules import (
    CONNECTION,
    FIREWALL,
    NETWORK,
    RESOLVER,
    SERVICES,
    Need,
    Subject,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._site import Site, SiteError
from ansible_collections.servertechnik.core.plugins.plugin_utils._specs import (
    Hidden,
    Specification,
    Unresolved,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_read import (
    VARIABLES as STORAGE,
)

_JUDGED = (*NETWORK, *FIREWALL, SERVICES, *RESOLVER, *STORAGE, *CONNECTION)
# Stands for a secret where all that matters is whether there is one.
_VEIL = "(hidden)"


class SubjectReader:
    """Reads the variables of hosts as the plays of a playbook see them, facts left out."""

    def __init__(
        self,
        site: Site,
        playbook: str,
        checker: Checker,
        specifications: Mapping[str, Specification],
        flawed: Mapping[str, Collection[str]],
    ) -> None:
        """Take the specifications of the roles by name.

        `flawed` are variables with mistakes, by host, of all hosts that were checked already.
        """
        self._site = site
        self._playbook = playbook
        self._checker = checker
        self._flawed = flawed
        self._specifications = {
            name: replace(one, options={k: v for k, v in one.options.items() if _matters(k)})
            for name, one in specifications.items()
        }
        self._members = [
            (play, set(site.hosts(play, all_of_them=True))) for play in site.plays(playbook)
        ]

    def subjects(self) -> Iterator[Subject]:
        """Yield every host of the inventory, whatever --limit says."""
        for host in self._site.inventory.get_hosts(ignore_limits=True, ignore_restrictions=True):
            yield self._subject(host)

    def _subject(self, host: Host) -> Subject:
        variables = without_facts(self._site.variables(None, host))
        untold = set(self._flawed.get(host.name, ()))
        roles: set[str] = set()
        for play, members in self._members:
            if host not in members:
                continue
            in_play = without_facts(self._site.variables(play, host))
            variables |= in_play
            for role in play.roles:
                name = role.get_name(include_role_fqcn=False)
                seen = self._site.seen(role, in_play)
                roles.add(name)
                if host.name not in self._flawed:
                    untold |= self._flaws(name, seen)
                # What a role alone is given there counts for its own variables.
                variables |= {key: seen[key] for key in seen if key.startswith(f"{name}_")}
        sound = {}
        for name in _JUDGED:
            if name in variables and name not in untold:
                value = resolve(variables[name], Templar(self._site.loader, variables))
                value = _veiled(value) if name in STORAGE and not _is_told(value) else value
                if _is_told(value):
                    sound[name] = value
                else:
                    untold.add(name)
        return Subject(host.name, sound, frozenset(untold), self._needs(host, roles, untold))

    def _flaws(self, role: str, variables: dict[str, Any]) -> set[str]:
        """Return the variables of a role whose types are wrong."""
        if role not in self._specifications:
            return set()
        mistakes = self._checker.mistakes(variables, self._specifications[role], self._site.loader)
        return {mistake.variable for mistake in mistakes}

    def _needs(self, host: Host, roles: set[str], untold: set[str]) -> Sequence[Need] | None:
        if "firewall" not in roles or any(name.endswith(SERVICES) for name in untold):
            return None
        try:
            return list(self._site.needs(self._playbook, host.name))
        except SiteError:
            # It needs facts, or it is told as a mistake in a variable of its role.
            return None


def _matters(name: str) -> bool:
    return name in _JUDGED or name.endswith(f"_{SERVICES}")


def _veiled(value: Any) -> Any:
    """Return a value with each secret in it replaced; it counts as told then."""
    if isinstance(value, Mapping):
        return {key: _veiled(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_veiled(entry) for entry in value]
    return _VEIL if isinstance(value, Hidden) else value


def _is_told(value: Any) -> bool:
    """Whether every part of a value is known and may be shown."""
    if isinstance(value, Mapping):
        return all(map(_is_told, value.values()))
    if isinstance(value, list):
        return all(map(_is_told, value))
    return not isinstance(value, Hidden | Unresolved)
