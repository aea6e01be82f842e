# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The host's own links and routes, as iproute2, sysfs and the driver tell them."""

from __future__ import annotations

import array
import fcntl
import json
import os
import socket
import struct
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._probe_loop import (
    ProbeError,
    Steps,
    Values,
    Wait,
    Work,
)
from ansible_collections.servertechnik.core.plugins.module_utils._probe_transport import (
    Options,
    Place,
)

_SYSFS = "/sys/class/net"
# linux/sockios.h, linux/ethtool.h
_SIOCETHTOOL = 0x8946
_GDRVINFO = 0x00000003
_DRVINFO_SIZE = 196


@dataclass(frozen=True)
class Link:
    """A network interface: its name, hardware address and MTU in bytes."""

    name: str
    mac: bytes
    mtu: int


def ip(*words: str) -> Any:
    """Return what ``ip -json`` says, parsed. Raises ProbeError with its own words."""
    output = Host().run(["ip", "-json", *words])
    if output.status:
        raise ProbeError(f"ip {' '.join(words)}: {output.text}")
    return json.loads(output.text or "[]")


def link_named(name: str) -> Link:
    """Return an interface of this host. Raises ProbeError when there is none of that name."""
    folder = os.path.join(_SYSFS, name)
    if not name or "/" in name or not os.path.isdir(folder):
        there = ", ".join(sorted(os.listdir(_SYSFS)))
        raise ProbeError(f"interface: found {name!r}, accepted: one of {there}")
    mac = bytes.fromhex((_read(name, "address") or "").replace(":", ""))
    return Link(name, mac, int(_read(name, "mtu") or 0))


def link_to(place: Place) -> Generator[Wait | Work, Any, Link]:
    """Return the interface by which this host reaches an address."""
    link: Link = yield Work(lambda: link_named(route_to(place.text)["dev"]))
    return link


def route_to(address: str) -> dict[str, Any]:
    """Return the route to an address: ``dev``, ``prefsrc`` and, if there is one, ``gateway``."""
    plain, _mark, scope = address.partition("%")
    route: dict[str, Any] = ip("route", "get", plain, *(["oif", scope] if scope else []))[0]
    return route


def link(options: Options, _until: float) -> Steps:
    """Look at an interface. Returns ``carrier``, ``speed_mbit``, ``duplex``, ``mtu``, ``mac``,
    ``driver`` and ``state``; what the driver doesn't know is missing.
    """
    values: Values = yield Work(lambda: _link(options["interface"]))
    return values


def _link(name: str) -> Values:
    found = link_named(name)
    speed = _read(name, "speed")
    values: Values = {
        "carrier": _read(name, "carrier") == "1",
        "speed_mbit": int(speed) if speed and int(speed) > 0 else None,
        "duplex": _read(name, "duplex"),
        "mtu": found.mtu,
        "mac": found.mac.hex(":"),
        "driver": driver(name),
        "state": _read(name, "operstate"),
    }
    unknown = (None, "", "unknown")
    return {key: value for key, value in values.items() if value not in unknown}


def _read(name: str, what: str) -> str | None:
    """Return a value of sysfs; None where the driver refuses, as most do while a link is down."""
    try:
        with open(os.path.join(_SYSFS, name, what), encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def driver(name: str) -> str:
    """Return the name of a link's driver (``ETHTOOL_GDRVINFO``), empty if it doesn't say."""
    buffer = array.array("B", struct.pack("I", _GDRVINFO).ljust(_DRVINFO_SIZE, b"\0"))
    request = struct.pack("16sP", name.encode(), buffer.buffer_info()[0]).ljust(40, b"\0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            fcntl.ioctl(one, _SIOCETHTOOL, request)
        except OSError:
            return ""
    return buffer.tobytes()[4:36].partition(b"\0")[0].decode(errors="replace")
