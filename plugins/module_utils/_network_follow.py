# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Make the live network follow the files of systemd-networkd.

networkd itself creates what is missing and reconfigures what has a new file. What it leaves to
others is done here: virtual links that are no longer wanted, or not as they are, are removed;
ifupdown lets go of its links first; and what a former owner left on a link goes as well.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
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
# Options of bridges as networkd and ip(8) call them, what the kernel takes where none is given, and
# how many of the kernel's units make one of networkd's.
BRIDGE = {
    "STP": ("stp_state", 0, 1),
    "Priority": ("priority", 32768, 1),
    "ForwardDelaySec": ("forward_delay", 15, 100),
    "HelloTimeSec": ("hello_time", 2, 100),
    "MaxAgeSec": ("max_age", 20, 100),
    "AgeingTimeSec": ("ageing_time", 300, 100),
    "MulticastSnooping": ("mcast_snooping", 1, 1),
    "MulticastQuerier": ("mcast_querier", 0, 1),
    "VLANFiltering": ("vlan_filtering", 0, 1),
}
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
    gone, changed = set(_gone(host, links)), set(_changed(host, links))
    _remember(host, gone)
    if networks:
        _rename(host, links)
    loose = _come_loose(host, links, networks) if running else []
    for name in loose:
        host.must("ip", "link", "set", "dev", name, "nomaster")
    if not running:
        _delete(host, gone | changed)
    _have_networkd_read(host, wanted=bool(networks))
    _delete(host, gone | changed if running else ())
    if running and networks and (loose or changed):
        # It makes again what it finds missing, and takes a port that came loose for another link.
        host.must("systemctl", "restart", SERVICE)
    if not networks or (running and not _new(host, before)):
        return
    settle(host, LONGEST)
    for index, path in _new(host, before).items():
        _clean(host, index, networks.get(path))


def _new(host: Host, before: Collection[int]) -> dict[int, str]:
    """Return the links that have one of our files and had none before, by index."""
    return {
        index: state["NETWORK_FILE"]
        for index, state in states(host).items()
        if _is_ours(state) and index not in before
    }


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


def _gone(host: Host, links: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the virtual links that networkd has made from a file which is no longer there."""
    wanted, former, state = netdevs(host), record(host)["netdevs"], states(host)
    for name, link in links.items():
        ours = former.get(name) or _is_ours(state.get(link["index"], {}))
        if ours and link["kind"] in _ip.VIRTUAL and name not in wanted:
            yield name


def _changed(host: Host, links: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the virtual links that were made from another file than there is now.

    Not bridges: all of what they are can change while they work, and containers may be tied to
    them.
    """
    former, newer = record(host)["netdevs"], _changed_since_boot(host)
    for name, digest in netdevs(host).items():
        other = former[name] != digest if name in former else name in newer
        if other and links.get(name, {}).get("kind") in set(_ip.VIRTUAL) - {"bridge"}:
            yield name


def _come_loose(
    host: Host, links: dict[str, dict[str, Any]], networks: dict[str, NetworkFile]
) -> list[str]:
    """Return the ports whose files no longer tie them to the bridge or bond that they are in."""
    ties = {
        name: [v for key in ("Bond", "Bridge") for v in file.values("Network", key)]
        for file in networks.values()
        for name in file.values("Match", "Name")
    }
    ours = record(host)["netdevs"]
    return [
        name
        for name, link in links.items()
        if link["master"] in ours and name in ties and link["master"] not in ties[name]
    ]


def _delete(host: Host, names: Iterable[str]) -> None:
    for name in sorted(names):
        # A VLAN goes with the link that it is on.
        if os.path.exists(host.at(f"/sys/class/net/{name}")):
            host.must("ip", "link", "delete", "dev", name)


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


def _have_networkd_read(host: Host, *, wanted: bool) -> None:
    """Start networkd, restart it when its configuration is another, or have it look again."""
    now, running = configuration(host), is_active(host)
    if running and not (wanted and _is_outdated(host, now)):
        host.must("networkctl", "reload")
        if wanted:
            _set_bridges(host)
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


def _set_bridges(host: Host) -> None:
    """Have bridges work as their files say; networkd of Debian 12 only does so for new ones."""
    for file in files(host, ".netdev").values():
        name, words = file.value("NetDev", "Name"), list(bridge_words(file))
        if file.value("NetDev", "Kind") == "bridge":
            host.run(["ip", "link", "set", "dev", name, "type", "bridge", *words])


def bridge_words(file: NetworkFile) -> Iterator[str]:
    """Yield the words with which ip(8) makes a bridge as its file says."""
    for option, (word, default, units) in BRIDGE.items():
        said = file.value("Bridge", option)
        number = {"yes": 1, "no": 0}.get(said, int(said) if said.isdigit() else default)
        yield from (word, str(number * units))


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
