# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._specs import (
    Hidden,
    Specification,
    Unresolved,
    accepted,
    shown,
)

ENTRY = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "name": {"type": "str", "required": True},
        "port": {"type": "int"},
        "groups": {"type": "list", "elements": "str"},
        "state": {"choices": ["present", "absent"], "default": "present"},
    },
}


def mistakes(value: Any, option: dict[str, Any], **formats: str) -> list[str]:
    """The lines for one variable `web_x`."""
    specification = Specification("web", {"web_x": option}, formats)
    return [str(mistake) for mistake in specification.check("web_x", value)]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("str", ["", "x", "1"], [1, 1.5, True, [], {}, None]),
        ("path", ["/x"], [1, []]),
        ("int", [0, -1, "22"], [True, 1.5, "x", "", "1.0", [], None]),
        ("float", [1, 1.5, "2"], [True, "x"]),
        ("bool", [True, False], ["yes", "true", 1, 0, "", None]),
        ("list", [[], [1, "x"]], ["a,b", {}, 1, None]),
        ("dict", [{}, {"a": 1}], ["a=b", [], None]),
        ("raw", [1, "x", [], {}], []),
    ],
)
def test_type(kind: str, good: list[Any], bad: list[Any]) -> None:
    option = {"type": kind, "default": "something"}
    assert [value for value in good if mistakes(value, option)] == []
    assert [value for value in bad if not mistakes(value, option)] == []


@pytest.mark.parametrize(
    ("value", "option", "lines"),
    [
        (420, {}, ["web_x: found 420; accepted: text, in quotes"]),
        ("no", {"type": "bool"}, ["web_x: found 'no'; accepted: true or false, without quotes"]),
        ("c", {"choices": ["a", "b"]}, ["web_x: found 'c'; accepted: one of a, b"]),
        ("2", {"type": "int", "choices": [1, 2]}, []),
        (
            ["a", "c"],
            {"type": "list", "elements": "str", "choices": ["a", "b"]},
            ["web_x[1]: found 'c'; accepted: one of a, b"],
        ),
        (
            [{"nmae": "x", "groups": ["a", 1]}, {"name": "x", "port": "ssh", "state": "gone"}],
            ENTRY,
            [
                "web_x[0].nmae: found an unknown name; accepted: name (the closest name)",
                "web_x[0].name: found nothing, and it is required; accepted: text",
                "web_x[0].groups[1]: found 1; accepted: text, in quotes",
                "web_x[1].port: found 'ssh'; accepted: a whole number",
                "web_x[1].state: found 'gone'; accepted: one of present, absent",
            ],
        ),
        (
            [{"name": "x", "zzz": 1}],
            ENTRY,
            ["web_x[0].zzz: found an unknown name; accepted: name, port, groups, state"],
        ),
        ([{"name": None}], ENTRY, ["web_x[0].name: found nothing (null); accepted: text"]),
        ([{"name": "x", "port": None}], ENTRY, []),
        (
            ["x"],
            ENTRY,
            [
                "web_x[0]: found 'x'; accepted: "
                "a dictionary with name (required), port, groups, state"
            ],
        ),
        ("x", {"type": "list", "elements": "int"}, ["web_x: found 'x'; accepted: "
                                                   "a list, each entry: a whole number"]),
        (None, {"type": "str"}, []),
        (None, {"type": "str", "required": True}, ["web_x: found nothing (null); accepted: text"]),
    ],
)  # fmt: skip
def test_mistakes_are_named(value: Any, option: dict[str, Any], lines: list[str]) -> None:
    assert mistakes(value, option) == lines


def test_formats_reach_into_lists_and_dictionaries() -> None:
    specification = Specification(
        "web", {"web_x": ENTRY}, {"web_x[].port": "port", "web_x[].groups[]": "user_name"}
    )
    value = [{"name": "x", "port": 70000, "groups": ["ok", "Not Ok"]}]
    assert [mistake.path for mistake in specification.check("web_x", value)] == [
        "web_x[0].port",
        "web_x[0].groups[1]",
    ]


