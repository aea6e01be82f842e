# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import (
    EVERYBODY,
    NOBODY,
    Addresses,
)
from hypothesis import given
from hypothesis import strategies as st

NETWORKS = st.one_of(
    st.builds(
        lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
        st.integers(0, 2**32 - 1),
        st.integers(0, 32),
    ),
    st.builds(
        lambda address, length: str(
            ipaddress.ip_network((address.to_bytes(16, "big"), length), strict=False)
        ),
        st.integers(0, 2**128 - 1),
        st.integers(0, 128),
    ),
)
SETS = st.lists(NETWORKS, max_size=5)


@pytest.mark.parametrize(
    ("texts", "version", "elements"),
    [
        (["192.0.2.0/25", "192.0.2.128/25"], 4, ["192.0.2.0/24"]),
        (["192.0.2.1"], 4, ["192.0.2.1"]),
        (["192.0.2.1", "192.0.2.2", "192.0.2.3"], 4, ["192.0.2.1-192.0.2.3"]),
        (["192.0.2.0/24", "192.0.2.7"], 4, ["192.0.2.0/24"]),
        (["2001:db8::/32", "192.0.2.1"], 6, ["2001:db8::/32"]),
        (["0.0.0.0/0"], 4, ["0.0.0.0/0"]),
        (["2001:db8::/32"], 4, []),
    ],
)
def test_elements(texts: list[str], version: int, elements: list[str]) -> None:
    assert Addresses.of(texts).elements(version) == elements


def test_who_is_outside() -> None:
    outside = ~Addresses.of(["192.0.2.0/24", "::/0"])
    assert outside.elements(4) == ["0.0.0.0-192.0.1.255", "192.0.3.0-255.255.255.255"]
    assert outside.elements(6) == []
    assert "192.0.2.1" not in outside
    assert "192.0.3.1" in outside


@given(SETS, SETS)
def test_sets_are_sets(one: list[str], other: list[str]) -> None:
    a, b = Addresses.of(one), Addresses.of(other)
    assert ~~a == a
    assert a | b == Addresses.of(one + other)
    assert a & ~a == NOBODY
    assert a | ~a == EVERYBODY
    assert (a & b) | (a & ~b) == a
    assert bool(a) == bool(one)


@given(NETWORKS, SETS)
def test_membership_is_that_of_networks(probe: str, texts: list[str]) -> None:
    address = ipaddress.ip_network(probe)[0]
    expected = any(address in ipaddress.ip_network(text) for text in texts)
    assert (str(address) in Addresses.of(texts)) == expected
