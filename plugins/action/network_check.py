# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make the messages of a batch of probes, send it to the host in one call, read what comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.servertechnik.core.plugins.module_utils._probe_arguments import ARGUMENTS
from ansible_collections.servertechnik.core.plugins.module_utils._probe_batch import pack, unpack
from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_expect import (
    ExpectationError,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_plan import (
    PlanError,
    plan,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_report import report


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type information
    """Translate between what people ask and what travels."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the result of each probe, and findings in words."""
        super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(ARGUMENTS)[1]
        try:
            probes = plan(arguments["probes"])
        except PlanError as error:
            raise AnsibleActionFail(str(error)) from error
        batch = {
            "probes": [probe.job for probe in probes],
            "parallel": arguments["parallel"],
            "deadline": arguments["deadline"],
        }
        result: dict[str, Any] = self._execute_module(
            module_name="servertechnik.core.network_check",
            module_args={"probes": [], "batch": pack(batch)},
            task_vars=task_vars,
        )
        if result.get("failed") or "found" not in result:
            return result
        try:
            result |= report(probes, unpack(result.pop("found")), datetime.now(UTC))
        except ExpectationError as error:
            raise AnsibleActionFail(str(error)) from error
        if arguments["strict"] and result["findings"]:
            result["failed"] = True
            result["msg"] = "\n".join(result["findings"])
        return result
