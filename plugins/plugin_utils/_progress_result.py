# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Turn what a task returned on one host into what a person and a record need to know of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_ESCAPE_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What Ansible puts before the words of a module or of ssh.
_WRAPPING = re.compile(
    r"^(?:(?:Task|Module|Action) failed: )*"
    r"(?:.*Make sure this host can be reached over ssh: |Failed to connect to the host via ssh: )?"
)
_HIDDEN = "what it said is hidden (no_log)"
_LAST_LINES = 12


class Status(StrEnum):
    """How a task ended on one host."""

    OK = "ok"
    CHANGED = "changed"
    SKIPPED = "skipped"
    FAILED = "failed"
    RESCUED = "rescued"
    IGNORED = "ignored"
    UNREACHABLE = "unreachable"


@dataclass(kw_only=True)
class Outcome:
    """One task on one host. `seconds` is None where the start was not seen.

    `findings` are sentences that a job which only looks returns for people.
    """

    host: str
    status: Status
    check: bool = False
    seconds: float | None = None
    delegate: str = ""
    message: str = ""
    items: tuple[int, int] | None = None
    component: dict[str, Any] = field(default_factory=dict)
    findings: tuple[str, ...] = ()


def visible(text: str) -> str:
    """Return `text` with every control character but newline and tab in caret notation.

    A host must not be able to move the cursor, ring the bell or hide a line.
    """
    return _CONTROL.sub(lambda found: f"^{chr(ord(found[0]) % 0x80 ^ 0x40)}", text)


def readable(text: str) -> str:
    """Return program output as plain lines: no escape sequences, no carriage returns."""
    return visible(_ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n"))


def is_hidden(result: Mapping[str, Any]) -> bool:
    """Tell whether Ansible withheld this result because of ``no_log``."""
    return bool(result.get("_ansible_no_log")) or "censored" in result


def outcome_of(
    result: Mapping[str, Any],
    *,
    host: str,
    status: Status,
    check: bool = False,
    delegate: str = "",
    seconds: float | None = None,
) -> Outcome:
    """Read one result as callbacks get it; `status` is what Ansible made of it."""
    items = [item for item in result.get("results") or () if isinstance(item, Mapping)]
    counted = (sum(bool(item.get("changed")) for item in items), len(items)) if items else None
    fine = status in {Status.OK, Status.CHANGED, Status.SKIPPED}
    return Outcome(
        host=host,
        status=status,
        check=check,
        seconds=seconds,
        delegate=delegate,
        message="" if fine else _message(result, items),
        items=counted,
        component={} if is_hidden(result) else _component(result, items),
        findings=() if is_hidden(result) else tuple(map(str, result.get("findings") or ())),
    )


def _message(result: Mapping[str, Any], items: list[Mapping[str, Any]]) -> str:
    bad = [item for item in items if item.get("failed") and not is_hidden(item)]
    if not bad:
        return readable(_single_message(result))
    return readable("\n".join(f"item {_label(item)}: {_single_message(item)}" for item in bad))


def _label(item: Mapping[str, Any]) -> Any:
    return item.get("_ansible_item_label", item.get("item"))


def _single_message(result: Mapping[str, Any]) -> str:
    if is_hidden(result):
        return _HIDDEN
    text = _WRAPPING.sub("", str(result.get("msg") or "").strip())
    said = next(filter(None, (_tail(result, key) for key in ("stderr", "module_stderr"))), "")
    if not said and result.get("rc"):
        said = _tail(result, "stdout") or _tail(result, "module_stdout")
    if "non-zero return code" in text:
        text = f"The command ended with exit code {result.get('rc')}"
    if said and said not in text:
        text = f"{text}\n{said}" if text else said
    return text or "it gave no reason"


def _tail(result: Mapping[str, Any], key: str) -> str:
    lines = str(result.get(key) or "").strip().splitlines()
    return "\n".join(lines[-_LAST_LINES:])


def _component(result: Mapping[str, Any], items: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a component changed, with the lists of loop items put together."""
    merged: dict[str, Any] = {}
    for part in (result, *(item for item in items if not is_hidden(item))):
        if "transaction" not in part:
            continue
        for key, value in _component_fields(part):
            if isinstance(value, list):
                merged.setdefault(key, []).extend(value)
            else:
                merged[key] = value
    return merged


def _component_fields(part: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    packages = part.get("packages")
    for key in ("installed", "removed"):
        if isinstance(packages, Mapping) and packages.get(key):
            yield key, [str(name) for name in packages[key]]
    for key, name, what in (("files", "path", "change"), ("units", "name", "actions")):
        rows = [row for row in part.get(key) or () if isinstance(row, Mapping) and row.get(what)]
        if rows:
            yield key, [{name: str(row.get(name)), what: row[what]} for row in rows]
    outline = part.get("outline")
    for key, sign in (("removed", "-"), ("added", "+")):
        if isinstance(outline, Mapping) and outline.get(key):
            yield "outline", [f"{sign} {readable(str(line))}" for line in outline[key]]
    if part.get("transaction"):
        yield "transactions", [str(part["transaction"])]
    if part.get("rolled_back"):
        yield "rolled_back", True
