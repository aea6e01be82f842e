# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The firewall comes, changes, is refused, routes and goes, on real hosts."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from tests.conftest_hosts import Fleet, Host, Results
from tests.hosts.tasks import looks, shell, snapshot

ROLE = "Let in what is meant to come in"
UNIT = "servertechnik-firewall.service"
PLACES = ("/etc/servertechnik", "/etc/systemd/system")
FOREIGN = """
table inet foreign {
    set friends { type ipv4_addr; elements = { 203.0.113.7 }; }
    chain input { type filter hook input priority 10; policy accept; ip saddr @friends accept; }
}
"""
SSH = {"name": "ssh", "ports": [22], "zones": ["any"]}
WEB = {"name": "web", "ports": [80, 443], "networks": ["203.0.113.0/24"]}
WEB_LINE = "web: tcp 80, 443 from 203.0.113.0/24"
NOBODY = {**SSH, "zones": None, "networks": ["203.0.113.0/24"]}
# office - this host - dmz, and behind office, over a link for short packets, far.
NETWORKS = """
for name in office dmz far; do ip netns add $name; ip -n $name link set lo up; done
link() { # a namespace, its network, the other namespace or none for the host, the MTU
    ip ${3:+-n $3} link add $1 mtu $4 type veth peer name uplink mtu $4 netns $1
    ip ${3:+-n $3} address add 10.$2.0.1/24 dev $1
    ip ${3:+-n $3} address add 2001:db8:$2::1/64 dev $1 nodad
    ip ${3:+-n $3} link set $1 up
    ip -n $1 address add 10.$2.0.2/24 dev uplink
    ip -n $1 address add 2001:db8:$2::2/64 dev uplink nodad
    ip -n $1 link set uplink up
    ip -n $1 route add default via 10.$2.0.1
    ip -n $1 route add default via 2001:db8:$2::1
}
link office 30 "" 1500; link dmz 40 "" 1500; link far 50 office 1300
ip route add 10.50.0.0/24 via 10.30.0.2
ip route add 2001:db8:50::/64 via 2001:db8:30::2
for key in ipv4/ip_forward ipv6/conf/all/forwarding; do
    ip netns exec office sh -c "echo 1 >/proc/sys/net/$key"
    echo 0 >/proc/sys/net/$key
done
"""
# Tells each client the address that it comes from.
SERVER = """
import socket, sys, threading
def serve(port):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        connection, peer = listener.accept()
        connection.sendall(peer[0].removeprefix("::ffff:").encode())
        connection.close()
for port in map(int, sys.argv[1:]):
    threading.Thread(target=serve, args=(port,)).start()
"""
CLIENT = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 1) as connection:
        print(connection.recv(99).decode())
except OSError as error:
    print(type(error).__name__)
"""
# What a host learns of the way to an address by sending too much.
LEARN = """
import socket, sys, time
six = ":" in sys.argv[1]
level, discover, mtu = (socket.IPPROTO_IPV6, 23, 24) if six else (socket.IPPROTO_IP, 10, 14)
with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.setsockopt(level, discover, 2)
    sock.connect((sys.argv[1], 9))
    for _ in range(50):
        if sock.getsockopt(level, mtu) == 1300:
            break
        try:
            sock.send(bytes(1400))
        except OSError:
            pass
        time.sleep(0.1)
    print(sock.getsockopt(level, mtu))
