# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write a record on the controller; see the module of the same name for its interface."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import callback_loader
from ansible_collections.servertechnik.core.plugins.plugin_utils._record import (
    RecordError,
    directory_of,
    envelope,
    store,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._run import run_id

_CALLBACK = "servertechnik.core.progress"


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type information
    """Translate between Ansible and the writer of records."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Write one record for the host of this task."""
        super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(
            {
                "kind": {"type": "str", "required": True},
                "schema": {"type": "int", "default": 1},
                "data": {"type": "dict", "required": True},
            }
        )[1]
        if self._task.check_mode:
            return {"changed": False, "path": ""}
        now = datetime.now(UTC)
        try:
            document = envelope(
                **arguments, host=(task_vars or {})["inventory_hostname"], run=run_id(), at=now
            )
            path = store(document, directory_of(_records(), constants.CONFIG_FILE), now)
        except RecordError as error:
            return {"changed": False, "failed": True, "msg": str(error)}
        return {"changed": False, "path": str(path)}


def _records() -> str:
    """Return the directory option of the callback, which needn't be the one in use."""
    callback = callback_loader.get(_CALLBACK, class_only=True)
    options = constants.config.get_plugin_options("callback", callback._load_name)
    return str(options["records"])
