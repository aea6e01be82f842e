# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import json
import time
from typing import Any

import pytest
from testinfra.host import Host

BLOCKED = "inet servertechnik_block blocked_4"
UNIT = "servertechnik-firewall.service"
Pair = Any  # of conftest.py
both = pytest.mark.parametrize("version", [4, 6])


@pytest.mark.parametrize(
    ("kind", "port", "by_ipv4", "by_ipv6"),
    [
        ("tcp", 22, "yes", "yes"),
        ("tcp", 7002, "yes", "yes"),
        ("udp", 7002, "yes", "yes"),
        ("tcp", 7003, "silence", "silence"),
        ("udp", 7003, "silence", "silence"),
        ("tcp", 7004, "silence", "yes"),
        ("tcp", 7005, "silence", "yes"),
        ("udp", 7004, "silence", "silence"),
        ("tcp", 7006, "silence", "silence"),  # for networks elsewhere
        ("tcp", 7007, "yes", "yes"),  # not by the first of two services, but by the second
        ("tcp", 7008, "yes", "yes"),
        ("tcp", 7009, "yes", "yes"),  # by a line of our own
        ("icmp", 0, "yes", "yes"),
    ],
)
def test_what_comes_in(pair: Pair, kind: str, port: int, by_ipv4: str, by_ipv6: str) -> None:
    found = [pair.ask(version, (kind, port)) for version in (4, 6)]
    assert found == [[by_ipv4], [by_ipv6]]


def test_what_is_for_one_host_is_for_no_other(pair: Pair) -> None:
    is_meant = pair.peer.backend.get_hostname() == "firewall-bookworm"
    assert pair.ask(4, ("tcp", 7000)) == ["yes" if is_meant else "silence"]
    # The inventory knows no such address of the host.
    assert pair.ask(6, ("tcp", 7000)) == ["silence"]


def test_the_host_reaches_itself(pair: Pair) -> None:
    assert pair.ask_self("127.0.0.1", ("tcp", 7003)) == ["yes"]
    assert pair.ask_self(pair.target(6), ("tcp", 7003)) == ["yes"]


@both
def test_each_source_has_its_rate(pair: Pair, version: int) -> None:
    pair.host.check_output(f"nft flush set inet servertechnik service_limited.rate_{version}")
    before = pair.counters()
    found = pair.ask(version, *[("tcp", 7001)] * 4)
    assert found == ["yes", "yes", "yes", "silence"]
    after = pair.counters()
    assert after["service_limited"] - before["service_limited"] == 3
    assert after["service_limited.limited"] > before["service_limited.limited"]
    # Nothing else is concerned.
    assert pair.ask(version, ("tcp", 7002)) == ["yes"]


def test_connections_are_counted_by_service(pair: Pair) -> None:
    before = pair.counters()
    pair.ask(4, ("tcp", 7002), ("udp", 7002), ("tcp", 7003))
    after = pair.counters()
    assert after["service_both"] - before["service_both"] == 2
    assert after["dropped"] > before["dropped"]
    assert after["service_six"] == before["service_six"]


def test_neighbours_find_each_other(pair: Pair) -> None:
    pair.peer.check_output("ip neigh flush dev eth0")
    assert pair.ask(6, ("tcp", 7002)) == ["yes"]


def test_address_that_belongs_elsewhere_is_taken_for_forged(pair: Pair) -> None:
    # The host has neighbours of that network, but elsewhere.
    forged, network = "198.51.100.9", "198.51.100.0/24"
    pair.host.check_output(f"ip route add {network} dev podman0")
    pair.peer.check_output(f"ip address add {forged}/32 dev lo")
    try:
        before = pair.counters()
        assert pair.ask(4, ("tcp", 7002), source=forged) == ["silence"]
    finally:
        pair.peer.check_output(f"ip address del {forged}/32 dev lo")
        pair.host.check_output(f"ip route del {network} dev podman0")
    after = pair.counters()
    assert after["dropped_spoofed"] > before["dropped_spoofed"]
    assert after["service_both"] == before["service_both"]


def test_block_ends_by_itself_and_outlives_a_reload(pair: Pair) -> None:
    element = f"'{{ {pair.source(4)} timeout 6s }}'"
    pair.host.check_output(f"nft add element {BLOCKED} {element}")
    pair.host.check_output(f"systemctl reload {UNIT}")
    assert pair.ask(4, ("tcp", 7002), ("icmp", 0)) == ["silence", "silence"]
    assert pair.ask(6, ("tcp", 7002)) == ["yes"]
    deadline = time.monotonic() + 30
    while pair.ask(4, ("tcp", 7002)) != ["yes"]:
        assert time.monotonic() < deadline, "still blocked"


@pytest.mark.parametrize(
    ("name", "element"), [("listed_4", "203.0.113.66"), ("listed_6", "2001:db8:bad::/48")]
)
def test_what_the_inventory_blocks(host: Host, name: str, element: str) -> None:
    listed = host.check_output(f"nft list set inet servertechnik_block {name}")
    assert f"elements = {{ {element} }}" in listed


@both
def test_port_that_a_container_publishes_is_open(pair: Pair, version: int) -> None:
    assert pair.ask(version, ("tcp", 8080)) == ["yes"]


def test_container_reaches_others_and_the_host_as_anybody_does(pair: Pair) -> None:
    assert pair.ask_from_box(pair.source(4), ("tcp", 7002)) == ["yes"]
    found = pair.ask_from_box("10.88.0.1", ("tcp", 7002), ("tcp", 7008))
    assert found == ["yes", "silence"]


def test_tables_of_others_are_untouched(host: Host) -> None:
    tables = host.check_output("nft list tables").splitlines()
    ours = ["table inet servertechnik", "table inet servertechnik_block"]
    assert set(ours) <= set(tables)
    theirs = [table for table in tables if table not in ours]
    now = [host.check_output(f"nft --stateless list {table}") for table in theirs]
    before = host.file("/root/foreign.nft").content_string
    assert "podman" in before or "NETAVARK" in before
    assert "\n".join(now).split() == before.split()


def test_flush_by_debians_own_service_does_not_open_the_host(pair: Pair) -> None:
    # With our table alone, since others are to stay as they are.
    pair.host.check_output(
        "cp /etc/nftables.conf /root; "
        "echo 'delete table inet servertechnik' >/etc/nftables.conf; "
        "systemctl start nftables.service"
    )
    try:
        pair.host.check_output(
            "until nft list chain inet servertechnik input; do sleep 0.1; done 2>&1"
        )
    finally:
        pair.host.check_output("cp /root/nftables.conf /etc")
    assert pair.ask(4, ("tcp", 7003), ("tcp", 22)) == ["silence", "yes"]


def test_is_loaded_before_the_network(host: Host) -> None:
    unit = host.service(UNIT)
    assert unit.is_enabled
    assert unit.is_running
    shown = host.check_output(f"systemctl show {UNIT} --property=Before")
    assert "network-pre.target" in shown


def test_outline_is_for_people(host: Host) -> None:
    lines = host.file("/etc/servertechnik/firewall.txt").content_string.splitlines()
    assert "both: tcp and udp 7002 from any; logged" in lines
    assert "ssh: tcp 22 from bed (10.89.0.0/16, 2001:db8:bed::/64)" in lines
    assert "blocked: 203.0.113.66" in lines
    assert not [line for line in lines if line.startswith("closed")]


def test_all_that_is_open_is_named(host: Host) -> None:
    listed = json.loads(host.check_output("nft --json list map inet servertechnik services"))
    (found,) = [entry["map"] for entry in listed["nftables"] if "map" in entry]
    assert len(found["elem"]) == 9