"""
GATEWAY: dict[str, Any] = {
    "firewall_gateway": True,
    "firewall_zones": [
        {"name": "office", "networks": ["10.30.0.0/24", "2001:db8:30::/64"]},
        {"name": "dmz", "networks": ["10.40.0.0/24", "2001:db8:40::/64"], "interfaces": ["dmz"]},
    ],
    "firewall_forwards": [
        {"name": "web", "ports": ["80-81"], "from": {"zones": ["office"]}, "to": {"zones": ["dmz"]}}
    ],
    "firewall_nat": [
        {"name": "hidden", "type": "masquerade", "protocol": "tcp", "ports": [81],
         "from": {"zones": ["office"]}, "to": {"zones": ["dmz"]}, "interface": "dmz"},
        {"name": "door", "type": "dnat", "protocol": "tcp", "ports": [8080],
         "original": "10.30.0.1", "address": "10.40.0.2", "port": 82},
        {"name": "door6", "type": "dnat", "protocol": "tcp", "ports": [8080], "interface": "office",
         "original": "2001:db8:30::1", "address": "2001:db8:40::2", "port": 82},
    ],
}  # fmt: skip


def play(fleet: Fleet, *services: Any, check: bool = False, **variables: Any) -> Results:
    """What the role's component says by release, with these services alone."""
    role = {
        "name": "role",
        "ansible.builtin.include_role": {"name": "servertechnik.core.firewall"},
        "vars": {
            "firewall_playbook": "",
            "firewall_services": [*services],
            "firewall_confirm_timeout": 60,
            **variables,
        },
    }
    facts = {"name": "facts", "ansible.builtin.setup": {"gather_subset": ["network"]}}
    told = fleet.play([facts, role], *(["--check", "--diff"] if check else ["--diff"]))
    return {
        release: next(one for name, one in results.items() if name.endswith(ROLE))
        for release, results in told.items()
    }


def ruleset(host: Host) -> str:
    return host.sh("nft --stateless list ruleset")


@pytest.fixture(scope="module")
def told(fleet: Fleet) -> dict[str, Results]:
    """What each run said, by a name for it."""
    at_first = [
        shell("foreign", f"echo {shlex.quote(FOREIGN)} | nft -f -\n{NETWORKS}"),
        snapshot("looks", *PLACES, units=(UNIT,)),
        shell("rules", "nft --stateless list ruleset; cat /proc/sys/net/ipv4/ip_forward"),
    ]
    again = at_first[1:]
    return {
        "at first": fleet.play(at_first),
        "shut out": play(fleet, NOBODY, firewall_gateway=True),
        "after shut out": fleet.play(again),
        "nonsense": play(fleet, SSH, firewall_extra_input=["tcp dport 23 acept"]),
        "after nonsense": fleet.play(again),
        "come check": play(fleet, SSH, WEB, check=True),
        "come": play(fleet, SSH, WEB),
        "come again": play(fleet, SSH, WEB),
        "change check": play(fleet, SSH, {**WEB, "ports": [443]}, check=True),
        "change": play(fleet, SSH, {**WEB, "ports": [443]}),
        "less": play(fleet, SSH),
    }


@pytest.mark.parametrize("run", ["shut out", "nonsense"])
def test_first_installation_that_fails_leaves_nothing(
    told: dict[str, Results], release: str, run: str
) -> None:
    assert told[run][release]["failed"]
    before, after = (told[when][release] for when in ("at first", f"after {run}"))
    assert after["rules"]["stdout"] == before["rules"]["stdout"]
    units = looks(after["looks"])["units"]
    assert units == looks(before["looks"])["units"]
    ours = [path for path in looks(after["looks"])["files"] if "firewall" in path]
    assert ours == []


def test_nonsense_is_refused_before_anything_is_loaded(
    told: dict[str, Results], release: str
) -> None:
    result = told["nonsense"][release]
    assert "acept" in result["msg"]
    assert "/etc/servertechnik/firewall.nft" in result["msg"]


@pytest.mark.parametrize("run", ["come", "change"])
def test_check_mode_tells_what_comes_and_goes(
    told: dict[str, Results], release: str, run: str
) -> None:
    check, real = (told[name][release] for name in (f"{run} check", run))
    assert not real.get("failed"), real
    assert check["outline"] == real["outline"]
    assert check["files"] == real["files"]


def test_outline_is_in_terms_of_services(told: dict[str, Results], release: str) -> None:
    come, change, less = (told[run][release] for run in ("come", "change", "less"))
    assert come["outline"] == {"added": ["ssh: tcp 22 from any", WEB_LINE], "removed": []}
    fewer = WEB_LINE.replace("80, ", "")
    assert change["outline"] == {"added": [fewer], "removed": [WEB_LINE]}
    assert less["outline"] == {"added": [], "removed": [fewer]}


def test_second_run_changes_nothing(told: dict[str, Results], release: str) -> None:
    assert not told["come again"][release]["changed"]


@pytest.mark.usefixtures("told")
def test_no_trace_of_a_service_that_went(host: Host) -> None:
    listed = host.sh("nft list table inet servertechnik")
    assert "service_ssh" in listed
    assert "web" not in listed
    assert "203.0.113" not in listed


