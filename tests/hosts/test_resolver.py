# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Resolvers that work, that don't, and that only seem to, on real hosts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest_hosts import Fleet, Results, Task
from tests.hosts.tasks import core, looks, shell, snapshot

GATEWAY = "{{ ansible_host.rsplit('.', 1)[0] }}.1"
DEAD = "{{ ansible_host.rsplit('.', 1)[0] }}.250"
PLACES = ("/etc/resolv.conf", "/etc/systemd/resolved.conf.d", "/etc/dhcp")
RESULT = "servertechnik.core.resolver : Have working names"

# Says REFUSED to every question over UDP, and to every one over TLS that there is nothing.
SERVER = r"""
import socket, ssl, struct, threading

def refuse():
    channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    channel.bind(("127.0.0.9", 53))
    while True:
        query, sender = channel.recvfrom(4096)
        channel.sendto(query[:2] + b"\x81\x85" + query[4:], sender)

def answer(channel):
    with channel, channel.makefile("rb") as stream:
        while size := stream.read(2):
            query = stream.read(struct.unpack(">H", size)[0])
            end = 12
            while query[end]:
                end += query[end] + 1
            reply = query[:2] + b"\x81\x80\0\1\0\0\0\0\0\0" + query[12:end + 5]
            channel.sendall(struct.pack(">H", len(reply)) + reply)

threading.Thread(target=refuse, daemon=True).start()
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain("/root/dns.crt", "/root/dns.key")
listener = socket.create_server(("127.0.0.9", 853))
while True:
    try:
        channel = context.wrap_socket(listener.accept()[0], server_side=True)
    except OSError:
        continue
    threading.Thread(target=answer, args=(channel,), daemon=True).start()
"""
STARTED = f"""
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /root/dns.key \\
  -out /root/dns.crt -days 9 -subj /CN=dns -addext subjectAltName=DNS:dns.example.org
cp /root/dns.crt /usr/local/share/ca-certificates/dns.crt
update-ca-certificates
cat >/root/dns.py <<'END'
{SERVER}
END
systemd-run --unit=dns python3 /root/dns.py
timeout 20 sh -c 'until ss --listening --tcp --numeric | grep -q 127.0.0.9:853; do sleep 0.1; done'
"""


def apply(*nameservers: str, **variables: Any) -> Task:
    """The role with these name servers."""
    return {
        "name": "resolver",
        "ansible.builtin.include_role": {"name": "servertechnik.core.resolver"},
        "vars": {
            "resolver_nameservers": list(nameservers),
            **{f"resolver_{name}": value for name, value in variables.items()},
        },
    }


def look(name: str) -> Task:
    return snapshot(name, *PLACES, units=("systemd-resolved.service",))


@pytest.fixture(scope="module")
def stories(fleet: Fleet) -> dict[str, Results]:
    names = shell("names", "getent hosts $(hostname).dns.podman; readlink /etc/resolv.conf || true")
    elsewhere = shell("elsewhere", "mkdir -p /run/dhcp; mv /etc/resolv.conf /run/dhcp/resolv.conf; "
                      "ln -s /run/dhcp/resolv.conf /etc/resolv.conf")  # fmt: skip
    watched = [look("before"), names, look("after")]

    def story(*tasks: Task) -> Results:
        before, *rest = watched
        return fleet.play([before, *tasks, *rest])

    return {
        "dead on a fresh host": story(apply(DEAD)),
        "from a link": fleet.play([elsewhere, look("before"), apply(GATEWAY), names]),
        "back to the link": fleet.play(
            [core("revert", "transaction_revert", run="last"), look("after"), names]
        ),
        "resolved": story(apply(GATEWAY)),
        "one of two is dead": story(apply(GATEWAY, DEAD)),
        "none is known": story(apply()),
        "nothing is signed": story(apply(GATEWAY, dnssec="yes")),
        "name that nobody has": story(
            apply(GATEWAY, cache="no", verify_names=["nobody.example.org"])
        ),
        "refused": story(shell("start", STARTED), apply("127.0.0.9")),
        "another name over tls": story(apply("127.0.0.9#other.example.org", dns_over_tls="yes")),
        "over tls": story(apply("127.0.0.9#dns.example.org", dns_over_tls="yes")),
        "plain file": story(
            apply(GATEWAY, mode="resolv_conf", search_domains=["dns.podman"], options=["timeout:2"])
        ),
        "dead in a plain file": story(apply(DEAD, mode="resolv_conf")),
    }


