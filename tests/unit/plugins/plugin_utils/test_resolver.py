# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._resolver import (
    CHECK,
    ResolverError,
    bridge_commands,
    check_command,
    contradictions,
    hosts_lines,
)

PLAIN: dict[str, Any] = {
    "resolver_mode": "resolv_conf",
    "resolver_nameservers": ["192.0.2.53"],
    "resolver_fallback_nameservers": [],
    "resolver_search_domains": ["example.org"],
    "resolver_dnssec": "no",
    "resolver_dns_over_tls": "no",
    "resolver_settings": {},
    "resolver_listen": [],
    "resolver_hosts": [],
    "resolver_verify_names": [],
}


def test_a_host_has_a_line_for_each_address() -> None:
    host = {"name": "web1.example.org", "addresses": ["192.0.2.10", "2001:DB8:0:0::10"]}
    assert hosts_lines(
        [{**host, "aliases": ["www.example.org"]}, {**host, "name": "web2.test"}]
    ) == [
        "192.0.2.10\tweb1.example.org www.example.org",
        "2001:db8::10\tweb1.example.org www.example.org",
        "192.0.2.10\tweb2.test",
        "2001:db8::10\tweb2.test",
    ]


def test_a_name_belongs_to_one_host() -> None:
    hosts = [
        {"name": "web1.example.org", "aliases": ["www.example.org"], "addresses": ["192.0.2.10"]},
        {"name": "www.example.org", "addresses": ["192.0.2.11"]},
    ]
    with pytest.raises(
        ResolverError, match=r"www\.example\.org for web1.*accepted: each name once"
    ):
        hosts_lines(hosts)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "192.0.2.53"),
        ({"resolver_nameservers": []}, ""),
        ({"resolver_dns_over_tls": "opportunistic"}, "192.0.2.53"),
        ({"resolver_dns_over_tls": "yes", "resolver_nameservers": ["2001:db8::53#dns.example.org"]},
         "--tls '2001:db8::53#dns.example.org'"),
        ({"resolver_hosts": [{"name": "web1.example.org"}]}, "--own 192.0.2.53"),
        ({"resolver_verify_names": ["a.example.org", "b.example.org"]},
         "--name=a.example.org --name=b.example.org 192.0.2.53"),
    ],
)  # fmt: skip
def test_what_is_checked_on_the_host(changed: dict[str, Any], words: str) -> None:
    found = check_command({**PLAIN, "resolver_mode": "resolved", **changed})
    assert found == " ".join([*CHECK, words]).strip()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ["--bridge 192.0.2.53"]),
        ({"resolver_mode": "resolv_conf"}, []),
        ({"resolver_nameservers": []}, []),
        ({"resolver_dns_over_tls": "yes"}, []),
    ],
)
def test_how_names_are_kept_meanwhile(changed: dict[str, Any], words: list[str]) -> None:
    found = bridge_commands({**PLAIN, "resolver_mode": "resolved", **changed})
    assert found == [" ".join([*CHECK, one]) for one in words]


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"resolver_dnssec": "yes"}, "resolver_dnssec: found 'yes'"),
        (
            {"resolver_dns_over_tls": "opportunistic"},
            "resolver_dns_over_tls: found 'opportunistic'",
        ),
        ({"resolver_listen": ["192.0.2.1"]}, "resolver_listen: found ['192.0.2.1']"),
        ({"resolver_hosts": [1]}, "resolver_hosts: found [1]"),
        ({"resolver_fallback_nameservers": ["192.0.2.2"]}, "resolver_fallback_nameservers: found"),
        ({"resolver_settings": {"Cache": False}}, "resolver_settings: found {'Cache': False}"),
        ({"resolver_nameservers": []}, "resolver_nameservers: found 0"),
        ({"resolver_nameservers": ["192.0.2.1"] * 4}, "resolver_nameservers: found 4"),
        ({"resolver_nameservers": ["192.0.2.1#a.b"]}, "resolver_nameservers: found 192.0.2.1#a.b"),
        ({"resolver_search_domains": ["a.b", "~c.d"]}, "resolver_search_domains: found ~c.d with"),
    ],
)
def test_what_a_plain_file_cannot_say(changed: dict[str, Any], found: str) -> None:
    (mistake,) = contradictions({**PLAIN, **changed})
    assert mistake.startswith(found)
    assert "; accepted: " in mistake
    assert list(contradictions({**PLAIN, **changed, "resolver_mode": "resolved"})) == []


def test_a_plain_file_is_enough_for_three_servers() -> None:
    assert list(contradictions({**PLAIN, "resolver_nameservers": ["192.0.2.1"] * 3})) == []
