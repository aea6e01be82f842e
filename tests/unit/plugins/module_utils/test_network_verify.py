# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import copy
from pathlib import Path

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils import (
    _neighbours,
    _network_verify,
)
from ansible_collections.servertechnik.core.plugins.module_utils._host import HostError
from ansible_collections.servertechnik.core.plugins.module_utils._networkd_state import FOLDER

from tests.unit.plugins.module_utils.networks import RELEASES, Recorded, recorded

ETH0 = """\
[Match]
Name=eth0
[Link]
RequiredForOnline=yes
[Network]
DHCP=no
IPv6AcceptRA=no
[Address]
Address=198.51.100.10/25
[Address]
Address=2001:db8:bed::10/64
[Route]
Gateway=198.51.100.1
"""
ONLINE = f"""\
ADMIN_STATE=configured
OPER_STATE=routable
ONLINE_STATE=online
NETWORK_FILE={FOLDER}/10-eth0.network
"""
ANSWERS = [{"dst": "198.51.100.1", "lladdr": "02:00:00:00:00:01", "state": ["REACHABLE"]}]
NEIGHBOUR = "-4 neighbour show to 198.51.100.1 dev eth0"


@pytest.fixture(params=RELEASES)
def host(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Recorded:
    """A host with all as it must be, on whose network nobody else has its addresses."""
    monkeypatch.setattr(_network_verify, "PATIENCE", 0)
    monkeypatch.setattr(_network_verify, "_greet", lambda *_words: None)
    monkeypatch.setattr(_neighbours, "owners", lambda *_words: [])
    monkeypatch.setattr(_network_verify, "controllers_way", lambda: "198.51.100.10")
    found = Recorded(tmp_path, {**copy.deepcopy(recorded(request.param)), NEIGHBOUR: ANSWERS})
    found.put(f"{FOLDER}/10-eth0.network", ETH0)
    found.put("/run/systemd/netif/links/2", ONLINE)
    return found


def trouble(host: Recorded) -> str:
    with pytest.raises(HostError) as caught:
        _network_verify.verify(host)
    return str(caught.value)


def test_all_is_well(host: Recorded) -> None:
    _network_verify.verify(host)
    _network_verify.check(host, moves=False)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("ADMIN_STATE=configuring", "eth0 is configuring and routable"),
        ("ADMIN_STATE=failed", "eth0 could not be configured by systemd-networkd"),
        ("ONLINE_STATE=offline\nOPER_STATE=degraded", "eth0 is configured and degraded"),
    ],
)
def test_link_is_not_ready(host: Recorded, state: str, words: str) -> None:
    host.put("/run/systemd/netif/links/2", f"{ONLINE}{state}\n")
    assert trouble(host) == words


def test_gateway_beyond_all_networks(host: Recorded) -> None:
    host.put(f"{FOLDER}/10-eth0.network", ETH0.replace("100.10/25", "100.10/32"))
    host.put("/run/systemd/netif/links/2", f"{ONLINE}ADMIN_STATE=configuring\n")
    assert trouble(host) == (
        "eth0 is configuring and routable, and its gateway 198.51.100.1 is in none of its networks"
    )


def test_link_without_a_carrier(host: Recorded) -> None:
    host.answers["link show"][1]["flags"] = ["UP"]
    host.put("/run/systemd/netif/links/2", f"{ONLINE}OPER_STATE=no-carrier\nONLINE_STATE=offline\n")
    assert trouble(host) == "eth0 is configured and no-carrier, without a carrier"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[Match]\nName=eth9\n", "eth9 is not there"),
        ("[Match]\nPermanentMACAddress=02:00:00:00:00:09\n",
         "a link with PermanentMACAddress 02:00:00:00:00:09 is not there"),
        ("[Match]\nName=eth9\n[Link]\nRequiredForOnline=no\n[Network]\nBond=bond0\n",
         "eth9 is not there"),
    ],
)  # fmt: skip
def test_link_is_not_there(host: Recorded, text: str, words: str) -> None:
    host.put(f"{FOLDER}/10-other.network", text)
    assert trouble(host) == words


