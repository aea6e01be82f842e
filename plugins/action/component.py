# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Render a component's files on the controller, send all of it at once, confirm if asked to."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import (
    COMPONENT,
    desired_of,
    pack,
)
from ansible_collections.servertechnik.core.plugins.module_utils._model import InputError
from ansible_collections.servertechnik.core.plugins.plugin_utils._confirm import Confirmer
from ansible_collections.servertechnik.core.plugins.plugin_utils._run import run_by, run_id


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type information
    """Translate between a role's parts list and one call of the module."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the module's results, once the change stands or is undone."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        arguments = self.validate_argument_spec(COMPONENT)[1]
        contents = {
            one["dest"]: content
            for one in arguments["files"]
            if (content := self._content(one, task_vars)) is not None
        }
        digests = {d: (hashlib.sha256(data).hexdigest(), len(data)) for d, data in contents.items()}
        try:
            desired_of(arguments, digests)
        except InputError as error:
            raise AnsibleActionFail(f"{arguments['name']}: {error}") from error
        for one in arguments["files"]:
            if one["content"] is not None:
                one["content"] = ""
        arguments["payload"] = pack(contents)
        arguments["origin"] = {"by": run_by(), "run": run_id()}
        result: dict[str, Any] = self._execute_module(
            module_name="servertechnik.core.component",
            module_args=arguments,
            task_vars=task_vars,
        )
        return Confirmer(self, task_vars).finish(result, arguments["confirm"])

    def _content(self, one: dict[str, Any], task_vars: dict[str, Any]) -> bytes | None:
        """Return the content that a file is to have; none for links, folders and removals."""
        if one["template"] is not None:
            return self._render(one["template"], one["dest"], task_vars).encode()
        if one["source"] is not None:
            return Path(self._find(one["source"], "files", one["dest"])).read_bytes()
        return None if one["content"] is None else str(one["content"]).encode()

    def _find(self, name: str, folder: str, dest: str) -> str:
        try:
            return str(self._find_needle(folder, name))
        except AnsibleError as error:
            raise AnsibleActionFail(f"files: {dest}: {error}") from error

    def _render(self, name: str, dest: str, task_vars: dict[str, Any]) -> str:
        """Render a template as ansible.builtin.template does, with the same search path."""
        source = self._find(name, "templates", dest)
        places = [
            *task_vars.get("ansible_search_path", []),
            self._loader.get_basedir(),
            str(Path(source).parent),
        ]
        templar = self._templar.copy_with_new_env(
            searchpath=[path for place in places for path in (f"{place}/templates", place)],
            available_variables=task_vars,
        )
        text = trust_as_template(self._loader.get_text_file_contents(source))
        rendered = templar.template(
            text,
            escape_backslashes=False,
            overrides={"trim_blocks": True, "lstrip_blocks": False},
        )
        return "" if rendered is None else str(rendered)
