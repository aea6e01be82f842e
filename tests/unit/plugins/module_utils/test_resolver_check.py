# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Questions and answers of DNS. That hosts have names is tried on hosts, in tests/hosts."""

from __future__ import annotations

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._resolver_check import (
    NoAnswerError,
    Server,
    nameservers,
    question,
    response_code,
)

# What was said to `question(0x1234)` by systemd-resolved 257, aardvark-dns without a network, and
# systemd-resolved with DNSSEC=yes whose server knows nothing of it.
EMPTY = "1234858000010000000000000000020001"
UNKNOWN = "1234818300010000000000000000020001"
FAILED = "1234818200010000000000000000020001"


def test_question() -> None:
    assert question(0x1234).hex() == "1234010000010000000000000000020001"


@pytest.mark.parametrize(("answer", "code"), [(EMPTY, 0), (UNKNOWN, 3), (FAILED, 2)])
def test_answer(answer: str, code: int) -> None:
    assert response_code(bytes.fromhex(answer), 0x1234) == code


@pytest.mark.parametrize(
    "message",
    [
        b"",
        bytes.fromhex(EMPTY)[:11],
        question(0x1234),
        bytes.fromhex(EMPTY.replace("1234", "1235")),
    ],
    ids=["nothing", "cut off", "a question", "for another question"],
)
def test_what_is_no_answer(message: bytes) -> None:
    with pytest.raises(NoAnswerError):
        response_code(message, 0x1234)


@pytest.mark.parametrize(
    ("word", "server"),
    [
        ("192.0.2.53", Server("192.0.2.53")),
        ("2001:db8::53#dns.example.org", Server("2001:db8::53", "dns.example.org")),
    ],
)
def test_server(word: str, server: Server) -> None:
    assert Server.of(word) == server


def test_servers_of_a_file() -> None:
    text = "# nameserver 192.0.2.1\nsearch a.b\nnameserver 192.0.2.53\nnameserver\t2001:db8::53\n\n"
    assert nameservers(text) == [Server("192.0.2.53"), Server("2001:db8::53")]
