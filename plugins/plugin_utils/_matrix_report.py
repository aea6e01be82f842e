# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The matrix as probes of one host, as a record, and in words. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._matrix import (
    Cell,
    Meant,
    Port,
    World,
    judged,
    zone_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_plan import usual_question
from ansible_collections.servertechnik.core.plugins.plugin_utils._ways import Way

# Of a host, as firewall_info returns it.
Live = Mapping[str, Any]
# A lost packet is sent again after a second; a datagram that must not arrive may be lost.
_SECONDS, _SECONDS_UNWANTED = 2.5, 1.5
# So many ICMP errors the kernel sends at once to one host, then one each second (icmp(7)).
_ERRORS_AT_ONCE = 6
_MOST_SECONDS = 10.0
_MOST_WORDS = 12
_COLUMNS = ("right", "hole", "closed", "unsure")


@dataclass(frozen=True)
class Question:
    """One cell before it is known: its way, and what is meant."""

    way: Way
    protocol: str
    port: int
    meant: Meant


def questions(
    world: World, ways: Sequence[Way], listening: Mapping[str, Collection[Port]]
) -> list[Question]:
    """Return all that one host has to ask; `listening` are the sockets of each host, if known."""
    ports = {way.to: world.ports(way.to, listening.get(way.to, ())) for way in ways}
    return [
        Question(way, protocol, port, world.meant(way, protocol, port))
        for way in ways
        for protocol, port in ports[way.to]
    ]


def sockets_of(live: Live) -> frozenset[Port]:
    """Return the ports of the sockets that firewall_info found."""
    return frozenset((one["protocol"], int(one["port"])) for one in live["sockets"])


def probes(
    asked: Sequence[Question], listening: Mapping[str, Collection[Port]]
) -> list[tuple[str, dict[str, Any]]]:
    """Return the probes for `_probe.run_batch`, one for each question."""
    refusals = Counter(
        one.way
        for one in asked
        if one.protocol == "udp" and one.meant.open and _is_idle(one, listening)
    )
    return [_probe(one, refusals[one.way]) for one in asked]


def _is_idle(one: Question, listening: Mapping[str, Collection[Port]]) -> bool:
    return (one.protocol, one.port) not in listening.get(one.way.to, ())


def _probe(one: Question, refusals: int) -> tuple[str, dict[str, Any]]:
    options: dict[str, Any] = {
        "host": one.way.destination,
        "port": one.port,
        "family": f"ipv{ip_address(one.way.destination).version}",
        "source": one.way.source,
        "timeout": _SECONDS,
    }
    if one.protocol == "tcp":
        return "tcp", options | {"banner": False}
    options["send"] = b64encode(usual_question(one.port)).decode()
    wait = min(_MOST_SECONDS, _SECONDS + max(0, refusals - _ERRORS_AT_ONCE))
    options["timeout"] = wait if one.meant.open else _SECONDS_UNWANTED
    return "udp", options


@dataclass(frozen=True)
class Row:
    """One way with all its cells; `zone` is where it starts, as the host at its end sees it."""

    way: Way
    zone: str
    cells: Sequence[Cell]


def rows(
    world: World,
    asked: Sequence[Question],
    found: Sequence[tuple[Mapping[str, Any], str, float]],
    listening: Mapping[str, Collection[Port]],
) -> list[Row]:
    """Return the matrix of one host; `found` is what `_probe.run_batch` returned."""
    by_way: dict[Way, list[Cell]] = {}
    for one, (values, error, _seconds) in zip(asked, found, strict=True):
        sockets = listening.get(one.way.to)
        cell = judged(one.protocol, one.port, one.meant, values.get("state") or error, sockets)
        by_way.setdefault(one.way, []).append(cell)
    return [
        Row(way, zone_of(world.intents[way.to], way.source), cells) for way, cells in by_way.items()
    ]


