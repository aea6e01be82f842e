# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Runs on a host: one transaction, killed at every step, then undone or run again.

    killing.py [STEP...]

Prints one JSON line for each kill, with `problems` where the host was not as it had to be.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from ansible_collections.servertechnik.core.plugins.module_utils import _confirmation
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._journal import HOME, Store
from ansible_collections.servertechnik.core.plugins.module_utils._model import Desired
from ansible_collections.servertechnik.core.plugins.module_utils._order import Order
from ansible_collections.servertechnik.core.plugins.module_utils._revert import transactions
from ansible_collections.servertechnik.core.plugins.module_utils._transaction import transact

from tests.fault.on_host.steps import attempt

ETC = Path("/etc/fault")
SYSTEMD = Path("/etc/systemd/system")
WANTED = SYSTEMD / "multi-user.target.wants" / "fault-new.service"
NOTE = Path("/usr/local/lib/fault/note")
STARTS = Path("/var/log/fault-starts")
SAVED = Path("/var/lib/fault-home")
SERVICE = f"""\
[Unit]
StartLimitIntervalSec=0
[Service]
ExecStartPre={NOTE} %n
ExecStart=/usr/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""
# What a service was started with: all files of the transaction, at the moment of the start.
SCRIPT = f"""\
#!/bin/sh
cd {ETC} && set -- "$1" $(cat box.conf link.conf removed.conf deep/er/new.conf 2>/dev/null) \
    $(test -d folder && echo folder)
echo "$@" >> {STARTS}
"""
OLD, NEW = "old old old", "new new new folder"
UNITS = ("fault-old.service", "fault-new.service")


def file(path: str, content: bytes, **more: Any) -> dict[str, Any]:
    """A file of the transaction."""
    digest = hashlib.sha256(content).hexdigest()
    return {"path": path, "digest": digest, "size": len(content), **more}


CONTENTS = (b"new\n", b"old\n", SERVICE.encode())
CHANGE = {
    "name": "fault",
    "files": [
        file(str(SYSTEMD / UNITS[1]), SERVICE.encode()),
        file(f"{ETC}/box.conf", b"new\n", owner="nobody", group="adm", mode=0o640,
             validate="grep -q new %s"),
        {"path": f"{ETC}/removed.conf", "kind": "absent"},
        file(f"{ETC}/link.conf", b"new\n"),
        {"path": f"{ETC}/folder", "kind": "directory", "mode": 0o2750, "group": "adm"},
        file(f"{ETC}/deep/er/new.conf", b"new\n"),
    ],
    "validate": [f"grep -q new {ETC}/link.conf"],
    "commands": [f"{NOTE} command"],
    "units": [{"name": name} for name in UNITS],
    "verify": [{"command": f"grep -q {UNITS[1]} {STARTS}"}],
}  # fmt: skip
FORMER = {
    "name": "fault",
    "files": [file(f"{ETC}/box.conf", b"old\n", mode=0o600)],
    "units": [{"name": UNITS[0]}],
}


def order(what: dict[str, Any]) -> Order:
    """What is asked of the host."""
    contents = {hashlib.sha256(one).hexdigest(): one for one in CONTENTS}
    return Order(desired=Desired.from_dict(what), contents=contents, by="test", run="fault", wait=0)


def recover() -> str | None:
    """Put the host back, as a run does before anything else."""
    host = Host()
    store = Store(host)
    with store.locked(0, "test"):
        return _confirmation.recover(host, store)


def systemctl(*words: str) -> str:
    """Ask systemd or tell it."""
    return subprocess.run(["systemctl", *words], check=True, capture_output=True, text=True).stdout


def prepare() -> None:
    """Have the first service run, committed as a component."""
    NOTE.parent.mkdir(parents=True, exist_ok=True)
    NOTE.write_text(SCRIPT)
    NOTE.chmod(0o755)
    (SYSTEMD / UNITS[0]).write_text(SERVICE)
    shutil.rmtree(HOME, ignore_errors=True)
    _files()
    systemctl("daemon-reload")
    transact(Host(), order(FORMER))
    shutil.rmtree(SAVED, ignore_errors=True)
    shutil.copytree(HOME, SAVED, symlinks=True)


def _files() -> None:
    shutil.rmtree(ETC, ignore_errors=True)
    ETC.mkdir()
    for name, mode in {"box.conf": 0o600, "removed.conf": 0o644}.items():
        (ETC / name).write_text("old\n")
        (ETC / name).chmod(mode)
        os.utime(ETC / name, (1e9, 1e9))
    os.chown(ETC / "removed.conf", 1, 2)
    (ETC / "link.conf").symlink_to("removed.conf")


def reset() -> None:
    """Have the host as it was before the transaction, by other means than the engine's."""
    _files()
    found = systemctl("show", "--property=ActiveState,UnitFileState", UNITS[1]).split()
    mine = [path for path in (SYSTEMD / UNITS[1], WANTED) if os.path.lexists(path)]
    if mine or found != ["ActiveState=inactive", "UnitFileState="]:
        subprocess.run(["systemctl", "stop", UNITS[1]], check=False, capture_output=True)
        for path in mine:
            path.unlink()
        systemctl("daemon-reload")
    if not STARTS.exists() or STARTS.read_text().splitlines()[-1:] != [f"{UNITS[0]} {OLD}"]:
        systemctl("restart", UNITS[0])
    STARTS.write_text(f"{UNITS[0]} {OLD}\n")
    shutil.rmtree(HOME)
    shutil.copytree(SAVED, HOME, symlinks=True)


