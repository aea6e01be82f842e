# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put transactions back one by one, newest first, each confirmed if it was so when made."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.servertechnik.core.plugins.plugin_utils._confirm import Confirmer
from ansible_collections.servertechnik.core.plugins.plugin_utils._run import run_by, run_id

MODULE = "servertechnik.core.transaction_revert"
MERGED = ("reverted", "files", "units", "diff")


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type information
    """Translate between a person's wish and one call of the module for each transaction."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the results of all calls together, up to the first that fails."""
        super().run(tmp, task_vars)
        arguments = {**self._task.args, "origin": {"by": run_by(), "run": run_id()}}
        names = [arguments.get("transaction")]
        if arguments.get("run"):
            found = self._call(
                "servertechnik.core.transaction_info", {"run": arguments.pop("run")}, task_vars
            )
            if found.get("failed"):
                return found
            standing = [t for t in found["transactions"] if t["state"] == "committed"]
            names = [t["id"] for t in standing if not t["reverts"]]
        result: dict[str, Any] = {
            "changed": False,
            "rolled_back": False,
            "transaction": None,
            **{key: [] for key in MERGED},
        }
        for name in names:
            one = self._call(MODULE, {**arguments, "transaction": name}, task_vars)
            timeout = one.pop("timeout", None)
            confirm = {**(arguments.get("confirm") or {}), "timeout": timeout} if timeout else None
            one = Confirmer(self, task_vars or {}).finish(one, confirm)
            done = {key: result[key] + one.get(key, []) for key in MERGED}
            result = {**result, **one, **done, "changed": result["changed"] or one.get("changed")}
            if result.get("failed"):
                break
        return result

    def _call(
        self, module: str, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        result: dict[str, Any] = self._execute_module(
            module_name=module, module_args=arguments, task_vars=task_vars
        )
        return result
