# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Whether the network is as systemd-networkd's files say and answers, in words for people."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils import _ip, _neighbours
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._networkd_state import (
    NetworkFile,
    files,
    states,
)

EVERYWHERE = ("", "0.0.0.0/0", "::/0")
DISCARD = 9  # RFC 863: whoever gets it throws it away; only the neighbour's answer matters
PATIENCE = 1.5  # seconds that a neighbour has to answer
ANSWERED = {"REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT", "NOARP"}
INIT = 1

Found = list[tuple[str, NetworkFile]]


def verify(host: Host) -> None:
    """Raise HostError that names all that is not as it must be.

    Links are configured, ports are tied to their bridge or bond, every address is there and nobody
    else has it, and the default gateways answer.
    """
    links, state = _ip.links(host), states(host)
    troubles: list[str] = []
    found: Found = []
    for path, file in files(host, ".network").items():
        names = [
            name
            for name, link in links.items()
            if state.get(link["index"], {}).get("NETWORK_FILE") == path
        ]
        if not names and _is_needed(file):
            troubles.append(f"{_label(file)} is not there")
        for name in names:
            troubles += _link(name, file, links, state[links[name]["index"]])
            found.append((name, file))
    if not troubles:
        gateways = list(_gateways(found))
        for name, gateway in gateways:
            _greet(host, name, gateway)
        troubles += [*_addresses(host, found), *_duplicates(host, links, found, new=False)]
        troubles += [] if troubles else _silent(host, gateways)
    if troubles:
        raise HostError("; ".join(troubles))


def check(host: Host, *, moves: bool) -> None:
    """Refuse, before anything is changed, what is certain to go wrong. Raises HostError.

    Somebody else has an address that this host is to get; or no link has the address by which the
    controller came in, and it isn't told of another (`moves`).
    """
    wanted = files(host, ".network").values()
    came, kept = controllers_way(), [str(one.ip) for file in wanted for one in _wanted(file)]
    if came and not moves and came not in kept and not any(map(_is_told, wanted)):
        raise HostError(
            f"network_links: found no {came}, by which the controller comes in; accepted: a link "
            "with this address, or network_confirm_address with the one where the host will answer"
        )
    links = _ip.links(host)
    found = [
        (name, file) for file in wanted for name in file.values("Match", "Name") if name in links
    ]
    for trouble in _duplicates(host, links, found, new=True):
        raise HostError(trouble)


def controllers_way() -> str:
    """Return the address of this host at which the controller's connection ends; may be empty.

    Only the host knows: names, jump hosts and address translation hide it from the controller.
    """
    process = os.getpid()
    while process > INIT:
        with contextlib.suppress(OSError):
            with open(f"/proc/{process}/environ", "rb") as file:
                environment = file.read().decode(errors="replace").split("\0")
            for entry in environment:
                if entry.startswith("SSH_CONNECTION="):
                    return entry.split()[2]
        try:
            with open(f"/proc/{process}/stat") as file:
                process = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            return ""
    return ""


def _is_needed(file: NetworkFile) -> bool:
    """Whether others wait for a link: the host at boot, a bridge, a bond or a VLAN."""
    tied = [v for key in ("Bond", "Bridge", "VLAN") for v in file.values("Network", key)]
    return bool(tied) or file.value("Link", "RequiredForOnline") != "no"


def _label(file: NetworkFile) -> str:
    (match, *_rest) = file.sections("Match")
    return " and ".join(
        value if key == "Name" else f"a link with {key} {value}"
        for key, values in match.items()
        for value in values
    )


