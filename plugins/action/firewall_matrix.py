# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Work out what a host is to reach, try it from there in one call, and compare."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.servertechnik.core.plugins.module_utils._probe_batch import pack, unpack
from ansible_collections.servertechnik.core.plugins.plugin_utils._matrix import (
    World,
    unwatched,
    witnesses,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._matrix_report import (
    as_data,
    counts,
    findings,
    probes,
    questions,
    rows,
    sockets_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._matrix_site import (
    WorldError,
    world_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._site import Site
from ansible_collections.servertechnik.core.plugins.plugin_utils._ways import NoWayError

ARGUMENTS = {
    "playbook": {"type": "str", "default": "servertechnik.core.site"},
    "live": {"type": "dict", "default": {}},
    "witnesses": {"type": "int", "default": 2},
    "parallel": {"type": "int", "default": 4000},
    "deadline": {"type": "float", "default": 120},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type information
    """One host's part of the matrix."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the ways from this host with all their cells; fail if one is wrong."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = self.validate_argument_spec(ARGUMENTS)[1]
        name = str(variables["inventory_hostname"])
        try:
            world = world_of(Site(variables["hostvars"]), arguments["playbook"])
            there = [str(host) for host in variables["ansible_play_hosts"]]
            chosen = witnesses(world, there, arguments["witnesses"])
            if name not in chosen:
                reason = f"others are in the same place for every rule: {', '.join(chosen)}"
                return result | {"skipped": True, "skip_reason": reason}
            nobody = unwatched(world, chosen)
            return result | {"nobody": nobody} | self._matrix(world, name, arguments, variables)
        except (WorldError, NoWayError) as error:
            raise AnsibleActionFail(str(error)) from error

    def _matrix(
        self, world: World, name: str, arguments: dict[str, Any], variables: dict[str, Any]
    ) -> dict[str, Any]:
        live = arguments["live"]
        listening = {host: sockets_of(one) for host, one in live.items()}
        ways, without = world.ways(name)
        asked = questions(world, ways, listening)
        batch = {
            "probes": probes(asked, listening),
            "parallel": arguments["parallel"],
            "deadline": arguments["deadline"],
        }
        result: dict[str, Any] = self._execute_module(
            module_name="servertechnik.core.network_check",
            module_args={"probes": [], "batch": pack(batch)},
            task_vars=variables,
        )
        if result.get("failed") or "found" not in result:
            return result
        matrix = rows(world, asked, unpack(result.pop("found")), listening)
        wrong = findings(matrix, live)
        result |= {
            "ways": as_data(matrix),
            "without": without,
            "counts": counts(matrix),
            "wrong": wrong,
        }
        if wrong:
            result["failed"] = True
            result["msg"] = "\n".join(wrong)
        return result
