# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The rules that the kernel has, against the file that they should have come from."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterator
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError

FILE = "/etc/servertechnik/firewall.nft"
TABLES = ("servertechnik", "servertechnik_block")
# Without counters' figures and without elements of sets, which come and go by themselves.
_LIST = ("nft", "--stateless", "--terse", "list")
_HOOKS = ("prerouting", "input", "forward")


def firewall(host: Host) -> dict[str, Any]:
    """Return ``differences`` of the live rules, and ``others``, chains of other programs.

    ``managed`` says whether the host has a firewall of ours at all. Raises HostError.
    """
    if not os.path.exists(host.at(FILE)):
        return {"managed": False, "differences": [], "others": []}
    chains = host.must("nft", "--json", "list", "chains")
    return {
        "managed": True,
        "differences": list(differences(wanted(host), live(host))),
        "others": list(others(chains)),
    }


def live(host: Host) -> str:
    """Return the rules of our tables as nft(8) lists them; none of a table that isn't there."""
    found = (host.run([*_LIST, "table", "inet", table]) for table in TABLES)
    return "\n".join(output.text for output in found if not output.status)


def wanted(host: Host) -> str:
    """Return the same of the file, loaded where it concerns nobody. Raises HostError."""
    script = f"nft --file {FILE} && {' '.join(_LIST)} ruleset"
    output = host.run(["unshare", "--net", "sh", "-c", script])
    if output.status:
        raise HostError(f"{FILE} can't be loaded: {output.text}")
    return output.text


def differences(before: str, after: str) -> Iterator[dict[str, str]]:
    """Yield ``change`` (added or removed), ``chain`` and ``rule`` for each line that differs."""
    lines = difflib.unified_diff(_rules(before), _rules(after), n=0, lineterm="")
    words = {"+": "added", "-": "removed"}
    for line in lines:
        if line[:1] in words and "\t" in line:
            chain, _tab, rule = line[1:].partition("\t")
            yield {"change": words[line[0]], "chain": chain, "rule": rule}


def _rules(text: str) -> list[str]:
    """Return the lines of a listing, each with the table and the chain or set that it is in."""
    found, where = [], list[str]()
    for raw in text.splitlines():
        line = " ".join(raw.split())
        if line.endswith("{"):
            where.append(line.removesuffix("{").strip())
        elif line == "}":
            where.pop()
        elif line:
            names = [part.split()[-1] for part in where]
            found.append(f"{' '.join(names)}\t{line}")
    return found


def others(chains: str) -> Iterator[str]:
    """Yield family, table and name of chains of others that may drop what comes in."""
    for entry in json.loads(chains)["nftables"]:
        chain = entry.get("chain", {})
        if chain.get("hook") in _HOOKS and chain["table"] not in TABLES:
            yield f"{chain['family']} {chain['table']} {chain['name']}"