def _link(
    name: str, file: NetworkFile, links: dict[str, Any], state: dict[str, str]
) -> Iterator[str]:
    if state.get("ADMIN_STATE") == "failed":
        yield f"{name} could not be configured by systemd-networkd"
        return
    for key in ("Bond", "Bridge"):
        for master in file.values("Network", key):
            if links[name]["master"] != master:
                yield f"{name} is no port of {master}"
    for vlan in file.values("Network", "VLAN"):
        if links.get(vlan, {}).get("parent") != name:
            yield f"{vlan} is not there on {name}"
    if file.value("Link", "RequiredForOnline") == "no":
        return
    if state.get("ONLINE_STATE") != "online" or state.get("ADMIN_STATE") != "configured":
        why = "" if links[name]["carrier"] else ", without a carrier"
        why += "".join(
            f", and its gateway {gateway} is in none of its networks"
            for _name, gateway in _gateways([(name, file)])
            if not _is_near(gateway, file)
        )
        yield f"{name} is {state.get('ADMIN_STATE')} and {state.get('OPER_STATE')}{why}"
    elif _is_told(file) and not _wanted(file) and state.get("OPER_STATE") != "routable":
        yield f"{name} was told no address by anybody"


def _is_near(gateway: str, file: NetworkFile) -> bool:
    """Whether a gateway may be reached: link-local ones always, and all when addresses are told."""
    address = ip_address(gateway)
    return (
        address.is_link_local
        or _is_told(file)
        or "yes" in file.values("Route", "GatewayOnLink")
        or any(address in one.network for one in _wanted(file))
    )


def _is_told(file: NetworkFile) -> bool:
    """Whether the network says which addresses a link gets."""
    return file.value("Network", "DHCP") != "no" or file.value("Network", "IPv6AcceptRA") == "yes"


def _wanted(file: NetworkFile) -> list[Any]:
    return [ip_interface(text) for text in file.values("Address", "Address")]


def _addresses(host: Host, found: Found) -> Iterator[str]:
    present = {(one["dev"], one["local"], one["length"]): one for one in _ip.addresses(host)}
    for name, file in found:
        if file.value("Link", "RequiredForOnline") == "no":
            continue
        for address in _wanted(file):
            one = present.get((name, str(address.ip), address.network.prefixlen))
            if one is None:
                yield f"{name} lacks {address}"
            elif "dadfailed" in one["state"]:
                yield f"{address.ip} of {name} is in use by another host"
            elif "tentative" in one["state"]:
                yield f"{address.ip} of {name} is still being checked for duplicates"


def _duplicates(
    host: Host, links: dict[str, Any], found: Found, *, new: bool
) -> Iterator[str]:  # fmt: skip
    """Yield a line for each address of others; `new` for those that this host lacks alone."""
    present = {one["local"] for one in _ip.addresses(host)} if new else set()
    questions = [
        (name, links[name]["mac"], str(address.ip))
        for name, file in found
        if links[name]["carrier"] and links[name]["asks"]
        for address in _wanted(file)
        if str(address.ip) not in present
    ]
    own = {link["mac"] for link in links.values()}
    for name, address, mac in _neighbours.owners(questions, own):
        yield f"{address} of {name} is in use by another host, {mac}"


def _gateways(found: Found) -> Iterator[tuple[str, str]]:
    """Yield each default gateway with the link that leads to it."""
    for name, file in found:
        for section in file.sections("Route"):
            if section.get("Destination", [""])[-1] in EVERYWHERE:
                yield from ((name, gateway) for gateway in section.get("Gateway", []))


def _silent(host: Host, gateways: list[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each gateway that has not answered in time."""
    deadline = time.monotonic() + PATIENCE
    for name, gateway in gateways:
        while not _answered(host, name, gateway):
            if time.monotonic() >= deadline:
                yield f"gateway {gateway} does not answer on {name}"
                break
            time.sleep(0.1)


def _greet(host: Host, name: str, gateway: str) -> None:
    """Have the kernel look for a neighbour afresh (RFC 826, RFC 4861)."""
    family = "-6" if ":" in gateway else "-4"
    host.run(["ip", family, "neighbour", "flush", "to", gateway, "dev", name])
    kind = socket.AF_INET6 if ":" in gateway else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(kind, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
        scope = (0, socket.if_nametoindex(name)) if kind == socket.AF_INET6 else ()
        one.sendto(b"\0", (gateway, DISCARD, *scope))


def _answered(host: Host, name: str, gateway: str) -> bool:
    family = "-6" if ":" in gateway else "-4"
    found = _ip.ask(host, family, "neighbour", "show", "to", gateway, "dev", name)
    return any(ANSWERED & set(entry.get("state", [])) for entry in found)
