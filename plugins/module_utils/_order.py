# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What is asked of a transaction, and how it says that it failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._model import Desired


class TransactionError(Exception):
    """A transaction that failed; `details` are the module's results."""

    def __init__(self, text: str, **details: Any) -> None:
        """Carry the text for people and the details for machines."""
        super().__init__(text)
        self.details = details


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is asked for, by whom, and how.

    `contents` holds the files' contents by SHA-256; `confirm` and `wait` are seconds; `reverts` is
    the id of the transaction that this one puts back.
    """

    desired: Desired
    contents: Mapping[str, bytes]
    check: bool = False
    diff: bool = False
    confirm: int | None = None
    reverts: str | None = None
    by: str = "unknown"
    run: str = ""
    wait: int = 120
