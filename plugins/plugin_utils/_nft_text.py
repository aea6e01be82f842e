# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pieces of nft(8)'s language. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import VERSIONS
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import Rule

FAMILY = {4: "ip", 6: "ip6"}
TYPE = {4: "ipv4_addr", 6: "ipv6_addr"}

# What lines in the kernel's log begin with.
PREFIX = "servertechnik"


class Block:
    """A head and, in braces, what belongs to it: lines and further blocks."""

    def __init__(self, head: str, body: Iterable[str | Block]) -> None:
        """Keep both."""
        self.head = head
        self.body = list(body)

    def lines(self) -> Iterator[str]:
        """Yield the block's lines, what is inside indented."""
        if not self.body:
            yield f"{self.head} {{ }}"
            return
        yield f"{self.head} {{"
        for part in self.body:
            for line in part.lines() if isinstance(part, Block) else [part]:
                yield f"\t{line}"
        yield "}"


def braces(elements: Iterable[str]) -> str:
    """Return elements as a set without a name."""
    return f"{{ {', '.join(elements)} }}"


def quoted(text: str) -> str:
    """Return a string of nft(8), which knows no way to write a quotation mark within one."""
    return f'"{text}"'


def set_block(name: str, version: int, flags: str, *more: str) -> Block:
    """Return a set of addresses of one family."""
    return Block(f"set {name}", [f"type {TYPE[version]}", f"flags {flags}", *more])


def sets_of(name: str, rule: Rule, versions: Sequence[int] = VERSIONS) -> Iterator[Block]:
    """Yield the sets with whom a rule is for, as far as that isn't everybody."""
    for way, peers in (("from", rule.source), ("to", rule.destination)):
        for version in versions:
            elements = peers.addresses.elements(version)
            if elements and not peers.addresses.is_all(version):
                filled = f"elements = {braces(elements)}"
                yield set_block(f"{name}.{way}_{version}", version, "interval", filled)


def match_both(name: str, rule: Rule) -> list[str]:
    """Return the conditions for whom a rule is, one for each family, or one for everybody."""
    both = (rule.source.addresses, rule.destination.addresses)
    if all(side.is_all(version) for side in both for version in VERSIONS):
        return [""]
    return [found for version in VERSIONS if (found := match(name, rule, version)) is not None]


def match(name: str, rule: Rule, version: int) -> str | None:
    """Return the condition for whom of one family a rule is; none if it is for nobody there."""
    conditions = []
    sides = (("from", "saddr", rule.source), ("to", "daddr", rule.destination))
    for way, field, peers in sides:
        if not peers.addresses.ranges(version):
            return None
        if not peers.addresses.is_all(version):
            conditions.append(f"{FAMILY[version]} {field} @{name}.{way}_{version} ")
    return "".join(conditions) or f"meta nfproto ipv{version} "
