# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import shlex
from collections.abc import Generator

import pytest
from testinfra.host import Host

# What unattended-upgrades itself thinks of each archive that this host knows.
ALLOWED_ARCHIVES = """
import importlib.machinery, importlib.util, apt
loader = importlib.machinery.SourceFileLoader("upgrade", "/usr/bin/unattended-upgrade")
spec = importlib.util.spec_from_loader("upgrade", loader)
upgrade = importlib.util.module_from_spec(spec)
loader.exec_module(upgrade)
allowed = upgrade.get_allowed_origins()
origins = {o for p in apt.Cache() for v in p.versions for o in v.origins if o.label}
for origin in origins:
    print(origin.label, origin.codename, upgrade.is_allowed_origin(origin, allowed))
"""
# Services that still use a library which has been replaced; needrestart looks at such.
STALE_SERVICES = """
for name in {names}; do
    cp /lib/*/libm.so.6 /opt/$name.so
    printf '[Service]\\nEnvironment=LD_PRELOAD=/opt/%s.so\\nExecStart=/usr/bin/sleep 1h\\n' \
        $name > /run/systemd/system/$name.service
done
systemctl daemon-reload
systemctl restart {names}
sleep 0.5
rm /opt/*.so
"""


@pytest.fixture(scope="module")
def restarted(host: Host) -> Generator[set[str]]:
    """Return which services with a replaced library needrestart restarts when nobody answers."""
    names = ["probe", "sshprobe", "postgresqlprobe"]

    def processes() -> dict[str, str]:
        show = f"systemctl show --property=MainPID --value {' '.join(names)}"
        return dict(zip(names, host.check_output(show).split(), strict=True))

    host.check_output(STALE_SERVICES.format(names=" ".join(names)))
    before = processes()
    found = host.check_output("needrestart -b -r l")
    assert [name for name in names if f"NEEDRESTART-SVC: {name}.service" not in found] == []
    host.check_output("needrestart < /dev/null")
    after = processes()
    yield {name for name in names if after[name] != before[name]}
    host.check_output(f"systemctl stop {' '.join(names)}")


@pytest.mark.parametrize(
    "line",
    [
        'APT::Periodic::Update-Package-Lists "1";',
        'APT::Periodic::Unattended-Upgrade "1";',
        'APT::Periodic::AutocleanInterval "7";',
        'Unattended-Upgrade::Automatic-Reboot "false";',
        'Unattended-Upgrade::Automatic-Reboot-WithUsers "false";',
        'Unattended-Upgrade::Remove-Unused-Dependencies "false";',
        'Unattended-Upgrade::Mail "it@example.org";',
        'Unattended-Upgrade::MailReport "on-change";',
    ],
)
def test_apt_is_told(host: Host, line: str) -> None:
    assert line in host.check_output("apt-config dump").splitlines()


def test_only_our_origins_are_allowed(host: Host) -> None:
    run = host.run("unattended-upgrade --dry-run --debug")
    said = f"{run.stdout}{run.stderr}"
    (line,) = [line for line in said.splitlines() if line.startswith("Allowed origins are: ")]
    release = host.system_info.codename
    assert line.removeprefix("Allowed origins are: ").split(", ") == [
        f"origin=Debian,codename={release},label=Debian-Security",
        f"origin=Debian,codename={release}-security,label=Debian-Security",
        f"origin=Example,codename={release}",
    ]
    assert "Initial blacklist: postgresql- libc6$" in said


def test_security_pocket_is_allowed_and_no_other(host: Host) -> None:
    release = host.system_info.codename
    archives = host.check_output(f"python3 -c {shlex.quote(ALLOWED_ARCHIVES)}").splitlines()
    assert f"Debian-Security {release}-security True" in archives
    assert [a for a in archives if a.endswith("True") and "Security" not in a] == []
    assert f"Debian {release} False" in archives


@pytest.mark.parametrize(
    ("timer", "calendar", "delay"),
    [
        ("apt-daily.timer", "OnCalendar=*-*-* 00,12:00:00", "3h"),
        ("apt-daily-upgrade.timer", "OnCalendar=Mon..Fri *-*-* 03:15:00", "20min"),
    ],
)
def test_timer_waits_for_its_time(host: Host, timer: str, calendar: str, delay: str) -> None:
    assert host.service(timer).is_enabled
    assert host.service(timer).is_running
    shown = host.check_output(f"systemctl show {timer}").splitlines()
    (times,) = [line for line in shown if line.startswith("TimersCalendar=")]
    assert calendar in times
    assert times.count("OnCalendar=") == 1
    assert f"RandomizedDelayUSec={delay}" in shown
    assert "FixedRandomDelay=yes" in shown


def test_needrestart_reads_its_settings(host: Host) -> None:
    host.check_output("perl -c /etc/needrestart/conf.d/servertechnik.conf")
    read = "our %nrconf; eval do { local (@ARGV, $/) = q(/etc/needrestart/needrestart.conf); <> };"
    shown = "die $@ if $@; print join q( ), @nrconf{qw(restart kernelhints ucodehints)};"
    assert host.check_output(f"perl -e {shlex.quote(read + shown)}") == "a -1 0"


@pytest.mark.parametrize(
    ("name", "restarts"), [("probe", True), ("sshprobe", False), ("postgresqlprobe", False)]
)
def test_what_holds_the_host_together_keeps_running(
    restarted: set[str], name: str, restarts: bool
) -> None:
    assert (name in restarted) == restarts


@pytest.mark.parametrize(("package", "priority"), [("cron", 123), ("nano", 500)])
def test_pin_counts(host: Host, package: str, priority: int) -> None:
    policy = host.check_output(f"apt-cache policy {package}").split()
    version = policy[policy.index("Candidate:") + 1]
    assert f" {version} {priority}\n" in host.check_output(f"apt-cache policy {package}")


def test_held_package_stays_at_its_version(host: Host) -> None:
    words = host.check_output("apt-cache policy libc6").split()
    assert words[words.index("Candidate:") + 1] == words[words.index("Installed:") + 1]


def test_held_package_does_not_come(host: Host) -> None:
    assert "Candidate: (none)" in host.check_output("apt-cache policy less")
    assert host.run("apt-get install --simulate less").rc != 0


def test_nothing_asks(host: Host) -> None:
    """A package run with no terminal and no answer ends by itself, needrestart's part included."""
    run = host.run("timeout 120 apt-get install --reinstall -qq -y hostname < /dev/null")
    assert run.rc == 0, run
