# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of a confirmed commit: come back over a new connection, and say so."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import VariableLayer
from ansible_collections.servertechnik.core.plugins.module_utils._confirmation import UNCONFIRMED
from ansible_collections.servertechnik.core.plugins.plugin_utils._moved import Move

FIRST = 0.5  # seconds until the first attempt: the host waits 0.3 s before it activates
LONGEST = 8.0  # sshd from 9.8 on penalises sources that fail often, so attempts get rarer
GRACE = 90  # seconds that a slow host may need to put itself back
DECIDED = ("committed", "rolled back")


class Confirmer:
    """Confirms a transaction of the host that an action is working on."""

    def __init__(self, action: Any, task_vars: Mapping[str, Any]) -> None:
        """Use the connection of `action`."""
        self.action = action
        self.task_vars = dict(task_vars)
        self.trouble = ""

    def finish(self, result: dict[str, Any], confirm: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the final result of a module call that may have left a change to be confirmed."""
        if not confirm or result.get("failed") or not result.get("transaction"):
            return result
        name, timeout = str(result["transaction"]), int(confirm["timeout"])
        move = self._move_to(confirm.get("address"))
        said = self._ask(name, timeout)
        if said.get("state") not in DECIDED:
            if move:
                self._go_to(*move.former)
            move = None
            said = self._ask(name, GRACE)
        if said.get("state") == "committed":
            return result | self._stay_at(move, result)
        error = str(said.get("error"))
        lost = "the host did not answer in time over a new connection"
        if self.trouble:
            lost = f"the host could not be reached over a new connection ({self.trouble})"
        if said.get("state") != "rolled back":
            error = (
                f"{lost}. The host puts itself back, but could not be asked whether it has; try "
                "again in a minute, or look at 'servertechnik list' on its console"
            )
        elif UNCONFIRMED in error:
            error = f"{lost}. The host says: {error}"
        return {
            **result,
            "failed": True,
            "changed": False,
            "rolled_back": said.get("state") == "rolled back",
            "msg": error,
        }

    def _ask(self, name: str, timeout: int) -> dict[str, Any]:
        """Ask over new connections until the host has decided or `timeout` seconds are over.

        A login from before the activation proves nothing, so the change is confirmed over one
        connection more than the one that found it activated.
        """
        deadline = time.monotonic() + timeout
        pause, said = FIRST, dict[str, Any]()
        while (left := deadline - time.monotonic()) > 0 and said.get("state") not in DECIDED:
            activated = said.get("state") == "activated"
            time.sleep(0 if activated else min(pause, left))
            try:
                self.action._connection.reset()
                said = self.action._execute_module(
                    module_name="servertechnik.core.transaction_confirm",
                    module_args={"transaction": name, "commit": activated, "origin": {}},
                    task_vars=self.task_vars,
                )
            # Errors of Ansible, of sudo and of Mitogen have nothing in common, and none of them may
            # end the run before the host has decided.
            except Exception as error:
                said = {"msg": str(error)}
            if not said.get("state"):
                self.trouble = str(said.get("msg", "no answer")).strip().rpartition("\n")[2]
                pause = min(pause * 2, LONGEST)
        return said

    def _go_to(self, host: str, port: int | None) -> None:
        """Talk to another host and port from now on."""
        connection = self.action._connection
        connection.reset()
        connection.set_option("host", host)
        connection.set_option("port", port)

    def _move_to(self, address: str | None) -> Move | None:
        """Talk to the address where the host is to answer from now on, if there is one."""
        if not address:
            return None
        host, port = split_address(address)
        connection = self.action._connection
        move = Move(connection, self.task_vars, (host, port or connection.get_option("port")))
        self._go_to(*move.new)
        move.recognise()
        return move

    def _stay_at(self, move: Move | None, result: Mapping[str, Any]) -> dict[str, Any]:
        """Have all that follows go to the new address as well, and return what to tell of that."""
        if not move:
            return {}
        host, port = move.new
        moved: dict[str, object] = {"ansible_host": host} | ({"ansible_port": port} if port else {})
        self.action.register_host_variables(moved, VariableLayer.EPHEMERAL_FACT)
        told = move.follow()
        return {"moved": told.done, "warnings": [*result.get("warnings", []), *told.left]}


def split_address(address: str) -> tuple[str, int | None]:
    """Return host and port of HOST, HOST:PORT, IPV6 or [IPV6]:PORT."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.startswith("[")):
        return host.strip("[]"), int(port)
    return address.strip("[]"), None
