# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read the storage of a host in one call, plan here, and carry the plan out step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage import StorageError, Tree
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_draft import Step
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_headers import (
    HeaderError,
    Headers,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_plan import Plan, plan_of
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_read import tree_of
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_systems import entry_of

_LIST = {"type": "list", "elements": "dict", "default": []}
_PARTS = ("disks", "arrays", "encrypted", "volume_groups", "file_systems")
ARGUMENTS = {
    **dict.fromkeys(_PARTS, _LIST),
    "wipe": {"type": "list", "elements": "str", "default": []},
    "header_backups": {"type": "path", "default": ""},
}
# What stands on what is at most so deep, and each layer takes two rounds at the most.
_ROUNDS = 24
_INSTALL = "ansible.builtin.apt"
_ARRAY = "servertechnik.core.raid_array"


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no type information
    """Have a host's storage as it is to be."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return what was done, or would be; nothing is done where something is refused."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = self.validate_argument_spec(ARGUMENTS)[1]
        try:
            tree = tree_of({f"storage_{part}": arguments[part] for part in _PARTS})
        except StorageError as error:
            raise AnsibleActionFail(str(error)) from error
        except KeyError as error:
            raise AnsibleActionFail(f"an entry lacks the key {error}") from error
        host = str(variables["inventory_hostname"])
        folder = str(arguments["header_backups"] or "")
        work = _Work(self, variables, arguments["wipe"], tree=tree, headers=Headers(folder, host))
        try:
            work.check() if self._task.check_mode else work.carry_out()
        except (_FailedError, HeaderError) as error:
            return work.result() | {"failed": True, "msg": f"{error}{work.so_far()}"}
        return work.result()


class _FailedError(Exception):
    """The work can't go on; the text says why."""


class _Work:
    """One run on one host."""

    def __init__(
        self,
        action: ActionModule,
        variables: dict[str, Any],
        wipe: Sequence[str],
        *,
        tree: Tree,
        headers: Headers,
    ) -> None:
        self._action, self._variables = action, variables
        self._host = str(variables["inventory_hostname"])
        self._tree, self._wipe, self._headers = tree, wipe, headers
        self._done: list[str] = []
        self._waiting: list[str] = []
        self._before = ""
        self._looked = False
        self._plan: Plan | None = None

    def check(self) -> None:
        """Say what a run would do."""
        plan = self._read()
        self._done = [step.words for step in plan.steps]
        self._done += [_backup_words(one[0]) for one in self._headers.stale(plan.headers)]

    def carry_out(self) -> None:
        """Take the steps that are ready, read again, and so on until none is left."""
        former: list[str] = []
        for _round in range(_ROUNDS):
            plan = self._read()
            ready = [step for step in plan.steps if step.ready]
            if ready and ready[0].module == _INSTALL:
                # What is on the disks is fully known only with the programs.
                ready = ready[:1]
            words = [step.words for step in ready]
            if words == former:
                self._stand_still(ready)
                break
            if not words:
                break
            for number, step in enumerate(ready):
                self._take(step, [later.module for later in ready[number + 1 :]])
            self._call("ansible.builtin.command", argv=["udevadm", "settle", "--timeout=60"])
            former = words
        else:
            raise _FailedError(f"it isn't finished after {_ROUNDS} rounds: {'; '.join(former)}")
        self._back_up()

    def _read(self) -> Plan:
        """Return the plan for what is there now. Raises _FailedError for anything refused."""
        document = self._call("servertechnik.core.disk_health", smart=False, contents=True)
        plan = plan_of(self._tree, document, self._wipe, self._host)
        if self._plan is None:
            self._before = plan.before
        self._plan = plan
        missing = any(step.module == _INSTALL for step in plan.steps)
        if plan.refusals and (self._action._task.check_mode or not missing):
            raise _FailedError("\n".join(plan.refusals))
        if plan.free and not self._looked:
            self._look(plan.free)
        return plan

    def _look(self, paths: Sequence[str]) -> None:
        """Refuse to hide what is in a mount point, before anything is done."""
        self._looked = True
        found = self._call("ansible.builtin.find", paths=paths, file_type="any", hidden=True)
        full = {str(PurePath(one["path"]).parent) for one in found["files"]}
        hidden = [path for path in paths if path in full]
        if hidden:
            words = f"{', '.join(hidden)} is not empty, what is there would be hidden"
            raise _FailedError(f"{words}: move it away, or mount elsewhere")

    def _stand_still(self, steps: Sequence[Step]) -> None:
        # A change of an array may have to wait until a rebuild is done.
        stuck = [step.words for step in steps if step.module != _ARRAY]
        if stuck:
            raise _FailedError(f"this was done and has changed nothing: {'; '.join(stuck)}")
        self._waiting = [f"waits until the array is rebuilt: {step.words}" for step in steps]

    def _take(self, step: Step, later: Sequence[str]) -> None:
        # Making the initramfs takes longer than all else: once for all arrays is enough.
        more = {"initramfs": False} if step.module == _ARRAY and _ARRAY in later else {}
        self._call(step.module, step.words, **step.arguments, **more)
        self._done.append(step.words)

    def _call(self, module: str, words: str = "", **arguments: Any) -> dict[str, Any]:
        result: dict[str, Any] = self._action._execute_module(
            module_name=module, module_args=arguments, task_vars=self._variables
        )
        if result.get("failed") or result.get("rc"):
            said = [str(result.get(key) or "").strip() for key in ("msg", "err", "stderr")]
            why = "\n".join(dict.fromkeys(filter(None, said)))
            raise _FailedError(f"{words or module}: {why}")
        return result

    def _back_up(self) -> None:
        headers = self._plan.headers if self._plan else ()
        for name, device, identity, _number in self._headers.stale(headers):
            words = _backup_words(name)
            told = self._call("servertechnik.core.luks_header_backup", words, device=device)
            self._headers.keep(name, identity, str(told["header"]))
            self._done.append(words)

    def so_far(self) -> str:
        """Return the end of a message of failure: what was done before."""
        if self._action._task.check_mode or not self._done:
            return "\nNothing was changed."
        done = "".join(f"\n  {words}" for words in self._done)
        return f"\nDone before, and found again by the next run:{done}"

    def result(self) -> dict[str, Any]:
        """Return what Ansible is told; no passphrase is part of it."""
        check, plan = self._action._task.check_mode, self._plan
        result: dict[str, Any] = {
            "changed": bool(self._done),
            "steps": self._done,
            "findings": [*(plan.notes if plan else ()), *self._waiting],
            "mounts": [entry_of(mount) for mount in plan.mounts] if plan else [],
        }
        if plan and self._action._task.diff and (self._done or plan.refusals):
            result["diff"] = {
                "before_header": f"storage of {self._host} as it is",
                "after_header": f"storage of {self._host} as it will be",
                "before": self._before,
                "after": plan.after if check or plan.refusals else plan.before,
            }
        return result


def _backup_words(name: str) -> str:
    return f"take a copy of the LUKS header of {name} to the controller"
