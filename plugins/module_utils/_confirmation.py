# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Confirmed commit: a change stays only if the controller says, over a new connection, that it
can still reach the host (the idea is RFC 6241, section 8.4).
"""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._activation import activate, verify
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._journal import (
    PROGRAM,
    Journal,
    Store,
    boot,
)
from ansible_collections.servertechnik.core.plugins.module_utils._restore import put_back, told

UNCONFIRMED = "nobody confirmed the change"
LATE = 1.0  # seconds after which the timer has failed to put the host back
FLUSH = 0.3  # seconds in which the module's answer reaches the controller
BUSY = 60  # seconds to wait for the host's lock
PYTHON = ["/usr/bin/python3", "-I", PROGRAM]


def begin(host: Host, store: Store, journal: Journal, timeout: int) -> None:
    """Arm the host's own timer, then let the host activate by itself. Raises HostError.

    The activation runs apart from the controller's connection, so that it may cut it.
    """
    journal.confirm = {
        "timeout": timeout,
        "boot": boot(),
        "deadline": time.clock_gettime(time.CLOCK_BOOTTIME) + timeout,
    }
    store.save(journal)
    host.must(
        "systemd-run", "--quiet", "--collect", f"--unit=servertechnik-restore-{journal.id}",
        f"--on-active={timeout}s", "--timer-property=AccuracySec=100ms",
        *PYTHON, "restore", journal.id,
    )  # fmt: skip
    host.must(
        "systemd-run", "--quiet", "--collect", f"--unit=servertechnik-activate-{journal.id}",
        *PYTHON, "activate", journal.id,
    )  # fmt: skip


def proceed(host: Host, store: Store, name: str) -> None:
    """Activate what waits for it, and undo it at once if that fails."""
    time.sleep(FLUSH)
    with store.locked(BUSY, f"activation of {name}"):
        journal = store.load(name)
        if journal.state != "applied":
            return
        try:
            activate(host, store, journal)
            verify(host, journal)
        except (HostError, OSError) as error:
            _give_up(host, store, journal, f"activation: {error}")
            return
        journal.state = "activated"
        store.save(journal)
    _guard(host, store, journal)


def _guard(host: Host, store: Store, journal: Journal) -> None:
    """Put the host back if its timer doesn't, because the change has masked or broken that."""
    deadline = (journal.confirm or {})["deadline"] + LATE
    while time.clock_gettime(time.CLOCK_BOOTTIME) < deadline:
        time.sleep(FLUSH)
        if store.load(journal.id).finished:
            return
    _restore(host, store, journal.id)


def _give_up(
    host: Host, store: Store, journal: Journal, reason: str, *, booting: bool = False
) -> str:
    """Put the host back; note why, and return in words what a person has to look at."""
    reason = journal.error or reason
    sentence = told(journal, put_back(host, store, journal, reason, booting=booting))
    journal.error = f"{reason}. {sentence}"
    store.save(journal)
    return sentence


def standing(store: Store, name: str) -> dict[str, Any]:
    """Return how a transaction stands: `state`, and `error` if the host put itself back."""
    journal = store.load(name)
    return {"state": journal.state, "error": journal.error}


def confirm(host: Host, store: Store, name: str, who: str) -> dict[str, Any]:
    """Commit what has been activated, and return how it stands.

    A word that comes too late counts for nothing: the host is about to put itself back.
    """
    if store.load(name).state == "activated":
        with store.locked(BUSY, who):
            journal = store.load(name)
            if journal.state == "activated" and journal.awaits_confirmation:
                store.commit(journal)
                guards = (f"restore-{name}.timer", f"activate-{name}.service")
                host.run(["systemctl", "stop", *(f"servertechnik-{guard}" for guard in guards)])
    return standing(store, name)


def restore(host: Host, store: Store, name: str) -> None:
    """Put the host back, unless the transaction has been confirmed meanwhile."""
    host.run(["systemctl", "stop", f"servertechnik-activate-{name}.service"])
    _restore(host, store, name)


def _restore(host: Host, store: Store, name: str) -> None:
    with store.locked(BUSY, f"restoration of {name}"):
        journal = store.load(name)
        if not journal.finished:
            timeout = (journal.confirm or {}).get("timeout")
            active = journal.state == "activated"
            cause = UNCONFIRMED if active else "the change was not active and verified"
            _give_up(host, store, journal, f"{cause} within {timeout} s")


def recover(host: Host, store: Store, *, booting: bool = False) -> str | None:
    """Finish what was committed, undo what was not; return one sentence if there was anything.

    The caller holds the lock. Raises HostError or OSError when the host can't be put back.
    """
    journal = store.active()
    if journal is None:
        return None
    if journal.state in ("committed", "reverted"):
        store.commit(journal)
        return None
    if journal.state == "rolled back":
        store.abandon(journal)
        return None
    cause = "the host was restarted" if booting else "an earlier run was cut off"
    reason = f"{cause} while the transaction was {journal.state}"
    sentence = _give_up(host, store, journal, reason, booting=booting)
    return f"transaction {journal.id} was not finished, {cause}. {sentence}"
