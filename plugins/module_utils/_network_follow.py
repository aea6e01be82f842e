# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Make the live network follow the files of systemd-networkd.

networkd itself creates what is missing and reconfigures what has a new file. What it leaves to
others is done here: virtual links that are no longer wanted, or not as they are, are removed;
ifupdown lets go of its links first; and what a former owner left on a link goes as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from ipaddress import ip_interface, ip_network
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils import _ip
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._networkd_state import (
    CONFIGURATION,
    FOLDER,
    SERVICE,
    NetworkFile,
    configuration,
    files,
    is_active,
    netdevs,
    record,
    set_record,
    settle,
    started,
    states,
)

LONGEST = 5  # seconds to wait for networkd; what takes longer is judged by `verify`
IFSTATE = "/run/network/ifstate"
IFUPDOWN = "networking.service"
UDEV = "/run/udev/control"
METRICS = {"-4": 0, "-6": 1024}  # what the kernel takes where a route names none


def follow(host: Host) -> None:
    """Make live links follow the files in /etc/systemd/network. Raises HostError.

    Without any, networkd lets go of the links that it has, and whoever had them can take over.
    """
    networks = files(host, ".network")
    if networks:
        _leave_ifupdown(host)
    running = is_active(host)
    before = {index for index, state in states(host).items() if _is_ours(state)} if running else ()
    links = _ip.links(host)
    stale = set(_stale(host, links))
    for name in stale:
        host.must("ip", "link", "delete", "dev", name)
    _remember(host, gone=stale)
    if networks:
        _rename(host, links)
    _have_networkd_read(host, running=running, wanted=bool(networks))
    settle(host, LONGEST)
    if not networks:
        return
    _reattach(host, networks, stale)
    for index, state in states(host).items():
        if _is_ours(state) and index not in before:
            _clean(host, index, networks.get(state["NETWORK_FILE"]))


def _is_ours(state: dict[str, str]) -> bool:
    return state.get("NETWORK_FILE", "").startswith(f"{FOLDER}/")


def _leave_ifupdown(host: Host) -> None:
    """Have ifupdown take its links down by its own rules, while it still knows them."""
    if host.run(["systemctl", "is-active", "--quiet", IFUPDOWN]).status == 0:
        host.run(["systemctl", "stop", IFUPDOWN])
    if not os.path.exists(host.at(IFSTATE)):
        return
    # Those that came up by hotplug are not among the ones that the service stops.
    for line in host.content(IFSTATE).decode().split():
        name = line.partition("=")[0]
        if name != "lo":
            host.run(["ifdown", "--force", name])


