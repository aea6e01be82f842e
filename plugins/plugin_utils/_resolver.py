# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Internal names as hosts(5) has them, and what makes sure that a host has names. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any

CHECK = ("/usr/bin/python3", "-I", "/usr/local/lib/servertechnik/resolver_check.py")
# resolv.conf(5): MAXNS. The C library ignores what comes after.
MOST_SERVERS = 3
# What a plain resolv.conf can't express, by the value that leaves it be.
_RESOLVED_ONLY: dict[str, Any] = {
    "resolver_dnssec": "no",
    "resolver_dns_over_tls": "no",
    "resolver_listen": [],
    "resolver_hosts": [],
    "resolver_fallback_nameservers": [],
    "resolver_settings": {},
}


class ResolverError(ValueError):
    """Settings that don't go together; the text says what was found and what is accepted."""


def hosts_lines(hosts: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return names as lines of hosts(5), one for each address, the full name first.

    Raises ResolverError for a name that two entries have, since only one of them would be found.
    """
    lines, owner = [], dict[str, str]()
    for host in hosts:
        names = [host["name"], *host.get("aliases", [])]
        for name in names:
            if owner.setdefault(name, host["name"]) != host["name"]:
                raise ResolverError(
                    f"resolver_hosts: found {name} for {owner[name]} and for {host['name']}; "
                    "accepted: each name once"
                )
        lines += [f"{ip_address(address)}\t{' '.join(names)}" for address in host["addresses"]]
    return lines


def check_command(variables: Mapping[str, Any]) -> str:
    """Return the command that proves on the host that it has names, from the role's variables."""
    words = [*CHECK]
    words += ["--tls"] if variables["resolver_dns_over_tls"] == "yes" else []
    words += ["--own"] if variables["resolver_hosts"] else []
    words += [f"--name={name}" for name in variables["resolver_verify_names"]]
    return shlex.join([*words, *variables["resolver_nameservers"]])


def bridge_commands(variables: Mapping[str, Any]) -> list[str]:
    """Return the command that keeps names while systemd-resolved is not yet there.

    There is none where servers are to be asked over TLS alone, or where they are not known.
    """
    servers = variables["resolver_nameservers"]
    is_possible = variables["resolver_mode"] == "resolved" and servers
    if not is_possible or variables["resolver_dns_over_tls"] == "yes":
        return []
    return [shlex.join([*CHECK, "--bridge", *servers])]


def contradictions(variables: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a host without systemd-resolved can't do, and what was accepted instead."""
    if variables["resolver_mode"] != "resolv_conf":
        return
    for name, neutral in _RESOLVED_ONLY.items():
        if variables[name] != neutral:
            yield (
                f"{name}: found {variables[name]!r} with resolver_mode resolv_conf; accepted: "
                f"{neutral!r}, or resolver_mode resolved"
            )
    servers, domains = variables["resolver_nameservers"], variables["resolver_search_domains"]
    if not 0 < len(servers) <= MOST_SERVERS:
        yield (
            f"resolver_nameservers: found {len(servers)} with resolver_mode resolv_conf; "
            f"accepted: 1 to {MOST_SERVERS}"
        )
    for name, words, mark in (
        ("resolver_nameservers", servers, "#"),
        ("resolver_search_domains", domains, "~"),
    ):
        if strange := [word for word in words if mark in word]:
            yield (
                f"{name}: found {', '.join(strange)} with resolver_mode resolv_conf; accepted: "
                f"without {mark}"
            )
