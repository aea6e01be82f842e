# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Services, and what a gateway passes on, as sets and chains for `nft -f`. Pure.

Each has a chain, sets of whom it is for, and a counter. One map leads from protocol and port to the
chain, so that the time a packet takes doesn't grow with the number of services.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import VERSIONS
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import (
    PROTOCOLS,
    Limit,
    Rule,
    in_order,
    segments,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._nft_text import (
    PREFIX,
    Block,
    braces,
    match_both,
    quoted,
    set_block,
    sets_of,
)

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_SHORTEST_MEMORY = 60


def rule_counters(kind: str, rules: Sequence[Rule]) -> Iterator[str]:
    """Yield the names of the counters of rules; `kind` is service or forward."""
    for rule in rules:
        yield f"{kind}_{rule.name}"
        if rule.limit:
            yield f"{kind}_{rule.name}.limited"


def rule_sets(kind: str, rules: Sequence[Rule]) -> Iterator[Block]:
    """Yield the sets of rules: from whom, to whom, and who was there lately."""
    for rule in rules:
        yield from sets_of(f"{kind}_{rule.name}", rule)
        if rule.limit:
            yield from _memories(f"{kind}_{rule.name}", rule.limit)


def _memories(name: str, limit: Limit) -> Iterator[Block]:
    """Yield the sets that remember sources until they may have their whole burst again."""
    seconds = math.ceil(limit.burst * _SECONDS[limit.per] / limit.connections)
    for version in VERSIONS:
        memory = f"timeout {max(seconds, _SHORTEST_MEMORY)}s"
        yield set_block(f"{name}.rate_{version}", version, "dynamic,timeout", "size 65535", memory)


def rule_chains(kind: str, rules: Sequence[Rule]) -> Iterator[Block]:
    """Yield a chain for each rule, and one that finds them by protocol and port."""
    for rule in rules:
        yield from _rule_chains(f"{kind}_{rule.name}", rule)
    elements, asked = [], []
    for one in segments(rules):
        ports = str(one.first) if one.first == one.last else f"{one.first}-{one.last}"
        target = f"{kind}_{one.rules[0].name}"
        if len(one.rules) > 1:
            target = f"{kind}s.{one.protocol}_{ports}"
            jumps = [f"jump {kind}_{rule.name}" for rule in one.rules]
            yield Block(f"chain {target}", jumps)
        elements.append(f"{one.protocol} . {ports} : jump {target}")
    if elements:
        types = "type inet_proto . inet_service : verdict"
        yield Block(f"map {kind}s", [types, "flags interval", f"elements = {braces(elements)}"])
        asked.append(f"meta l4proto . th dport vmap @{kind}s")
    for rule in in_order(rules):
        numbers = [str(PROTOCOLS[protocol]) for protocol in rule.protocols]
        if not rule.ports:
            which = f"meta l4proto {braces(numbers)} " if numbers else ""
            asked.append(f"{which}jump {kind}_{rule.name}")
    yield Block(f"chain {kind}s", asked)


def _rule_chains(name: str, rule: Rule) -> Iterator[Block]:
    verdict = f"counter name {name} accept"
    if rule.limit or rule.log:
        lines = []
        if rule.limit:
            rate = f"{rule.limit.connections}/{rule.limit.per} burst {rule.limit.burst} packets"
            over, drop = f"limit rate over {rate}", f"counter name {name}.limited drop"
            # Whoever has IPv6 has at least a network of 64 bits to choose addresses from.
            sources = {4: "ip saddr", 6: "ip6 saddr and ffff:ffff:ffff:ffff::"}
            lines += [f"update @{name}.rate_{v} {{ {sources[v]} {over} }} {drop}" for v in VERSIONS]
        if rule.log:
            prefix = quoted(f"{PREFIX} {rule.name}: ")
            lines.append(f"limit rate 10/second burst 20 packets log prefix {prefix}")
        yield Block(f"chain {name}.new", [*lines, verdict])
        verdict = f"goto {name}.new"
    yield Block(f"chain {name}", [f"{which}{verdict}" for which in match_both(name, rule)])
