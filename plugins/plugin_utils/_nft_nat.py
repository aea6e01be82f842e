# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Changes of addresses at a gateway as chains for `nft -f`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import (
    PROTOCOLS,
    Rule,
    Translation,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._nft_text import (
    FAMILY,
    Block,
    braces,
    match,
    quoted,
)


def nat_chains(translations: Sequence[Translation]) -> Iterator[Block]:
    """Yield chains that translate, and one that lets through what was translated on its way in.

    They come after those of container engines, so that these keep what is theirs.
    """
    inward = [one for one in translations if one.kind == "dnat"]
    outward = [one for one in translations if one.kind != "dnat"]
    if inward:
        hook = "type nat hook prerouting priority dstnat + 10; policy accept"
        yield Block("chain prerouting", [hook, *map(_inward, inward)])
        yield Block("chain translated", map(_translated, inward))
    if outward:
        hook = "type nat hook postrouting priority srcnat + 10; policy accept"
        yield Block("chain postrouting", [hook, *map(_outward, outward)])


def _inward(one: Translation) -> str:
    family, port = FAMILY[one.version], f":{one.port}" if one.port else ""
    target = f"[{one.address}]" if one.version == 6 and port else one.address  # noqa: PLR2004 -- IPv6
    where = f"iifname {quoted(one.interface)} " if one.interface else ""
    original = f"{family} daddr {one.original} " if one.original else "fib daddr type local "
    which = f"{where}{_from(one)}{original}{_ports(one.match)}"
    return f"{which}counter name {_name(one)} dnat {family} to {target}{port}"


def _outward(one: Translation) -> str:
    where = f"oifname {quoted(one.interface)} " if one.interface else ""
    verdict = f"snat {FAMILY[one.version]} to {one.address}" if one.address else "masquerade"
    which = f"{where}{_from(one)}{_ports(one.match)}"
    return f"{which}counter name {_name(one)} {verdict}"


def _translated(one: Translation) -> str:
    """Return the rule for connections after their translation: its target is their destination."""
    protocols = braces(str(PROTOCOLS[name]) for name in one.match.protocols)
    ports = f"meta l4proto {protocols} th dport {one.port} " if one.port else _ports(one.match)
    target = f"{FAMILY[one.version]} daddr {one.address} "
    return f"ct status dnat {_from(one)}{target}{ports}accept"


def _name(one: Translation) -> str:
    return f"nat_{one.match.name}"


def _from(one: Translation) -> str:
    return match(_name(one), one.match, one.version) or ""


def _ports(rule: Rule) -> str:
    if not rule.protocols:
        return ""
    protocols = braces(str(PROTOCOLS[name]) for name in rule.protocols)
    spans = [str(first) if first == last else f"{first}-{last}" for first, last in rule.ports]
    return f"meta l4proto {protocols} " + (f"th dport {braces(spans)} " if spans else "")
