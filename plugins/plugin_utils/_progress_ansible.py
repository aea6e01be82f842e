# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read what Ansible's own objects say about a run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.playbook.block import Block
from ansible.plugins.loader import filter_loader, test_loader
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_model import (
    Run,
    TaskRun,
    record_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_result import visible
from ansible_collections.servertechnik.core.plugins.plugin_utils._record import envelope, store
from ansible_collections.servertechnik.core.plugins.plugin_utils._run import run_by, run_id


def load_jinja_plugins() -> None:
    """Load Ansible's own filters and tests, which every task needs, before workers are forked.

    Each worker would load them anew for one task on one host: 20 to 30 ms of its time.
    """
    for loader in (filter_loader, test_loader):
        for _plugin in loader.all():
            pass


def short_path(path: str) -> str:
    """Return `path` without links, relative to the current directory if it is below that."""
    if not path:
        return ""
    full = Path(path).resolve()
    here = Path.cwd()
    return str(full.relative_to(here)) if full.is_relative_to(here) else str(full)


def play_hosts(play: Any) -> tuple[list[str], list[str]]:
    """Return the hosts of the present batch of a play, and all that the play is for."""
    variables = play.get_variable_manager().get_vars(play=play, include_hostvars=False)
    everyone = [str(host) for host in variables["ansible_play_hosts_all"]]
    batch = set(variables["ansible_play_batch"])
    return [host for host in everyone if host in batch], everyone


def count_hosts(playbook: Any) -> int:
    """Return on how many different hosts the plays of a playbook will work, as far as known."""
    hosts: set[str] = set()
    for play in playbook.get_plays():
        # A pattern that needs a variable which is asked for later can't be resolved yet.
        with suppress(AnsibleError):
            hosts.update(play_hosts(play)[1])
    return len(hosts)


def task_run(task: Any, play: str, *, handler: bool) -> TaskRun:
    """Describe a task that begins now."""
    role = task._role.get_name() if task._role else ""
    name = str(task.get_name(include_role_fqcn=False)).strip()
    return TaskRun(
        play=play,
        role=role,
        name=name.removeprefix(f"{role.rpartition('.')[2]} : "),
        action=task.resolved_action or task.action,
        path=short_path(task.get_path() or ""),
        started=time.monotonic(),
        handler=handler,
    )


def is_rescued(task: Any) -> bool:
    """Tell whether a failure of `task` starts the rescue part of a block around it."""
    inner, block = task, task._parent
    while block is not None:
        rescues = isinstance(block, Block) and block.rescue
        if rescues and any(part._uuid == inner._uuid for part in block.block):
            return True
        inner, block = block, block._parent
    return False


def visible_diffs(diff: Any) -> list[Any]:
    """Return the parts of a diff with control characters made visible."""
    parts = diff if isinstance(diff, list) else [diff]
    return [
        {key: visible(value) if isinstance(value, str) else value for key, value in part.items()}
        if isinstance(part, Mapping)
        else part
        for part in parts
    ]


def write_run_record(
    run: Run, now: float, arguments: Mapping[str, Any], directory: Path, *, interrupted: bool
) -> Path:
    """Write the record of a closed run that ended at `now`, and return its path.

    Of the command line's `arguments` those are kept that say what was run where; the values of
    extra variables may be secrets. Raises RecordError.
    """
    at = datetime.now(UTC)
    by = run_by()
    started = at - timedelta(seconds=now - run.started)
    data = {
        **record_of(run, now),
        "by": by,
        "result": "interrupted" if interrupted else "failed" if run.failed else "ok",
        "check": bool(arguments.get("check")),
        "arguments": {
            "inventory": [str(source) for source in arguments.get("inventory") or ()],
            "limit": arguments.get("subset"),
            "tags": list(arguments.get("tags") or ()),
            "skip_tags": list(arguments.get("skip_tags") or ()),
            "start_at_task": arguments.get("start_at_task"),
            "diff": bool(arguments.get("diff")),
        },
    }
    document = envelope(
        kind="run", schema=1, host=by.rpartition("@")[2], run=run_id(), data=data, at=started
    )
    return store(document, directory, started)
