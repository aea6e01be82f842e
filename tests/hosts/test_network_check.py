# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What probes find of real servers, filters, links and neighbours: each host looks at the other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest_hosts import Fleet, Host, Results, Task
from tests.hosts.tasks import core

PEER = "{{ hostvars[groups['all'] | difference([inventory_hostname]) | first].ansible_host }}"
NAMES = ["files.example.org", "198.18.0.1"]

SERVERS = """
export DEBIAN_FRONTEND=noninteractive
apt-get install -qq -y --no-install-recommends dnsmasq-base chrony >/dev/null
systemctl stop chrony
mkdir -p /srv/pki /srv/www/sub
cd /srv/pki
printf '%s\\n' 'subjectAltName=DNS:files.example.org,IP:198.18.0.1' > names
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 60 \
    -subj '/CN=Example CA' -keyout ca.key -out ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=files' \
    -keyout key.pem -out files.csr 2>/dev/null
openssl x509 -req -in files.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
    -extfile names -out cert.pem 2>/dev/null
echo 'all is well' > /srv/www/sub/index.html
serve() { name=$1; shift; systemd-run --quiet --unit="probe-$name" "$@"; }
serve tls --working-directory=/srv/pki openssl s_server -accept 8443 -cert cert.pem \
    -key key.pem -cert_chain ca.pem -tls1_2 -alpn http/1.1 -www
serve http --working-directory=/srv/www python3 -m http.server 8000
serve time --property=RuntimeDirectory=chrony \
    chronyd -x -d 'local stratum 5' allow 'bindcmdaddress /' 'cmdport 0'
serve names dnsmasq --keep-in-foreground --no-resolv --no-hosts --port=5353 \
    --host-record=files.example.org,198.18.0.1,2001:db8::1,300 \
    --cname=alias.example.org,files.example.org --max-cache-ttl=0 \
    $(for at in $(seq 40); do echo --txt-record=long.example.org,$at-$(seq -s. 30); done)
"""
FILTERS = """
nft -f - <<END
table inet probes {
    chain input {
        type filter hook input priority 0;
        tcp dport 7001 drop
        tcp dport 7002 reject with icmpx admin-prohibited
        tcp dport 7003 reject with tcp reset
        tcp dport 7004 reject
        udp dport 7001 drop
        udp dport 7002 reject with icmpx admin-prohibited
    }
}
END
"""
# The host, then `near`, which routes to `far` over a link that takes less.
NETWORKS = """
ip netns add near; ip netns add far
ip link add tonear type veth peer name tohost netns near
ip -n near link add tofar mtu 1400 type veth peer name tonear mtu 1400 netns far
ip address add 198.18.0.1/24 dev tonear
ip address add 2001:db8:1::1/64 dev tonear nodad
ip -n near address add 198.18.0.2/24 dev tohost
ip -n near address add 2001:db8:1::2/64 dev tohost nodad
ip -n near address add 198.18.1.2/24 dev tofar
ip -n near address add 2001:db8:2::2/64 dev tofar nodad
ip -n far address add 198.18.1.3/24 dev tonear
ip -n far address add 2001:db8:2::3/64 dev tonear nodad
ip link set tonear up; ip -n near link set tohost up
ip -n near link set tofar up; ip -n far link set tonear up
ip -n far link set lo up
ip netns exec near sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n far route add default via 198.18.1.2; ip -n far route add default via 2001:db8:2::2
ip route add 198.18.1.0/24 via 198.18.0.2; ip route add 2001:db8:2::/64 via 2001:db8:1::2
ip address add 198.18.0.9/24 dev tonear; ip -n near address add 198.18.0.9/24 dev tohost
ip address add 2001:db8:1::9/64 dev tonear nodad preferred_lft 0
ip -n near address add 2001:db8:1::9/64 dev tohost nodad preferred_lft 0
systemd-run --quiet --unit=probe-dhcp ip netns exec near dnsmasq --keep-in-foreground --port=0 \
    --interface=tohost --dhcp-range=198.18.0.50,198.18.0.59,1h --no-ping --dhcp-option=26,1400 \
    --dhcp-option=option:ntp-server,198.18.0.9 --domain=example.org --leasefile-ro
ip link add alone type veth peer name nobody
"""


def probe(kind: str, **options: Any) -> dict[str, Any]:
    return {"probe": kind, **options}


