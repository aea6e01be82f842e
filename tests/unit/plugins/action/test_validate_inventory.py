# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A small company on disk, and the real command against it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

Validate = Callable[..., "subprocess.CompletedProcess[str]"]

FILES = {
    "site.yml": """
        - hosts: web
          gather_facts: false
          roles: [web]
        - import_playbook: more.yml
        """,
    "more.yml": """
        - hosts: "{{ receivers }}"
          gather_facts: false
          roles:
            - role: mail
              vars: {mail_domain: example.org}
        """,
    "roles/web/meta/argument_specs.yml": """
        argument_specs:
          main:
            options:
              web_name: {type: str, required: true}
              web_port: {type: int, default: 80}
              web_password: {type: str, default: ''}
              web_address: {type: str, default: ''}
        """,
    "roles/web/meta/formats.yml": "{web_port: port, web_address: ip_address, web_name: hostname}",
    "roles/web/defaults/main.yml": "{web_port: 80, web_password: '', web_address: ''}",
    "roles/web/tasks/main.yml": "[{ansible.builtin.meta: noop}]",
    "roles/mail/meta/argument_specs.yml": """
        argument_specs:
          main:
            options:
              mail_domain: {type: str, required: true}
              mail_size: {type: str, default: 1M}
        """,
    "roles/mail/meta/formats.yml": "{mail_domain: fqdn, mail_size: size}",
    "roles/mail/defaults/main.yml": "mail_size: '{{ limit | default(\"1M\") }}'",
    "roles/mail/tasks/main.yml": "[{ansible.builtin.meta: noop}]",
    "hosts.yml": """
        all:
          children:
            web: {hosts: {w1: , w2: }}
            mail: {hosts: {m1: }}
        """,
    "group_vars/web.yml": "web_name: '{{ inventory_hostname }}'",
}