@pytest.mark.parametrize(
    ("story", "said"),
    [
        ("dead on a fresh host", "250: no answer (nothing came back)"),
        ("one of two is dead", "250: no answer (nothing came back)"),
        ("none is known", "no name server is known: none in the inventory and none from a link"),
        ("nothing is signed", "this host's own resolver says SERVFAIL"),
        ("name that nobody has", "nobody.example.org has no address on this host"),
        ("refused", "name server 127.0.0.9 refuses this host"),
        ("another name over tls", "Hostname mismatch"),
        ("dead in a plain file", "250: no answer (nothing came back)"),
    ],
)
def test_what_does_not_work_is_undone(
    stories: dict[str, Results], release: str, story: str, said: str
) -> None:
    told = stories[story][release]
    assert told[RESULT].get("failed"), told[RESULT]
    assert told[RESULT]["rolled_back"]
    assert said in told[RESULT]["msg"]
    assert "The host is as before" in told[RESULT]["msg"]
    before, after = looks(told["before"]), looks(told["after"])
    # The package stays, so the unit is one that could be started.
    if story != "dead on a fresh host":
        assert after["units"] == before["units"]
    assert after["files"] == before["files"]


@pytest.mark.parametrize("story", ["resolved", "one of two is dead", "refused", "plain file"])
def test_there_are_names(stories: dict[str, Results], release: str, story: str) -> None:
    assert stories[story][release]["names"]["rc"] == 0


@pytest.mark.parametrize("story", ["from a link", "resolved", "over tls", "plain file"])
def test_what_works_stays(stories: dict[str, Results], release: str, story: str) -> None:
    told = stories[story][release][RESULT]
    assert not told.get("failed"), told
    assert told["changed"]


def test_fresh_host_keeps_its_file_though_the_package_took_it(
    stories: dict[str, Results], release: str
) -> None:
    told = stories["dead on a fresh host"][release]
    assert told[RESULT]["packages"]["installed"] == ["systemd-resolved"]
    assert "target" not in told["after"]["files"]["/etc/resolv.conf"]
    assert told["after"]["units"]["systemd-resolved.service"]["ActiveState"] == "inactive"
    assert told["names"]["rc"] == 0


def test_link_of_another_program_comes_back(stories: dict[str, Results], release: str) -> None:
    assert "stub-resolv.conf" in stories["from a link"][release]["names"]["stdout"]
    told = stories["back to the link"][release]
    assert told["after"]["files"]["/etc/resolv.conf"]["target"] == "/run/dhcp/resolv.conf"
    assert told["names"]["rc"] == 0


def test_plain_file(stories: dict[str, Results], release: str) -> None:
    told = stories["plain file"][release]
    lines = told["after"]["files"]["/etc/resolv.conf"]["text"].splitlines()
    assert lines[1] == "search dns.podman"
    assert lines[2].startswith("nameserver 10.")
    assert lines[3] == "options timeout:2"
    unit = told["after"]["units"]["systemd-resolved.service"]
    assert (unit["ActiveState"], unit["UnitFileState"]) == ("inactive", "disabled")
    # dhclient leaves the file alone.
    hook = told["after"]["files"]["/etc/dhcp/dhclient-enter-hooks.d/servertechnik"]
    assert hook["text"] == "make_resolv_conf() { :; }\n"
