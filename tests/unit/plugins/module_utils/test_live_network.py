# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._live_network import (
    put_back,
    save,
    steps,
)

from tests.unit.plugins.module_utils.networks import RELEASES, Recorded, recorded

PARTS = ("links", "settings", "addresses", "routes", "rules")
State = dict[str, Any]


@pytest.fixture(params=RELEASES)
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> State:
    """A network as it was on a host of each release."""
    host = Recorded(tmp_path, recorded(request.param))
    for link in ("eth0", "podman9"):
        host.put(f"/proc/sys/net/ipv6/conf/{link}/accept_ra", "1\n")
    return save(host)


def every(saved: State, live: State, *ours: str) -> list[str]:
    return [" ".join(words) for part in PARTS for words in steps(part, saved, live, set(ours))]


def words_of(saved: State, part: str) -> list[str]:
    return [" ".join(one["words"]) for one in saved[part]]


def test_all_that_somebody_made_is_saved_in_words(saved: State) -> None:
    assert words_of(saved, "addresses") == [
        "198.51.100.10/25 broadcast 198.51.100.127 dev eth0",
        "2001:db8:bed::10/64 dev eth0",
        "198.51.100.129/28 dev podman9",
        "198.51.100.150/32 dev podman9",
        "198.51.100.160 peer 198.51.100.161/32 dev podman9",
        "2001:db8:9::1/64 dev podman9",
    ]
    routes = set(words_of(saved, "routes"))
    assert {
        "default via 198.51.100.1 dev eth0 proto static scope global metric 100",
        "203.0.113.0/26 via 198.51.100.130 dev podman9 scope global src 198.51.100.129 metric 5 "
        "mtu 1400",
        "203.0.113.64/26 scope global nexthop via 198.51.100.130 dev podman9 weight 1 nexthop via "
        "198.51.100.131 dev podman9 weight 2",
        "203.0.113.128/26 via 198.51.101.1 dev podman9 onlink table 100 proto static scope global",
        "blackhole 192.0.2.128/25 scope global",
        "unreachable 2001:db8:98::/64 dev lo scope global metric 1024",
        "2001:db8:97::/64 via fe80::1 dev podman9 scope global metric 1024 mtu 1300",
    } <= routes
    assert not [one for one in routes if "ff00::" in one or "fe80::/64" in one or "local" in one]
    rules = words_of(saved, "rules")
    assert "from all fwmark 0x10/0xff table main suppress_prefixlength 0 protocol static " \
        "priority 900" in rules  # fmt: skip
    assert "from 2001:db8:5::/64 protocol unspec priority 902 unreachable" in rules or \
        "from 2001:db8:5::/64 protocol boot priority 902 unreachable" in rules  # fmt: skip
    assert any(one.startswith("not from all to 203.0.113.0/24 iif eth0 table 44") for one in rules)
    assert any(one.startswith("from all uidrange 5-9 oif eth0 table 45") for one in rules)


def test_same_network_needs_nothing(saved: State) -> None:
    assert every(saved, saved) == []


def test_what_is_lacking_is_added_and_what_is_new_removed(saved: State) -> None:
    live = copy.deepcopy(saved)
    live["addresses"] = [one for one in live["addresses"] if one["dev"] != "eth0"]
    live["routes"] = [one for one in live["routes"] if "default" not in one["words"]]
    new = {"dev": "eth0", "family": "-4", "dynamic": False, "lifetime": [], "words":
           ["198.51.100.20/25", "dev", "eth0"]}  # fmt: skip
    live["addresses"].append(new)
    route = {"words": ["203.0.113.200/32", "via", "198.51.100.9", "dev", "eth0"], "devs": ["eth0"],
             "family": "-4", "protocol": "static"}  # fmt: skip
    live["routes"].append(route)
    rule = {"words": ["from", "198.51.100.20", "table", "9"], "family": "-4", "protocol": "static"}
    live["rules"] = [rule, *live["rules"][1:]]
    assert every(saved, live) == [
        "ip -4 address delete 198.51.100.20/25 dev eth0",
        "ip -4 address add 198.51.100.10/25 broadcast 198.51.100.127 dev eth0",
        "ip -6 address add 2001:db8:bed::10/64 dev eth0 nodad",
        "ip -4 route delete 203.0.113.200/32 via 198.51.100.9 dev eth0",
        "ip -4 route add default via 198.51.100.1 dev eth0 proto static scope global metric 100",
        *(f"ip -6 route add {one}" for one in words_of(saved, "routes")
          if one.startswith("default via 2001")),
        "ip -4 rule delete from 198.51.100.20 table 9",
        f"ip -4 rule add {words_of(saved, 'rules')[0]}",
    ]  # fmt: skip


def test_links_of_others_are_left_alone_with_all_that_leads_there(saved: State) -> None:
    live = copy.deepcopy(saved)
    live["links"]["cni0"] = {**live["links"]["podman9"], "index": 99}
    live["addresses"].append(
        {**saved["addresses"][2], "dev": "cni0", "words": ["x", "dev", "cni0"]}
    )
    live["routes"].append({**saved["routes"][0], "devs": ["cni0"], "words": ["y", "dev", "cni0"]})
    live["rules"].append({"words": ["from", "z"], "family": "-4", "protocol": "boot"})
    assert every(saved, live) == []


