# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from base64 import b64decode
from typing import Any

import dns.flags
import dns.message
import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._probe import KINDS as RUNNERS
from ansible_collections.servertechnik.core.plugins.module_utils._probe_arguments import PROBE
from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_plan import (
    KINDS,
    PlanError,
    plan,
)


def test_every_kind_is_known_everywhere() -> None:
    assert sorted(KINDS) == sorted(RUNNERS) == sorted(PROBE["probe"]["choices"])


def test_options_are_those_of_the_arguments() -> None:
    taken = {name for kind in KINDS.values() for name in (*kind.needs, *kind.takes)}
    assert taken == PROBE.keys() - {"probe", "label", "expect", "timeout"}


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ({"probe": "tcp", "host": "web1"}, "found no port, accepted: with host, port"),
        (
            {"probe": "tcp", "host": "web1", "port": 22, "url": "x"},
            "found url, accepted: banner, expect, family, host, label, port, source, timeout",
        ),
        ({"probe": "tcp", "host": "web1", "port": 0}, "port: found 0, accepted: 1 to 65535"),
        ({"probe": "tcp", "host": "web1", "port": 65536}, "port: found 65536, accepted"),
        ({"probe": "tcp", "host": "a", "port": 1, "timeout": 0}, "timeout: found 0, accepted"),
        ({"probe": "icmp", "host": "web1", "count": 0}, "count: found 0, accepted: at least 1"),
        ({"probe": "icmp", "host": "web1", "source": "eth0"}, "source: found 'eth0', accepted"),
        ({"probe": "duplicate_address", "address": "web1"}, "address: found 'web1', accepted"),
        ({"probe": "dns", "name": "a..b"}, "name: found 'a..b'"),
        ({"probe": "dns", "name": "web1", "type": "AAAAA"}, "type: found 'AAAAA', accepted"),
        ({"probe": "udp", "host": "web1", "port": 514}, "found neither send nor send_hex"),
        (
            {"probe": "udp", "host": "web1", "port": 1, "send": "a", "send_hex": "61"},
            "found send and send_hex, accepted: one of them",
        ),
        (
            {"probe": "udp", "host": "web1", "port": 1, "send_hex": "6"},
            "send_hex: found '6', accepted: pairs of hexadecimal digits",
        ),
        ({"probe": "http", "url": "http://web1", "match": "("}, r"match: found '\('"),
    ],
)
def test_what_can_not_be_probed(probe: dict[str, Any], message: str) -> None:
    fine = {"probe": "tcp", "host": "web1", "port": 22}
    with pytest.raises(PlanError, match=rf"^probes\[1\] \({probe['probe']}\): .*{message}"):
        plan([fine, probe])


def query(**options: Any) -> dns.message.Message:
    (probe,) = plan([{"probe": "dns", **options}])
    return dns.message.from_wire(b64decode(probe.options["query"]))


@pytest.mark.parametrize(
    ("options", "question"),
    [
        ({"name": "web1.example.org"}, "web1.example.org. IN A"),
        ({"name": "web1.example.org.", "type": "aaaa"}, "web1.example.org. IN AAAA"),
        ({"name": "bücher.example.org"}, "xn--bcher-kva.example.org. IN A"),
        ({"name": "198.51.100.7", "type": "PTR"}, "7.100.51.198.in-addr.arpa. IN PTR"),
        ({"name": "7.100.51.198.in-addr.arpa", "type": "PTR"}, "7.100.51.198.in-addr.arpa. IN PTR"),
        (
            {"name": "2001:db8::1", "type": "PTR"},
            "1" + ".0" * 23 + ".8.b.d.0.1.0.0.2.ip6.arpa. IN PTR",
        ),
    ],
)
def test_questions(options: dict[str, Any], question: str) -> None:
    message = query(**options)
    assert [one.to_text() for one in message.question] == [question]
    assert message.flags & dns.flags.AD
    assert message.flags & dns.flags.RD


@pytest.mark.parametrize(
    ("probe", "label"),
    [
        ({"probe": "tcp", "host": "web1", "port": 22}, "tcp web1:22"),
        ({"probe": "tls", "host": "web1"}, "tls web1:443"),
        ({"probe": "dns", "name": "web1", "type": "MX"}, "dns web1 MX"),
        ({"probe": "default_route", "family": "ipv6"}, "default_route ipv6"),
        ({"probe": "listening"}, "listening sockets"),
        ({"probe": "link", "interface": "eno1", "label": "the uplink"}, "the uplink"),
    ],
)
def test_what_people_call_it(probe: dict[str, Any], label: str) -> None:
    assert plan([probe])[0].label == label


def test_what_isn_t_given_is_filled_in() -> None:
    given = {"probe": "tcp", "host": "web1", "port": 22, "family": None, "timeout": 1.5}
    (probe,) = plan([given])
    assert probe.job == (
        "tcp",
        {
            "host": "web1",
            "port": 22,
            "family": "any",
            "source": "",
            "banner": False,
            "timeout": 1.5,
        },
    )
    assert probe.expect == {"state": "open"}
    assert plan([given | {"expect": {"state": "refused"}}])[0].expect == {"state": "refused"}


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"port": 514, "send": "hällo"}, "hällo".encode()),
        ({"port": 514, "send_hex": "00 ff"}, b"\0\xff"),
        ({"port": 123}, b"\x23" + bytes(47)),
        ({"port": 123, "send": "x"}, b"x"),
        ({"port": 53}, b"\0\0\x01\0\0\x01\0\0\0\0\0\0\0\0\x02\0\x01"),
    ],
)
def test_datagrams(options: dict[str, Any], sent: bytes) -> None:
    (probe,) = plan([{"probe": "udp", "host": "web1", **options}])
    assert b64decode(probe.options["send"]) == sent


def test_a_page_must_match() -> None:
    probe = {"probe": "http", "url": "http://web1", "match": "well"}
    assert plan([probe])[0].expect == {"status": {"min": 200, "max": 399}, "matched": True}
