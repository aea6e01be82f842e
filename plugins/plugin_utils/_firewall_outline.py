# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host lets in and passes on, in words for people. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import VERSIONS
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import (
    ANYBODY,
    Intent,
    Rule,
    Translation,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._nft import Settings


def outline(intent: Intent, settings: Settings) -> Iterator[str]:
    """Yield one line for each thing that is let in, passed on, translated or blocked."""
    for rule in intent.services:
        yield f"{rule.name}: {_what(rule)} from {rule.source.words}{_how(rule)}"
    for rule in intent.forwards:
        who = f"from {rule.source.words} to {rule.destination.words}"
        yield f"forward {rule.name}: {_what(rule)} {who}{_how(rule)}"
    for one in intent.translations:
        yield f"nat {one.match.name}: {_translation(one)}"
    for zone in intent.zones:
        if settings.interfaces.intersection(zone.interfaces):
            yield f"zone {zone.name}: only through {', '.join(zone.interfaces)}"
    for version in VERSIONS:
        for element in intent.blocked.elements(version):
            yield f"blocked: {element}"
    yield from (f"own rule for what comes in: {rule}" for rule in settings.extra_input)
    if intent.gateway:
        yield "gateway: passes packets on"
        yield from (f"own rule for what is passed on: {rule}" for rule in settings.extra_forward)


def _what(rule: Rule) -> str:
    spans = [str(first) if first == last else f"{first}-{last}" for first, last in rule.ports]
    protocols = " and ".join(rule.protocols) or "everything"
    return f"{protocols} {', '.join(spans)}".rstrip()


def _how(rule: Rule) -> str:
    limit = rule.limit
    rate = (
        f"; each source {limit.connections} new connections per {limit.per}, {limit.burst} at once"
        if limit
        else ""
    )
    return rate + ("; logged" if rule.log else "")


def _translation(one: Translation) -> str:
    match = one.match
    who = f"{_what(match)} from {match.source.words}"
    if match.destination != ANYBODY:
        who += f" to {match.destination.words}"
    if one.kind == "dnat":
        where = f" that comes in on {one.interface}" if one.interface else ""
        port = f" port {one.port}" if one.port else ""
        return f"{who} to {one.original or 'this host'}{where} goes to {one.address}{port}"
    where = f" that goes out on {one.interface}" if one.interface else ""
    return f"{who}{where} comes from {one.address or 'this host'} (IPv{one.version})"