def _stale(host: Host, links: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the virtual links that have to go: without a file, or made from another one."""
    wanted, former = netdevs(host), record(host)["netdevs"]
    changed = _changed_since_boot(host)
    state = states(host)
    for name, link in links.items():
        if link["kind"] not in _ip.VIRTUAL:
            continue
        if name not in wanted:
            if former.get(name) or _is_ours(state.get(link["index"], {})):
                yield name
        elif name in former:
            if former[name] != wanted[name] and link["kind"] != "bridge":
                yield name
        elif name in changed and link["kind"] != "bridge":
            yield name


def _changed_since_boot(host: Host) -> set[str]:
    """Return the links whose file is newer than this boot, so that they may be of an older one."""
    boot = started(host)
    return {
        one.value("NetDev", "Name")
        for path, one in files(host, ".netdev").items()
        if os.stat(host.at(path)).st_mtime > boot
    }


def _remember(host: Host, gone: Iterable[str]) -> None:
    former = record(host)
    former["netdevs"] |= dict.fromkeys([*former["netdevs"], *gone], "") | netdevs(host)
    set_record(host, former)


def _rename(host: Host, links: dict[str, dict[str, Any]]) -> None:
    """Give devices the names that our files for udev want, and have it set the rest."""
    if not os.path.exists(host.at(UDEV)) or not files(host, ".link"):
        return
    for name in links:
        place = f"/sys/class/net/{name}"
        if not os.path.exists(host.at(f"{place}/device")):
            continue
        text = host.run(["udevadm", "test-builtin", "net_setup_link", place]).text
        said = dict(line.partition("=")[::2] for line in text.splitlines())
        if not said.get("ID_NET_LINK_FILE", "").startswith(FOLDER):
            continue
        new = said.get("ID_NET_NAME", name)
        if new != name:
            host.must("ip", "link", "set", "dev", name, "down")
            host.must("ip", "link", "set", "dev", name, "name", new)
        # `move` alone lets udev set a device up again without others taking it for a new one.
        host.run(["udevadm", "trigger", "--settle", "--action=move", f"/sys/class/net/{new}"])


def _have_networkd_read(host: Host, *, running: bool, wanted: bool) -> None:
    """Start networkd, restart it when its configuration is another, or have it look again."""
    now = configuration(host)
    if running and not (wanted and _is_outdated(host, now)):
        host.must("networkctl", "reload")
    elif running or wanted:
        host.must("systemctl", "restart", SERVICE)
    set_record(host, record(host) | {"configuration": now})


def _is_outdated(host: Host, now: str) -> bool:
    """Whether networkd runs with another configuration than it would read now."""
    former = record(host)["configuration"]
    folder = host.at(CONFIGURATION)
    if former or not os.path.isdir(folder):
        return bool(former) and former != now
    return os.stat(folder).st_mtime >= started(host, SERVICE)


def _reattach(host: Host, networks: dict[str, NetworkFile], renewed: set[str]) -> None:
    """Have networkd tie links to those that were made anew; it only looks at new files."""
    links = _ip.links(host)
    for one in networks.values():
        tied = {v for key in ("Bond", "Bridge", "VLAN") for v in one.values("Network", key)}
        for name in one.values("Match", "Name"):
            if tied & renewed and name in links:
                host.run(["networkctl", "reconfigure", name])


def _clean(host: Host, index: int, file: NetworkFile | None) -> None:
    """Remove what a former owner left on a link that networkd has just taken over."""
    names = [name for name, link in _ip.links(host).items() if link["index"] == index]
    if file is None or not names:
        return
    for family, words in leftovers(file, names[0], _ip.addresses(host), _ip.routes(host)):
        host.run(["ip", family, *words])


def leftovers(
    file: NetworkFile, dev: str, addresses: list[dict[str, Any]], routes: list[dict[str, Any]]
) -> Iterator[tuple[str, list[str]]]:
    """Yield family and words that remove each address and route of `dev` that `file` lacks.

    Dynamic ones stay where DHCP or routers may have given them, and so do those of the kernel and
    of routing daemons.
    """
    wanted = {str(ip_interface(text)) for text in file.values("Address", "Address")}
    learns = file.value("Network", "DHCP") != "no" or file.value("Network", "IPv6AcceptRA") == "yes"
    for one in addresses:
        text = str(ip_interface(f"{one['local']}/{one['length']}"))
        if one["dev"] == dev and text not in wanted and not (one["dynamic"] and learns):
            yield one["family"], ["address", "delete", *one["words"]]
    keys = [_key(section) for section in file.sections("Route")]
    for one in routes:
        learnt = learns and one["protocol"] in _ip.LEARNT
        ours = one["protocol"] in _ip.CONFIGURED and one["devs"] == [dev]
        if ours and not learnt and one["key"] not in keys:
            yield one["family"], ["route", "delete", *one["words"]]


def _key(section: dict[str, list[str]]) -> list[Any]:
    """Return what tells one route from another: family, destination, gateway, table, metric."""
    one = {key: values[-1] for key, values in section.items()}
    gateway, to = one.get("Gateway", ""), one.get("Destination", "default")
    family = "-6" if ":" in f"{gateway}{to}" else "-4"
    everywhere = to in ("default", "0.0.0.0/0", "::/0")
    return [
        family,
        "default" if everywhere else str(ip_network(to)),
        gateway,
        one.get("Table", "main"),
        int(one.get("Metric", METRICS[family])),
    ]