@pytest.fixture
def validate(tmp_path: Path, run: Validate) -> Validate:
    """Write the company, with files added or replaced, and validate it."""

    def runner(*words: str, **files: str) -> subprocess.CompletedProcess[str]:
        for name, text in (FILES | {key: files[key] for key in files}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(yaml.safe_load(text), sort_keys=False))
        playbook = ("servertechnik.core.validate", "-e", "validate_playbook=site.yml")
        extra = ("-e", "receivers=mail")
        return run("ansible-playbook", "-i", "hosts.yml", *playbook, *extra, *words, cwd=tmp_path)

    return runner


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of the report, without the result as JSON that repeats them."""
    report = (done.stderr + done.stdout).splitlines()
    return [line for line in report if "; accepted: " in line and not line.startswith("fatal: ")]


def test_a_sound_inventory_passes_without_a_connection(validate: Validate) -> None:
    done = validate("-v")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 hosts, 2 roles: no mistake in the inventory." in done.stdout


def test_all_mistakes_of_all_hosts_are_reported_at_once(validate: Validate) -> None:
    done = validate(
        **{
            "group_vars/web.yml": "{web_port: 99999, web_name: '{{ nope }}', web_prot: 1}",
            "host_vars/w1.yml": "web_address: 192.0.2.300",
            "host_vars/m1.yml": "limit: huge",
        }
    )
    assert done.returncode != 0
    assert "5 mistakes in the inventory" in done.stderr + done.stdout
    assert [line.partition(";")[0] for line in lines(done)] == [
        "hosts w1, w2: web_name: found '{{ nope }}', where 'nope' is undefined",
        "hosts w1, w2: web_port: found 99999",
        "w1: web_address: found '192.0.2.300'",
        "hosts w1, w2: web_prot: found a variable that role web does not have",
        "m1: mail_size: found 'huge'",
    ]
    assert lines(done)[2].endswith("an IP address (192.0.2.1, 2001:db8::1) [host_vars/w1.yml:1]")


def test_the_limit_is_respected(validate: Validate) -> None:
    bad = {"host_vars/w1.yml": "web_port: 0"}
    assert validate("--limit", "w2,m1", **bad).returncode == 0
    assert validate("--limit", "w1", **bad).returncode != 0


def test_variables_of_every_source_count(validate: Validate) -> None:
    done = validate(
        "-e",
        "web_port=http",
        **{
            "more.yml": """
                - hosts: mail
                  gather_facts: false
                  vars: {mail_size: big}
                  roles: [{role: mail, vars: {mail_domain: lonely}}]
                """,
        },
    )
    assert [line.partition(";")[0] for line in lines(done)] == [
        "hosts w1, w2: web_port: found 'http'",
        "m1: mail_domain: found 'lonely'",
        "m1: mail_size: found 'big'",
    ]


def test_nothing_comes_before_extra_variables(validate: Validate) -> None:
    assert validate("-e", "mail_domain=example.net").returncode == 0
    done = validate("-e", "mail_domain=lonely")
    assert [line.partition(";")[0] for line in lines(done)] == ["m1: mail_domain: found 'lonely'"]


def test_secrets_stay_secret(validate: Validate) -> None:
    done = validate("-vvv", **{"host_vars/w1.yml": "web_password: {a: hunter2}"})
    assert lines(done)[0].startswith("w1: web_password: found a value that is kept secret")
    assert "hunter2" not in done.stdout + done.stderr


def test_values_from_a_vault_are_checked_and_not_shown(
    validate: Validate, tmp_path: Path, run: Validate
) -> None:
    (tmp_path / "key").write_text("correct horse")
    words = ("ansible-vault", "encrypt_string", "--vault-password-file", "key", "hunter2")
    encrypted = run(*words, "--name", "web_address", cwd=tmp_path).stdout
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "w1.yml").write_text(encrypted)
    opened = validate("--vault-password-file", "key", "-vvv")
    assert lines(opened)[0].startswith("w1: web_address: found a value that is kept secret; accep")
    assert "hunter2" not in opened.stdout + opened.stderr
    (locked,) = lines(validate())
    assert locked.startswith("w1: web_address: found a value of a vault that can't be opened; acc")


def test_a_value_that_needs_facts_is_left_to_the_role(validate: Validate) -> None:
    facts = "\"{{ ansible_facts['default_ipv4']['address'] }}\""
    assert validate(**{"host_vars/w1.yml": f"web_address: {facts}"}).returncode == 0


def test_a_host_without_a_role_is_named(validate: Validate) -> None:
    done = validate(**{"hosts.yml": "all: {hosts: {lone: }, children: "
                                    "{web: {hosts: {w1: }}, mail: }}"})  # fmt: skip
    assert done.returncode == 0
    assert "No role applies to lone." in done.stderr + done.stdout


def test_check_mode_reports_the_same(validate: Validate) -> None:
    bad = {"host_vars/w1.yml": "web_port: 0"}
    assert lines(validate("--check", **bad)) == lines(validate(**bad)) != []


NETWORK = {
    "more.yml": """
        - hosts: all
          gather_facts: false
          roles: [network, firewall]
        """,
    "roles/network/meta/argument_specs.yml": """
        argument_specs:
          main:
            options:
              network_networks: {type: list, elements: dict, default: []}
              network_links: {type: list, elements: dict, default: []}
        """,
    "roles/network/defaults/main.yml": "{network_networks: [], network_links: []}",
    "roles/firewall/meta/argument_specs.yml": """
        argument_specs:
          main:
            options:
              firewall_services:
                type: list
                elements: dict
                default: []
                options:
                  name: {type: str, required: true}
                  ports: {type: list, elements: raw}
                  zones: {type: list, elements: str}
                  hosts: {type: list, elements: str}
        """,
    "roles/firewall/meta/formats.yml": "{'firewall_services[].name': hostname}",
    "roles/firewall/defaults/main.yml": """
        firewall_services: [{name: ssh, ports: [22], zones: [any]}]
        """,
    "host_vars/w1.yml": "network_links: [{name: eth0, addresses: [192.0.2.1/24]}]",
    "host_vars/w2.yml": "network_links: [{name: eth0, addresses: ['{{ address }}/24']}]",
    "host_vars/m1.yml": "network_links: [{name: eth0, addresses: [192.0.2.3/24]}]",
}


def test_hosts_are_compared_with_each_other_beyond_the_limit(validate: Validate) -> None:
    twice = ("-e", "address=192.0.2.1")
    assert validate("-e", "address=192.0.2.2", **NETWORK).returncode == 0
    (line,) = lines(validate(*twice, **NETWORK))
    assert line == (
        "w2: network_links[0].addresses[0]: found 192.0.2.1, also that of host w1; "
        "accepted: an address that no other has [host_vars/w2.yml:4]"
    )
    assert lines(validate(*twice, "--limit", "w2", **NETWORK)) == [line]
    assert validate(*twice, "--limit", "w1,m1", **NETWORK).returncode == 0


def test_the_firewall_of_each_host_is_judged_with_all_that_its_roles_need(
    validate: Validate,
) -> None:
    files = NETWORK | {
        "roles/web/defaults/main.yml": """
            web_port: 80
            web_firewall_services: [{name: web, ports: ['{{ web_port }}'], hosts: [m2]}]
            """,
        "roles/web/meta/argument_specs.yml": """
            argument_specs:
              main:
                options:
                  web_name: {type: str, default: ''}
                  web_port: {type: int, default: 80}
                  web_firewall_services: {type: list, elements: dict, default: []}
            """,
        "roles/web/meta/formats.yml": "{web_port: port}",
        "group_vars/mail.yml": "firewall_services: []",
    }
    assert [
        line.partition(";")[0] for line in lines(validate("-e", "address=192.0.2.2", **files))
    ] == [
        "hosts w1, w2: web_firewall_services[web].hosts: found 'm2'",
        "m1: firewall_services: found no service with tcp port 22, Ansible's way in",
    ]


def test_what_roles_need_is_checked_like_a_service(validate: Validate) -> None:
    spec = yaml.safe_load(FILES["roles/web/meta/argument_specs.yml"])
    need = {"type": "list", "elements": "dict", "default": []}
    spec["argument_specs"]["main"]["options"]["web_firewall_services"] = need
    files = NETWORK | {
        "roles/web/meta/argument_specs.yml": yaml.safe_dump(spec),
        "host_vars/w1.yml": "web_firewall_services: [{name: a b, port: 80}, {ports: 80}]",
    }
    assert [line.partition("; ")[0] for line in lines(validate("-e", "address=::5", **files))] == [
        "w1: web_firewall_services[0].port: found an unknown name",
        "w1: web_firewall_services[0].name: found 'a b'",
        "w1: web_firewall_services[1].name: found nothing, and it is required",
        "w1: web_firewall_services[1].ports: found 80",
    ]


@pytest.mark.parametrize(
    "value",
    [
        "12",
        "['eth0']",
        "\"{{ ansible_facts['links'] }}\"",
        "[{name: eth0, addresses: ['{{ no }}']}]",
    ],
)
def test_what_is_wrong_or_unknown_by_itself_is_not_compared(value: str, validate: Validate) -> None:
    files = NETWORK | {"host_vars/w1.yml": f"network_links: {value}"}
    done = validate("-e", "address=192.0.2.1", **files)
    assert [line for line in lines(done) if not line.startswith("w1: network_links")] == []
    assert "Traceback" not in done.stdout + done.stderr
