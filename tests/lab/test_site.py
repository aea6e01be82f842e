# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The main job on the lab: `make site` as people run it, and what then holds on the hosts."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BED = ROOT / "tests" / "bed" / "bed"
HOSTS = {
    "files1": "Files of the office",
    "time1": "The right time",
    "gw1": "The way between the office, our servers and the world",
    "web1": "Web site of the company",
    "mail1": "Mail of the company",
}

ADDRESSES = {
    "files1": ("198.51.100.10", "2001:db8:0:1::10"),
    "time1": ("198.51.100.11", "2001:db8:0:1::11"),
    "web1": ("198.51.100.140", "2001:db8:0:2::140"),
    "mail1": ("198.51.100.141", "2001:db8:0:2::141"),
    "gw1": ("198.51.100.130", "2001:db8:0:2::130", "198.51.100.2", "2001:db8:0:1::2"),
}
IPV4, IPV6 = range(2)
# Tells each caller the address that it sees.
MIRROR = """
import socket, socketserver, sys
class Answer(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(self.client_address[0].removeprefix("::ffff:").encode())
class Server(socketserver.ThreadingTCPServer):
    address_family, allow_reuse_address = socket.AF_INET6, True
Server(("::", int(sys.argv[1])), Answer).serve_forever()
"""
LISTENING = {"web1": (80, 8080), "files1": (445, 8080)}

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Sh = Callable[[str, str], str]


@pytest.fixture(scope="session")
def said(run: Run) -> Iterator[str]:
    """What `make site` says; a lab that wasn't there before is gone afterwards."""
    there = run(BED, "list").stdout
    collections = str(ROOT / "collections")
    done = run(sys.executable, "-m", "tests.lab.site", PYTHONPATH=collections)
    assert done.returncode == 0, done.stdout + done.stderr
    yield done.stdout
    if not any(line.split()[0] == "gw1" for line in there.splitlines()):
        run(BED, "down", "--inventory", ROOT / "inventories" / "lab")


@pytest.fixture(scope="module")
def sh(run: Run, said: str) -> Sh:  # noqa: ARG001 -- the lab must be there
    """Run a shell line on a host; what it prints."""

    def runner(name: str, line: str) -> str:
        done = run(BED, "ssh", name, line)
        assert done.returncode == 0, f"{name}: {line}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    return runner


@pytest.fixture(scope="module")
def mirrors(sh: Sh) -> Iterator[None]:
    """Have something answer on ports that are let in, and on some that are not."""
    for name, ports in LISTENING.items():
        for port in ports:
            program = f"python3 -c {shlex.quote(MIRROR)} {port}"
            sh(name, f"sudo systemd-run --quiet --unit=mirror-{port} {program}")
    yield
    for name, ports in LISTENING.items():
        sh(name, f"sudo systemctl stop {' '.join(f'mirror-{port}' for port in ports)}")


def test_the_second_run_changes_nothing(said: str) -> None:
    assert "changed nothing: every host is and stays as the inventory says" in said


def test_every_firewall_is_tried(said: str) -> None:
    proof = said.partition("Who gets in where")[2]
    assert "verify_firewall.yml done" in proof
    assert f"{len(HOSTS)} hosts" in proof


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize("name", HOSTS)
def test_the_host_lets_a_technician_in_and_says_what_it_is(name: str, run: Run) -> None:
    done = run(BED, "ssh", name, "hostname --fqdn && cat /etc/motd && sudo id --user --name")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"{name}.example.org"
    assert lines[-1] == "root"
    assert HOSTS[name] in done.stdout


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize("name", ["files1", "gw1", "web1", "mail1"])
def test_the_time_comes_from_our_own_server(name: str, run: Run) -> None:
    # It asks every second until a source is chosen.
    done = run(BED, "ssh", name, "chronyc -n waitsync 60 0 0 1 && chronyc -n tracking")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(198.51.100.11)" in done.stdout


def seen(sh: Sh, name: str, address: str, port: int) -> str:
    """The address under which a host is seen there; empty if it doesn't get there."""
    call = f"exec 3<>/dev/tcp/{address}/{port} && cat <&3"
    return sh(name, f"timeout 4 bash -c {shlex.quote(call)} 2>/dev/null || true")


