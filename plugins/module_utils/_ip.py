# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What the kernel's network is, asked of ip(8), as the words with which ip(8) makes it so.

Two networks are alike when their words are alike, and a word is also what a person reads.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host

FOREVER = 4294967295
FAMILIES = {"inet": "-4", "inet6": "-6"}
# Routes of these protocols come from configuration; others belong to the kernel and to daemons.
LEARNT = ("dhcp", "ra")
CONFIGURED = ("boot", "static", *LEARNT)
# Options of links as ip(8) shows them and as it takes them, by kind; those that are fixed at birth
# come first.
_FIXED = {
    "vlan": {"id": "id", "protocol": "protocol"},
    "bond": {"mode": "mode"},
    "bridge": {},
    "dummy": {},
}
_OPTIONS = {
    "vlan": {},
    "dummy": {},
    "bond": {
        "miimon": "miimon",
        "updelay": "updelay",
        "downdelay": "downdelay",
        "arp_interval": "arp_interval",
        "min_links": "min_links",
        "xmit_hash_policy": "xmit_hash_policy",
        "ad_lacp_rate": "lacp_rate",
        "ad_select": "ad_select",
        "fail_over_mac": "fail_over_mac",
        "primary": "primary",
    },
    "bridge": {
        "stp_state": "stp_state",
        "forward_delay": "forward_delay",
        "hello_time": "hello_time",
        "max_age": "max_age",
        "ageing_time": "ageing_time",
        "priority": "priority",
        "vlan_filtering": "vlan_filtering",
        "mcast_snooping": "mcast_snooping",
        "mcast_querier": "mcast_querier",
    },
}
VIRTUAL = tuple(_FIXED)
_SYSCTLS = ("disable_ipv6", "accept_ra", "autoconf", "use_tempaddr", "addr_gen_mode")


def ask(host: Host, *words: str) -> list[dict[str, Any]]:
    """Return what ip(8) answers; nothing for a family that the kernel doesn't have."""
    output = host.run(["ip", "-j", "-d", *words])
    if output.status or "[" not in output.text:
        return []
    found: list[dict[str, Any]] = json.loads(output.text[output.text.index("[") :])
    return [entry for entry in found if entry]


def links(host: Host) -> dict[str, dict[str, Any]]:
    """Return each link by name: index, kind, up, carrier, asks (for neighbours), mtu, mac, master,
    parent (of a VLAN), and the words of its kind that are `fixed` and its `options`.
    """
    found = {}
    for entry in ask(host, "link", "show"):
        kind = entry.get("linkinfo", {}).get("info_kind", "")
        info = entry.get("linkinfo", {}).get("info_data", {})
        found[entry["ifname"]] = {
            "index": entry["ifindex"],
            "kind": kind,
            "up": "UP" in entry["flags"],
            "carrier": "LOWER_UP" in entry["flags"],
            "asks": entry["link_type"] == "ether" and "NOARP" not in entry["flags"],
            "mtu": entry["mtu"],
            "mac": entry.get("address", ""),
            "master": entry.get("master", ""),
            "parent": entry.get("link", "") if kind in VIRTUAL else "",
            "fixed": _options(info, _FIXED.get(kind, {})),
            "options": _options(info, _OPTIONS.get(kind, {})),
        }
    return found


def _options(info: dict[str, Any], names: dict[str, str]) -> list[str]:
    """Return the words that make a link as it is."""
    words: list[str] = []
    for shown, taken in names.items():
        if shown in info:
            words += [taken, str(info[shown])]
    return words


def addresses(host: Host) -> list[dict[str, Any]]:
    """Return each address that the kernel doesn't make by itself: words, dev, family, dynamic.

    `lifetime` are the words for the time that is left to a dynamic one.
    """
    return [
        _address(link["ifname"], entry)
        for link in ask(host, "address", "show")
        for entry in link.get("addr_info", [])
        if entry.get("local") and entry["scope"] not in ("link", "host")
    ]


def _address(dev: str, entry: dict[str, Any]) -> dict[str, Any]:
    length = entry["prefixlen"]
    peer = entry.get("address")
    words = [entry["local"], "peer", f"{peer}/{length}"] if peer else [f"{entry['local']}/{length}"]
    if entry.get("broadcast"):
        words += ["broadcast", entry["broadcast"]]
    if entry.get("label", dev) != dev:
        words += ["label", entry["label"]]
    words += [flag for flag in ("noprefixroute", "mngtmpaddr") if entry.get(flag)]
    valid, preferred = entry["valid_life_time"], entry["preferred_life_time"]
    dynamic = valid != FOREVER
    lifetime = ["valid_lft", str(valid), "preferred_lft", str(preferred)] if dynamic else []
    return {
        "words": [*words, "dev", dev],
        "dev": dev,
        "family": FAMILIES[entry["family"]],
        "dynamic": dynamic,
        "lifetime": lifetime,
        "local": entry["local"],
        "length": length,
        "state": [s for s in ("tentative", "dadfailed") if entry.get(s)],
    }


