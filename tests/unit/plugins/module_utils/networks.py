# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A host whose network answers as recorded on real hosts of both releases (ip/*.json)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, Output

RELEASES = ("bookworm", "trixie")


def recorded(release: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (Path(__file__).parent / "ip" / f"{release}.json").read_text()
    )
    return found


class Recorded(Host):
    """Answers `ip -j -d …`; everything else has no output, and is noted."""

    def __init__(self, root: Path, answers: Mapping[str, Any]) -> None:
        super().__init__(str(root))
        self.answers = answers
        self.ran: list[str] = []
        # Commands that fail.
        self.failing = {"systemctl is-active --quiet networking.service"}

    def run(self, words: Iterable[str], *, environment: Mapping[str, str] | None = None) -> Output:  # noqa: ARG002 -- as of Host
        command = " ".join(words)
        answer = self.answers.get(command.removeprefix("ip -j -d "))
        if answer is None:
            self.ran.append(command)
            return Output(int(command in self.failing), "")
        return Output(0, json.dumps(answer))

    def put(self, path: str, text: str) -> None:
        """Have a file."""
        where = Path(self.at(path))
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text)
