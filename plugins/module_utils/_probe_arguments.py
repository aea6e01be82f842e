# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The arguments of `network_check`: one form for the module, its action plugin and its tests."""

from __future__ import annotations

from typing import Any

WORDS = {"type": "list", "elements": "str"}
VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
PROBE: dict[str, Any] = {
    "probe": {
        "required": True,
        "choices": [
            "default_route",
            "dhcp",
            "dns",
            "duplicate_address",
            "http",
            "icmp",
            "link",
            "listening",
            "ntp",
            "path_mtu",
            "tcp",
            "tls",
            "udp",
        ],
    },
    "label": {"type": "str"},
    "expect": {"type": "dict"},
    "timeout": {"type": "float"},
    "host": {"type": "str"},
    "port": {"type": "int"},
    "family": {"choices": ["any", "ipv4", "ipv6"]},
    "source": {"type": "str"},
    "interface": {"type": "str"},
    "address": {"type": "str"},
    "banner": {"type": "bool"},
    "send": {"type": "str"},
    "send_hex": {"type": "str"},
    "name": {"type": "str"},
    "type": {"type": "str"},
    "server": {"type": "str"},
    "transport": {"choices": ["udp", "tcp"]},
    "server_name": {"type": "str"},
    "ca_file": {"type": "str"},
    "versions": {**WORDS, "choices": [*VERSIONS]},
    "alpn": WORDS,
    "url": {"type": "str"},
    "method": {"choices": ["GET", "HEAD"]},
    "headers": WORDS,
    "redirects": {"type": "int"},
    "match": {"type": "str"},
    "verify": {"type": "bool"},
    "count": {"type": "int"},
    "size": {"type": "int"},
}
ARGUMENTS: dict[str, Any] = {
    "probes": {"type": "list", "elements": "dict", "required": True, "options": PROBE},
    "strict": {"type": "bool", "default": False},
    "parallel": {"type": "int", "default": 1000},
    "deadline": {"type": "float", "default": 120},
    "batch": {"type": "str"},
}
