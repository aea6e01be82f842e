"""`make site`: build the lab, bring it to what its inventory says, and prove that it is so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._run import VARIABLE, new_run_id

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = ROOT / "inventories" / "lab"
_DEBIAN = {"bookworm": "Debian 12", "trixie": "Debian 13"}


def main() -> int:
    """Build and converge the lab twice; 1 if a run failed, or the second one changed something.

    The same for a firewall that lets in what the inventory doesn't say, or keeps out what it says.
    """
    began = time.monotonic()
    hosts = _up()
    if hosts is None:
        return 1
    fresh = any(host["outcome"] in ("created", "replaced") for host in hosts)
    print(f"\n== The lab is up: {len(hosts)} hosts. Now they become what inventories/lab says.")
    # What is known about a former host of the same name is not about this one.
    first = _run("site", "--flush-cache" if fresh else "")
    if first is None:
        print("\nThe run failed; see above. The hosts stay as they are, `make site` goes on.")
        return 1
    print("\n== The same again: nothing may be left to do.")
    second = _run("site")
    if second is None:
        return 1
    print("\n== Who gets in where, tried from the hosts themselves.")
    if _run("verify_firewall") is None:
        return 1
    _summary(hosts, first, second, time.monotonic() - began)
    return 1 if _changes(second) else 0


def _up() -> list[dict[str, str]] | None:
    command = [
        sys.executable,
        str(ROOT / "tests" / "bed" / "bed"),
        "up",
        "--inventory",
        str(INVENTORY),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    hosts: list[dict[str, str]] | None = None if done.returncode else json.loads(done.stdout)
    return hosts


def _run(playbook: str, *options: str) -> dict[str, Any] | None:
    """Run a job on the lab; the data of its record, or nothing when it failed."""
    run = new_run_id(datetime.now(UTC))
    command = str(Path(sys.executable).parent / "ansible-playbook")
    done = subprocess.run(
        [command, f"servertechnik.core.{playbook}", "-i", str(INVENTORY), *filter(None, options)],
        cwd=ROOT,
        # Only this callback writes the record that is read below.
        env={**os.environ, VARIABLE: run, "ANSIBLE_STDOUT_CALLBACK": "servertechnik.core.progress"},
        check=False,
    )
    if done.returncode:
        return None
    records = sorted((ROOT / "records" / "run").glob("*.json"), reverse=True)
    envelopes = (json.loads(path.read_text()) for path in records)
    data: dict[str, Any] = next(found["data"] for found in envelopes if found["run"] == run)
    return data


def _changes(record: dict[str, Any]) -> dict[str, int]:
    """How many tasks changed something, by host, where any did."""
    hosts = record["hosts"].items()
    return {name: counts["changed"] for name, counts in hosts if counts.get("changed")}


def _summary(
    hosts: list[dict[str, str]], first: dict[str, Any], second: dict[str, Any], seconds: float
) -> None:
    again = _changes(second)
    outcome = "changed nothing: every host is and stays as the inventory says."
    if again:
        outcome = f"still changed {', '.join(again)}, which must not be: see above."
    print(f"\n== The company stands, {seconds:.0f} s after the start.\n")
    for host in hosts:
        print(f"   {host['name']:10} {_DEBIAN[host['release']]:12} {host['address']}")
    print(
        f"\n   The first run took {first['seconds']:.0f} s and changed"
        f" {len(_changes(first))} of {len(hosts)} hosts."
        f"\n   The second took {second['seconds']:.1f} s and {outcome}"
        f"\n\n   Log in                tests/bed/bed ssh {hosts[0]['name']}"
        f"\n   Change the company    edit inventories/lab, then make site"
        f"\n   Take it down          make down"
    )


if __name__ == "__main__":
    sys.exit(main())
