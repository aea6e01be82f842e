# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The lookup within a real play: what two hosts with different roles let in."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

FILES = {
    "hosts.yml": """
        all:
          hosts: {w1: , m1: }
          children: {web: {hosts: {w1: }}}
        """,
    "host_vars/w1.yml": "firewall_services: [{name: ssh, zones: [office]}]",
    "site.yml": """
        - hosts: all
          gather_facts: false
          roles: [sshd, show]
        - hosts: web
          gather_facts: false
          roles: [web]
        """,
    "roles/sshd/defaults/main.yml": """
        sshd_firewall_services: [{name: ssh, ports: [22], zones: [any]}]
        """,
    "roles/show/tasks/main.yml": """
        - ansible.builtin.debug:
            msg: "{{ lookup('servertechnik.core.firewall_services', playbook) }}"
        """,
    "roles/web/defaults/main.yml": """
        web_port: 80
        web_firewall_services: [{name: web, ports: ['{{ web_port }}'], zones: [any]}]
        """,
}


def test_each_host_gets_what_its_roles_need_and_what_it_says_itself(
    tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(yaml.safe_load(text), sort_keys=False))
    words = ("ansible-playbook", "-i", "hosts.yml", "-e", "playbook=site.yml", "--limit", "m1,w1")
    done = run(*words, "site.yml", cwd=tmp_path, ANSIBLE_STDOUT_CALLBACK="ansible.posix.json")
    assert done.returncode == 0, done.stdout + done.stderr
    tasks = json.loads(done.stdout)["plays"][0]["tasks"]
    assert {host: result["msg"] for host, result in tasks[-1]["hosts"].items()} == {
        "m1": [{"name": "ssh", "ports": [22], "zones": ["any"]}],
        "w1": [
            {"name": "ssh", "ports": [22], "zones": ["office"]},
            {"name": "web", "ports": [80], "zones": ["any"]},
        ],
    }


def test_a_need_that_cannot_be_told_fails_with_its_place(
    tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    template = "{{ lookup('servertechnik.core.firewall_services', 'servertechnik.core.site') }}"
    words = ("ansible", "localhost", "-i", "localhost,", "-c", "local", "-m", "debug")
    needs = json.dumps({"sshd_firewall_services": "ssh"})
    done = run(*words, "-a", f"msg={template}", "-e", needs, cwd=tmp_path)
    assert done.returncode != 0
    assert "localhost: sshd_firewall_services: found 'ssh'" in done.stdout + done.stderr
