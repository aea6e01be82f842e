# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Hosts of the bed are like servers: files of their own, keys of their own, and a restart."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

BED = Path(__file__).parent / "bed"
HOSTS = {"bed-test-bookworm": "bookworm", "bed-test-trixie": "trixie"}

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Sh = Callable[[str, str], str]


@pytest.fixture(scope="module", autouse=True)
def hosts(run: Run) -> Iterator[None]:
    up(run)
    yield
    run(BED, "down", *HOSTS)


@pytest.fixture
def sh(run: Run) -> Sh:
    """Run a shell line on a host over SSH."""

    def runner(name: str, line: str) -> str:
        done = run(BED, "ssh", name, line)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return runner


def up(run: Run) -> dict[str, str]:
    done = run(BED, "up", *(f"{name}={release}" for name, release in HOSTS.items()))
    assert done.returncode == 0, done.stderr
    return {host["name"]: host["outcome"] for host in json.loads(done.stdout)}


def test_up_leaves_alone_what_runs(run: Run) -> None:
    assert up(run) == dict.fromkeys(HOSTS, "unchanged")


@pytest.mark.parametrize("name", HOSTS)
def test_the_release_is_the_one_asked_for(name: str, sh: Sh) -> None:
    assert f"VERSION_CODENAME={HOSTS[name]}" in sh(name, "cat /etc/os-release")


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("path", ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"])
def test_files_can_be_replaced_by_rename(name: str, path: str, sh: Sh) -> None:
    sh(name, f"sudo cp {path} {path}.new && sudo mv {path}.new {path}")


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("how", [[], ["--hard"]], ids=["shutdown", "power-cut"])
def test_changes_survive_a_restart(name: str, how: list[str], run: Run, sh: Sh) -> None:
    sh(
        name,
        "echo renamed | sudo tee /etc/hostname && echo '# mine' | sudo tee -a /etc/resolv.conf",
    )
    assert run(BED, "restart", *how, name).returncode == 0
    assert sh(name, "hostname") == "renamed\n"
    assert "# mine" in sh(name, "cat /etc/resolv.conf")


@pytest.mark.parametrize("command", ["/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub"])
def test_no_two_hosts_share_an_identity(command: str, sh: Sh) -> None:
    assert len({sh(name, f"cat {command}") for name in HOSTS}) == len(HOSTS)


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("family", ["-4", "-6"])
def test_hosts_reach_each_other_in_both_families(name: str, family: str, sh: Sh) -> None:
    (other,) = HOSTS.keys() - {name}
    (address,) = set(sh(other, f"ip {family} -brief address show eth0 scope global").split()[2:])
    greeting = f"</dev/tcp/{address.partition('/')[0]}/22 && head -c 4 <&3"
    assert sh(name, f"exec 3{greeting}") == "SSH-"


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["4", "6"])
@pytest.mark.parametrize("name", HOSTS)
def test_the_machine_reaches_a_host_in_both_families(
    name: str, family: socket.AddressFamily, sh: Sh
) -> None:
    option = "-4" if family == socket.AF_INET else "-6"
    place = sh(name, f"ip {option} -brief address show eth0 scope global").split()[2]
    with socket.socket(family, socket.SOCK_STREAM) as wire:
        wire.settimeout(10)
        wire.connect((place.partition("/")[0], 22))
        assert wire.recv(4) == b"SSH-"


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_has_settings_of_its_own_for_the_network_alone(name: str, sh: Sh) -> None:
    setting = "/proc/sys/net/ipv4/conf/all/log_martians"
    (other,) = HOSTS.keys() - {name}
    before = sh(other, f"cat {setting}")
    assert sh(name, f"echo 1 | sudo tee {setting}") == "1\n"
    assert sh(other, f"cat {setting}") == before == "0\n"
    sh(name, f"echo 0 | sudo tee {setting} && ! sudo test -w /proc/sys/vm/swappiness")


def test_another_host_key_is_refused(run: Run, sh: Sh) -> None:
    name = next(iter(HOSTS))
    key = "/etc/ssh/ssh_host_ed25519_key"
    sh(name, f"sudo rm {key} {key}.pub && sudo ssh-keygen -A && sudo systemctl restart ssh")
    done = run(BED, "ssh", name, "true")
    assert done.returncode == 255
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in done.stderr
