# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A transaction is killed (SIGKILL) while dpkg configures a package; the next run ends as ordered.

The package brings a service that its own scripts would start, and a configuration file. The
service notes each start with its configuration: there may be one, and never with the defaults.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.conftest_hosts import Fleet, Results

Saw = Callable[[str, object], None]

# The package's configuration ends when /run/fault-go is there; then it starts its service.
BUILD = r"""
mkdir -p /srv/box/DEBIAN /srv/box/etc /srv/box/usr/lib/systemd/system /srv/repo
cd /srv/box
printf '%s\n' 'Package: fault-box' 'Version: 1' 'Architecture: all' \
    'Maintainer: a <a@example.org>' 'Description: a test' > DEBIAN/control
echo /etc/fault-box.conf > DEBIAN/conffiles
echo default > etc/fault-box.conf
printf '%s\n' '[Service]' "ExecStartPre=sh -c 'cat /etc/fault-box.conf >> /var/log/fault-box'" \
    'ExecStart=sleep infinity' '[Install]' 'WantedBy=multi-user.target' \
    > usr/lib/systemd/system/fault-box.service
printf '%s\n' '#!/bin/sh' 'set -e' 'until test -e /run/fault-go; do sleep 0.1; done' \
    'exec >/dev/null 2>&1' 'deb-systemd-helper enable fault-box.service' 'systemctl daemon-reload' \
    'deb-systemd-invoke start fault-box.service' > DEBIAN/postinst
chmod 755 DEBIAN/postinst
dpkg-deb --build /srv/box /srv/repo/fault-box.deb >&2
cd /srv/repo
{ cat /srv/box/DEBIAN/control; echo 'Filename: ./fault-box.deb'
  echo "Size: $(stat -c %s fault-box.deb)"
  echo "SHA256: $(sha256sum fault-box.deb | cut -d' ' -f1)"; } > Packages
echo 'deb [trusted=yes] file:/srv/repo ./' > /etc/apt/sources.list.d/fault.list
apt-get -qq update -o Dir::Etc::SourceList=/etc/apt/sources.list.d/fault.list \
    -o Dir::Etc::SourceParts=- -o APT::Get::List-Cleanup=0 >&2
"""
BOX = {
    "name": "box",
    "packages": ["fault-box"],
    "files": [{"dest": "/etc/fault-box.conf", "content": "ours\n"}],
    "units": [{"name": "fault-box.service"}],
    "verify": [{"unit": "fault-box.service"}],
}
OTHER = {"name": "other", "files": [{"dest": "/etc/fault-other.conf", "content": "other\n"}]}
RUN = [{"name": "box", "servertechnik.core.component": BOX}]
NEXT = [{"name": "other", "servertechnik.core.component": OTHER}]
CONFIGURING = """
until test "$(dpkg-query -W -f '${db:Status-Status}' fault-box 2>/dev/null)" = half-configured; do
    sleep 0.1
done
"""
# Whoever holds the host's lock has written its number there.
KILL = """
import os, re, signal
with open("/run/servertechnik.lock") as file:
    module = int(re.search(r"process ([0-9]+)", file.read())[1])
"""
KILLED = {
    "everything": "os.killpg(os.getpgid(module), signal.SIGKILL)",
    "the module alone": "os.kill(module, signal.SIGKILL)",
}
AT_WORK = "until grep -q ^other /run/servertechnik.lock; do sleep 0.1; done"
LOOK = """
cat /var/log/fault-box
dpkg-query -W -f '${db:Status-Abbrev}' fault-box; echo
systemctl is-active fault-box.service
systemctl is-enabled fault-box.service
find /usr/sbin/policy-rc.d* /var/lib/dpkg/updates -type f 2>/dev/null
"""
AGAIN = """
! systemctl is-active -q fault-box.service || systemctl disable -q --now fault-box.service
apt-get purge -qq -y fault-box
rm -rf /run/fault-go /var/log/fault-box
find /var/lib/systemd -name '*fault-box*' -delete
systemctl daemon-reload
"""


@pytest.fixture(scope="module")
def repository(fleet: Fleet) -> Fleet:
    """Hosts whose apt knows the package."""
    for host in fleet.hosts.values():
        host.sh(BUILD)
    return fleet


@pytest.fixture(scope="module", params=list(KILLED))
def again(
    request: pytest.FixtureRequest, repository: Fleet
) -> tuple[Results, Results, dict[str, str]]:
    """The run that was killed, the next two, and the hosts after that."""
    hosts = repository.hosts.values()
    for host in hosts:
        host.sh(AGAIN)
    first = repository.start(RUN)
    for host in hosts:
        host.sh(CONFIGURING)
        host.sh(f"python3 -c '{KILL}{KILLED[request.param]}'")
    killed = repository.results(first)
    second = repository.start(NEXT)
    for host in hosts:
        host.sh(AT_WORK)
    # Time for a run that doesn't wait for what is still going on to do harm.
    time.sleep(1)
    for host in hosts:
        host.sh("touch /run/fault-go")
    results = repository.results(second)
    for release, third in repository.play(RUN).items():
        results[release] |= third
    return killed, results, {host.release: host.sh(LOOK, check=False) for host in hosts}


def test_package_run_that_was_killed_is_finished_by_the_next(
    again: tuple[Results, Results, dict[str, str]], release: str, record_property: Saw
) -> None:
    killed, results, looks = again
    first = killed[release]["box"]
    assert first.get("failed") or first.get("unreachable"), first
    assert not results[release]["box"].get("failed"), results[release]["box"]
    record_property("saw", "\n".join(results[release]["other"].get("warnings", [])))
    assert looks[release].splitlines() == ["ours", "ii ", "active", "enabled"]
