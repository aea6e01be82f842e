# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Name the run that this process belongs to, and the person who started it."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import socket
from datetime import UTC, datetime

VARIABLE = "SERVERTECHNIK_RUN"
_PATTERN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}")


def new_run_id(now: datetime) -> str:
    """Return a fresh id such as ``20261124T083000Z-1f3c`` for an aware `now`; ids sort by time."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def run_id() -> str:
    """Return the id of this run, the same in every process that descends from the first caller.

    A caller may choose it through the environment variable ``SERVERTECHNIK_RUN``; a value of
    another form is replaced, because the id becomes part of file names here and on hosts.
    """
    found = os.environ.get(VARIABLE, "")
    if not _PATTERN.fullmatch(found):
        found = os.environ[VARIABLE] = new_run_id(datetime.now(UTC))
    return found


def run_by() -> str:
    """Return ``user@controller``, with the person behind sudo rather than root."""
    user = os.environ.get("SUDO_USER")
    if not user:
        try:
            user = getpass.getuser()
        except (OSError, KeyError):
            user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


# Workers are forked later, so the id has to be in the environment before the first of them.
run_id()
