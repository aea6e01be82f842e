# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What the bed takes for hosts and networks, and what it refuses in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bed import spec
from tests.bed.environment import BedError

NETWORKS = {"office": ["198.51.100.0/25", "2001:db8:0:1::/64"], "internet": "198.51.100.128/25"}
BOTH = ("198.51.100.9", "2001:db8:0:1::9")


def data(**changes: Any) -> dict[str, Any]:
    host = {"name": "web1", "release": "trixie", "addresses": {"office": "198.51.100.9"}}
    return {"networks": NETWORKS, "hosts": [host | changes]}


@pytest.mark.parametrize(
    ("asked", "given"),
    [("198.51.100.9", BOTH[:1]), (list(BOTH), BOTH), ("", ()), ([], ())],
    ids=["text", "both families", "any (text)", "any (list)"],
)
def test_a_host_has_the_addresses_it_asks_for(asked: Any, given: spec.Places) -> None:
    (host,) = spec.of_data(data(addresses={"office": asked})).hosts
    assert host == spec.Host("web1", "trixie", {"office": given})


def test_a_network_has_a_subnet_of_each_family() -> None:
    assert spec.of_data(data()).networks == {
        spec.ANYWHERE: (),
        "office": ("198.51.100.0/25", "2001:db8:0:1::/64"),
        "internet": ("198.51.100.128/25",),
    }


def test_a_host_without_addresses_is_somewhere() -> None:
    (host,) = spec.of_arguments(["web1=bookworm"]).hosts
    assert host == spec.Host("web1", "bookworm", {spec.ANYWHERE: ()})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "Web 1"}, "'Web 1': not a host name"),
        ({"name": "-web"}, "'-web': not a host name"),
        ({"release": "sid"}, "web1: release 'sid' is none of bookworm, trixie"),
        ({"addresses": {"dmz": ""}}, "web1: network 'dmz' is none of bed, office, internet"),
        (
            {"addresses": {"office": "198.51.100.140"}},
            "web1: 198.51.100.140 is not in office (198.51.100.0/25, 2001:db8:0:1::/64)",
        ),
        (
            {"addresses": {"office": ["198.51.100.9", "2001:db8::9"]}},
            "web1: 2001:db8::9 is not in office (198.51.100.0/25, 2001:db8:0:1::/64)",
        ),
        ({"addresses": {"office": "198.51.100"}}, "web1: '198.51.100' is no address"),
        ({"addresses": {"bed": "198.51.100.9"}}, "web1: bed gives addresses of its own"),
    ],
)
def test_what_cannot_be_is_said(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(BedError) as error:
        spec.of_data(data(**changes))
    assert problem in str(error.value)


def test_a_part_of_the_hosts_is_named() -> None:
    whole = spec.of_arguments(["a=bookworm", "b=trixie"])
    assert whole.only([]) == whole
    assert [host.name for host in whole.only(["b"]).hosts] == ["b"]
    with pytest.raises(BedError, match="no such host: c"):
        whole.only(["c"])


def test_the_lab_is_read_from_its_inventory() -> None:
    lab = spec.of_inventory(Path(__file__).parents[2] / "inventories" / "lab")
    assert {network for host in lab.hosts for network in host.addresses} == {"office", "internet"}
    assert {host.release for host in lab.hosts} == {"bookworm", "trixie"}
    assert len(lab.hosts) >= 4
