# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The network as it is now: save it, put it back, and have it follow systemd-networkd's files."""

from __future__ import annotations

from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host


def save(host: Host) -> dict[str, Any]:  # noqa: ARG001 - soon
    """Return the live network as plain data: links, addresses, routes and rules."""
    return {}


def put_back(host: Host, saved: dict[str, Any]) -> list[str]:  # noqa: ARG001 - soon
    """Make the live network as `saved`; return a line for each thing that would not go back."""
    return []
