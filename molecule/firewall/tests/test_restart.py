# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from testinfra.host import Host

BED = Path(__file__).resolve().parents[3] / "tests" / "bed" / "bed"
UNIT = "servertechnik-firewall.service"
Pair = Any  # of conftest.py


def test_host_that_starts_is_never_open(host: Host, pair: Pair) -> None:
    subprocess.run([BED, "restart", host.backend.get_hostname()], check=True)
    pair.serve()
    found = pair.ask(4, ("tcp", 22), ("tcp", 7002), ("tcp", 7003))
    assert found == ["yes", "yes", "silence"]
    at = "--property=ActiveEnterTimestampMonotonic --value"
    loaded, network = (
        int(host.check_output(f"systemctl show {unit} {at}"))
        for unit in (UNIT, "network-pre.target")
    )
    assert 0 < loaded < network
