# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import pytest
from testinfra.host import Host

SERVER, CLIENT = "resolver-bookworm", "resolver-trixie"
FILES, WEB = "files1.lab.example.org", "web1.lab.example.org"


def is_server(host: Host) -> bool:
    return bool(host.backend.get_hostname() == SERVER)


def status(host: Host) -> str:
    text: str = host.check_output("resolvectl status")
    return text


def addresses(host: Host, name: str) -> set[str]:
    return {line.split()[0] for line in host.check_output(f"getent ahosts {name}").splitlines()}


def test_service_runs(host: Host) -> None:
    service = host.service("systemd-resolved.service")
    assert service.is_running
    assert service.is_enabled


def test_every_program_asks_it(host: Host) -> None:
    file = host.file("/etc/resolv.conf")
    assert file.linked_to == "/run/systemd/resolve/stub-resolv.conf"
    assert file.contains("^nameserver 127.0.0.53$")


@pytest.mark.parametrize(
    ("name", "expected"),
    [(FILES, {"198.51.100.10", "2001:db8:0:1::10"}),
     ("intranet.lab.example.org", {"198.51.100.10", "2001:db8:0:1::10"}),
     (WEB, {"198.51.100.140"})],
)  # fmt: skip
def test_internal_name(host: Host, name: str, expected: set[str]) -> None:
    assert addresses(host, name) == expected


@pytest.mark.parametrize(
    ("address", "name"),
    [("198.51.100.10", FILES), ("2001:db8:0:1::10", FILES), ("198.51.100.140", WEB)],
)
def test_internal_address(host: Host, address: str, name: str) -> None:
    assert name in host.check_output(f"getent hosts {address}").split()


def test_name_of_the_network(host: Host) -> None:
    # The bed's own server knows it; the client hears of it through the other host.
    assert addresses(host, f"{CLIENT}.dns.podman")


def test_name_that_nobody_has(host: Host) -> None:
    assert host.run("getent ahosts nobody.lab.example.org").rc == 2


def test_host_keeps_its_own_hosts_file(host: Host) -> None:
    assert not host.file("/etc/hosts").contains("lab.example.org")


def test_neighbours_are_not_asked(host: Host) -> None:
    (line,) = (one for one in status(host).split("\n\n")[0].splitlines() if "Protocols" in one)
    assert "-LLMNR" in line
    assert "-mDNS" in line


@pytest.mark.parametrize(
    ("of", "setting"),
    [(SERVER, "DNSOverTLS=opportunistic"), (SERVER, "DNSSEC=allow-downgrade/"),
     (CLIENT, "-DNSOverTLS"), (CLIENT, "DNSSEC=no/"), (CLIENT, "DNS Domain: lab.example.org ~.")],
)  # fmt: skip
def test_setting_holds(host: Host, of: str, setting: str) -> None:
    if host.backend.get_hostname() != of:
        pytest.skip(f"this is a setting of {of}")
    assert setting in status(host).split("\n\n")[0]


def test_setting_of_the_release_is_taken(host: Host) -> None:
    told = host.check_output("journalctl --unit=systemd-resolved.service --output=cat")
    assert "Unknown key" not in told


def test_short_name(host: Host) -> None:
    if is_server(host):
        pytest.skip("the server searches no domain")
    assert addresses(host, "files1") == {"198.51.100.10", "2001:db8:0:1::10"}


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_where_it_answers(host: Host, protocol: str) -> None:
    found = host.check_output(f"ss --listening --{protocol} --numeric --no-header 'sport = 53'")
    places = {line.split()[3] for line in found.splitlines()}
    others = {place for place in places if not place.startswith("127.0.0.5")}
    assert bool(others) == is_server(host)
    assert not any(place.startswith(("0.0.0.0", "*", "[::]")) for place in places)  # noqa: S104 -- the point