def to_peer(kind: str, **options: Any) -> dict[str, Any]:
    return probe(kind, host=PEER, **options)


TLS = {"port": 8443, "timeout": 10}
TRUSTED = {"server_name": "files.example.org", "ca_file": "/srv/pki/peer.pem"}
PROBES: dict[str, dict[str, Any]] = {
    "open": to_peer("tcp", port=8000),
    "refused": to_peer("tcp", port=7000),
    "dropped": to_peer("tcp", port=7001, timeout=2),
    "prohibited": to_peer("tcp", port=7002),
    "reset": to_peer("tcp", port=7003),
    "port unreachable": to_peer("tcp", port=7004),
    "no neighbour": probe("tcp", host="198.18.0.77", port=1, timeout=5),
    "banner": to_peer("tcp", port=22, banner=True),
    "no name": probe("tcp", host="nowhere.invalid", port=1, timeout=10),
    "no such source": to_peer("tcp", port=8000, source="198.18.9.9"),
    "udp reply": to_peer("udp", port=123),
    "udp refused": to_peer("udp", port=7000, send="x"),
    "udp dropped": to_peer("udp", port=7001, send="x", timeout=2),
    "udp prohibited": to_peer("udp", port=7002, send="x"),
    "a": probe("dns", name="files.example.org", server=PEER, port=5353),
    "aaaa": probe("dns", name="files.example.org", type="AAAA", server=PEER, port=5353),
    "alias": probe("dns", name="alias.example.org", server=PEER, port=5353),
    "reverse": probe("dns", name="198.18.0.1", type="PTR", server=PEER, port=5353),
    "long": probe("dns", name="long.example.org", type="TXT", server=PEER, port=5353),
    "refusing": probe("dns", name="other.example.com", server=PEER, port=5353),
    "no server": probe("dns", name="files.example.org", server=PEER, port=7000),
    "trusted": to_peer("tls", alpn=["h2", "http/1.1"], **TLS, **TRUSTED),
    "untrusted": to_peer("tls", **TLS),
    "no tls": to_peer("tls", port=8000),
    "web": probe("http", url=f"http://{PEER}:8000/sub", headers=["Server"], match="is w[e]ll"),
    "no page": probe("http", url=f"http://{PEER}:8000/none"),
    "no web": probe("http", url=f"http://{PEER}:7000/"),
    "ping": to_peer("icmp"),
    "ping6": probe("icmp", host="2001:db8:1::2"),
    "no ping": probe("icmp", host="198.18.0.77", timeout=2),
    "whole": to_peer("path_mtu"),
    "narrow": probe("path_mtu", host="198.18.1.3"),
    "narrow6": probe("path_mtu", host="2001:db8:2::3", timeout=40),
    "time": to_peer("ntp"),
    "no time": to_peer("ntp", port=7000),
    "lease": probe("dhcp", interface="tonear"),
    "no lease": probe("dhcp", interface="lo", timeout=1),
    "way": probe("default_route"),
    "way6": probe("default_route", family="ipv6"),
    "double": probe("duplicate_address", address="198.18.0.9"),
    "double6": probe("duplicate_address", address="2001:db8:1::9"),
    "single": probe("duplicate_address", address="198.18.0.78", timeout=1.5),
    "single6": probe("duplicate_address", address="2001:db8:1::78", timeout=1.5),
    "link": probe("link", interface="eth0"),
    "cut": probe("link", interface="alone"),
    "no link": probe("link", interface="eth9"),
    "listening": probe("listening"),
}


def look(name: str, probes: list[dict[str, Any]], **options: Any) -> Task:
    return core(name, "network_check", probes=probes, **options)


