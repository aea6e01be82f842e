# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Changes to how a host is reached, and everything that such a change could leave behind."""

from __future__ import annotations

import json
from typing import Any

from tests.conftest_hosts import Fleet, Host, Task

TIMEOUT = 8  # seconds that a host waits after a change that locks out
PATIENCE = 60  # after one that doesn't, whatever else the machine has to do
SSHD = "/etc/ssh/sshd_config.d/00-fault.conf"
RELOAD = {"name": "ssh.service", "on_change": "reload-or-restart"}
RULES = """\
#!/usr/sbin/nft -f
flush ruleset
table inet fault {{
    chain input {{
        type filter hook input priority filter; policy accept;
        {rule}
    }}
}}
"""
# Everything that could be different afterwards: files, and what the services do with them.
AT_REST = """\
for path in $(find /etc/ssh /etc/nftables.conf /etc/sudoers.d /home/technician /etc/systemd \
    /etc/servertechnik -type f -o -type l | sort); do
    stat --format '%n %F %U:%G %a %N' "$path"; test -L "$path" || sha256sum < "$path"
done
ss -ltnH | awk '{print $4}' | sort
sshd -T | sort
nft list tables | sort | while read -r table; do nft --stateless list $table; done
systemctl show --property=Id,ActiveState,UnitFileState ssh.service nftables.service \
    networking.service systemd-networkd.service systemd-resolved.service
"""
# And the network, in which a container may have another address after a restart. A link has a
# queueing discipline from the first time on that it is up.
LOOK = f"""{AT_REST}
cat /etc/resolv.conf
for family in -4 -6; do
    ip $family -o address | sed 's/valid_lft.*//; s/ nodad//; s/^[0-9]*: //' | sort
    ip $family route show table all | sed 's/expires [0-9]*sec//' | sort
    ip $family rule
done
ip -o link | sed 's/^[0-9]*: //; s/qdisc [a-z_]* //' | sort
"""
JOURNALS = """\
import json, os
place = "/var/lib/servertechnik/transactions"
for name in sorted(os.listdir(place)):
    path = f"{place}/{name}/journal.json"
    with open(path) as file:
        journal = json.load(file)
    print(json.dumps({key: journal[key] for key in ("id", "component", "at", "state", "error")}
                     | {"ended": os.stat(path).st_mtime}))
"""


def component(name: str, dest: str, content: str, unit: Task | None, **more: Any) -> Task:
    """A task with one file under confirmed commit."""
    arguments = {
        "name": name,
        "files": [
            {"dest": dest, "content": content, **more.pop("file", {})},
            *more.pop("more", []),
        ],
        "units": [unit] if unit else [],
        "confirm": {"timeout": PATIENCE},
        **more,
    }
    return {"name": name, "servertechnik.core.component": arguments}


def sshd(content: str, **more: Any) -> Task:
    """A change of sshd's settings."""
    return component("sshd", SSHD, content, RELOAD, validate=["sshd -t"], **more)


def nft(rule: str, **more: Any) -> Task:
    """A firewall with one rule."""
    unit = {"name": "nftables.service"}
    validate = ["nft -c -f /etc/nftables.conf"]
    content = RULES.format(rule=rule)
    return component("firewall", "/etc/nftables.conf", content, unit, validate=validate, **more)


def look(fleet: Fleet, script: str = LOOK) -> dict[str, str]:
    """The hosts, files, services and network."""
    return {release: host.sh(script) for release, host in fleet.hosts.items()}


def journals(host: Host) -> list[dict[str, Any]]:
    """The transactions of a host, oldest first."""
    return [json.loads(line) for line in host.sh(f"python3 -c '{JOURNALS}'").splitlines()]
