# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A change that its services don't take is put back, and they run as before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest_hosts import Fleet, Results, Task

Saw = Callable[[str, object], None]

# Each start leaves its configuration in a file. One kind of configuration keeps the service from
# starting, another lets it end a moment later. The one-shot has its effect when it runs.
UNITS = r"""
mkdir -p /etc/fault
cat > /etc/systemd/system/fault-box.service <<'END'
[Service]
ExecStartPre=sh -c 'cat /etc/fault/box.conf >> /var/log/fault-box'
ExecStartPre=sh -c 'grep -qv bad /etc/fault/box.conf || { echo I refuse this; exit 1; }'
ExecStart=sh -c 'grep -q late /etc/fault/box.conf || exec sleep infinity; sleep 0.1; exit 1'
[Install]
WantedBy=multi-user.target
END
cat > /etc/systemd/system/fault-once.service <<'END'
[Service]
Type=oneshot
ExecStart=cp /etc/fault/once.conf /run/fault-once
[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
"""
STATE = """
systemctl show --property=ActiveState,UnitFileState fault-box.service
cat /etc/fault/box.conf /etc/fault/once.conf /run/fault-once
"""


def component(name: str, text: str, **more: object) -> list[Task]:
    """A task with both services' configuration, and one that shows what came of it."""
    change = {
        "name": "services",
        "files": [
            {
                "dest": f"/etc/fault/{one}.conf",
                "content": f"{text}\n",
                "units": [f"fault-{one}.service"],
            }
            for one in ("box", "once")
        ],
        "units": [{"name": "fault-once.service"}, {"name": "fault-box.service"}],
        **more,
    }
    log = "cat /var/log/fault-box; true > /var/log/fault-box"
    return [
        {"name": name, "servertechnik.core.component": change},
        {"name": f"{name}: starts", "ansible.builtin.shell": log, "changed_when": False},
        {"name": f"{name}: state", "ansible.builtin.shell": STATE, "changed_when": False},
    ]


HOLDS = {"verify": [{"unit": "fault-box.service", "timeout": 2}]}
# What fails, how often the service starts with what, and which words say why.
FAILURES = {
    "start": (
        component("start", "bad"),
        ["bad", "good"],
        "activation: fault-box.service could not restart: ",
    ),
    "late end": (
        component("late end", "late", **HOLDS),
        ["late", "good"],
        "verification: fault-box.service did not hold within 2 s",
    ),
    "verification": (
        component("verification", "better", verify=[{"tcp": "9", "timeout": 0}]),
        ["better", "good"],
        "verification: 9 did not hold within 0 s: no connection",
    ),
    "validation": (
        component("validation", "best", validate=["sh -c 'echo no good; exit 3'"]),
        [],
        "validation: 'sh -c 'echo no good; exit 3'' failed (3): no good",
    ),
}


@pytest.fixture(scope="module")
def told(fleet: Fleet) -> Results:
    """All failures, one after the other."""
    for host in fleet.hosts.values():
        host.sh(UNITS)
    failures = [task for tasks, _, _ in FAILURES.values() for task in tasks]
    return fleet.play([*component("good", "good", **HOLDS), *failures])


def test_services_start_with_their_configuration(told: Results, release: str) -> None:
    assert told[release]["good"]["changed"], told[release]["good"]
    assert told[release]["good: starts"]["stdout"] == "good"


@pytest.mark.parametrize("failure", list(FAILURES))
def test_service_runs_as_before(told: Results, release: str, failure: str) -> None:
    _, starts, _ = FAILURES[failure]
    assert told[release][f"{failure}: starts"]["stdout_lines"] == starts
    state = told[release][f"{failure}: state"]["stdout_lines"]
    assert state == ["ActiveState=active", "UnitFileState=enabled", "good", "good", "good"]


def test_unit_has_its_last_words(told: Results, release: str) -> None:
    assert "I refuse this" in told[release]["start"]["msg"]


@pytest.mark.parametrize("failure", list(FAILURES))
def test_failure_says_why(told: Results, release: str, failure: str, record_property: Saw) -> None:
    result = told[release][failure]
    record_property("saw", result["msg"])
    assert result["failed"]
    assert result["rolled_back"]
    assert FAILURES[failure][2] in result["msg"]
    assert "The host is as before: files and units were put back." in result["msg"]
