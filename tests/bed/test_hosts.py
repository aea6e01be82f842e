# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Hosts of the bed are like servers: files of their own, keys of their own, and a restart."""

from __future__ import annotations

import json
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


def test_another_host_key_is_refused(run: Run, sh: Sh) -> None:
    name = next(iter(HOSTS))
    key = "/etc/ssh/ssh_host_ed25519_key"
    sh(name, f"sudo rm {key} {key}.pub && sudo ssh-keygen -A && sudo systemctl restart ssh")
    done = run(BED, "ssh", name, "true")
    assert done.returncode == 255
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in done.stderr
