# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What systemd-networkd was told (its files) and what it has made of it (its state)."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._model import FileSpec

FOLDER = "/etc/systemd/network"
SERVICE = "systemd-networkd.service"
# What follows was last followed, forgotten at boot: then networkd makes all links from its files.
RECORD = "/run/servertechnik/network.json"
_STATES = "/run/systemd/netif/links"
CONFIGURATION = "/etc/systemd/networkd.conf.d"
_SETTLED = ("configured", "failed", "unmanaged", "linger")
_IDLE = ("no-carrier", "off")
_PAUSE = 0.2


@dataclass(frozen=True)
class NetworkFile:
    """A file of networkd: where it is, and its sections with their settings in order."""

    path: str
    text: str

    def sections(self, name: str) -> Iterator[dict[str, list[str]]]:
        """Yield each section of that name as its settings, each with all its values."""
        current: dict[str, list[str]] | None = None
        for line in map(str.strip, self.text.splitlines()):
            if line.startswith("["):
                if current is not None:
                    yield current
                current = {} if line == f"[{name}]" else None
            elif current is not None and "=" in line and line[0] not in "#;":
                key, _equals, value = line.partition("=")
                current.setdefault(key.strip(), []).append(value.strip())
        if current is not None:
            yield current

    def values(self, section: str, key: str) -> list[str]:
        """Return all values of a setting, in order."""
        return [value for one in self.sections(section) for value in one.get(key, [])]

    def value(self, section: str, key: str) -> str:
        """Return the last value of a setting; empty if there is none."""
        return (self.values(section, key) or [""])[-1]


def files(host: Host, suffix: str) -> dict[str, NetworkFile]:
    """Return the files of /etc/systemd/network that end so (`.network`), by path."""
    try:
        names = sorted(os.listdir(host.at(FOLDER)))
    except FileNotFoundError:
        return {}
    paths = [f"{FOLDER}/{name}" for name in names if name.endswith(suffix)]
    return {path: NetworkFile(path, host.content(path).decode()) for path in paths}


def netdevs(host: Host) -> dict[str, str]:
    """Return the digest of the file of each virtual link, by the name of the link."""
    return {
        one.value("NetDev", "Name"): _digest(one.text) for one in files(host, ".netdev").values()
    }


def configuration(host: Host) -> str:
    """Return a digest of what networkd reads when it starts and not again."""
    folder = host.at(CONFIGURATION)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    texts = [host.content(f"{CONFIGURATION}/{name}").decode() for name in names]
    return _digest("\0".join(texts))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def states(host: Host) -> dict[int, dict[str, str]]:
    """Return what networkd says of each link, by index: ADMIN_STATE, NETWORK_FILE and others."""
    try:
        names = os.listdir(host.at(_STATES))
    except FileNotFoundError:
        return {}
    found = {}
    # Others are files that networkd is just writing.
    for name in filter(str.isdigit, names):
        try:
            text = host.content(f"{_STATES}/{name}").decode()
        except FileNotFoundError:  # the link has just gone
            continue
        found[int(name)] = dict(line.partition("=")[::2] for line in text.splitlines())
    return found


def is_active(host: Host) -> bool:
    """Whether networkd runs."""
    return host.run(["systemctl", "is-active", "--quiet", SERVICE]).status == 0


def started(host: Host, unit: str = "") -> float:
    """Return when a unit came up, or else when this boot began, in seconds of the clock."""
    name = "ActiveEnterTimestamp" if unit else "UserspaceTimestamp"
    words = ["systemctl", "show", "--value", f"--property={name}", "--timestamp=unix"]
    text = host.must(*words, *([unit] if unit else []))
    return float(text.removeprefix("@") or 0)


def settle(host: Host, longest: float) -> None:
    """Wait until networkd has done with every link that has a carrier, or `longest` seconds."""
    deadline = time.monotonic() + longest
    while is_active(host) and time.monotonic() < deadline:
        busy = [
            state
            for state in states(host).values()
            if state.get("ADMIN_STATE") not in _SETTLED and state.get("CARRIER_STATE") not in _IDLE
        ]
        if not busy:
            return
        time.sleep(_PAUSE)


def record(host: Host) -> dict[str, Any]:
    """Return what was last followed: `netdevs` (name to digest, empty when gone) and others."""
    try:
        found: dict[str, Any] = json.loads(host.content(RECORD))
    except (FileNotFoundError, ValueError):
        return {"netdevs": {}, "configuration": ""}
    return found


def set_record(host: Host, data: dict[str, Any]) -> None:
    """Note what is followed from now on."""
    host.make_folder(os.path.dirname(RECORD))
    like = FileSpec(path=RECORD, mode=0o600)
    host.write(f"{RECORD}.new", json.dumps(data).encode(), like)
    host.move(f"{RECORD}.new", RECORD)


def made(host: Host) -> set[str]:
    """Return the names of the virtual links that were made or removed here since boot."""
    return set(record(host)["netdevs"])
