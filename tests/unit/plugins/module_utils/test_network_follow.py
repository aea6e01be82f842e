# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils import _ip
from ansible_collections.servertechnik.core.plugins.module_utils._network_follow import (
    bridge_words,
    follow,
    leftovers,
)
from ansible_collections.servertechnik.core.plugins.module_utils._networkd_state import (
    FOLDER,
    RECORD,
    NetworkFile,
    record,
)

from tests.unit.plugins.module_utils.networks import RELEASES, Recorded, recorded

NETWORK = """\
[Match]
Name=podman9
[Network]
DHCP={dhcp}
IPv6AcceptRA=no
# Address=203.0.113.9/24
[Address]
Address=198.51.100.129/28
[Address]
Address=2001:db8:9:0::1/64
[Route]
Destination=203.0.113.0/26
Gateway=198.51.100.130
Metric=5
[Route]
Destination=2001:db8:97::/64
Gateway=fe80::1
"""


def file(text: str) -> NetworkFile:
    return NetworkFile(f"{FOLDER}/10-x.network", text)


def test_settings_of_a_file() -> None:
    found = file(NETWORK.format(dhcp="no"))
    assert found.values("Address", "Address") == ["198.51.100.129/28", "2001:db8:9:0::1/64"]
    assert found.value("Network", "DHCP") == "no"
    assert found.value("Network", "VLAN") == ""
    assert [list(one) for one in found.sections("Route")] == [
        ["Destination", "Gateway", "Metric"], ["Destination", "Gateway"],
    ]  # fmt: skip


@pytest.fixture(params=RELEASES)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Recorded:
    return Recorded(tmp_path, recorded(request.param))


@pytest.mark.parametrize(
    ("dhcp", "stays"),
    [("no", []), ("ipv4", ["198.51.100.150/32"])],  # a dynamic one may be from there
)
def test_what_a_former_owner_left_goes(host: Recorded, dhcp: str, stays: list[str]) -> None:
    found = leftovers(
        file(NETWORK.format(dhcp=dhcp)), "podman9", _ip.addresses(host), _ip.routes(host)
    )
    gone = {words[2] for _family, words in found}
    assert gone == {
        "198.51.100.150/32", "198.51.100.160", "203.0.113.64/26", "203.0.113.128/26"
    } - set(stays)  # fmt: skip


def test_nothing_is_left_of_what_the_file_says(host: Recorded) -> None:
    text = NETWORK.format(dhcp="no")
    text += "[Route]\nDestination=203.0.113.128/26\nGateway=198.51.101.1\nTable=100\n"
    text += "[Address]\nAddress=198.51.100.150/32\n[Address]\nAddress=198.51.100.160/32\n"
    routes = [one for one in _ip.routes(host) if "nexthop" not in one["words"]]
    assert list(leftovers(file(text), "podman9", _ip.addresses(host), routes)) == []


def test_default_routes_are_told_apart_by_gateway_and_metric(host: Recorded) -> None:
    text = "[Network]\nDHCP=no\n[Address]\nAddress=198.51.100.10/25\n[Address]\n"
    text += "Address=2001:db8:bed::10/64\n[Route]\nGateway=198.51.100.1\n[Route]\n"
    text += "Destination=::/0\nGateway=2001:db8:bed::1\nMetric=100\n"
    found = leftovers(file(text), "eth0", _ip.addresses(host), _ip.routes(host))
    assert [" ".join(words[:5]) for _family, words in found] == [
        "route delete default via 198.51.100.1"  # podman's has metric 100
    ]


def test_bridge_in_words_of_ip() -> None:
    text = "[NetDev]\nName=b\nKind=bridge\n[Bridge]\nSTP=yes\nForwardDelaySec=4\n"
    words = list(bridge_words(file(text)))
    assert dict(zip(words[::2], words[1::2], strict=True)) == {
        "stp_state": "1", "priority": "32768", "forward_delay": "400", "hello_time": "200",
        "max_age": "2000", "ageing_time": "30000", "mcast_snooping": "1", "mcast_querier": "0",
        "vlan_filtering": "0",
    }  # fmt: skip


