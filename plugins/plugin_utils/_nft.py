# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The intent of a host as a file for `nft -f`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import VERSIONS
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import Intent
from ansible_collections.servertechnik.core.plugins.plugin_utils._nft_block import block_table
from ansible_collections.servertechnik.core.plugins.plugin_utils._nft_nat import nat_chains
from ansible_collections.servertechnik.core.plugins.plugin_utils._nft_rules import (
    rule_chains,
    rule_counters,
    rule_sets,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._nft_text import (
    FAMILY,
    PREFIX,
    Block,
    braces,
    quoted,
    set_block,
    sets_of,
)

TABLE = "servertechnik"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is not intent. Rates are `NUMBER/UNIT` as nft(8) has them; rules are lines of nft(8).

    `links` are the host's links that lead to its networks, `interfaces` all that it has.
    """

    reverse_path: str
    ping_rate: str
    log_dropped: bool
    log_rate: str
    engine_interfaces: tuple[str, ...]
    extra_input: tuple[str, ...]
    extra_forward: tuple[str, ...]
    links: tuple[str, ...] = ()
    interfaces: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, variables: Mapping[str, Any], links: Iterable[str], interfaces: Iterable[str]
    ) -> Settings:
        """Return the settings that the role's variables of a host state."""
        links = tuple(links)
        return cls(
            reverse_path=str(variables["firewall_reverse_path"]),
            ping_rate=str(variables["firewall_ping_rate"]),
            log_dropped=bool(variables["firewall_log_dropped"]),
            log_rate=str(variables["firewall_log_rate"]),
            engine_interfaces=tuple(variables["firewall_engine_interfaces"]),
            extra_input=tuple(variables["firewall_extra_input"]),
            extra_forward=tuple(variables["firewall_extra_forward"]),
            links=links,
            interfaces=frozenset((*links, *interfaces)),
        )


def ruleset(intent: Intent, settings: Settings) -> str:
    """Return the file that puts this intent in place of the former one, in one transaction.

    Our own table is made anew. That of blocked addresses stays, and so do those with a time-out.
    """
    table = Block(
        f"table inet {TABLE}",
        [
            *_counters(intent),
            *_sets(intent, settings),
            *rule_chains("service", intent.services),
            *(rule_chains("forward", intent.forwards) if intent.gateway else []),
            *_common_chains(intent, settings),
            _input(settings),
            *_forward(intent, settings),
            *nat_chains(intent.translations),
        ],
    )
    anew = [f"table inet {TABLE}", f"delete table inet {TABLE}"]
    return "\n".join([*anew, *table.lines(), *block_table(intent.blocked), ""])


def _counters(intent: Intent) -> Iterator[Block]:
    names = [
        *("dropped", "dropped_broadcast", "dropped_invalid", "dropped_spoofed", "ping"),
        *rule_counters("service", intent.services),
        *rule_counters("forward", intent.forwards),
        *(f"nat_{one.match.name}" for one in intent.translations),
    ]
    yield from (Block(f"counter {name}", []) for name in names)


def _sets(intent: Intent, settings: Settings) -> Iterator[Block]:
    yield from rule_sets("service", intent.services)
    yield from rule_sets("forward", intent.forwards)
    for one in intent.translations:
        yield from sets_of(f"nat_{one.match.name}", one.match, (one.version,))
    for zone in intent.zones:
        if settings.interfaces.intersection(zone.interfaces):
            for version in VERSIONS:
                if elements := zone.addresses.elements(version):
                    filled = f"elements = {braces(elements)}"
                    yield set_block(f"zone_{zone.name}.{version}", version, "interval", filled)


# RFC 4890 4.4: what must not be dropped, the hop limits by RFC 4861, 2710, 3810 and 4286.
_NEIGHBOURS = [
    "ip6 hoplimit 255 ip6 saddr fe80::/10 icmpv6 type nd-router-advert accept",
    "ip6 hoplimit 255 icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, "
    "ind-neighbor-solicit, ind-neighbor-advert, 148, 149 } accept",
    "ip6 hoplimit 1 ip6 saddr { ::, fe80::/10 } icmpv6 type { mld-listener-query, "
    "mld-listener-report, mld-listener-done, mld2-listener-report, 151, 152, 153 } accept",
    "icmpv6 type echo-reply accept",
]
_CONTROL = [
    "icmp type { destination-unreachable, time-exceeded, parameter-problem } accept",
    "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } "
    "accept",
]


def _common_chains(intent: Intent, settings: Settings) -> Iterator[Block]:
    number = settings.ping_rate.partition("/")[0]
    pings = f"limit rate {settings.ping_rate} burst {number} packets counter name ping accept"
    yield Block("chain neighbours", _NEIGHBOURS)
    yield Block(
        "chain control",
        [*_CONTROL, f"icmp type echo-request {pings}", f"icmpv6 type echo-request {pings}"],
    )
    yield Block("chain spoofed", [*_log(settings, "spoofed"), "counter name dropped_spoofed drop"])
    yield Block("chain spoofing", _spoofing(intent, settings))
    yield Block(
        "chain refuse",
        [
            "meta pkttype { broadcast, multicast } counter name dropped_broadcast drop",
            *_log(settings, "dropped"),
            "counter name dropped drop",
        ],
    )


def _log(settings: Settings, what: str) -> list[str]:
    prefix = quoted(f"{PREFIX} {what}: ")
    line = f"limit rate {settings.log_rate} log prefix {prefix}"
    return [line] if settings.log_dropped else []


def _spoofing(intent: Intent, settings: Settings) -> Iterator[str]:
    """Yield rules against sources that can't be where the packet came from (RFC 3704)."""
    # Who has no address yet asks for one; the answer is the kernel's or a service's.
    yield "ip saddr 0.0.0.0 return"
    yield "ip6 saddr :: return"
    yield "ip saddr 127.0.0.0/8 goto spoofed"
    yield "ip6 saddr ::1 goto spoofed"
    for zone in intent.zones:
        if settings.interfaces.intersection(zone.interfaces):
            names = braces(map(quoted, zone.interfaces))
            for version in VERSIONS:
                if zone.addresses.ranges(version):
                    which = f"{FAMILY[version]} saddr @zone_{zone.name}.{version}"
                    yield f"{which} iifname != {names} goto spoofed"
    if settings.reverse_path == "strict":
        yield "fib saddr . iif oif missing goto spoofed"
    elif settings.reverse_path == "loose":
        yield "fib saddr oif missing goto spoofed"


def _input(settings: Settings) -> Block:
    engines = []
    if settings.engine_interfaces:
        where = f"iifname {braces(map(quoted, settings.engine_interfaces))}"
        # Containers ask the engine for names and addresses.
        engines = [f"{where} tcp dport 53 accept", f"{where} udp dport {{ 53, 67, 547 }} accept"]
    return Block(
        "chain input",
        [
            "type filter hook input priority filter; policy drop",
            "iif lo accept",
            "jump spoofing",
            "ct state established,related accept",
            "meta l4proto icmpv6 jump neighbours",
            "ct state invalid counter name dropped_invalid drop",
            "meta l4proto { icmp, icmpv6 } jump control",
            "ip protocol igmp ip daddr 224.0.0.0/4 accept",
            # Answers to what was sent to all, which can't be told from new connections.
            "udp sport 67 udp dport 68 accept",
            "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
            *engines,
            *settings.extra_input,
            "jump services",
            "goto refuse",
        ],
    )


def _forward(intent: Intent, settings: Settings) -> Iterator[Block]:
    hook = "type filter hook forward priority filter"
    if not intent.gateway:
        # Engines turn forwarding on for themselves; nobody else is to use the host as a router.
        lines = [
            f"iifname {quoted(one)} oifname {braces(map(quoted, others))} counter name dropped drop"
            for one in settings.links
            if (others := [other for other in settings.links if other != one])
        ]
        if lines:
            yield Block("chain forward", [f"{hook}; policy accept", *lines])
        return
    engines = braces(map(quoted, settings.engine_interfaces)) if settings.engine_interfaces else ""
    yield Block(
        "chain forward",
        [
            f"{hook}; policy drop",
            *(f"{way} {engines} accept" for way in ("iifname", "oifname") if engines),
            "jump spoofing",
            "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
            "ct state established,related accept",
            "ct state invalid counter name dropped_invalid drop",
            "meta l4proto { icmp, icmpv6 } jump control",
            *settings.extra_forward,
            *(["jump translated"] if any(t.kind == "dnat" for t in intent.translations) else []),
            "jump forwards",
            "goto refuse",
        ],
    )
