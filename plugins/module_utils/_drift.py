# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What differs on a host from what was committed there, found without rendering anything."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Store, now
from ansible_collections.servertechnik.core.plugins.module_utils._model import (
    Desired,
    FileSpec,
    FileState,
    InputError,
)
from ansible_collections.servertechnik.core.plugins.module_utils._plan import (
    FileChange,
    Plan,
    UnitChange,
)

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
DPKG_LOG = "/var/log/dpkg.log"


def drift(host: Host, store: Store) -> dict[str, Any]:
    """Return what was looked at and what differs.

    `components` maps names to the transaction that committed them, `differences` is a list of
    `component`, `kind` (file, unit, package), `name`, `wanted`, `found` and `since` (RFC 3339, or
    empty where the host doesn't know).
    """
    records = {name: store.record(name) or {} for name in store.components()}
    wanted = {name: Desired.from_dict(record["desired"]) for name, record in records.items()}
    units = host.units(sorted({unit.name for one in wanted.values() for unit in one.units}))
    differences = []
    for name, desired in wanted.items():
        current = host.read(desired, units)
        try:
            plan = Plan.between(current, desired)
        except InputError as error:
            differences.append(_entry(name, "component", name, "as committed", str(error), ""))
            continue
        differences += _differences(host, name, plan)
    return {
        "components": {name: record["transaction"] for name, record in records.items()},
        "differences": differences,
    }


def _differences(host: Host, name: str, plan: Plan) -> Iterator[dict[str, str]]:
    for package in plan.install:
        since = _package_since(host, package.partition("=")[0])
        yield _entry(name, "package", package, "installed", "not installed", since)
    for package in plan.remove:
        yield _entry(name, "package", package, "absent", "installed", _package_since(host, package))
    for change in plan.files:
        yield _file(host, name, change)
    changed = bool(plan.files or plan.install or plan.remove)
    for unit in plan.units:
        # A service is not to be restarted because of a difference that is reported anyway.
        if not changed or set(unit.actions) - {unit.spec.on_change}:
            yield _unit(host, name, unit)


def _file(host: Host, name: str, change: FileChange) -> dict[str, str]:
    path, before = change.spec.path, change.before
    stamp = _stat_time(host, path if before.kind != "absent" else os.path.dirname(path))
    return _entry(
        name,
        "file",
        path,
        _looks(change.spec, sensitive=change.spec.sensitive),
        _looks(before, sensitive=change.spec.sensitive),
        stamp,
    )


def _looks(one: FileSpec | FileState, *, sensitive: bool) -> str:
    if one.kind == "absent":
        return "absent"
    if one.kind == "link":
        return f"link to {one.target}"
    content = f" SHA-256 {one.digest[:12]}…" if one.digest else ""
    if content and sensitive:
        content = " content not shown"
    return f"{one.kind} {one.owner}:{one.group} {one.mode:04o}{content}"


def _unit(host: Host, name: str, change: UnitChange) -> dict[str, str]:
    spec, before = change.spec, change.before
    wanted = "masked" if spec.masked else str(spec.state)
    wanted += "" if spec.masked else ", enabled" if spec.enabled else ", disabled"
    found = f"{before.active}, {before.file_state or before.load}"
    since = before.since or _last_heard(host, spec.name)
    return _entry(name, "unit", spec.name, wanted, found, since)


def _last_heard(host: Host, unit: str) -> str:
    """Return when the journal last heard of a unit; systemd forgets those that are stopped."""
    output = host.run(
        ["journalctl", f"--unit={unit}", "--lines=1", "--quiet", "--no-pager", "--utc",
         "--output=short-iso"]
    )  # fmt: skip
    stamp = output.text[: len("2026-11-24T09:12:33")]
    return f"{stamp}Z" if STAMP.fullmatch(stamp) else ""


def findings(found: dict[str, Any]) -> list[str]:
    """Return one sentence for people on each difference."""
    return [
        f"{one['component']}: {one['kind']} {one['name']}: found {one['found']}; committed "
        f"{one['wanted']}" + (f"; changed {one['since']}" if one["since"] else "")
        for one in found["differences"]
    ]


def _entry(*values: str) -> dict[str, str]:
    keys = ("component", "kind", "name", "wanted", "found", "since")
    return dict(zip(keys, values, strict=True))


def _stat_time(host: Host, path: str) -> str:
    """Return when content or attributes at `path` last changed (ctime can't be set by hand)."""
    try:
        changed = os.lstat(host.at(path)).st_ctime
    except OSError:
        return ""
    return datetime.fromtimestamp(changed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _package_since(host: Host, name: str) -> str:
    """Return when dpkg's log, which has local times, last mentions a package."""
    try:
        lines = host.content(DPKG_LOG).decode(errors="replace").splitlines()
    except OSError:
        return ""
    mine = [line for line in lines if f" {name}:" in line or line.endswith(f" {name}")]
    if not mine:
        return ""
    stamp = datetime.fromisoformat("T".join(mine[-1].split()[:2]))
    return stamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def report(found: dict[str, Any], textfile: str | None) -> int:
    """Print one JSON line, write Prometheus metrics if asked to, and return 1 for differences."""
    print(json.dumps({"at": now(), **found}))
    if textfile:
        text = metrics(found)
        os.makedirs(os.path.dirname(os.path.abspath(textfile)), exist_ok=True)
        with open(f"{textfile}.new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(f"{textfile}.new", textfile)
    return 1 if found["differences"] else 0


def metrics(found: dict[str, Any]) -> str:
    """Return the number of differences of each component in Prometheus' text format."""
    count = dict.fromkeys(found["components"], 0)
    for one in found["differences"]:
        count[one["component"]] += 1
    lines = [
        "# HELP servertechnik_drift_differences Differences from what was last committed.",
        "# TYPE servertechnik_drift_differences gauge",
        *(
            f'servertechnik_drift_differences{{component="{name}"}} {number}'
            for name, number in count.items()
        ),
        "# HELP servertechnik_drift_checked_seconds When the host was last compared (Unix time).",
        "# TYPE servertechnik_drift_checked_seconds gauge",
        f"servertechnik_drift_checked_seconds {datetime.now(UTC).timestamp():.0f}",
    ]
    return "\n".join(lines) + "\n"