def vlan(name: str, index: int) -> dict[str, Any]:
    """A VLAN as `ip -d -j link show` of a virtual machine shows it."""
    return {
        "ifindex": index, "ifname": name, "link": "eth0", "flags": ["UP", "LOWER_UP"],
        "mtu": 1500, "link_type": "ether", "address": "02:00:00:00:00:01",
        "linkinfo": {"info_kind": "vlan", "info_data": {"protocol": "802.1Q", "id": 10}},
    }  # fmt: skip


@pytest.fixture
def running(host: Recorded) -> Recorded:
    """networkd has made two VLANs and knows eth0; docker made a bridge."""
    answers = dict(host.answers)
    answers["link show"] = [*answers["link show"], vlan("one", 10), vlan("two", 11)]
    host.answers = answers
    for index, name in {10: "one", 11: "two", 2: "eth0"}.items():
        host.put(f"/run/systemd/netif/links/{index}",
                 f"ADMIN_STATE=configured\nNETWORK_FILE={FOLDER}/10-{name}.network\n")  # fmt: skip
    for name in ("one", "two"):
        host.put(f"/sys/class/net/{name}/mtu", "1500")
        host.put(f"{FOLDER}/10-{name}.netdev", f"[NetDev]\nName={name}\nKind=vlan\n")
        host.put(f"{FOLDER}/10-{name}.network", f"[Match]\nName={name}\n")
    host.put(f"{FOLDER}/10-eth0.network", "[Match]\nName=eth0\n")
    follow(host)
    host.ran.clear()
    return host


def did(host: Recorded) -> list[str]:
    """What was done to the network, without questions."""
    asked = ("systemctl is-active", "systemctl show")
    return [one for one in host.ran if not one.startswith(asked)]


def test_nothing_new_is_one_look_at_the_files(running: Recorded) -> None:
    follow(running)
    assert did(running) == ["networkctl reload"]


def test_virtual_link_whose_file_has_gone_goes_too(running: Recorded) -> None:
    for suffix in ("netdev", "network"):
        Path(running.at(f"{FOLDER}/10-one.{suffix}")).unlink()
    follow(running)
    assert did(running) == ["networkctl reload", "ip link delete dev one"]
    assert record(running)["netdevs"]["one"] == ""


def test_virtual_link_with_another_file_is_made_anew(running: Recorded) -> None:
    running.put(f"{FOLDER}/10-one.netdev", "[NetDev]\nName=one\nKind=vlan\n[VLAN]\nId=20\n")
    follow(running)
    assert did(running) == [
        "networkctl reload", "ip link delete dev one", "systemctl restart systemd-networkd.service",
    ]  # fmt: skip


def test_port_that_comes_loose_is_untied_first(running: Recorded) -> None:
    noted = json.loads(Path(running.at(RECORD)).read_text())
    noted["netdevs"]["br0"] = "former"
    running.put(RECORD, json.dumps(noted))
    for one in running.answers["link show"]:
        if one["ifname"] == "eth0":
            one["master"] = "br0"
    follow(running)
    assert did(running) == [
        "ip link set dev eth0 nomaster", "networkctl reload",
        "systemctl restart systemd-networkd.service",
    ]  # fmt: skip


def test_without_files_networkd_lets_go(running: Recorded) -> None:
    for path in Path(running.at(FOLDER)).iterdir():
        path.unlink()
    follow(running)
    assert did(running) == [
        "networkctl reload", "ip link delete dev one", "ip link delete dev two"
    ]  # fmt: skip


def test_other_configuration_needs_a_restart(running: Recorded) -> None:
    running.put("/etc/systemd/networkd.conf.d/x.conf", "[Network]\nManageForeignRoutes=no\n")
    follow(running)
    assert did(running) == ["systemctl restart systemd-networkd.service"]
