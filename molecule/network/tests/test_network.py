# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import json
from typing import Any

import pytest
from testinfra.host import Host


def ip(host: Host, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(host.check_output(f"ip -j {' '.join(words)}"))
    return found


@pytest.mark.parametrize("link", ["eth0", "inside"])
def test_link_is_configured(host: Host, link: str) -> None:
    assert f"/10-{link}.network" in host.check_output(f"networkctl status {link}")
    assert "(configured)" in host.check_output(f"networkctl status {link}")


@pytest.mark.parametrize("address", ["198.51.100.1/25", "198.51.100.2/32", "2001:db8:1::1/64"])
def test_address_is_there(host: Host, address: str) -> None:
    (link,) = ip(host, "address show dev inside")
    assert address in [f"{one['local']}/{one['prefixlen']}" for one in link["addr_info"]]


def test_nothing_else_is_there(host: Host) -> None:
    (link,) = ip(host, "address show dev eth0")
    assert sorted(one["scope"] for one in link["addr_info"]) == ["global", "global", "link"]
    assert [one["ifname"] for one in ip(host, "link show")] == ["lo", "eth0", "inside"]


def test_one_default_route_for_each_family_and_no_other(host: Host) -> None:
    for family in ("-4", "-6"):
        found = ip(host, family, "route show default")
        assert [(one["dev"], one["protocol"]) for one in found] == [("eth0", "static")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("-4 route show table 77", "203.0.113.0/24 via 198.51.100.9 proto static src 198.51.100.2 "
         "metric 5 mtu 1300"),
        ("-6 route show dev inside", "2001:db8:2::/48 via 2001:db8:1::9 proto static metric 1024"),
        ("-4 route show table main", "blackhole 192.0.2.128/25 proto static"),
        ("-4 rule", "1000: from 198.51.100.0/25 lookup 77 proto static"),
        ("-6 rule", "1001: from 2001:db8:1::/64 to 2001:db8:3::/48 lookup main prohibit"),
        ("-4 rule", "1002: from all fwmark 0x10/0xff lookup 77 suppress_prefixlength 0"),
    ],
)  # fmt: skip
def test_routes_and_rules(host: Host, words: str, expected: str) -> None:
    text = " ".join(host.check_output(f"ip {words}").split()).replace("dev inside ", "")
    text = text.replace("linkdown ", "")
    assert expected in text


def test_options_of_links(host: Host) -> None:
    (eth0,) = ip(host, "link show dev eth0")
    (inside,) = ip(host, "-d link show dev inside")
    bridge = inside["linkinfo"]["info_data"]
    assert eth0["mtu"] == 1400
    assert inside["address"] == "02:00:5e:00:53:01"
    assert (bridge["stp_state"], bridge["forward_delay"]) == (1, 400)


def test_names_are_told_to_those_who_look_them_up(host: Host) -> None:
    index = ip(host, "link show dev eth0")[0]["ifindex"]
    state = host.file(f"/run/systemd/netif/links/{index}").content_string
    gateway = ip(host, "-4 route show default")[0]["gateway"]
    assert f"\nDNS={gateway}\n" in state
    assert "\nDOMAINS=example.org\n" in state


def test_outline_says_it_in_plain_words(host: Host) -> None:
    lines = host.file("/etc/servertechnik/network.txt").content_string.splitlines()
    assert "inside: address 198.51.100.1/25 in inside" in lines
    assert "inside: route to 203.0.113.0/24 through 198.51.100.9 from 198.51.100.2 with metric 5 " \
        "in table 77 in packets of 1300 bytes" in lines  # fmt: skip


@pytest.mark.parametrize(
    "unit", ["systemd-networkd.service", "systemd-networkd-wait-online.service"]
)
def test_unit_starts_at_boot(host: Host, unit: str) -> None:
    assert host.service(unit).is_enabled


def test_foreign_routes_and_rules_are_left_alone(host: Host) -> None:
    host.check_output(
        "ip link add docker9 type bridge; ip address add 198.51.100.129/28 dev docker9;"
        "ip link set docker9 up; ip route add 203.0.113.128/26 via 198.51.100.130 table 99;"
        "ip rule add from 203.0.113.128/26 lookup 99 priority 900;"
        "systemctl restart systemd-networkd; servertechnik network"
    )
    assert "203.0.113.128/26 via 198.51.100.130" in host.check_output("ip route show table 99")
    assert "lookup 99" in host.check_output("ip rule show priority 900")
    assert "198.51.100.129/28" in host.check_output("ip -brief address show docker9")


def test_host_says_that_all_is_well(host: Host) -> None:
    assert host.run("servertechnik network --verify").rc == 0
