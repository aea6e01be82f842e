# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A host that ifupdown runs is taken over, or stays with ifupdown if that would go wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest_hosts import Fleet, Host, Results, Task

LINKS = "Have the links that the inventory names"
FACTS: Task = {"name": "facts", "ansible.builtin.setup": {"gather_subset": ["network"]}}
# The machine is the gateway of podman's network; ifupdown gets what podman has set up, and more.
IFUPDOWN = """\
apt-get install --yes --no-install-recommends ifupdown > /dev/null 2>&1
v4=$(ip -4 -brief address show dev eth0 | awk '{ print $3 }')
v6=$(ip -6 -brief address show dev eth0 scope global | awk '{ print $3 }')
gateway=$(ip -4 route show default | awk '{ print $3 }')
gateway6=$(ip -6 route show default | awk '{ print $3 }')
cat > /etc/network/interfaces.d/eth0 <<END
auto eth0
iface eth0 inet static
    address $v4
    gateway $gateway
    up ip route add 203.0.113.0/24 via $gateway
    up ip rule add from 203.0.113.0/24 lookup 77 priority 700
    down ip rule delete priority 700
iface eth0 inet6 static
    address $v6
    gateway $gateway6
    accept_ra 0
    dad-attempts 0
END
ip address flush dev eth0 scope global
ip -6 route flush default
systemctl restart networking.service
# What an engine for containers has on the host, and nobody else may touch.
ip link add docker9 type bridge
ip address add 198.51.100.129/28 dev docker9
ip link set docker9 up
ip route add 203.0.113.128/26 via 198.51.100.130 table 99
"""
# All that could be different after a change was undone.
LOOK = """\
ip -brief address
for f in -4 -6; do ip $f route show table all | grep -v ' table local'; ip $f rule; done
systemctl show --property=Id,ActiveState,UnitFileState networking.service \
    systemd-networkd.service systemd-networkd.socket
sort /run/network/ifstate
find /etc/network /etc/systemd ! -name 'servertechnik-recover*' \
    -printf '%p %y %u:%g %m %l ' '(' -type f -exec sha256sum {} ';' -o -printf '\\n' ')' | sort
"""
# Addresses that podman has given to nobody, and another one for each host.
FREE = (
    "{{ ansible_host.rsplit('.', 1)[0] }}.24{{ groups['all'].index(inventory_hostname) * 2 + 3 }}"
)
NEXT = FREE.replace("+ 3", "+ 4")


def network(task: str, *addresses: str, gateway: str = "", **more: Any) -> Task:
    """The role with eth0 as ifupdown has it, but for what is given."""
    default = "{{ ansible_facts['default_ipv4']['gateway'] }}"
    link = {
        "name": "eth0",
        "addresses": [
            *(addresses or ["{{ ansible_host }}/24"]),
            "{{ ansible_facts['default_ipv6']['address'] }}/64",
        ],
        "gateways": [gateway or default, "{{ ansible_facts['default_ipv6']['gateway'] }}"],
    }
    variables = {"network_confirm_timeout": 60, "network_settle_timeout": 15, **more}
    return {
        "name": task,
        "ansible.builtin.include_role": {"name": "servertechnik.core.network"},
        "vars": {"network_links": [link], **variables},
    }


def component(results: Results, release: str) -> dict[str, Any]:
    (result,) = (r for task, r in results[release].items() if task.endswith(LINKS))
    return dict(result)


@dataclass
class Story:
    """What hosts and runs looked like, each by release."""

    before: dict[str, str]
    undone: dict[str, Results]
    afterwards: dict[str, dict[str, str]]
    taken: Results
    again: Results


@pytest.fixture(scope="module")
def story(fleet: Fleet) -> Story:
    """Two changes that go wrong, one that is right, and that once more."""
    for host in fleet.hosts.values():
        host.sh(IFUPDOWN)
    before = {release: host.sh(LOOK) for release, host in fleet.hosts.items()}
    bad = {
        "gateway": network("gateway", gateway=FREE, network_settle_timeout=3),
        "address": network(
            "address",
            f"{FREE}/24",
            network_confirm_address=NEXT,
            network_confirm_timeout=20,
        ),
    }
    undone, afterwards = {}, {}
    for name, task in bad.items():
        undone[name] = fleet.play([FACTS, task])
        afterwards[name] = {release: host.sh(LOOK) for release, host in fleet.hosts.items()}
    taken = fleet.play([FACTS, network("right")])
    again = fleet.play([FACTS, network("right")])
    return Story(before, undone, afterwards, taken, again)


@pytest.mark.parametrize(
    ("name", "words"),
    [("gateway", "does not answer on eth0"), ("address", "nobody confirmed the change")],
)
def test_wrong_change_is_undone_and_says_why(
    story: Story, release: str, name: str, words: str
) -> None:
    result = component(story.undone[name], release)
    assert result["rolled_back"], json.dumps(result)
    assert words in result["msg"]
    assert result["msg"].endswith("The host is as before: files and units were put back.")


@pytest.mark.parametrize("name", ["gateway", "address"])
def test_ifupdown_has_the_host_again_as_it_was(story: Story, release: str, name: str) -> None:
    after = story.afterwards[name][release].splitlines()
    assert sorted(after) == sorted(story.before[release].splitlines())


def test_host_is_taken_over_without_losing_it(story: Story, host: Host) -> None:
    result = component(story.taken, host.release)
    assert (result["changed"], result.get("failed", False)) == (True, False), json.dumps(result)
    assert f"{host.address}/24" in host.sh("ip -brief address show dev eth0")
    assert "configured" in host.sh("networkctl list --no-legend eth0")


def test_ifupdown_lets_go(story: Story, host: Host) -> None:  # noqa: ARG001 -- after that
    shown = host.sh("systemctl show --property=ActiveState,UnitFileState networking.service")
    assert sorted(shown.split()) == ["ActiveState=inactive", "UnitFileState=disabled"]
    assert "eth0" not in host.sh("cat /run/network/ifstate")
    assert host.sh("readlink /etc/systemd/system/ifup@.service") == "/dev/null\n"


def test_what_ifupdown_had_set_is_gone(story: Story, host: Host) -> None:  # noqa: ARG001 -- after that
    routes = host.sh("ip -4 route show; ip -6 route show default; ip rule")
    assert [line.split()[0] for line in routes.splitlines()].count("default") == 2
    assert "203.0.113.0/24" not in routes
    assert "onlink" not in routes


def test_what_is_of_others_stays(story: Story, host: Host) -> None:  # noqa: ARG001 -- after that
    assert "198.51.100.129/28" in host.sh("ip -brief address show dev docker9")
    assert "203.0.113.128/26 via 198.51.100.130" in host.sh("ip route show table 99")


def test_next_run_changes_nothing(story: Story, release: str) -> None:
    result = component(story.again, release)
    assert (result["changed"], result.get("failed", False)) == (False, False), json.dumps(result)
