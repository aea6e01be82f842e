# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check the variables of all hosts against the roles of a playbook, on the controller alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.playbook.play import Play
from ansible.playbook.playbook_include import PlaybookInclude
from ansible.playbook.role import Role
from ansible.plugins.action import ActionBase
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible_collections.servertechnik.core.plugins.plugin_utils._inventory import (
    Checker,
    Findings,
    misspelt,
    without_facts,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._specs import (
    Mistake,
    Specification,
)

ARGUMENTS = {"playbook": {"type": "str", "required": True}}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type information
    """Report every mistake of every host at once, before any host is touched."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the mistakes, and fail if there are any."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _result, arguments = self.validate_argument_spec(ARGUMENTS)
        site = _Site((task_vars or {})["hostvars"])
        findings = site.check(arguments["playbook"])
        if site.idle:
            self._display.warning(f"No role applies to {', '.join(sorted(site.idle))}.")
        hosts, roles = len(site.hosts), len(site.specifications)
        result["mistakes"] = [
            {"hosts": on, **vars(mistake)} for mistake, on in findings.hosts.items()
        ]
        if findings.hosts:
            lines = "\n".join(findings.lines())
            count = len(findings.hosts)
            plural = "mistake" if count == 1 else "mistakes"
            return result | {
                "failed": True,
                "msg": f"{count} {plural} in the inventory; no host was touched.\n{lines}",
            }
        return result | {"msg": f"{hosts} hosts, {roles} roles: no mistake in the inventory."}


class _Site:
    """The plays of a playbook, the hosts of the inventory, and what the roles accept."""

    def __init__(self, hostvars: HostVars) -> None:
        self.inventory = hostvars._inventory
        self.variables = hostvars._variable_manager
        self.loader = hostvars._loader
        # The play that runs this check holds the hosts of the inventory that --limit leaves.
        self.hosts = self.inventory.get_hosts()
        self.idle = {host.name for host in self.hosts}
        self.checker = Checker()
        self.specifications: dict[str, Specification] = {}

    def check(self, playbook: str) -> Findings:
        """Return the mistakes of all hosts in all plays of the playbook."""
        plays = [play for play in self._plays(playbook) if play.roles]
        findings = Findings()
        for play in plays:
            for role in play.roles:
                self._learn(role)
        for play in plays:
            self._check_play(play, findings)
        return findings

    def _plays(self, playbook: str) -> list[Play]:
        # The very code behind import_playbook, so full names, paths and nested imports work alike.
        include = PlaybookInclude.load(
            {"import_playbook": playbook}, str(Path.cwd()), self.variables, self.loader
        )
        return list(include.get_plays())

    def _learn(self, role: Role) -> None:
        name = role.get_name(include_role_fqcn=False)
        meta = Path(role.get_role_path(), "meta")
        if name not in self.specifications and (meta / "argument_specs.yml").exists():
            main = self._load(meta / "argument_specs.yml")["argument_specs"].get("main", {})
            formats = self._load(meta / "formats.yml") if (meta / "formats.yml").exists() else {}
            self.specifications[name] = Specification(name, main.get("options", {}), formats)

    def _load(self, path: Path) -> Mapping[str, Any]:
        loaded: Mapping[str, Any] = self.loader.load_from_file(str(path), unsafe=True)
        return loaded

    def _check_play(self, play: Play, findings: Findings) -> None:
        templar = Templar(self.loader, self.variables.get_vars(play=play))
        for host in self.inventory.get_hosts(templar.template(play.hosts)):
            self.idle.discard(host.name)
            variables = without_facts(self.variables.get_vars(play=play, host=host))
            for role in play.roles:
                for mistake in self._check_role(role, variables):
                    findings.add(host.name, mistake)
            for mistake in misspelt(variables, self.specifications):
                findings.add(host.name, mistake)

    def _check_role(self, role: Role, variables: dict[str, Any]) -> Iterator[Mistake]:
        name = role.get_name(include_role_fqcn=False)
        if name in self.specifications:
            own = role.get_vars()
            # What the play gives this role alone; nothing but -e comes before it.
            seen = variables | own | self.variables.extra_vars if own else variables
            yield from self.checker.mistakes(seen, self.specifications[name], self.loader)
