# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Changes that cut off the one who makes them, or the host from what it needs: each a drill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.conftest_hosts import Task
from tests.fault.changes import PATIENCE, TIMEOUT, component, sshd

SSH = {"name": "ssh", "protocol": "tcp", "ports": [22], "zones": ["any"]}
ELSEWHERE = {"name": "elsewhere", "networks": ["203.0.113.0/24", "2001:db8:bad::/48"]}
LONGER = 20  # seconds for links and gateways to be verified first, also on a busy machine
SOON = {"confirm": {"timeout": TIMEOUT}}
# A drop-in for the unit of every restoration timer: it then does nothing.
BROKEN_TIMER = "/etc/systemd/system/servertechnik-restore-.service.d/broken.conf"


@dataclass(frozen=True)
class Drill:
    """One destructive change: its tasks, and words of the message in which the run must end.

    `at_once` says that the host notices by itself, and doesn't wait for a confirmation; `refused`
    that it doesn't even begin.
    """

    tasks: Sequence[Task]
    says: str = "over a new connection"
    at_once: bool = False
    refused: bool = False


def role(name: str, **variables: Any) -> Task:
    """A task that applies one of our roles."""
    return {
        "name": name,
        "ansible.builtin.include_role": {"name": f"servertechnik.core.{name}"},
        "vars": {f"{name}_confirm_timeout": TIMEOUT, **variables},
    }


def firewall(*services: Any, **variables: Any) -> Task:
    """The firewall with these services alone."""
    return role("firewall", firewall_playbook="", firewall_services=list(services), **variables)


# Podman's network of the hosts: its first address is the machine where the controller runs.
GATEWAY = "{{ ansible_host.rsplit('.', 1)[0] }}.1"
GATEWAY6 = "{{ ansible_facts['default_ipv6']['gateway'] }}"
ADDRESS = "{{ ansible_host }}/24"
ADDRESS6 = "{{ ansible_facts['default_ipv6']['address'] }}/64"
# Two addresses for each host that nobody has, but for their last digit.
FREE = "{{ ansible_host.rsplit('.', 1)[0] }}.{{ 24 + groups['all'].index(inventory_hostname) }}"
OTHER = "{{ hostvars[groups['all'] | difference([inventory_hostname]) | first]['ansible_host'] }}"
ETH0 = {"name": "eth0", "addresses": [ADDRESS, ADDRESS6], "gateways": [GATEWAY, GATEWAY6]}
# systemd-networkd sets none below 1280, so it takes a unit of one's own.
MTU = component(
    "mtu",
    "/etc/systemd/system/mtu.service",
    "[Service]\nType=oneshot\nExecStart=ip link set dev eth0 mtu 128\n",
    {"name": "mtu.service", "enabled": False},
    live=["network"],
    **SOON,
)


def network(*links: Any, **variables: Any) -> Task:
    """These links alone."""
    usual = {"network_settle_timeout": 5, "network_confirm_timeout": LONGER}
    return role("network", network_links=list(links), **{**usual, **variables})


def resolver(server: str) -> Task:
    """This name server alone; a dead one is noticed by the host itself."""
    return role("resolver", resolver_nameservers=[server], resolver_confirm_timeout=PATIENCE)


# What the hosts are before a drill.
PATIENT = {"network_confirm_timeout": PATIENCE, "network_settle_timeout": 30}
FACTS = {"name": "facts", "ansible.builtin.setup": {"gather_subset": ["network"]}}
READY = [
    FACTS,
    sshd("LogLevel INFO\n"),
    firewall(SSH, firewall_confirm_timeout=PATIENCE),
    network(ETH0, **PATIENT),
    resolver(GATEWAY),
]

DRILLS = {
    "sshd on a closed port": Drill([sshd("Port 2222\n", **SOON)]),
    "AllowUsers without the user": Drill([sshd("AllowUsers nobody\n", **SOON)]),
    "sudo revoked": Drill(
        [
            component(
                "sudo",
                "/etc/sudoers.d/zz-fault",
                "technician ALL=(ALL) !ALL\n",
                None,
                file={"mode": "0440", "validate": "visudo -cf %s"},
                **SOON,
            )
        ]
    ),
    "key file emptied": Drill(
        [
            component(
                "keys",
                "/home/technician/.ssh/authorized_keys",
                "# nobody\n",
                None,
                file={"owner": "technician", "group": "technician"},
                **SOON,
            )
        ]
    ),
    "the timer's own service broken": Drill(
        [
            sshd(
                "Port 2222\n",
                **SOON,
                more=[
                    {
                        "dest": BROKEN_TIMER,
                        "content": "[Unit]\nConditionPathExists=/nonexistent\n",
                    }
                ],
            )
        ]
    ),
    "ssh missing from the firewall": Drill(
        [firewall({**SSH, "ports": [80]})], says="no service with tcp port 22", refused=True
    ),
    "default drop on the controller's zone": Drill(
        [firewall({**SSH, "zones": ["elsewhere"]}, firewall_zones=[ELSEWHERE])]
    ),
    "the controller's network blocked": Drill(
        [firewall(SSH, firewall_blocked=["{{ ansible_host.split('.')[0] }}.0.0.0/8"])]
    ),
    "a rule of one's own that drops": Drill(
        [firewall(SSH, firewall_extra_input=["tcp dport 22 drop"])]
    ),
    "nft syntax error": Drill(
        [firewall(SSH, firewall_extra_input=["tcp dport 22 acept"])],
        says="acept",
        at_once=True,
    ),
    "wrong address": Drill(
        [
            network(
                {"name": "eth0", "addresses": [f"{FREE}1/24"], "gateways": [GATEWAY]},
                network_confirm_address=f"{FREE}2",
            )
        ]
    ),
    "the controller's way in left out": Drill(
        [network({**ETH0, "addresses": [f"{FREE}1/24"]})],
        says="network_confirm_address",
        at_once=True,
    ),
    "wrong prefix": Drill(
        [network({"name": "eth0", "addresses": ["{{ ansible_host }}/32", ADDRESS6]})]
    ),
    "wrong gateway": Drill(
        [network({**ETH0, "gateways": [f"{FREE}1", GATEWAY6]})], says="gateway", at_once=True
    ),
    "address of another host": Drill(
        [network({**ETH0, "addresses": [ADDRESS, ADDRESS6, f"{OTHER}/24"]})],
        says="in use",
        at_once=True,
    ),
    "MTU too small for the key exchange": Drill([MTU]),
    "bridge without its port": Drill(
        [network({"name": "eth0"}, {**ETH0, "name": "br0", "type": "bridge"})],
        says="br0",
        at_once=True,
    ),
    "all answers into a black hole": Drill(
        [
            network(
                {
                    **ETH0,
                    "routes": [{"to": "0.0.0.0/0", "type": "blackhole", "table": 99}],
                    "rules": [{"to": "0.0.0.0/0", "table": 99, "priority": 9}],
                }
            )
        ]
    ),
    "the controller's route unreachable": Drill(
        [network({**ETH0, "routes": [{"to": f"{GATEWAY}/32", "type": "unreachable"}]})]
    ),
    "link that never gets online": Drill(
        [
            network(
                ETH0,
                {"name": "br9", "type": "bridge", "dhcp": "ipv4", "required_for_online": True},
            )
        ],
        says="br9",
        at_once=True,
    ),
    "resolver dead": Drill([resolver(f"{FREE}1")], says="no answer", at_once=True),
}
