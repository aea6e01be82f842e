# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import errno

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._probe_transport import (
    Place,
    Refusal,
    parse_refusal,
    state_of,
)

# As Linux 6.1 put them into the error queue of a UDP socket.
OF_IPV4 = "6f00000002030300000000000000000002000000c63364020000000000000000"
OF_IPV6 = "6f0000000301040000000000000000000a0000000000000020010db800010000000000000000000200000000"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (OF_IPV4, Refusal(4, 3, 3, "198.51.100.2")),
        (OF_IPV6, Refusal(6, 1, 4, "2001:db8:1::2")),
        # Of the host itself, such as a packet that is too large for its link.
        ("5a000000" + "01" + OF_IPV4[10:], None),
        # The sender isn't always told.
        (OF_IPV4[:32], Refusal(4, 3, 3, "")),
    ],
)
def test_icmp_errors_are_read(data: str, found: Refusal | None) -> None:
    assert parse_refusal(bytes.fromhex(data)) == found


def v4(code: int, kind: int = 3) -> Refusal:
    return Refusal(4, kind, code, "198.51.100.1")


def v6(code: int, kind: int = 1) -> Refusal:
    return Refusal(6, kind, code, "2001:db8::1")


@pytest.mark.parametrize(
    ("number", "refusal", "stream", "datagram"),
    [
        (errno.ECONNREFUSED, None, "refused", "refused"),
        (errno.ECONNREFUSED, v4(3), "rejected", "refused"),
        (errno.ECONNREFUSED, v6(4), "rejected", "refused"),
        (errno.EHOSTUNREACH, v4(13), "rejected", "rejected"),
        (errno.EHOSTUNREACH, v4(10), "rejected", "rejected"),
        (errno.EACCES, v6(1), "rejected", "rejected"),
        (errno.EACCES, None, "rejected", "rejected"),
        (errno.EHOSTUNREACH, v4(1), "unreachable", "unreachable"),
        (errno.ENETUNREACH, v4(0), "unreachable", "unreachable"),
        (errno.EHOSTUNREACH, v6(3), "unreachable", "unreachable"),
        (errno.EHOSTUNREACH, v4(0, kind=11), "unreachable", "unreachable"),
        (errno.ENETUNREACH, None, "unreachable", "unreachable"),
    ],
)
def test_what_errors_mean(number: int, refusal: Refusal | None, stream: str, datagram: str) -> None:
    assert state_of(number, refusal, stream=True) == stream
    assert state_of(number, refusal, stream=False) == datagram


def test_other_errors_are_the_hosts_own_trouble() -> None:
    with pytest.raises(OSError, match="ENOBUFS"):
        state_of(errno.ENOBUFS, None, stream=True)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (("198.51.100.1", 1), "198.51.100.1"),
        (("2001:db8::1", 1, 0, 0), "2001:db8::1"),
        (("fe80::1", 1, 0, 7), "fe80::1%7"),
    ],
)
def test_addresses_keep_their_zone(address: tuple[object, ...], text: str) -> None:
    assert Place(0, address).text == text