def routes(host: Host) -> list[dict[str, Any]]:
    """Return each route that somebody made: words, devs, family, protocol.

    Not those of the table local or for link-local networks, which the kernel makes.
    """
    return [
        _route(family, entry)
        for family in FAMILIES.values()
        for entry in ask(host, family, "route", "show", "table", "all")
        if entry.get("table") != "local"
        and entry["dst"] not in ("fe80::/64", "ff00::/8")
        and "nhid" not in entry
    ]


def _route(family: str, entry: dict[str, Any]) -> dict[str, Any]:
    kind = entry.get("type", "unicast")
    one = "/32" if family == "-4" else "/128"
    words = [*([kind] if kind != "unicast" else []), entry["dst"], *_way(entry)]
    for key, word in {
        "table": "table",
        "protocol": "proto",
        "scope": "scope",
        "prefsrc": "src",
        "metric": "metric",
    }.items():
        if key in entry and entry[key] not in ("main", "boot"):
            words += [word, str(entry[key])]
    for metrics in entry.get("metrics", []):
        for name, value in metrics.items():
            words += [name, str(value)]
    hops = entry.get("nexthops", [])
    for hop in hops:
        words += ["nexthop", *_way(hop), "weight", str(hop.get("weight", 1))]
    return {
        "words": words,
        "devs": sorted({e["dev"] for e in (entry, *hops) if "dev" in e}),
        "family": family,
        "protocol": entry.get("protocol", "boot"),
        "key": [
            family,
            entry["dst"]
            if "/" in entry["dst"] or entry["dst"] == "default"
            else entry["dst"] + one,
            entry.get("gateway", ""),
            str(entry.get("table", "main")),
            entry.get("metric", 0),
        ],
    }


def _way(entry: dict[str, Any]) -> list[str]:
    """Return the words for where a route leads first."""
    words = []
    if "gateway" in entry:
        words += ["via", entry["gateway"]]
    elif "via" in entry:
        words += ["via", entry["via"]["family"], entry["via"]["host"]]
    if "dev" in entry:
        words += ["dev", entry["dev"]]
    return words + [flag for flag in entry.get("flags", []) if flag == "onlink"]


def rules(host: Host) -> list[dict[str, Any]]:
    """Return each policy rule: words, family, protocol."""
    return [
        {
            "words": list(_rule(entry)),
            "family": family,
            "protocol": entry.get("protocol", "boot"),
        }
        for family in FAMILIES.values()
        for entry in ask(host, family, "rule", "show")
    ]


def _rule(entry: dict[str, Any]) -> Iterator[str]:
    yield from ("not",) if "not" in entry else ()
    for key, word in {"src": "from", "dst": "to"}.items():
        if key in entry:
            length = entry.get(f"{key}len")
            yield from (word, entry[key] if length is None else f"{entry[key]}/{length}")
    if "fwmark" in entry:
        mask = f"/{entry['fwmask']}" if "fwmask" in entry else ""
        yield from ("fwmark", f"{entry['fwmark']}{mask}")
    if "uid_start" in entry:
        yield from ("uidrange", f"{entry['uid_start']}-{entry['uid_end']}")
    for key, word in {
        "iif": "iif",
        "oif": "oif",
        "tos": "tos",
        "ipproto": "ipproto",
        "sport": "sport",
        "dport": "dport",
        "table": "table",
        "suppress_prefixlen": "suppress_prefixlength",
        "goto": "goto",
        "protocol": "protocol",
        "priority": "priority",
    }.items():
        if key in entry:
            yield from (word, str(entry[key]))
    yield from (entry["action"],) if "action" in entry else ()


def settings(host: Host, names: list[str]) -> dict[str, str]:
    """Return what networkd changes of the kernel's settings for links, by path below /proc/sys."""
    found = {}
    for name in names:
        for key in _SYSCTLS:
            path = f"/proc/sys/net/ipv6/conf/{name}/{key}"
            with contextlib.suppress(OSError):
                found[path] = host.content(path).decode().strip()
    return found