@pytest.fixture(scope="module")
def told(fleet: Fleet) -> Results:
    """One call with all probes on each host, and a few on how calls themselves behave."""
    hosts = list(fleet.hosts.values())
    for host in hosts:
        host.sh(SERVERS)
        host.sh(FILTERS)
        host.sh(NETWORKS)
    for host, other in zip(hosts, reversed(hosts), strict=True):
        ca = other.sh("cat /srv/pki/ca.pem")
        host.sh(f"cat > /srv/pki/peer.pem <<'END'\n{ca}END\n")
        for port in (8000, 8443, 5353):
            host.sh(f"until ss -Hltn sport = {port} | grep -q .; do sleep 0.1; done")
    many = [to_peer("tcp", port=port, expect={"state": "refused"}) for port in range(20000, 24000)]
    return fleet.play(
        [
            look("all", list(PROBES.values())),
            look("check", [PROBES["open"]]) | {"check_mode": True},
            look("many", many),
            look("late", [PROBES["dropped"], PROBES["open"]], deadline=0.5),
            look("strict", [PROBES["dropped"], PROBES["open"]], strict=True),
            look("plain user", [PROBES["open"], PROBES["ping"], PROBES["a"]])
            | {"vars": {"ansible_become": False}},
        ]
    )


@pytest.fixture
def found(told: Results, release: str) -> dict[str, dict[str, Any]]:
    """What each probe found on the host of this release."""
    result = told[release]["all"]
    assert not result.get("failed"), result["msg"]
    return dict(zip(PROBES, result["results"], strict=True))


STATES = {
    "open": "open",
    "refused": "refused",
    "dropped": "timeout",
    "prohibited": "rejected",
    "reset": "refused",
    "port unreachable": "rejected",
    "no neighbour": "unreachable",
    "udp reply": "reply",
    "udp refused": "refused",
    "udp dropped": "silent",
    "udp prohibited": "rejected",
}


@pytest.mark.parametrize(("name", "state"), STATES.items())
def test_what_became_of_a_packet(name: str, state: str, found: dict[str, dict[str, Any]]) -> None:
    assert found[name]["state"] == state
    assert found[name]["ok"] == (state in ("open", "reply"))


def test_who_rejects_and_from_where(
    found: dict[str, dict[str, Any]], host: Host, fleet: Fleet
) -> None:
    (other,) = {one.address for one in fleet.hosts.values()} - {host.address}
    assert found["prohibited"]["by"] == found["udp prohibited"]["by"] == other
    assert found["open"]["source"] == host.address
    assert found["open"]["address"] == other
    assert found["banner"]["banner"].startswith("SSH-2.0-OpenSSH")


def test_why_a_probe_could_not_be_made(found: dict[str, dict[str, Any]]) -> None:
    assert found["no name"]["error"].startswith("nowhere.invalid: ")
    assert found["no such source"]["error"] == "Cannot assign requested address"
    assert found["no server"]["error"].startswith("refused by ")
    assert found["no time"]["error"].startswith("refused by ")
    assert found["no web"]["error"] == "Connection refused"
    assert found["no link"]["error"].startswith("interface: found 'eth9', accepted: one of ")
    assert found["no lease"]["ok"] is False


def test_names(found: dict[str, dict[str, Any]]) -> None:
    assert found["a"]["answers"] == ["198.18.0.1"]
    assert found["a"]["ttl"] == 300
    assert found["a"]["transport"] == "udp"
    assert found["aaaa"]["answers"] == ["2001:db8::1"]
    assert found["alias"]["answers"] == ["198.18.0.1"]
    assert found["alias"]["aliases"] == ["files.example.org."]
    assert found["reverse"]["answers"] == ["files.example.org."]
    assert found["long"]["transport"] == "tcp"
    assert len(found["long"]["answers"]) == 40
    assert found["refusing"]["rcode"] == "REFUSED"
    assert not found["refusing"]["ok"]


def test_certificates(found: dict[str, dict[str, Any]]) -> None:
    trusted, untrusted = found["trusted"], found["untrusted"]
    assert trusted["verified"]
    assert trusted["names"] == NAMES
    assert trusted["days_left"] == 29
    assert [one["subject"] for one in trusted["chain"]] == ["CN=files", "CN=Example CA"]
    assert trusted["issuer"] == "CN=Example CA"
    assert trusted["versions"] == ["TLSv1.2"]
    assert trusted["alpn"] == "http/1.1"
    assert not untrusted["verified"]
    assert "self-signed certificate" in untrusted["verify_error"]
    assert untrusted["days_left"] == 29
    assert found["no tls"]["error"]


def test_web(found: dict[str, dict[str, Any]]) -> None:
    assert found["web"]["status"] == 200
    assert [url[-5:] for url in found["web"]["redirects"]] == ["/sub/"]
    assert found["web"]["headers"]["server"].startswith("SimpleHTTP")
    assert found["web"]["matched"]
    assert found["no page"]["status"] == 404
    assert not found["no page"]["ok"]


