# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible._internal._datatag._tags import Origin
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.servertechnik.core.plugins.plugin_utils._inventory import (
    Checker,
    Findings,
    is_plain,
    misspelt,
    origin_of,
    resolve,
    without_facts,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._specs import (
    Hidden,
    Mistake,
    Specification,
    Unresolved,
)

LOADER = DataLoader()


def templar(**variables: Any) -> Templar:
    return Templar(LOADER, variables)


def template(text: str) -> str:
    trusted: str = trust_as_template(text)
    return trusted


@pytest.mark.parametrize(
    ("hosts", "line"),
    [
        (["a"], "a: x: found 1; accepted: 2"),
        (["a", "b", "a"], "hosts a, b: x: found 1; accepted: 2"),
        (list("abcdefg"), "hosts a, b, c, d, e and 2 more: x: found 1; accepted: 2"),
    ],
)
def test_hosts_that_share_a_mistake_share_a_line(hosts: list[str], line: str) -> None:
    findings = Findings()
    for host in hosts:
        findings.add(host, Mistake("x", "1", "2"))
    assert list(findings.lines()) == [line]


def test_the_origin_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert origin_of(Origin(path=str(tmp_path / "a.yml"), line_num=3).tag("x")) == "a.yml:3"
    assert origin_of(Origin(path="/elsewhere/a.yml").tag("x")) == "/elsewhere/a.yml"
    assert origin_of(Origin(description="<CLI>").tag("x")) == "<CLI>"
    assert origin_of("x") == origin_of(True) == ""


@pytest.mark.parametrize("value", ["x", 1, None, True, ["x", {"a": "b"}], {"a": [1]}])
def test_a_plain_value_is_left_as_it_is(value: Any) -> None:
    assert is_plain(value)
    assert resolve(value, templar()) is value


def test_templates_are_rendered_where_they_are() -> None:
    value = {"a": [template("{{ b }}"), "c"], "d": template("{% if b %}1{% endif %}")}
    assert not is_plain(value)
    assert resolve(value, templar(b=[7])) == {"a": [[7], "c"], "d": "1"}


def test_a_rendered_container_keeps_its_origin() -> None:
    value = Origin(path="/a.yml", line_num=3).tag([template("{{ b }}")])
    assert origin_of(resolve(value, templar(b=1))) == "/a.yml:3"


def test_an_undefined_variable_is_named() -> None:
    (inner,) = resolve([template("{{ b }}")], templar(b=template("{{ nope }}")))
    assert inner == Unresolved("{{ b }}", "'{{ b }}', where 'nope' is undefined")


@pytest.mark.parametrize(
    "text", ["{{ ansible_facts['a']['b'] }}", "{{ indirect }}", "{{ hostvars.x.ansible_facts.y }}"]
)
def test_facts_are_waited_for(text: str) -> None:
    hostvars: dict[str, Any] = {"x": {"ansible_facts": {}}}
    indirect = template("{{ ansible_facts['a'] }}")
    found = resolve(template(text), templar(hostvars=hostvars, indirect=indirect))
    assert found.pending


def test_facts_are_left_out() -> None:
    assert without_facts({"a": 1, "ansible_facts": {"b": 1}, "ansible_local": {}}) == {"a": 1}


def test_a_template_that_names_a_secret_is_hidden() -> None:
    assert resolve(template("{{ vault_mail }}"), templar(vault_mail="x")) == Hidden("x")


def test_variables_with_the_prefix_of_a_role_must_be_its_own() -> None:
    specifications = {
        "web": Specification("web", {"web_port": {}, "web_sites": {}}),
        "web_tls": Specification("web_tls", {"web_tls_days": {}}),
    }
    variables = {"web_prot": 1, "web_tls_day": 1, "web_port": 1, "website": 1, "__web_x": 1}
    assert [str(mistake) for mistake in misspelt(variables, specifications)] == [
        "web_prot: found a variable that role web does not have; "
        "accepted: web_port (the closest name)",
        "web_tls_day: found a variable that role web_tls does not have; "
        "accepted: web_tls_days (the closest name)",
    ]


def test_a_shared_value_counts_for_every_host_and_a_template_anew() -> None:
    specification = Specification("web", {"web_a": {"type": "int"}, "web_b": {"type": "int"}})
    shared = {"web_a": "x" * 3, "web_b": template("{{ number }}")}
    checker = Checker()
    found = [
        [
            mistake.path
            for mistake in checker.mistakes(shared | {"number": n}, specification, LOADER)
        ]
        for n in (1, "text", 2)
    ]
    assert found == [["web_a"], ["web_a", "web_b"], ["web_a"]]