def test_links_that_went_meanwhile_are_not_looked_for(saved: State) -> None:
    live = copy.deepcopy(saved)
    del live["links"]["podman9"]
    for part in ("addresses", "routes"):
        live[part] = [one for one in live[part] if "podman9" not in one["words"]]
    live["routes"] = [one for one in live["routes"] if "podman9" not in one.get("devs", [])]
    assert every(saved, live) == []


@pytest.mark.parametrize("protocol", ["bird", "zebra", "kernel"])
def test_routes_of_daemons_and_kernel_are_left_alone(saved: State, protocol: str) -> None:
    live = copy.deepcopy(saved)
    live["routes"].append({**saved["routes"][0], "words": ["y"], "protocol": protocol})
    assert every(saved, live) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"mtu": 9000}, ["mtu 1500"]),
        ({"up": False}, ["up"]),
        ({"mac": "02:00:00:00:00:99"}, ["address {mac}"]),
        ({"master": "br0"}, ["down", "nomaster", "up"]),
    ],
)
def test_link_is_changed_back(saved: State, change: State, expected: list[str]) -> None:
    live = copy.deepcopy(saved)
    live["links"]["eth0"] |= change
    mac = saved["links"]["eth0"]["mac"]
    assert every(saved, live) == [f"ip link set dev eth0 {e.format(mac=mac)}" for e in expected]


def test_renamed_link_gets_its_name_back(saved: State) -> None:
    live = copy.deepcopy(saved)
    live["links"]["lan0"] = live["links"].pop("eth0")
    assert every(saved, live)[:2] == [
        "ip link set dev lan0 down", "ip link set dev lan0 name eth0",
    ]  # fmt: skip


def test_virtual_links_of_ours_come_and_go(saved: State) -> None:
    live = copy.deepcopy(saved)
    live["links"]["br1"] = {**live["links"].pop("podman9"), "index": 99}
    mac = saved["links"]["podman9"]["mac"]
    assert [one for one in every(saved, live, "br1", "podman9") if "link" in one.split()[1]] == [
        "ip link delete dev br1",
        f"ip link add name podman9 address {mac} type bridge",
    ]


def test_bridge_gets_its_options_back(saved: State) -> None:
    live = copy.deepcopy(saved)
    live["links"]["podman9"]["options"] = ["stp_state", "1"]
    (step,) = every(saved, live)
    assert step.startswith("ip link set dev podman9 type bridge stp_state 0 forward_delay 1500 ")


def test_link_that_can_not_change_is_made_anew(saved: State) -> None:
    live = copy.deepcopy(saved)
    saved["links"]["podman9"] |= {"kind": "vlan", "fixed": ["id", "10"], "parent": "eth0"}
    live["links"]["podman9"] |= {"kind": "vlan", "fixed": ["id", "20"], "parent": "eth0"}
    assert every(saved, live) == ["ip link delete dev podman9"]
    del live["links"]["podman9"]
    assert every(saved, live, "podman9")[0].startswith("ip link add link eth0 name podman9 address")
    assert every(saved, live, "podman9")[0].endswith("type vlan id 10")


def test_address_from_dhcp_is_kept_when_it_was_renewed(saved: State) -> None:
    live = copy.deepcopy(saved)
    dynamic = {**saved["addresses"][3], "words": ["198.51.100.151/32", "dev", "podman9"]}
    live["addresses"] = [*live["addresses"][:3], dynamic, *live["addresses"][4:]]
    assert every(saved, live) == [
        "ip -4 address add 198.51.100.150/32 dev podman9 valid_lft 1000 preferred_lft 500"
    ]


def test_settings_of_the_kernel_go_back(saved: State) -> None:
    live = copy.deepcopy(saved)
    live["settings"] = dict.fromkeys(saved["settings"], "0")
    assert every(saved, live) == [
        f"write /proc/sys/net/ipv6/conf/{link}/accept_ra 1" for link in ("eth0", "podman9")
    ]


def test_what_does_not_go_back_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ansible_collections.servertechnik.core.plugins.module_utils._live_network.LONGEST", 0
    )
    host = Recorded(tmp_path, recorded("trixie"))
    state = save(host)
    state["links"]["eth0"]["mtu"] = 9000
    assert put_back(host, state) == [
        "'ip link set dev eth0 mtu 9000' was undone by somebody else"
    ]  # fmt: skip


def test_what_took_until_the_end_is_looked_at_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "ansible_collections.servertechnik.core.plugins.module_utils._live_network"
    host = Recorded(tmp_path, recorded("trixie"))
    state, changed = save(host), save(host)
    changed["links"]["eth0"]["mtu"] = 9000

    def slow(_host: Host) -> State:
        time.sleep(0.01)
        return state if "ip link set dev eth0 mtu 1500" in host.ran else changed

    monkeypatch.setattr(f"{place}.LONGEST", 0.005)
    monkeypatch.setattr(f"{place}.save", slow)
    assert put_back(host, state) == []


def test_what_others_undo_later_goes_back_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "ansible_collections.servertechnik.core.plugins.module_utils._live_network"
    host = Recorded(tmp_path, recorded("trixie"))
    state, changed = save(host), save(host)
    changed["links"]["eth0"]["mtu"] = 9000
    looks = iter([state] * 2 + [changed])
    monkeypatch.setattr(f"{place}.PAUSE", 0)
    monkeypatch.setattr(f"{place}.save", lambda _host: next(looks, state))
    assert put_back(host, state) == []
    assert "ip link set dev eth0 mtu 1500" in host.ran