def test_echoes(found: dict[str, dict[str, Any]]) -> None:
    for name in ("ping", "ping6"):
        assert (found[name]["sent"], found[name]["received"]) == (3, 3)
        assert 0 < found[name]["min_ms"] <= found[name]["average_ms"] <= found[name]["max_ms"]
    assert found["no ping"]["loss_percent"] == 100
    assert not found["no ping"]["ok"]


def test_the_largest_packet(found: dict[str, dict[str, Any]]) -> None:
    assert found["whole"]["bytes"] == found["whole"]["link_bytes"]
    for name in ("narrow", "narrow6"):
        assert (found[name]["bytes"], found[name]["link_bytes"]) == (1400, 1500)


def test_time(found: dict[str, dict[str, Any]]) -> None:
    assert found["time"]["stratum"] == 5
    assert found["time"]["leap"] == "none"
    # Both hosts have the clock of this machine.
    assert abs(found["time"]["offset_seconds"]) < 0.1
    assert found["time"]["delay_seconds"] > 0


def test_leases(found: dict[str, dict[str, Any]], host: Host) -> None:
    assert found["lease"]["servers"] == ["198.18.0.2"]
    assert found["lease"]["address"].startswith("198.18.0.5")
    wanted = {"subnet_mask": "255.255.255.0", "mtu": 1400, "lease_seconds": 3600}
    more = {"domain": "example.org", "time_servers": ["198.18.0.9"]}
    assert (wanted | more).items() <= found["lease"]["options"].items()
    assert "198.18.0.5" not in host.sh("ip address show tonear")


def test_ways_out(found: dict[str, dict[str, Any]], host: Host) -> None:
    assert found["way"]["gateway"] == host.sh("ip route show default").split()[2]
    for name in ("way", "way6"):
        assert found[name]["interface"] == "eth0"
        assert found[name]["answers"]


def test_who_else_has_an_address(found: dict[str, dict[str, Any]], host: Host) -> None:
    mac = host.sh("ip netns exec near cat /sys/class/net/tohost/address").strip()
    for name in ("double", "double6"):
        assert found[name]["macs"] == [mac]
        assert not found[name]["ok"]
    for name in ("single", "single6"):
        assert found[name]["ok"]


def test_links(found: dict[str, dict[str, Any]]) -> None:
    assert found["link"]["carrier"]
    assert found["link"]["speed_mbit"] == 10000
    assert found["link"]["duplex"] == "full"
    assert found["link"]["driver"] == "veth"
    assert not found["cut"]["carrier"]
    assert not found["cut"]["ok"]


def test_listening(found: dict[str, dict[str, Any]]) -> None:
    sockets = {(one["protocol"], one["port"]) for one in found["listening"]["sockets"]}
    assert {("tcp", 22), ("tcp", 8000), ("tcp", 5353), ("udp", 5353), ("udp", 123)} <= sockets


def test_findings_are_sentences(told: Results, release: str) -> None:
    findings = told[release]["all"]["findings"]
    address = told[release]["all"]["results"][0]["address"]
    assert f"tcp {address}:7001: state found timeout, expected open" in findings
    assert "duplicate_address 198.18.0.9: duplicate found True, expected False" in findings
    assert "link alone: carrier found False, expected True" in findings


def test_nothing_is_changed(told: Results, release: str) -> None:
    assert not told[release]["all"]["changed"]
    assert told[release]["check"]["results"][0]["state"] == "open"


def test_thousands_at_once(told: Results, release: str) -> None:
    assert told[release]["many"]["findings"] == []
    assert len(told[release]["many"]["results"]) == 4000


def test_deadline_and_strictness(told: Results, release: str) -> None:
    late = told[release]["late"]["results"]
    assert late[0]["error"] == "not finished by the deadline (0.5 s)"
    assert late[1]["ok"]
    strict = told[release]["strict"]
    assert strict["failed"]
    assert strict["msg"] == strict["findings"][0]


def test_what_needs_root_says_so(told: Results, release: str) -> None:
    plain = told[release]["plain user"]["results"]
    assert [one["ok"] for one in plain] == [True, False, True]
    assert plain[1]["error"] == "found: not root; accepted: root, so use 'become: true'"
