"""The networks that hosts are in, and what the machine below does to packets between hosts."""

from __future__ import annotations

import json
from contextlib import suppress

from tests.bed.environment import locked, run
from tests.bed.spec import Places

PREFIX = "servertechnik-"
# How the MAC addresses of all hosts begin.
MAC = "02:be:d0"
# Where podman chooses the addresses, it does so within this; of IPv4 it finds a free subnet itself.
_CHOSEN = "2001:db8:bed::/64"
_TABLE = "inet servertechnik_bed"


def ensure(name: str, subnets: Places) -> None:
    """Have a network of that name and these subnets (none: podman's choice of both families)."""
    wanted = subnets or (_CHOSEN,)
    with locked("network"):
        there = _subnets(name)
        if there and (there == set(subnets) or (not subnets and _CHOSEN in there)):
            return
        if there:
            run("podman", "network", "rm", PREFIX + name)
        words = [word for subnet in wanted for word in ("--subnet", subnet)]
        ipv6 = ["--ipv6"] if any(":" in subnet for subnet in wanted) else []
        _leave_alone()
        run("podman", "network", "create", *ipv6, *words, PREFIX + name)


def prune() -> None:
    """Remove networks without hosts, unless hosts are coming up somewhere just now."""
    with suppress(BlockingIOError), locked("networks", wait=False):
        for name in _names():
            run("podman", "network", "rm", PREFIX + name, check=False)
        if not _names():
            run("nft", "delete", "table", *_TABLE.split(), check=False)


def _names() -> list[str]:
    listed = run("podman", "network", "ls", "--format", "{{.Name}}").stdout.split()
    return [name.removeprefix(PREFIX) for name in listed if name.startswith(PREFIX)]


def _subnets(name: str) -> set[str]:
    done = run("podman", "network", "inspect", PREFIX + name, check=False)
    found = json.loads(done.stdout or "[]")
    return {one["subnet"] for network in found for one in network["subnets"]}


def _leave_alone() -> None:
    """Have the machine change no address of what its hosts send each other.

    With br_netfilter, podman's own rules also see what only crosses a bridge, and would make the
    machine the sender of all that goes to another network by a gateway among the hosts.
    """
    rule = f"ether daddr & ff:ff:ff:00:00:00 == {MAC}:00:00:00 notrack"
    chain = f"chain prerouting {{\ntype filter hook prerouting priority raw\n{rule}\n}}"
    text = f"table {_TABLE}\ndelete table {_TABLE}\ntable {_TABLE} {{\n{chain}\n}}\n"
    run("nft", "-f", "-", stdin=text)