def test_the_default_is_accepted_whatever_its_format() -> None:
    option = {"type": "str", "default": ""}
    assert mistakes("", option, web_x="fqdn") == []
    assert mistakes("www", option, web_x="fqdn") != []


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("web_password", {"type": "int"}),
        ("web_api_key", {"type": "int"}),
        ("web_db_pass", {"type": "int"}),
        ("web_x", {"type": "int", "no_log": True}),
        ("web_tokens", {"type": "list", "elements": "int"}),
        ("web_tls", {"type": "dict", "options": {"private_key": {"type": "int"}}}),
    ],
)
def test_a_secret_is_never_shown(name: str, option: dict[str, Any]) -> None:
    values = {"list": ["hunter2"], "dict": {"private_key": "hunter2"}}
    value = values.get(option["type"], "hunter2")
    (mistake,) = Specification("web", {name: option}).check(name, value)
    assert "hunter2" not in str(mistake)
    assert "kept secret" in mistake.found


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("web_password_login", {"type": "bool"}),
        ("web_password_hash", {"type": "str", "choices": ["yescrypt"]}),
        ("web_token_life", {"type": "int", "no_log": False}),
        ("web_ssh_key", {"type": "int"}),
        ("web_compass", {"type": "int"}),
    ],
)
def test_what_cannot_be_a_secret_is_shown(name: str, option: dict[str, Any]) -> None:
    (mistake,) = Specification("web", {name: option}).check(name, "maybe")
    assert mistake.found == "'maybe'"


def test_a_hidden_value_is_checked_and_not_shown() -> None:
    assert mistakes(Hidden("a"), {"choices": ["a"]}) == []
    (line,) = mistakes(Hidden("hunter2"), {"choices": ["a"]})
    assert line == "web_x: found a value that is kept secret; accepted: one of a"


def test_a_failed_template_is_a_mistake_unless_it_waits_for_facts() -> None:
    failed = Unresolved("{{ a }}", "'{{ a }}', where 'a' is undefined")
    assert mistakes([failed], {"type": "list", "elements": "str"}) == [
        "web_x[0]: found '{{ a }}', where 'a' is undefined; accepted: text"
    ]
    assert mistakes(Unresolved("{{ a }}", "", pending=True), {}) == []


def test_required_variables_are_missed() -> None:
    options = {"web_a": {"required": True, "type": "int"}, "web_b": {}}
    (mistake,) = Specification("web", options, {"web_a": "port"}).missing({"web_b": 1})
    assert str(mistake) == (
        "web_a: found nothing, and it is required; accepted: a port, 1 to 65535"
    )
    assert list(Specification("web", options).missing({"web_a": 1})) == []


def test_the_origin_is_that_of_the_value_or_of_what_is_around_it() -> None:
    origins = {"inner": "file:2"}
    value = ["inner", True]
    specification = Specification("web", {"web_x": {"type": "list", "elements": "int"}})
    found = specification.check(
        "web_x", value, lambda v: "file:1" if v is value else origins.get(str(v), "")
    )
    assert [(mistake.path, mistake.origin) for mistake in found] == [
        ("web_x[0]", "file:2"),
        ("web_x[1]", "file:1"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "nothing (null)"),
        ({}, "an empty dictionary"),
        ({"a": 1, "b": 2}, "a dictionary (a, b)"),
        ([], "an empty list"),
        ([1, 2], "a list of 2"),
        ("x" * 100, "'" + "x" * 59 + "…"),
        ("a\nb", r"'a\nb'"),
        (1.5, "1.5"),
    ],
)
def test_values_are_shown_on_one_short_line(value: Any, text: str) -> None:
    assert shown(value) == text


def test_nested_lists_say_what_each_entry_may_be() -> None:
    option = {"type": "list", "elements": "dict", "options": {"a": {"required": True}}}
    assert accepted(option) == "a list, each entry: a dictionary with a (required)"
