# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Replace a failed disk: call the module step by step, wait, show, and write down."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.plugins.action import display as screen
from ansible.plugins.loader import callback_loader
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_arguments import (
    ARGUMENTS,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._record import (
    RecordError,
    directory_of,
    envelope,
    store,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._replacement_inventory import (
    left_to_do,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._replacement_job import Job, Way
from ansible_collections.servertechnik.core.plugins.plugin_utils._replacement_sheet import (
    keep_sheets,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._run import run_id

MODULE = "servertechnik.core.disk_replacement"
KIND = "disk_replacement"
_CALLBACK = "servertechnik.core.progress"
_HOUR = 3600


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type information
    """Translate between Ansible and the job."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Take all steps that can be taken now."""
        super().run(tmp, task_vars)
        self._variables = task_vars or {}
        self._host = str(self._variables["inventory_hostname"])
        arguments = self.validate_argument_spec(ARGUMENTS)[1]
        arguments |= {"run": run_id(), "backup_age": _age(arguments["backup"])}
        if arguments["step"]:
            return self._call(MODULE, arguments)
        way = Way(
            call=lambda wanted: self._call(MODULE, wanted),
            reset=self._connection.reset,
            say=screen.display,
            keep=self._keep,
            sheets=self._sheets,
        )
        try:
            result = Job(self._host, arguments, way).run(check=self._task.check_mode)
        except RecordError as error:
            raise AnsibleActionFail(str(error)) from error
        state = result.get("state")
        if state and state["closed"]:
            result["warnings"] = left_to_do(arguments["expected"], state)
        return result

    def _call(self, module: str, arguments: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in arguments.items() if value is not None}
        result: dict[str, Any] = self._execute_module(
            module_name=module, module_args=given, task_vars=self._variables
        )
        return result

    def _keep(self, data: dict[str, Any]) -> None:
        now = datetime.now(UTC)
        document = envelope(kind=KIND, schema=1, host=self._host, run=run_id(), data=data, at=now)
        store(document, _records(), now)

    def _sheets(self, state: dict[str, Any]) -> list[str]:
        paths = keep_sheets(self._host, state, _records() / KIND, datetime.now(UTC))
        return [os.path.relpath(path) for path in paths]


def _records() -> Path:
    """Return the directory option of the callback, which needn't be the one in use."""
    callback = callback_loader.get(_CALLBACK, class_only=True)
    options = constants.config.get_plugin_options("callback", callback._load_name)
    return directory_of(str(options["records"]), constants.CONFIG_FILE)


def _age(backup: str) -> float | None:
    """Return how many hours ago a file on the controller was written; None without one."""
    if not backup:
        return None
    try:
        return (time.time() - Path(backup).expanduser().stat().st_mtime) / _HOUR
    except OSError as error:
        raise AnsibleActionFail(
            f"backup: found {backup!r}, {error.strerror}; accepted: a file whose time is that of "
            "the last good backup"
        ) from error
