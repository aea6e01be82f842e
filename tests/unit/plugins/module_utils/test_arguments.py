# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._arguments import (
    desired_of,
    pack,
    readable,
    unpack,
)
from ansible_collections.servertechnik.core.plugins.module_utils._model import FileSpec, InputError

FILE: dict[str, Any] = {
    "dest": "/a", "template": None, "content": None, "source": None, "link": None,
    "state": "present", "purge": False, "owner": "root", "group": "root", "mode": None,
    "validate": None, "sensitive": False, "outline": False, "units": None,
}  # fmt: skip


def one_file(**options: Any) -> FileSpec:
    params = {"name": "c", "packages": [], "packages_absent": [], "validate": [], "commands": [],
              "units": [], "live": [], "verify": [], "files": [{**FILE, **options}]}  # fmt: skip
    return desired_of(params, {"/a": ("digest", 7)}).files[0]


@pytest.mark.parametrize(
    ("options", "spec"),
    [
        ({"content": ""}, {"kind": "file", "digest": "digest", "size": 7, "mode": 0o644}),
        ({"template": "a.j2", "sensitive": True}, {"kind": "file", "mode": 0o600}),
        ({"source": "a", "mode": "4755"}, {"kind": "file", "mode": 0o4755}),
        ({"source": "a", "mode": "01777"}, {"mode": 0o1777}),
        ({"source": "a", "sensitive": True, "mode": "0640"}, {"mode": 0o640}),
        ({"link": "b"}, {"kind": "link", "target": "b"}),
        ({"link": ""}, {"kind": "link", "target": ""}),
        ({"state": "directory", "purge": True}, {"kind": "directory", "mode": 0o755}),
        ({"state": "absent"}, {"kind": "absent"}),
        ({"content": "x", "units": []}, {"units": ()}),
        ({"content": "x", "units": None}, {"units": None}),
    ],
)
def test_file(options: dict[str, Any], spec: dict[str, Any]) -> None:
    found = one_file(**options)
    assert {key: getattr(found, key) for key in spec} == spec


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ("files: /a has no content", "accepted: exactly one of template, content")),
        ({"content": "", "link": "b"}, ("/a has content and link", "exactly one of")),
        ({"state": "absent", "source": "x"}, ("/a has source", "with state absent none of")),
        ({"state": "directory", "content": ""}, ("/a has content", "directory none of")),
        ({"content": "", "purge": True}, ("/a has purge", "only with state directory")),
        ({"content": "", "outline": True, "sensitive": True}, ("/a has outline and", "only one")),
        ({"content": "", "mode": "u+x"}, ("mode 'u+x' of /a", "accepted: octal digits")),
        ({"content": "", "mode": "420x"}, ("mode '420x' of /a", "accepted")),
        ({"content": "", "mode": "0888"}, ("mode '0888' of /a", "accepted")),
        ({"content": "", "dest": "/b"}, ("content of /b did not come along",)),
    ],
)
def test_refusal_names_option_found_and_accepted(
    options: dict[str, Any], words: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as error:
        one_file(**options)
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize(
    "contents", [{}, {"/a": b""}, {"/ü\n": bytes(range(256)), "/b": b"no final newline"}]
)
def test_contents_arrive_as_sent(contents: dict[str, bytes]) -> None:
    assert unpack(pack(contents)) == contents


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("/etc/caf\udce9", "/etc/caf\\xe9"),
        ("/etc/café\n☃", "/etc/café\n☃"),
        ({"a": ["\udcff", 1, None, True]}, {"a": ["\\xff", 1, None, True]}),
    ],
)
def test_names_that_are_no_text_are_shown(value: Any, shown: Any) -> None:
    assert readable(value) == shown