def test_table_of_others_stays(told: dict[str, Results], host: Host, release: str) -> None:
    before = told["at first"][release]["rules"]["stdout"]
    now = host.sh("nft --stateless list table inet foreign")
    assert "friends" in now
    assert now.strip() in before


@pytest.fixture(scope="module")
def routing(told: dict[str, Results], fleet: Fleet) -> Results:
    """The hosts as gateways, with somebody behind each."""
    assert told
    results = play(fleet, SSH, **GATEWAY)
    code = shlex.quote(SERVER)
    for host in fleet.hosts.values():
        host.sh(
            f"systemd-run --quiet --unit=dmz ip netns exec dmz python3 -c {code} 80 81 82 83; "
            f"systemd-run --quiet --unit=office ip netns exec office python3 -c {code} 80; "
            "for at in 'dmz :83' 'office :80'; do set -- $at; "
            "until ip netns exec $1 ss --listening --tcp --numeric | grep -q $2; "
            "do sleep 0.1; done; done"
        )
    return results


def heard(host: Host, where: str, target: str, port: int) -> str:
    """What somebody in a namespace hears from a server: the address that it sees."""
    client = f"python3 -c {shlex.quote(CLIENT)} {target} {port}"
    return host.sh(f"ip netns exec {where} {client}").strip()


def test_gateway_is_one(routing: Results, host: Host, release: str) -> None:
    assert not routing[release].get("failed"), routing
    assert host.sh("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding") == (
        "1\n1\n"
    )


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize(
    ("where", "target", "port", "answer"),
    [
        ("office", "10.40.0.2", 80, "10.30.0.2"),
        ("office", "2001:db8:40::2", 80, "2001:db8:30::2"),
        ("office", "10.40.0.2", 81, "10.40.0.1"),  # masqueraded
        ("office", "2001:db8:40::2", 81, "2001:db8:30::2"),  # not with IPv6
        ("office", "10.40.0.2", 82, "TimeoutError"),  # not that way
        ("office", "10.30.0.1", 8080, "10.30.0.2"),  # but that
        ("office", "2001:db8:30::1", 8080, "2001:db8:30::2"),
        ("office", "10.40.0.2", 83, "TimeoutError"),
        ("far", "10.40.0.2", 80, "TimeoutError"),  # in no zone
        ("dmz", "10.30.0.2", 80, "TimeoutError"),
        ("dmz", "2001:db8:30::2", 80, "TimeoutError"),
    ],
)
def test_what_a_gateway_passes_on(
    host: Host, where: str, target: str, port: int, answer: str
) -> None:
    assert heard(host, where, target, port) == answer


@pytest.mark.usefixtures("routing")
def test_zone_comes_in_only_where_it_belongs(host: Host) -> None:
    # Of the other side's network; the way back is right for the routing table.
    host.sh(
        "ip -n office address add 10.40.0.77/32 dev lo; ip route add 10.40.0.77/32 via 10.30.0.2"
    )
    count = "nft --json list counter inet servertechnik dropped_spoofed"
    before = json.loads(host.sh(count))["nftables"][1]["counter"]["packets"]
    client = CLIENT.replace(", 1)", ", 1, ('10.40.0.77', 0))")
    host.sh(f"ip netns exec office python3 -c {shlex.quote(client)} 10.30.0.1 22")
    after = json.loads(host.sh(count))["nftables"][1]["counter"]["packets"]
    assert after > before


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("target", ["10.50.0.2", "2001:db8:50::2"])
def test_host_learns_how_long_a_packet_may_be(host: Host, target: str) -> None:
    assert host.sh(f"python3 -c {shlex.quote(LEARN)} {target}").strip() == "1300"


@pytest.mark.usefixtures("routing")
def test_host_that_is_no_gateway_any_more(fleet: Fleet) -> None:
    results = play(fleet, SSH)
    for release, host in fleet.hosts.items():
        assert not results[release].get("failed"), results
        assert host.sh("cat /proc/sys/net/ipv4/ip_forward").strip() == "0"
        assert heard(host, "office", "10.40.0.2", 80) == "TimeoutError"
