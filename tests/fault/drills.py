# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Changes that cut off the one who makes them, or the host from what it needs: each a drill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.conftest_hosts import Task
from tests.fault.changes import component, sshd

# A drop-in for the unit of every restoration timer: it then does nothing.
BROKEN_TIMER = "/etc/systemd/system/servertechnik-restore-.service.d/broken.conf"


@dataclass(frozen=True)
class Drill:
    """One destructive change: its tasks, and words of the message in which the run must end.

    `at_once` says that the host notices by itself, and doesn't wait for a confirmation.
    """

    tasks: Sequence[Task]
    says: str = "the host could not be reached over a new connection ("
    at_once: bool = False


DRILLS = {
    "sshd on a closed port": Drill([sshd("Port 2222\n")]),
    "AllowUsers without the user": Drill([sshd("AllowUsers nobody\n")]),
    "sudo revoked": Drill(
        [
            component(
                "sudo",
                "/etc/sudoers.d/zz-fault",
                "technician ALL=(ALL) !ALL\n",
                None,
                file={"mode": "0440", "validate": "visudo -cf %s"},
            )
        ]
    ),
    "key file emptied": Drill(
        [
            component(
                "keys",
                "/home/technician/.ssh/authorized_keys",
                "# nobody\n",
                None,
                file={"owner": "technician", "group": "technician"},
            )
        ]
    ),
    "the timer's own service broken": Drill(
        [
            sshd(
                "Port 2222\n",
                more=[
                    {
                        "dest": BROKEN_TIMER,
                        "content": "[Unit]\nConditionPathExists=/nonexistent\n",
                    }
                ],
            )
        ]
    ),
}
