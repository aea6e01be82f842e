# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check the variables of all hosts against the roles of a playbook, on the controller alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.playbook.play import Play
from ansible.playbook.role import Role
from ansible.plugins.action import ActionBase
from ansible_collections.servertechnik.core.plugins.plugin_utils._inventory import (
    Checker,
    Findings,
    misspelt,
    origin_of,
    without_facts,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._rules import (
    SERVICES,
    broken_rules,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._site import Site
from ansible_collections.servertechnik.core.plugins.plugin_utils._specs import (
    Mistake,
    Specification,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._subjects import SubjectReader

ARGUMENTS = {"playbook": {"type": "str", "required": True}}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type information
    """Report every mistake of every host at once, before any host is touched."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the mistakes, and fail if there are any."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _result, arguments = self.validate_argument_spec(ARGUMENTS)
        validation = _Validation(Site((task_vars or {})["hostvars"]))
        findings = validation.check(arguments["playbook"])
        if validation.idle:
            self._display.warning(f"No role applies to {', '.join(sorted(validation.idle))}.")
        hosts, roles = len(validation.hosts), len(validation.specifications)
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


class _Validation:
    """The hosts of the inventory, and what the roles that a playbook gives them accept."""

    def __init__(self, site: Site) -> None:
        self.site = site
        # The play that runs this check holds the hosts of the inventory that --limit leaves.
        self.hosts = site.inventory.get_hosts()
        self.idle = {host.name for host in self.hosts}
        self.checker = Checker()
        self.specifications: dict[str, Specification] = {}

    def check(self, playbook: str) -> Findings:
        """Return the mistakes of all hosts in all plays of the playbook."""
        plays = self.site.plays(playbook)
        findings = Findings()
        for play in plays:
            for role in play.roles:
                self._learn(role)
        self._specify_needs()
        for play in plays:
            self._check_play(play, findings)
        self._check_rules(playbook, findings)
        return findings

    def _check_rules(self, playbook: str, findings: Findings) -> None:
        """Check what concerns several hosts, with those in mind that --limit leaves out."""
        wanted = {host.name for host in self.hosts}
        flawed: dict[str, set[str]] = {name: set() for name in wanted}
        for mistake, hosts in findings.hosts.items():
            for name in hosts:
                flawed[name].add(mistake.variable)
        reader = SubjectReader(self.site, playbook, self.checker, self.specifications, flawed)
        groups = self.site.inventory.get_groups_dict()
        for name, mistake in broken_rules(reader.subjects(), groups, origin_of):
            if name in wanted:
                findings.add(name, mistake)

    def _learn(self, role: Role) -> None:
        name = role.get_name(include_role_fqcn=False)
        meta = Path(role.get_role_path(), "meta")
        if name not in self.specifications and (meta / "argument_specs.yml").exists():
            main = self.site.read(meta / "argument_specs.yml")["argument_specs"].get("main", {})
            formats = self.site.read(meta / "formats.yml")
            self.specifications[name] = Specification(name, main.get("options", {}), formats)

    def _specify_needs(self) -> None:
        """Have what roles need of the firewall checked as its own role has its services."""
        firewall = self.specifications.get("firewall")
        if firewall is None:
            return
        entry = firewall.options[SERVICES]
        words = {key: text for key, text in firewall.formats.items() if key.startswith(SERVICES)}
        for name, one in self.specifications.items():
            need = f"{name}_{SERVICES}"
            if need in one.options:
                options = {**one.options, need: {**entry, **one.options[need]}}
                formats = {f"{name}_{key}": text for key, text in words.items()}
                self.specifications[name] = Specification(name, options, {**one.formats, **formats})

    def _check_play(self, play: Play, findings: Findings) -> None:
        for host in self.site.hosts(play):
            self.idle.discard(host.name)
            variables = without_facts(self.site.variables(play, host))
            for role in play.roles:
                for mistake in self._check_role(role, variables):
                    findings.add(host.name, mistake)
            for mistake in misspelt(variables, self.specifications):
                findings.add(host.name, mistake)

    def _check_role(self, role: Role, variables: dict[str, Any]) -> Iterator[Mistake]:
        name = role.get_name(include_role_fqcn=False)
        if name in self.specifications:
            seen = self.site.seen(role, variables)
            yield from self.checker.mistakes(seen, self.specifications[name], self.site.loader)