@pytest.mark.usefixtures("mirrors")
@pytest.mark.parametrize("family", [IPV4, IPV6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    ("source", "target", "port"),
    [("files1", "web1", 80), ("mail1", "web1", 80), ("time1", "files1", 445)],
)
def test_what_is_meant_to_be_reached_is_reached_under_ones_own_address(
    source: str, target: str, port: int, family: int, sh: Sh
) -> None:
    assert seen(sh, source, ADDRESSES[target][family], port) == ADDRESSES[source][family]


@pytest.mark.usefixtures("mirrors")
@pytest.mark.parametrize("family", [IPV4, IPV6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        pytest.param("files1", "web1", 8080, id="the gateway doesn't pass it on"),
        pytest.param("mail1", "web1", 8080, id="no service of a neighbour"),
        pytest.param("web1", "files1", 445, id="a service of others"),
        pytest.param("time1", "files1", 8080, id="no service in the office"),
    ],
)
def test_nothing_else_is_reached(source: str, target: str, port: int, family: int, sh: Sh) -> None:
    address = ADDRESSES[target][family]
    assert seen(sh, target, address, port) == address, "it answers, so that silence means closed"
    assert seen(sh, source, address, port) == ""


@pytest.mark.usefixtures("mirrors")
@pytest.mark.parametrize("family", [IPV4, IPV6], ids=["IPv4", "IPv6"])
def test_the_way_between_the_networks_is_the_gateway(family: int, sh: Sh) -> None:
    def passed() -> int:
        counter = "sudo nft --json list counter inet servertechnik forward_servers"
        told = json.loads(sh("gw1", counter))["nftables"]
        return next(int(one["counter"]["packets"]) for one in told if "counter" in one)

    before = passed()
    assert seen(sh, "files1", ADDRESSES["web1"][family], 80)
    assert passed() == before + 1


def test_the_world_sees_the_office_as_the_gateway(sh: Sh) -> None:
    listed = json.loads(subprocess.check_output(["ip", "-json", "-4", "address"], text=True))
    outside = [
        one["local"]
        for link in listed
        for one in link["addr_info"]
        if one["scope"] == "global" and not link["ifname"].startswith(("podman", "docker"))
    ]
    if not outside:
        pytest.skip("this machine has no address that is none of the bed's")
    with socket.create_server(("", 0)) as server, ThreadPoolExecutor(1) as pool:
        server.settimeout(10)
        caller = pool.submit(seen, sh, "files1", outside[0], server.getsockname()[1])
        connection, (address, _port) = server.accept()
        connection.close()
        caller.result()
    assert address == ADDRESSES["gw1"][IPV4]


@pytest.mark.parametrize("name", ADDRESSES)
def test_every_host_knows_all_others_by_name_and_by_address(name: str, sh: Sh) -> None:
    others = {other: known for other, known in ADDRESSES.items() if other != name}
    found = {
        other: set(sh(name, f"getent ahosts {other} | cut -d' ' -f1").split()) for other in others
    }
    assert found == {other: set(known) for other, known in others.items()}
    back = " ".join(address for known in others.values() for address in known)
    told = sh(name, f"for one in {back}; do getent hosts $one; done").splitlines()
    names = {line.split()[0]: line.split()[1] for line in told}
    assert names == {
        address: f"{other}.example.org" for other, known in others.items() for address in known
    }


@pytest.mark.parametrize("place", ["web1.example.org", "198.51.100.140", "2001:db8:0:2::140"])
def test_another_host_accepts_the_certificate_under_each_name_and_address(
    place: str, sh: Sh
) -> None:
    files = "/etc/ssl/servertechnik/host"
    server = f"openssl s_server -quiet -port 443 -cert {files}/fullchain.pem"
    sh("web1", f"sudo systemd-run --quiet --unit=tls {server} -key {files}/privkey.pem")
    at = f"[{place}]" if ":" in place else place
    how = "-verify_hostname" if place.endswith(".org") else "-verify_ip"
    client = f"openssl s_client -brief -verify_return_error {how} {place} -connect {at}:443"
    try:
        # Until the server listens.
        said = sh(
            "files1", f"for n in 1 2 3 4 5; do {client} </dev/null 2>&1 && break; sleep 1; done"
        )
    finally:
        sh("web1", "sudo systemctl stop tls")
    assert "Verification: OK" in said
    assert f"Verified peername: {place}" in said or how == "-verify_ip"
