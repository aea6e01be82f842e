# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._probe_names import (
    nameservers,
    read_ntp,
)

# chrony 4.3 with `local stratum 5`, asked over loopback.
ANSWER = bytes.fromhex(
    "240500e700000000000000007f7f0101eeb0027397a6865eeeb0027531443000eeb0027531487db7eeb00275314f144c"
)
SENT, RECEIVED = 1795523573.1924467, 1795523573.192675


def test_an_answer_is_read() -> None:
    found = read_ntp(ANSWER, SENT, RECEIVED)
    assert found["stratum"] == 5
    assert found["leap"] == "none"
    assert found["version"] == 4
    assert found["reference"] == "127.127.1.1"
    assert found["offset_seconds"] == pytest.approx(0, abs=0.001)
    assert 0 < found["delay_seconds"] < 0.001


@pytest.mark.parametrize("slow", [-3600.0, -0.5, 0.25, 86400.0])
def test_a_host_that_is_slow_has_a_positive_offset(slow: float) -> None:
    found = read_ntp(ANSWER, SENT - slow, RECEIVED - slow)
    assert found["offset_seconds"] == pytest.approx(slow, abs=0.001)


def test_the_next_era_is_understood() -> None:
    # 2036-02-07T06:28:16Z is where 32 bits of seconds start again (RFC 5905, section 6).
    turn = 2085978496
    times = [0x100 << 24, 0x100 << 24]
    answer = ANSWER[:32] + b"".join(one.to_bytes(8, "big") for one in times)
    found = read_ntp(answer, turn - 1.0, turn + 1.0)
    assert found["offset_seconds"] == pytest.approx(1.0, abs=0.001)


def test_stratum_and_leap() -> None:
    unsure = bytes([0xE4, 0]) + ANSWER[2:12] + b"RATE" + ANSWER[16:]
    found = read_ntp(unsure, SENT, RECEIVED)
    assert (found["leap"], found["stratum"], found["reference"]) == ("unsynchronised", 0, "RATE")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (ANSWER[:47], "found an answer of 47 bytes, accepted: at least 48"),
        (b"\x23" + ANSWER[1:], r"found an answer of mode 3, accepted: 4 \(server\)"),
    ],
)
def test_what_is_no_answer(answer: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_ntp(answer, SENT, RECEIVED)


def test_nameservers() -> None:
    text = "# by hand\nsearch example.org\nnameserver 198.51.100.1\nnameserver 2001:db8::1 # two\n"
    assert nameservers(text) == ["198.51.100.1", "2001:db8::1"]
    assert nameservers("nameserver\n;nameserver 198.51.100.1\n") == []
