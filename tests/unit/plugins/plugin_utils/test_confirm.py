# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._confirm import split_address


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("192.0.2.7", "192.0.2.7", None),
        ("192.0.2.7:2222", "192.0.2.7", 2222),
        ("web.example.org", "web.example.org", None),
        ("web.example.org:22", "web.example.org", 22),
        ("2001:db8::7", "2001:db8::7", None),
        ("[2001:db8::7]", "2001:db8::7", None),
        ("[2001:db8::7]:2222", "2001:db8::7", 2222),
    ],
)
def test_split_address(address: str, host: str, port: int | None) -> None:
    assert split_address(address) == (host, port)