def as_data(matrix: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the matrix as a record holds it."""
    return [
        {
            "zone": row.zone,
            "source": row.way.source,
            "to": row.way.to,
            "destination": row.way.destination,
            "through": [hop.host for hop in row.way.hops] + [row.way.beyond] * bool(row.way.beyond),
            "cells": [_cell(cell) for cell in row.cells],
        }
        for row in matrix
    ]


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "protocol": cell.protocol,
        "port": cell.port,
        "meant": "open" if cell.meant.open else "closed",
        "host": cell.meant.host,
        "rule": cell.meant.rule,
        "found": cell.found,
        "verdict": cell.verdict,
    }


def counts(matrix: Sequence[Row]) -> list[dict[str, Any]]:
    """Return for each zone and host how many cells have which verdict."""
    totals: dict[tuple[str, str], Counter[str]] = {}
    for row in matrix:
        total = totals.setdefault((row.zone, row.way.to), Counter())
        total.update(cell.verdict for cell in row.cells)
    return [
        {"zone": zone, "to": to, **{name: total[name] for name in _COLUMNS}}
        for (zone, to), total in totals.items()
    ]


def table(counted: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return these counts by zone as lines with columns; `hosts` are those that were asked."""
    totals: dict[str, Counter[str]] = {}
    hosts: dict[str, set[str]] = {}
    for one in counted:
        totals.setdefault(one["zone"], Counter()).update({name: one[name] for name in _COLUMNS})
        hosts.setdefault(one["zone"], set()).add(one["to"])
    head = ("from zone", "hosts", *_COLUMNS)
    body = [
        (zone, len(hosts[zone]), *(totals[zone][name] for name in _COLUMNS))
        for zone in sorted(totals)
    ]
    texts = [tuple(map(str, line)) for line in (head, *body)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return [
        "  ".join((name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])))
        for name, *numbers in texts
    ]


def findings(matrix: Sequence[Row], live: Mapping[str, Live]) -> list[str]:
    """Return a line for each wrong cell, those alike together, and what may have caused it."""
    lines: list[str] = []
    concerned: dict[str, set[str]] = {}
    for row in matrix:
        alike: dict[tuple[str, str, Meant], list[Cell]] = {}
        for cell in row.cells:
            if cell.verdict in ("hole", "closed"):
                alike.setdefault((cell.verdict, cell.found, cell.meant), []).append(cell)
                for host in (row.way.to, *(hop.host for hop in row.way.hops)):
                    concerned.setdefault(host, set()).add(cell.verdict)
        lines += [_line(row, cells) for cells in alike.values()]
    for host, verdicts in concerned.items():
        lines += _causes(host, verdicts, live.get(host))
    return lines


def _line(row: Row, cells: Sequence[Cell]) -> str:
    first, way = cells[0], row.way
    ports: dict[str, list[str]] = {}
    for cell in cells:
        ports.setdefault(cell.protocol, []).append(str(cell.port))
    what = " and ".join(f"{protocol} {_some(them)}" for protocol, them in ports.items())
    through = f" through {', '.join(hop.host for hop in way.hops)}" if way.hops else ""
    meant = "open" if first.meant.open else "closed"
    return (
        f"{first.verdict}: from {way.source} ({way.start}, zone {row.zone}) to {way.destination} "
        f"({way.to}){through}: {what}: found {first.found}, meant {meant} "
        f"({first.meant.host}: {first.meant.rule})"
    )


def _some(ports: Sequence[str]) -> str:
    more = f" and {len(ports) - _MOST_WORDS} more" if len(ports) > _MOST_WORDS else ""
    return ", ".join(ports[:_MOST_WORDS]) + more


def _causes(host: str, verdicts: Collection[str], live: Live | None) -> Iterator[str]:
    """Yield what is known of a host that may be the reason."""
    if live is None:
        return
    if not live["managed"]:
        yield f"{host}: the role firewall hasn't been here yet"
    for one in live["differences"][:_MOST_WORDS]:
        yield f"{host}: live rule {one['change']} in {one['chain']}: {one['rule']}"
    if len(live["differences"]) > _MOST_WORDS:
        yield f"{host}: {len(live['differences'])} live rules differ in all"
    if "closed" in verdicts:
        for chain in live["others"]:
            yield f"{host}: another program's chain may drop: {chain}"
