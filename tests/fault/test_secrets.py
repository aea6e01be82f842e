# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A secret in a file marked `sensitive` is told to nobody, least of all when something fails."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest_hosts import Fleet, Task

DEST = "/etc/fault/secret.conf"
SHOW = f"sh -c 'cat {DEST}; exit 1'"
UNIT = f"[Service]\nType=oneshot\nExecStart={SHOW}\n"
# Runs of both ways to send a module, told by both ways to tell of it.
WAYS = {
    "stock output": {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"},
    "our output, no pipelining": {
        "ANSIBLE_STDOUT_CALLBACK": "servertechnik.core.progress",
        "ANSIBLE_PIPELINING": "false",
    },
}
WATCH = """
until test -e /run/fault-stop; do
    cat /proc/[0-9]*/cmdline 2>/dev/null | grep -aqF -f /root/secrets && touch /root/seen
    sleep 0.05
done
"""
BEGIN = f"""
rm -rf /run/fault-stop /root/seen
touch /root/begin
systemd-run --quiet --collect --unit=fault-watch sh -c '{WATCH}'
"""
END = r"""
touch /run/fault-stop
test ! -e /root/seen || echo 'process list'
# What a service of its own prints is its own affair.
journalctl --quiet -o json --output-fields=MESSAGE,_SYSTEMD_UNIT |
    grep -aF -f /root/secrets | grep -v '"_SYSTEMD_UNIT":"fault-secret.service"' || true
find / -xdev -type f -perm /o=r -newer /root/begin -exec grep -laF -f /root/secrets {} + || true
"""


def component(name: str, text: str | None, /, *, check: bool = False, **more: Any) -> Task:
    """A task with the secret file; `text` follows the secret in its inline content."""
    content = {} if text is None else {"content": f"{{{{ secret }}}} {text}\n"}
    file = {"dest": DEST, "sensitive": True, **content, **more.pop("file", {})}
    return {
        "name": name,
        "check_mode": check,
        "servertechnik.core.component": {
            "name": "secret",
            "files": [file, *more.pop("files", [])],
            **more,
        },
    }


UNSHOWN = {
    "file": component("file", "1", file={"validate": "sh -c 'cat \"$0\"; exit 1' %s"}),
    "validation": component("validation", "2", validate=[SHOW]),
    "command": component("command", "3", commands=[SHOW]),
    "verification": component("verification", "4", verify=[{"command": SHOW, "timeout": 0}]),
    "unit": component(
        "unit",
        "5",
        files=[{"dest": "/etc/systemd/system/fault-secret.service", "content": UNIT}],
        units=[{"name": "fault-secret.service"}],
    ),
}
TASKS = [
    component("check", "0", check=True),
    component("content", "0"),
    component("template", None, file={"template": "secret.j2"}),
    component("source", None, file={"source": "secret.txt"}),
    *UNSHOWN.values(),
    component("mode", "6", file={"mode": "999"}),
    component("owner", "7", file={"owner": "nobody-here"}),
    component("two sources", "8", file={"link": "/dev/null"}),
    component("confirmed", "9", confirm={"timeout": 20}),
    {"name": "info", "servertechnik.core.transaction_info": {}},
    {"name": "drift", "servertechnik.core.drift": {}},
    {"name": "list", "ansible.builtin.command": "servertechnik list", "changed_when": False},
    {"name": "revert", "servertechnik.core.transaction_revert": {"run": "last"}},
    component("gone", None, file={"state": "absent"}),
]


@dataclass
class Told:
    """What came to light: the output of the run, records, process lists, and the hosts' words."""

    way: str
    secret: str
    output: str
    controller: list[str]
    hosts: dict[str, str]
    texts: dict[str, str]


def shapes(secret: str) -> list[str]:
    """The secret as it is, and as it travels."""
    return [secret, base64.b64encode(secret.encode()).decode()]


@contextmanager
def watched(secret: str) -> Iterator[list[str]]:
    """Watch this machine's process list; yields the commands that show the secret."""
    stop, seen = threading.Event(), list[str]()

    def watch() -> None:
        while not stop.wait(0.05):
            done = subprocess.run(
                ["ps", "-ewwo", "args"], capture_output=True, text=True, check=True
            )
            lines = done.stdout.splitlines()
            seen.extend(line for line in lines if any(one in line for one in shapes(secret)))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="module", params=list(WAYS))
def told(request: pytest.FixtureRequest, fleet: Fleet) -> Told:
    """All tasks at -vvv with --diff, with a secret of this run's own."""
    secret = secrets.token_hex(30)
    folder = fleet.folder
    for name, text in {
        "templates/secret.j2": "{{ secret }} template\n",
        "files/secret.txt": f"{secret} source\n",
        "secret.json": json.dumps({"secret": secret}),
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    for host in fleet.hosts.values():
        patterns = "\n".join(shapes(secret))
        # Two calls: the first shows the secret in its own command line while it lasts.
        host.sh(f"umask 077; echo '{patterns}' > /root/secrets")
        host.sh(BEGIN)
    records = folder / "records"
    variables = {
        "SERVERTECHNIK_RECORDS": str(records),
        "SERVERTECHNIK_HISTORY": f"{folder}/history",
    }
    with watched(secret) as seen:
        run = fleet.start(
            TASKS, "-vvv", "--diff", "-e", f"@{folder}/secret.json",
            environ=WAYS[request.param] | variables,
        )  # fmt: skip
        out, err = run.communicate(timeout=600)
    texts = {str(path): path.read_text() for path in records.rglob("*.json")}
    texts |= {path: text for path in [f"{folder}/history"] if (text := content(path))}
    hosts = {release: host.sh(END) for release, host in fleet.hosts.items()}
    return Told(request.param, secret, out + err, seen, hosts, texts)


def content(path: str) -> str:
    """What is in a file, if there is one."""
    return Path(path).read_text() if Path(path).exists() else ""


def test_secret_is_not_in_the_output(told: Told) -> None:
    assert [line for line in told.output.splitlines() if told.secret in line] == []
    assert shapes(told.secret)[1] not in told.output


def test_output_tells_what_failed_all_the_same(told: Told) -> None:
    withheld = "its output is withheld, since the component has sensitive files"
    assert told.output.count(withheld) >= len(UNSHOWN) * 2
    assert "(sensitive, not shown)" in told.output


def test_secret_is_not_in_records(told: Told) -> None:
    assert told.texts or told.way == "stock output"
    assert [path for path, text in told.texts.items() if told.secret in text] == []


def test_secret_is_in_no_process_list(told: Told) -> None:
    assert told.controller == []


def test_secret_is_not_for_others_on_the_host(told: Told, release: str) -> None:
    assert told.hosts[release] == ""
