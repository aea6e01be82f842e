# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Soon."""

from __future__ import annotations

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host


def verify(host: Host) -> None:  # noqa: ARG001 - soon
    """Soon. Raises HostError."""


def keeps(host: Host, addresses: list[str]) -> None:  # noqa: ARG001 - soon
    """Soon. Raises HostError."""
