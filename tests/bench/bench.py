"""`make bench`: measure the main job, and a component against standard modules, as ratios.

Names of measurements (see measurements.py) as arguments limit it to those.
"""

from __future__ import annotations

import argparse
import os
import platform
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._record import envelope, store
from ansible_collections.servertechnik.core.plugins.plugin_utils._run import run_id
from rich.console import Console

from tests.bench import table
from tests.bench.fleet import BenchError, Fleet
from tests.bench.measure import Line
from tests.bench.measurements import ALL, NAMES, ROLES
from tests.conftest_hosts import ROOT


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ALL))
    wanted = parser.parse_args(words).names
    if strangers := set(wanted) - set(ALL):
        parser.error(f"found {', '.join(sorted(strangers))}; accepted: {', '.join(ALL)}")
    began, load = time.monotonic(), os.getloadavg()[0]
    lines = _measure(wanted or list(ALL))
    machine = _machine(load, time.monotonic() - began)
    table.show(lines, machine, Console())
    at = datetime.now(UTC)
    document = envelope(
        kind="bench",
        schema=1,
        host=socket.gethostname(),
        run=run_id(),
        data=table.data(lines, machine),
        at=at,
    )
    path = store(document, ROOT / "records", at)
    print(f"It took {machine['seconds']:.0f} s. Every time is in {path.relative_to(ROOT)}")


def _measure(names: Sequence[str]) -> list[Line]:
    lines = []
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        fleet = Fleet(Path(folder))
        try:
            for name in names:
                print(f"measuring: {ALL[name].__doc__}", file=sys.stderr)
                try:
                    lines += ALL[name](fleet)
                except BenchError as error:
                    lines.append(Line(name, problem=str(error)))
        finally:
            fleet.down([*NAMES, *ROLES])
    return lines


def _machine(load: float, seconds: float) -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "ansible_core": version("ansible-core"),
        "load_start": load,
        "load_end": os.getloadavg()[0],
        "seconds": seconds,
    }


if __name__ == "__main__":
    main()