def snapshot() -> dict[str, Any]:
    """All of the host that the transaction concerns."""
    seen: dict[str, Any] = {}
    for path in sorted([ETC, *ETC.rglob("*"), *SYSTEMD.rglob("fault-*"), *SYSTEMD.glob(".*")]):
        found = path.lstat()
        seen[str(path)] = [
            stat.filemode(found.st_mode), found.st_uid, found.st_gid,
            str(path.readlink()) if path.is_symlink()
            else [path.read_text(), found.st_mtime_ns] if path.is_file() else None,
        ]  # fmt: skip
    for block, name in zip(
        systemctl(
            "show", "--property=LoadState,ActiveState,UnitFileState,NeedDaemonReload", *UNITS
        ).split("\n\n"),
        UNITS,
        strict=True,
    ):
        seen[name] = block.split()
    seen["record"] = Store(Host()).record("fault")
    return seen


def pid() -> str:
    """The first service's process."""
    return systemctl("show", "--property=MainPID", UNITS[0]).strip()


def starts() -> list[str]:
    """All starts since the last reset, that before the transaction included."""
    return STARTS.read_text().splitlines()


def state() -> str:
    """How far the unfinished transaction came."""
    journal = Store(Host()).active()
    return journal.state if journal else "none"


def mixed() -> Iterator[str]:
    """Yield starts with neither the former nor the new files."""
    for line in starts():
        if line.partition(" ")[2] not in (OLD, NEW):
            yield f"in between: {line}"


def differences(wanted: dict[str, Any]) -> Iterator[str]:
    """Yield what is not as wanted."""
    found = snapshot()
    for key in sorted(wanted.keys() | found.keys()):
        if wanted.get(key) != found.get(key):
            yield f"{key}: wanted {wanted.get(key)}, found {found.get(key)}"


def stands(before: dict[str, Any]) -> bool:
    """Whether the transaction was committed, even if not all is tidied up yet."""
    record = Store(Host()).record("fault") or {}
    return state() == "committed" or record["transaction"] != before["record"]["transaction"]


def history() -> Iterator[str]:
    """Yield transactions that didn't end."""
    for one in transactions(Store(Host()), None, None):
        if one["state"] not in ("committed", "rolled back"):
            yield f"transaction {one['id']} is {one['state']}"


def undone(before: dict[str, Any], process: str, cut: str) -> Iterator[str]:
    """Yield what is not as before; the transaction had been cut off in that state."""
    yield from differences(before)
    if cut not in ("activating", "restoring") and (pid() != process or len(starts()) > 1):
        yield f"restarted though nothing was activated: {starts()}"
    running = [line for line in starts() if line.startswith(UNITS[0])][-1]
    if running != f"{UNITS[0]} {OLD}":
        yield f"still runs as {running}"


def reached(after: dict[str, Any], process: str, cut: str) -> Iterator[str]:
    """Yield what is not as ordered."""
    found = snapshot()
    for key in sorted(after.keys() | found.keys()):
        if _lasting(after.get(key)) != _lasting(found.get(key)):
            yield f"{key}: wanted {after.get(key)}, found {found.get(key)}"
    if pid() == process:
        yield "not restarted"
    for name in UNITS:
        mine = [line for line in starts() if line.startswith(name)]
        if mine[-1:] != [f"{name} {NEW}"]:
            yield f"last started as {mine[-1:]}"
        if mine.count(f"{name} {NEW}") > (2 if cut == "activating" else 1):
            yield f"restarted in vain: {starts()}"
    again = transact(Host(), order(CHANGE))
    if again["changed"]:
        yield f"one more run changed {again}"


def _lasting(value: Any) -> Any:
    """Without what differs from one transaction to the next: its id, and times of change."""
    if isinstance(value, dict):
        return {**value, "transaction": None}
    if isinstance(value, list) and isinstance(value[-1], list):
        return [*value[:-1], value[-1][0]]
    return value


def killed(number: int, second: int, after: dict[str, Any]) -> dict[str, Any] | None:
    """Kill at one step, then put the host back, and then run the same again.

    The recovery itself is killed at its step `second`, unless that is 0. Every third time the run
    finds the host as it was left, without a recovery of its own. Returns what came of it, or none
    if there was no such step.
    """
    reset()
    before, process = snapshot(), pid()
    step = attempt(lambda: transact(Host(), order(CHANGE)), number)
    cut, problems, took = state(), [], 0.0
    next_step = attempt(recover, second) if second else ""
    if step is None or next_step is None:
        return None
    try:
        if cut == "none" and not stands(before):
            problems += [f"no journal, and yet {one}" for one in differences(before)]
        if number % 3 or second:
            began = time.monotonic()
            recover()
            took = time.monotonic() - began
            problems += [] if stands(before) else undone(before, process, cut)
            problems += [*history(), *mixed()]
        if not second:
            transact(Host(), order(CHANGE))
            problems += [*reached(after, process, cut), *history(), *mixed()]
        if state() != "none":
            problems.append(f"still unfinished: {state()}")
    except Exception:
        problems.append(traceback.format_exc())
    return {
        "number": number,
        "step": f"{step}, then {next_step}" if second else step,
        "state": cut,
        "seconds": round(took, 3),
        "problems": problems,
    }


def main() -> None:
    """Kill at every step of the transaction, or of the recovery from a kill at those given."""
    prepare()
    reset()
    transact(Host(), order(CHANGE))
    after = snapshot()
    first = [int(word) for word in sys.argv[1:]]
    for number in first or itertools.count(1):
        for second in itertools.count(1) if first else (0,):
            one = killed(number, second, after)
            if one is None:
                break
            print(json.dumps(one), flush=True)
        if one is None and not first:
            return


if __name__ == "__main__":
    main()
