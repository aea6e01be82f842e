# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's half of a confirmed commit: come back over a new connection, and say so."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import VariableLayer

FIRST = 0.5  # seconds until the first attempt: the host waits 0.3 s before it activates
LONGEST = 8.0  # sshd from 9.8 on penalises sources that fail often, so attempts get rarer
GRACE = 10.0  # seconds that a host may need to put itself back


class Confirmer:
    """Confirms a transaction of the host that an action is working on."""

    def __init__(self, action: Any, task_vars: Mapping[str, Any]) -> None:
        """Use the connection of `action`."""
        self.action = action
        self.task_vars = dict(task_vars)

    def finish(self, result: dict[str, Any], confirm: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the final result of a module call that may have left a change to be confirmed."""
        if not confirm or result.get("failed") or not result.get("transaction"):
            return result
        name, timeout = str(result["transaction"]), int(confirm["timeout"])
        former = self._go_to(confirm.get("address"))
        said = self._ask(name, timeout, until=("committed", "rolled back"))
        if said.get("state") == "committed":
            self._stay_at(confirm.get("address"))
            return result
        lost = f"the host could not be reached over a new connection within {timeout} s"
        if said.get("state"):
            lost = (
                f"the host was reached, but its change was still {said['state']} after {timeout} s"
            )
        if said.get("state") != "rolled back":
            self._go_to(former)
            last_word = str(said.get("said") or "")
            said = self._ask(name, int(GRACE), until=("rolled back",))
            lost += f" ({last_word})" if last_word else ""
            if said.get("state") == "rolled back":
                said["error"] = f"{lost}, so it has put itself back: files and units are as before"
        return {
            **result,
            "failed": True,
            "changed": False,
            "rolled_back": said.get("state") == "rolled back",
            "msg": said.get("error")
            or f"{lost}; it puts itself back, but could not be asked whether it has. Try again in "
            "a minute, or look at 'servertechnik list' on its console",
        }

    def _ask(self, name: str, timeout: int, until: tuple[str, ...]) -> dict[str, Any]:
        """Confirm over new connections until the host says one of `until` or time is up."""
        deadline = time.monotonic() + timeout
        pause, said = FIRST, {}
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            try:
                self.action._connection.reset()
                said = self.action._execute_module(
                    module_name="servertechnik.core.transaction_confirm",
                    module_args={"transaction": name, "origin": {}},
                    task_vars=self.task_vars,
                )
            except AnsibleConnectionFailure as error:
                said = {"said": str(error).strip().splitlines()[-1]}
                pause = min(pause * 2, LONGEST)
                continue
            if said.get("state") in until:
                break
        return said

    def _go_to(self, address: str | None) -> str | None:
        """Talk to another address from now on, and return the one before; none changes nothing."""
        if not address:
            return None
        connection = self.action._connection
        host, port = split_address(address)
        former = join_address(connection.get_option("host"), connection.get_option("port"))
        connection.reset()
        connection.set_option("host", host)
        if port:
            connection.set_option("port", port)
        return former

    def _stay_at(self, address: str | None) -> None:
        """Have the tasks that follow in this run go to the new address as well."""
        if address:
            host, port = split_address(address)
            moved: dict[str, object] = {
                "ansible_host": host,
                **({"ansible_port": port} if port else {}),
            }
            self.action.register_host_variables(moved, VariableLayer.EPHEMERAL_FACT)


def split_address(address: str) -> tuple[str, int | None]:
    """Return host and port of HOST, HOST:PORT, IPV6 or [IPV6]:PORT."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.startswith("[")):
        return host.strip("[]"), int(port)
    return address.strip("[]"), None


def join_address(host: str, port: int | None) -> str:
    """Return the inverse of `split_address`."""
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if port else shown
