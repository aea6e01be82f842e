# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Listings of nft 1.0.6 with --stateless and --terse."""

from __future__ import annotations

import json

from ansible_collections.servertechnik.core.plugins.module_utils._firewall_live import (
    differences,
    others,
)

LISTING = """\
table inet servertechnik {
	counter dropped {
		packets 0 bytes 0
	}

	map services {
		type inet_proto . inet_service : verdict
		flags interval
	}

	chain service_web {
		ip saddr @service_web.4 counter name "service_web" accept
	}

	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept
		jump services
		goto refuse
	}
}
table inet servertechnik_block {
}
"""


def test_the_same_has_no_difference() -> None:
    assert list(differences(LISTING, LISTING)) == []


def test_what_was_changed_by_hand() -> None:
    changed = LISTING.replace("\t\tjump", "\t\ttcp dport 2525 accept\n\t\tjump").replace(
        '\t\tip saddr @service_web.4 counter name "service_web" accept\n', ""
    )
    assert list(differences(LISTING, changed)) == [
        {
            "change": "removed",
            "chain": "servertechnik service_web",
            "rule": 'ip saddr @service_web.4 counter name "service_web" accept',
        },
        {
            "change": "added",
            "chain": "servertechnik input",
            "rule": "tcp dport 2525 accept",
        },
    ]


def test_a_policy_and_a_whole_chain() -> None:
    changed = LISTING.replace("policy drop", "policy accept").replace(
        "\tchain service_web {", "\tchain mine {\n\t\tdrop\n\t}\n\n\tchain service_web {"
    )
    found = [(one["change"], one["chain"], one["rule"]) for one in differences(LISTING, changed)]
    hook = "type filter hook input priority filter; policy"
    assert found == [
        ("added", "servertechnik mine", "drop"),
        ("removed", "servertechnik input", f"{hook} drop;"),
        ("added", "servertechnik input", f"{hook} accept;"),
    ]


def test_a_table_that_is_gone() -> None:
    assert len(list(differences(LISTING, ""))) == 8


CHAINS = [
    {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
    {"chain": {"family": "inet", "table": "servertechnik", "name": "input", "hook": "input"}},
    {"chain": {"family": "inet", "table": "netavark", "name": "FORWARD", "hook": "forward"}},
    {"chain": {"family": "inet", "table": "netavark", "name": "OUTPUT", "hook": "output"}},
    {"chain": {"family": "ip", "table": "filter", "name": "mine"}},
]


def test_chains_of_others() -> None:
    assert list(others(json.dumps({"nftables": CHAINS}))) == ["inet netavark FORWARD"]
