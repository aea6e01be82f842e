# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The network as it is now: save it, and put it back.

Links that come and go meanwhile, such as those of containers, are left alone with all that leads
through them; so are the routes of routing daemons.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils import _ip
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._networkd_state import (
    made,
    settle,
)

LONGEST = 8  # seconds in which services that were just told to go back may interfere
PAUSE = 0.3
STEADY = 4  # times that all must be found well in a row: networkd may come after us
WRITE = "write"

Words = list[str]
State = dict[str, Any]


def save(host: Host) -> State:
    """Return the live network as plain data: links, addresses, routes, rules and settings."""
    links = _ip.links(host)
    return {
        "links": links,
        "addresses": _ip.addresses(host),
        "routes": _ip.routes(host),
        "rules": _ip.rules(host),
        "settings": _ip.settings(host, list(links)),
    }


def put_back(host: Host, saved: State) -> list[str]:
    """Make the live network as `saved`; return a line for each thing that would not go back."""
    settle(host, LONGEST)
    ours = made(host)
    deadline = time.monotonic() + LONGEST
    well = 0
    while True:
        late = time.monotonic() >= deadline
        trouble: dict[str, str] = {}
        live = save(host)
        # One part after the other, for routes need addresses, and these need links.
        for part in ("links", "settings", "addresses", "routes", "rules"):
            if todo := steps(part, saved, live, ours):
                trouble |= {" ".join(words): _carry_out(host, words) for words in todo}
                live = save(host)
        well = 0 if trouble else well + 1
        if well == STEADY or (late and well):
            return []
        if late:  # what was done in the pass before has had its time
            return [f"'{s}' {t or 'was undone by somebody else'}" for s, t in trouble.items()]
        time.sleep(PAUSE)


def _carry_out(host: Host, words: Words) -> str:
    """Do one step; return what went wrong."""
    if words[0] == WRITE:
        with contextlib.suppress(OSError), open(host.at(words[1]), "w") as file:
            file.write(words[2])
            return ""
        return "was refused by the kernel"
    output = host.run(words)
    return f"failed: {output.text}" if output.status else ""


def steps(part: str, saved: State, live: State, ours: set[str]) -> list[Words]:
    """Return the commands that bring one part of the live network closer to what was saved.

    `ours` are the names of virtual links that may be made and removed.
    """
    if part == "settings":
        now = live["settings"]
        return [
            [WRITE, path, value]
            for path, value in saved["settings"].items()
            if now.get(path, value) != value
        ]
    if part == "links":
        return list(_links(saved["links"], live["links"], ours))
    known = set(saved["links"]) & set(live["links"])
    find = {"addresses": _addresses, "routes": _routes, "rules": _rules}[part]
    return list(find(saved[part], live[part], known))


def _links(saved: State, live: State, ours: set[str]) -> Iterator[Words]:
    for name, link in saved.items():
        others = [o for o in live if live[o]["index"] == link["index"] and o not in saved]
        for other in others if name not in live else ():
            yield ["ip", "link", "set", "dev", other, "down"]
            yield ["ip", "link", "set", "dev", other, "name", name]
    for name, link in live.items():
        if link["kind"] in _ip.VIRTUAL and name not in saved and name in ours:
            yield ["ip", "link", "delete", "dev", name]
    for name, link in saved.items():
        if name in live:
            yield from _link(name, link, live[name])
        elif link["kind"] in _ip.VIRTUAL and name in ours:
            yield from _new_link(name, link)


def _new_link(name: str, link: State) -> Iterator[Words]:
    below = ["link", link["parent"]] if link["parent"] else []
    birth = ["type", link["kind"], *link["fixed"]]
    yield ["ip", "link", "add", *below, "name", name, "address", link["mac"], *birth]


def _link(name: str, link: State, now: State) -> Iterator[Words]:
    """Yield the steps from `now` to `link`; what can't be changed is removed, to be made anew."""
    change = ["ip", "link", "set", "dev", name]
    if link["kind"] in _ip.VIRTUAL:
        if any(link[key] != now[key] for key in ("kind", "parent", "fixed")):
            yield ["ip", "link", "delete", "dev", name]
            return
        if link["options"] != now["options"]:
            yield [*change, "type", link["kind"], *link["options"]]
    if link["master"] != now["master"]:
        yield [*change, "down"]
        yield [*change, *(["master", link["master"]] if link["master"] else ["nomaster"])]
    if link["mac"] != now["mac"] and link["kind"] != "bond":
        yield [*change, "address", link["mac"]]
    if link["mtu"] != now["mtu"]:
        yield [*change, "mtu", str(link["mtu"])]
    if link["up"] != now["up"] or (link["up"] and link["master"] != now["master"]):
        yield [*change, "up" if link["up"] else "down"]


def _addresses(saved: list[State], live: list[State], known: set[str]) -> Iterator[Words]:
    wanted = [one["words"] for one in saved]
    # One that a DHCP client or a router has renewed takes the place of the one that was there.
    renewed = {(one["dev"], one["family"]) for one in saved if one["dynamic"]}
    present = [one["words"] for one in live]
    for one in live:
        kept = one["words"] in wanted or (one["dynamic"] and (one["dev"], one["family"]) in renewed)
        if one["dev"] in known and not kept:
            yield ["ip", one["family"], "address", "delete", *one["words"]]
    for one in saved:
        if one["dev"] in known and one["words"] not in present:
            at_once = ["nodad"] if one["family"] == "-6" else []
            words = [*one["words"], *at_once, *one["lifetime"]]
            yield ["ip", one["family"], "address", "add", *words]


def _routes(saved: list[State], live: list[State], known: set[str]) -> Iterator[Words]:
    wanted = [(one["family"], one["words"]) for one in saved]
    present = [(one["family"], one["words"]) for one in live]
    learnt = {(one["protocol"], *one["devs"]) for one in saved if one["protocol"] in _ip.LEARNT}
    for one in live:
        ours = one["protocol"] in _ip.CONFIGURED and set(one["devs"]) <= known
        kept = (one["family"], one["words"]) in wanted or (one["protocol"], *one["devs"]) in learnt
        if ours and not kept:
            yield ["ip", one["family"], "route", "delete", *one["words"]]
    # Those that lead through a gateway need the network that it is in.
    for one in sorted(saved, key=lambda one: "via" in one["words"]):
        if (one["family"], one["words"]) not in present and set(one["devs"]) <= known:
            yield ["ip", one["family"], "route", "add", *one["words"]]


def _rules(saved: list[State], live: list[State], _known: set[str]) -> Iterator[Words]:
    wanted = [(one["family"], one["words"]) for one in saved]
    present = [(one["family"], one["words"]) for one in live]
    for one in live:
        if one["protocol"] == "static" and (one["family"], one["words"]) not in wanted:
            yield ["ip", one["family"], "rule", "delete", *one["words"]]
    for one in saved:
        if (one["family"], one["words"]) not in present:
            yield ["ip", one["family"], "rule", "add", *one["words"]]
