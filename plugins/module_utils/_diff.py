# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Show a plan as `--diff` does: what each file is, and what it will be."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._model import FileSpec, FileState
from ansible_collections.servertechnik.core.plugins.module_utils._plan import FileChange, Plan

LARGEST = 256 * 1024  # bytes that are shown of a file


def differences(host: Host, plan: Plan, contents: Mapping[str, bytes]) -> list[dict[str, str]]:
    """Return one entry for each file: before, after, and their headers (path, owner, mode)."""
    shown = []
    for change in plan.files:
        spec, before = change.spec, change.before
        old = host.content(spec.path) if before.kind == "file" else b""
        new = contents.get(spec.digest or "", b"")
        shown.append(
            {
                "before_header": _header(spec.path, before),
                "after_header": _header(spec.path, spec),
                "before": _text(before, old, change),
                "after": _text(spec, new, change),
            }
        )
    return shown


def outline(host: Host, plan: Plan, contents: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Return the lines that are `added` and `removed` in files that say a change in plain words.

    Comments (`#`) and empty lines don't count.
    """
    told: dict[str, list[str]] = {"added": [], "removed": []}
    for change in plan.files:
        spec, before = change.spec, change.before
        if spec.outline:
            old = _lines(host.content(spec.path) if before.kind == "file" else b"")
            new = _lines(contents.get(spec.digest or "", b""))
            told["added"] += [line for line in new if line not in old]
            told["removed"] += [line for line in old if line not in new]
    return told


def _lines(content: bytes) -> list[str]:
    lines = content.decode(errors="replace").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _header(path: str, one: FileSpec | FileState) -> str:
    if one.kind in ("absent", "link"):
        return f"{path} ({one.kind})"
    return f"{path} ({one.owner}:{one.group} {one.mode:04o})"


def _text(one: FileSpec | FileState, content: bytes, change: FileChange) -> str:
    if change.change == "attributes":
        return f"{one.owner}:{one.group} {one.mode:04o}\n"
    if one.kind == "file" and change.spec.sensitive:
        return "(sensitive, not shown)\n"
    if one.kind == "link":
        return f"-> {one.target}\n"
    if one.kind != "file":
        return ""
    if len(content) <= LARGEST and b"\0" not in content:
        try:
            return content.decode()
        except UnicodeDecodeError:
            pass
    return f"({len(content)} bytes, SHA-256 {one.digest})\n"
