# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Have an array as wanted: look, plan, carry out, and keep what boots it true."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._raid_config import (
    CONFIG,
    Kept,
    keep,
    read,
    uuid_of,
)
from ansible_collections.servertechnik.core.plugins.module_utils._raid_draft import Draft, Step
from ansible_collections.servertechnik.core.plugins.module_utils._raid_plan import plan
from ansible_collections.servertechnik.core.plugins.module_utils._raid_read import (
    attributes,
    look,
)
from ansible_collections.servertechnik.core.plugins.module_utils._raid_wanted import (
    Wanted,
)


def apply(
    host: Host, wanted: Wanted, *, check: bool = False, initramfs: bool = True
) -> dict[str, Any]:
    """Have the array as wanted; with `check`, only say how. Return the module's result.

    Raises RaidError for what can't be had, before anything is touched, and HostError where the
    host refuses, with the steps that were done until then.
    """
    configured = uuid_of(read(host), wanted.path)
    draft, entry = look(host, wanted, configured)
    plan(draft, configured)
    if draft.steps and not check:
        _carry_out(host, draft)
        entry = look(host, wanted, configured)[1]
    kept = _keep(host, wanted, entry, initramfs=initramfs, check=check)
    steps = [*(step.text for step in draft.steps), *kept.steps]
    return {
        "changed": bool(steps),
        "array": dict(entry),
        "steps": steps,
        "pending": draft.pending,
        "warnings": draft.warnings,
        "diff": _diff(draft, kept),
    }


def _carry_out(host: Host, draft: Draft) -> None:
    done: list[str] = []
    for step in draft.steps:
        try:
            _do(host, draft, step)
        except (HostError, OSError) as error:
            before = f" after {'; '.join(done)}" if done else ""
            raise HostError(
                f"array {draft.wanted.name}: {error}{before}; what was done stays, and the next "
                "run goes on from there"
            ) from error
        done.append(step.text)


def _do(host: Host, draft: Draft, step: Step) -> None:
    if step.words:
        host.must(*step.words)
        # Links below /dev/md, and what the next step reads, come from udev.
        host.run(["udevadm", "settle", "--timeout=30"])
        return
    path = draft.array.path if draft.array else os.path.realpath(draft.wanted.path)
    with open(host.at(f"{attributes(path)}/{step.attribute}"), "w") as file:
        file.write(step.value)


def _keep(
    host: Host, wanted: Wanted, entry: Mapping[str, Any], *, initramfs: bool, check: bool
) -> Kept:
    """Keep the array's line true; of one that isn't there yet, the UUID may be unknown."""
    uuid = entry["uuid"] if entry else wanted.uuid
    if wanted.state == "stopped" or (entry and not uuid):
        return Kept((), "", "")
    named = wanted.path.startswith("/dev/md/")
    array = {
        "name": wanted.path if named else entry["name"],
        "uuid": uuid,
        "metadata": entry["metadata"] if entry else wanted.metadata or "1.2",
    }
    return keep(host, [array], initramfs=initramfs, check=check)


def _diff(draft: Draft, kept: Kept) -> list[dict[str, str]]:
    told = []
    if draft.steps:
        steps = "".join(f"{step.text}\n" for step in draft.steps)
        told.append(
            {"before_header": "steps", "after_header": "steps", "before": "", "after": steps}
        )
    if kept.before != kept.after:
        headers = {"before_header": CONFIG, "after_header": CONFIG}
        told.append({**headers, "before": kept.before, "after": kept.after})
    return told
