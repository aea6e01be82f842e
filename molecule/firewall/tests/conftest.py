# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Two hosts that try to reach each other, and a container on each."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

import pytest
import testinfra
from testinfra.host import Host

NAMES = ("firewall-bookworm", "firewall-trixie")
# Answers on every port that a test asks, open or not: only the firewall makes a difference.
SERVER = """
import socket, sys, threading
def tcp(port):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        connection, _ = listener.accept()
        connection.sendall(b"yes")
        connection.close()
def udp(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", port))
    while True:
        sock.sendto(b"yes", sock.recvfrom(9)[1])
for port in map(int, sys.argv[1:]):
    for serve in (tcp, udp):
        threading.Thread(target=serve, args=(port,)).start()
"""
CLIENT = """
import json, socket, sys
def ask(kind, address, port, source):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    protocol = {"icmp": socket.IPPROTO_ICMPV6 if ":" in address else socket.IPPROTO_ICMP}
    stream = socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
    with socket.socket(family, stream, protocol.get(kind, 0)) as sock:
        sock.settimeout(1)
        try:
            if source:
                sock.bind((source, 0))
            sock.connect((address, port))
            if kind == "udp":
                sock.send(b"ask")
            if kind == "icmp":
                sock.send(bytes([128 if ":" in address else 8]) + bytes(7))
            return "yes" if sock.recv(9) else "nothing"
        except TimeoutError:
            return "silence"
        except OSError as error:
            return type(error).__name__
print(json.dumps([ask(*one) for one in json.loads(sys.argv[1])]))
"""


@dataclass(frozen=True)
class Pair:
    """A host, and the other one, which tries to reach it."""

    host: Host
    peer: Host

    def target(self, version: int) -> str:
        """The host's address in the network of the bed."""
        return _address(self.host, version)

    def source(self, version: int) -> str:
        """The address of the other."""
        return _address(self.peer, version)

    def ask(self, version: int, *what: tuple[str, int], source: str = "") -> list[str]:
        """What the other hears from the host for each protocol and port: yes, or silence."""
        return ask(self.peer, self.target(version), *what, source=source)

    def ask_from_box(self, address: str, *what: tuple[str, int]) -> list[str]:
        """What the host's container hears from an address."""
        return ask(self.host, address, *what, where="ip netns exec box ")

    def ask_self(self, address: str, *what: tuple[str, int]) -> list[str]:
        """What the host hears from itself."""
        return ask(self.host, address, *what)

    def counters(self) -> dict[str, int]:
        """The packets of each counter of ours on the host."""
        listed = self.host.check_output("nft --json list counters table inet servertechnik")
        entries = json.loads(listed)["nftables"]
        found = [entry["counter"] for entry in entries if "counter" in entry]
        return {counter["name"]: counter["packets"] for counter in found}

    def serve(self) -> None:
        """Have answers on the host's ports again."""
        serve(self.host)


def _address(host: Host, version: int) -> str:
    links = json.loads(host.check_output("ip -json address show dev eth0 scope global"))
    family = {4: "inet", 6: "inet6"}[version]
    (found,) = [a["local"] for a in links[0]["addr_info"] if a.get("family") == family]
    return str(found)


def serve(host: Host) -> None:
    """Have answers on many ports, and in the container on one."""
    for unit, where, ports in (
        ("server", "", "7000 7001 7002 7003 7004 7005 7006 7007 7008 7009"),
        ("box", "ip netns exec box ", "80"),
    ):
        code = shlex.quote(SERVER)
        host.run(f"systemd-run --quiet --collect --unit={unit} {where}python3 -c {code} {ports}")
    host.check_output(
        "echo 0 0 >/proc/sys/net/ipv4/ping_group_range; "
        "until ss --numeric --listening --tcp | grep -q :7009; do sleep 0.1; done; "
        "test ! -e /run/netns/box || "
        "until ip netns exec box ss --numeric --listening --tcp | grep -q :80; do sleep 0.1; done"
    )


def ask(
    host: Host, target: str, *what: tuple[str, int], source: str = "", where: str = ""
) -> list[str]:
    """What a host hears from an address for each protocol and port: yes, or silence."""
    questions = json.dumps([(kind, target, port, source) for kind, port in what])
    words = f"{where}python3 -c {shlex.quote(CLIENT)} {shlex.quote(questions)}"
    answers: list[str] = json.loads(host.check_output(words))
    return answers


@pytest.fixture(scope="session", autouse=True)
def servers() -> None:
    """Have answers on both hosts."""
    for name in NAMES:
        serve(testinfra.get_host(f"podman://{name}"))


@pytest.fixture
def pair(host: Host) -> Pair:
    """This host and the other."""
    (name,) = {*NAMES} - {host.backend.get_hostname()}
    return Pair(host, testinfra.get_host(f"podman://{name}"))
