# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Everything works under the Mitogen strategy as well."""

from __future__ import annotations

from pathlib import Path

import ansible_mitogen
import pytest

from tests.conftest_hosts import Fleet, Results, Task
from tests.fault.changes import PATIENCE, TIMEOUT, look, sshd

CONF = "/etc/fault/mitogen.conf"


def conf(name: str, content: str, **more: object) -> Task:
    """A task with one file."""
    files = [{"dest": CONF, "content": content}]
    return {"name": name, "servertechnik.core.component": {"name": "mito", "files": files, **more}}


@pytest.fixture(scope="module")
def mitogen(fleet: Fleet) -> Fleet:
    """The hosts under Mitogen."""
    fleet.strategy = "mitogen_free"
    plugins = Path(ansible_mitogen.__file__).parent / "plugins" / "strategy"
    fleet.environ["ANSIBLE_STRATEGY_PLUGINS"] = str(plugins)
    return fleet


@pytest.fixture(scope="module")
def told(mitogen: Fleet) -> Results:
    """A host's life in one run."""
    return mitogen.play(
        [
            conf("first", "one\n"),
            conf("second", "one\n"),
            conf("change", "two\n"),
            conf("failure", "three\n", validate=["false"]),
            {**conf("confirmed", "four\n", confirm={"timeout": PATIENCE}), "register": "confirmed"},
            {"name": "info", "servertechnik.core.transaction_info": {"component": "mito"}},
            {
                "name": "revert",
                "servertechnik.core.transaction_revert": {
                    "transaction": "{{ confirmed['transaction'] }}"
                },
            },
            {"name": "by hand", "ansible.builtin.command": f"rm {CONF}", "changed_when": True},
            {"name": "drift", "servertechnik.core.drift": {}},
        ]
    )


def test_life_under_mitogen(told: Results, release: str) -> None:
    mine = told[release]
    changed = {name: bool(result.get("changed")) for name, result in mine.items()}
    assert changed == {
        "first": True, "second": False, "change": True, "failure": False, "confirmed": True,
        "info": False, "revert": True, "by hand": True, "drift": False,
    }, mine  # fmt: skip
    assert mine["failure"]["rolled_back"]
    states = [one["state"] for one in mine["info"]["transactions"]]
    assert states == ["committed", "rolled back", "committed", "committed"]
    assert mine["revert"]["reverted"] == [mine["confirmed"]["transaction"]]
    (found,) = mine["drift"]["differences"]
    assert (found["name"], found["found"]) == (CONF, "absent")


def test_lockout_under_mitogen(mitogen: Fleet) -> None:
    before = look(mitogen)
    results = mitogen.play([sshd("AllowUsers nobody\n", confirm={"timeout": TIMEOUT})])
    for release in mitogen.hosts:
        result = results[release]["sshd"]
        assert result["rolled_back"], result
        assert "over a new connection (" in result["msg"]
        assert "The host is as before" in result["msg"]
    assert look(mitogen) == before


def test_new_port_under_mitogen(mitogen: Fleet) -> None:
    def move(port: int, present: int) -> Task:
        address = f"{{{{ ansible_host }}}}:{port}"
        moved = sshd(f"Port {port}\n", confirm={"timeout": PATIENCE, "address": address})
        return {**moved, "vars": {"ansible_port": present}}

    ask = {"name": "ask", "servertechnik.core.transaction_info": {"component": "sshd"}}
    for move_and_ask in ([move(2222, 22), ask], [move(22, 2222), ask]):
        results = mitogen.play(move_and_ask)
        for release in mitogen.hosts:
            assert results[release]["sshd"].get("changed"), results[release]["sshd"]
            assert results[release]["ask"]["transactions"][0]["state"] == "committed"
