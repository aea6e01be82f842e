"""Which hosts and networks are wanted: read from JSON or from an inventory's `bed_*` variables."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from tests.bed.environment import ROOT, BedError, run
from tests.bed.images import RELEASES

# Where hosts live that ask for no network: podman chooses the addresses.
ANYWHERE = "bed"
# Subnets of a network, or a host's addresses in it: at most one of each family.
Places = tuple[str, ...]
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True)
class Host:
    """One host: its release, and its addresses in each network (none: any)."""

    name: str
    release: str
    addresses: Mapping[str, Places]


@dataclass(frozen=True)
class Spec:
    """Hosts, and the subnets of each network they are in (none: any)."""

    hosts: tuple[Host, ...]
    networks: Mapping[str, Places]

    def only(self, names: Iterable[str]) -> Spec:
        """The same with the named hosts alone; all of them when no name is given.

        Raises:
            BedError: a name is not in the spec.
        """
        wanted = set(names)
        unknown = sorted(wanted - {host.name for host in self.hosts})
        if unknown:
            raise BedError(f"no such host: {', '.join(unknown)}")
        hosts = tuple(host for host in self.hosts if not wanted or host.name in wanted)
        return Spec(hosts, self.networks)


def of_arguments(words: Iterable[str]) -> Spec:
    """From `NAME=RELEASE` words, hosts in the network where podman chooses addresses."""
    hosts = []
    for word in words:
        name, _, release = word.partition("=")
        hosts.append({"name": name, "release": release})
    return of_data({"hosts": hosts})


def of_data(data: Mapping[str, Any]) -> Spec:
    """From parsed JSON: `hosts` (list of `name`, `release`, `addresses`), `networks` (subnets).

    A network has one subnet (text), or one of each family (list); so has a host addresses in it.

    Raises:
        BedError: a name, release, network or address can't be; the text says which.
    """
    networks = {ANYWHERE: (), **_places(data.get("networks") or {})}
    hosts = tuple(
        Host(item["name"], item["release"], _places(item.get("addresses") or {}) or {ANYWHERE: ()})
        for item in data["hosts"]
    )
    problems = [problem for host in hosts for problem in _problems(host, networks)]
    if problems:
        raise BedError("\n".join(problems))
    return Spec(hosts, networks)


def of_inventory(inventory: Path) -> Spec:
    """From the hosts of an Ansible inventory that have `bed_release`.

    Raises:
        BedError: the inventory can't be read, or no host in it is one of the bed's.
    """
    command = Path(sys.executable).parent / "ansible-inventory"
    if not command.exists():
        command = ROOT / ".venv" / "bin" / "ansible-inventory"
    listed = json.loads(run(command, "--list", "-i", inventory).stdout)
    variables = listed["_meta"]["hostvars"]
    hosts, networks = [], {}
    for name, values in variables.items():
        if "bed_release" in values:
            networks.update(values.get("bed_networks", {}))
            address = values.get("bed_addresses", {})
            hosts.append({"name": name, "release": values["bed_release"], "addresses": address})
    if not hosts:
        raise BedError(f"{inventory}: no host has `bed_release`, none can be made here")
    return of_data({"hosts": hosts, "networks": networks})


def _places(given: Mapping[str, str | Sequence[str]]) -> dict[str, Places]:
    texts = {name: [value] if isinstance(value, str) else value for name, value in given.items()}
    return {name: tuple(filter(None, values)) for name, values in texts.items()}


def _problems(host: Host, networks: Mapping[str, Places]) -> list[str]:
    problems = []
    if not _NAME.fullmatch(host.name):
        problems.append(f"{host.name!r}: not a host name (small letters, digits, '-' and '.')")
    if host.release not in RELEASES:
        known = ", ".join(RELEASES)
        problems.append(f"{host.name}: release {host.release!r} is none of {known}")
    for network, addresses in host.addresses.items():
        if network not in networks:
            problems.append(f"{host.name}: network {network!r} is none of {', '.join(networks)}")
            continue
        found = (_misplaced(address, network, networks[network]) for address in addresses)
        problems += [f"{host.name}: {problem}" for problem in found if problem]
    return problems


def _misplaced(address: str, network: str, subnets: Places) -> str:
    if not subnets:
        return f"{network} gives addresses of its own, {address} can't be asked for"
    try:
        inside = any(ip_address(address) in ip_network(subnet) for subnet in subnets)
    except ValueError:
        return f"{address!r} is no address"
    return "" if inside else f"{address} is not in {network} ({', '.join(subnets)})"
