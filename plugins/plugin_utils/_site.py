# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plays of a playbook, their hosts and roles, and what the roles need of the firewall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.host import Host
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.playbook.playbook_include import PlaybookInclude
from ansible.playbook.role import Role
from ansible.template import Templar
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.vars.hostvars import HostVars

SERVICES = "firewall_services"
# A source and the services that it states.
Need = tuple[str, list[dict[str, Any]]]


class SiteError(ValueError):
    """What a role needs can't be told; the text names host, variable and reason."""


class _Skimming(DataLoader):  # type: ignore[misc]  # Ansible has no type information
    """Reads of a role what says which variables it has; a run has made sure that the rest is sound.

    A role's tasks, handlers and specification would be nine tenths of the time.
    """

    def __init__(self, loader: DataLoader) -> None:
        # Its folder, its vaults and what it has read so far.
        self.__dict__.update(vars(loader))

    def load_from_file(self, file_name: str, *words: Any, **options: Any) -> Any:
        path = Path(file_name)
        if path.parent.name in ("tasks", "handlers") or path.stem == "argument_specs":
            return None
        if path.parent.name in ("defaults", "vars"):
            # Nobody changes these, so there is no need for a copy.
            options["unsafe"] = True
        return super().load_from_file(file_name, *words, **options)


class Site:
    """An inventory with its variables, as Ansible's `hostvars` hold them, under playbooks."""

    def __init__(self, hostvars: HostVars) -> None:
        """Take the inventory, the variables and the loader of this run."""
        self.inventory = hostvars._inventory
        self.loader = hostvars._loader
        self._skimming = _Skimming(self.loader)
        self._manager = hostvars._variable_manager
        self._plays: dict[str, list[Play]] = {}

    def plays(self, playbook: str) -> list[Play]:
        """Return the plays with roles of a playbook, named in full or by its path."""
        if playbook not in self._plays:
            self._plays[playbook] = [play for play in self._load(playbook) if play.roles]
        return self._plays[playbook]

    def _load(self, playbook: str) -> list[Play]:
        # The playbook that asks may be one of a collection, whose roles go by short names there.
        former = AnsibleCollectionConfig.default_collection
        AnsibleCollectionConfig.default_collection = None
        try:
            # The very code behind import_playbook: full names, paths and nested imports work alike.
            include = PlaybookInclude.load(
                {"import_playbook": playbook}, str(Path.cwd()), self._manager, self._skimming
            )
            return list(include.get_plays())
        finally:
            AnsibleCollectionConfig.default_collection = former

    def hosts(self, play: Play, *, all_of_them: bool = False) -> list[Host]:
        """Return the hosts of a play, those that --limit leaves or all of them."""
        templar = Templar(self.loader, self._manager.get_vars(play=play))
        pattern = templar.template(play.hosts)
        found: list[Host] = self.inventory.get_hosts(
            pattern, ignore_limits=all_of_them, ignore_restrictions=all_of_them
        )
        return found

    def variables(self, play: Play | None, host: Host) -> dict[str, Any]:
        """Return a host's variables as they are in a play, untemplated, cached facts included.

        Without a play, they are those of the inventory.
        """
        variables: dict[str, Any] = self._manager.get_vars(play=play, host=host)
        return variables

    def seen(self, role: Role, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the variables as one role of the play sees them."""
        own = role.get_vars()
        # What the play gives this role alone; nothing but -e comes before it.
        return variables | own | self._manager.extra_vars if own else variables

    def read(self, path: Path) -> Mapping[str, Any]:
        """Return what a YAML file holds, without templates; nothing if there is no such file."""
        if not path.exists():
            return {}
        loaded: Mapping[str, Any] = self.loader.load_from_file(str(path), unsafe=True)
        return loaded

    def needs(self, playbook: str, name: str) -> Iterator[Need]:
        """Yield what the firewall of one host has to let in, with the role that says so.

        First the `ROLE_firewall_services` of every role that the playbook gives the host, in the
        order of the plays, last the host's own `firewall_services` with an empty source; all
        templated, to be merged. Raises SiteError.
        """
        host = self.inventory.get_host(name)
        variables: dict[str, Any] = {}
        told: set[str] = set()
        for play in self.plays(playbook):
            if host not in self.hosts(play, all_of_them=True):
                continue
            variables = self.variables(play, host)
            for role in play.roles:
                source = role.get_name(include_role_fqcn=False)
                if source not in told:
                    told.add(source)
                    yield self._need(source, name, self.seen(role, variables))
        yield self._need("", name, variables or self.variables(None, host))

    def _need(self, role: str, host: str, variables: dict[str, Any]) -> Need:
        variable = f"{role}_{SERVICES}" if role else SERVICES
        given = variables.get(variable) or []
        try:
            stated = Templar(self.loader, variables).template(given)
        except AnsibleError as error:
            is_short_of_facts = "ansible_facts" in f"{given} {error}"
            hint = "; it needs facts, so gather them" if is_short_of_facts else ""
            raise SiteError(f"{host}: {variable}: {error}{hint}") from error
        if not isinstance(stated, list) or not all(isinstance(one, Mapping) for one in stated):
            raise SiteError(f"{host}: {variable}: found {stated!r}; accepted: a list of services")
        return role, [dict(one) for one in stated]
