# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What listens on the host itself, as the kernel lists it in /proc/net."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._probe_loop import Steps, Work
from ansible_collections.servertechnik.core.plugins.module_utils._probe_transport import Options

# The states of include/net/tcp_states.h in which a socket takes what comes: LISTEN, and for UDP
# CLOSE, which is that of a socket without a peer.
_OPEN = {"tcp": "0A", "udp": "07"}


def listening(_options: Options, _until: float) -> Steps:
    """List the sockets that others may reach. Returns ``sockets``: protocol, address and port."""
    sockets = yield Work(all_sockets)
    return {"sockets": sockets}


def all_sockets() -> list[dict[str, Any]]:
    """Return the sockets of the host that others may reach."""
    found: list[dict[str, Any]] = []
    for protocol in _OPEN:
        for table in (protocol, f"{protocol}6"):
            try:
                with open(f"/proc/net/{table}", encoding="ascii") as file:
                    text = file.read()
            except FileNotFoundError:  # a kernel without IPv6
                continue
            found += [row for row in parse(protocol, text) if row not in found]
    return found


def parse(protocol: str, text: str) -> Iterator[dict[str, Any]]:
    """Yield the sockets of a table of proc_net(5) that listen beyond the host itself."""
    for line in text.splitlines()[1:]:
        words = line.split()
        digits, _mark, port = words[1].partition(":")
        if words[3] != _OPEN[protocol]:
            continue
        # Words of 32 bits in the order of the machine; Debian's are little-endian.
        raw = b"".join(bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8))
        address = (
            IPv4Address(raw) if len(raw) == IPv4Address(0).max_prefixlen // 8 else IPv6Address(raw)
        )
        if not address.is_loopback:
            yield {"protocol": protocol, "address": str(address), "port": int(port, 16)}