def test_link_that_nobody_waits_for_may_lack(host: Recorded) -> None:
    host.put(f"{FOLDER}/10-usb0.network", "[Match]\nName=usb0\n[Link]\nRequiredForOnline=no\n")
    _network_verify.verify(host)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("Bridge=br0", "eth0 is no port of br0"),
        ("VLAN=lan", "lan is not there on eth0"),
    ],
)
def test_links_that_are_not_tied(host: Recorded, lines: str, words: str) -> None:
    host.put(f"{FOLDER}/10-eth0.network", ETH0.replace("DHCP=no", lines))
    assert trouble(host) == words


@pytest.mark.parametrize(
    ("at", "flag", "words"),
    [
        (0, None, "eth0 lacks 198.51.100.10/25"),
        (1, "dadfailed", "2001:db8:bed::10 of eth0 is in use by another host"),
        (1, "tentative", "2001:db8:bed::10 of eth0 is still being checked for duplicates"),
    ],
)
def test_address_is_not_there(host: Recorded, at: int, flag: str | None, words: str) -> None:
    addresses = host.answers["address show"][1]["addr_info"]
    if flag:
        addresses[at][flag] = True
    else:
        del addresses[at]
    assert trouble(host) == words


def test_gateway_does_not_answer(host: Recorded) -> None:
    host.answers = {**host.answers, NEIGHBOUR: [{"dst": "198.51.100.1", "state": ["FAILED"]}]}
    assert trouble(host) == "gateway 198.51.100.1 does not answer on eth0"


def test_address_of_another_host(host: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def owners(questions: object, own: object) -> list[tuple[str, str, str]]:
        asked.append((questions, own))
        return [("eth0", "198.51.100.10", "02:00:00:00:00:99")]

    monkeypatch.setattr(_neighbours, "owners", owners)
    words = "198.51.100.10 of eth0 is in use by another host, 02:00:00:00:00:99"
    assert trouble(host) == words
    with pytest.raises(HostError, match=words):
        _network_verify.check(host, moves=False)
    (all_of_them, own), (new_ones, _own) = asked
    assert [address for _dev, _mac, address in all_of_them] == ["198.51.100.10", "2001:db8:bed::10"]  # type: ignore[attr-defined]
    assert host.answers["link show"][1]["address"] in own  # type: ignore[operator]
    assert new_ones == []  # the host has all of them already


def test_address_of_the_controller_would_go(host: Recorded) -> None:
    host.put(f"{FOLDER}/10-eth0.network", ETH0.replace("100.10/25", "100.20/25"))
    with pytest.raises(HostError) as caught:
        _network_verify.check(host, moves=False)
    assert str(caught.value) == (
        "network_links: found no 198.51.100.10, by which the controller comes in; accepted: a link "
        "with this address, or network_confirm_address with the one where the host will answer"
    )
    _network_verify.check(host, moves=True)


@pytest.mark.parametrize(("line", "other"), [("DHCP=no", "DHCP=ipv4"), ("RA=no", "RA=yes")])
def test_addresses_from_the_network_can_not_be_judged(
    host: Recorded, line: str, other: str
) -> None:
    text = ETH0.replace("100.10/25", "100.20/25").replace(line, other)
    host.put(f"{FOLDER}/10-eth0.network", text)
    _network_verify.check(host, moves=False)


def test_link_that_routers_tell_nothing(host: Recorded) -> None:
    host.put(f"{FOLDER}/10-eth0.network", "[Match]\nName=eth0\n[Network]\nIPv6AcceptRA=yes\n")
    _network_verify.verify(host)
    host.put("/run/systemd/netif/links/2", ONLINE.replace("routable", "degraded"))
    assert trouble(host) == "eth0 was told no address by anybody"


def test_state_that_is_just_being_written_is_no_link(host: Recorded) -> None:
    host.put("/run/systemd/netif/links/.#2pQ4j4", "")
    _network_verify.verify(host)
