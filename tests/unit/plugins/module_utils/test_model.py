# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._model import (
    Check,
    Desired,
    FileSpec,
    InputError,
    UnitSpec,
)


def component(**options: Any) -> Desired:
    return Desired(name="c", **options)


def paths(*specs: tuple[str, Any]) -> Desired:
    return component(files=tuple(FileSpec(path=path, kind=kind) for path, kind in specs))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Desired(name="Big Name"), ("name 'Big Name'", "accepted: 1 to 64 of a-z")),
        (lambda: Desired(name=""), ("name ''", "accepted")),
        (lambda: Desired(name="x" * 65), ("name 'xxx", "accepted")),
        (lambda: component(packages=("a b",)), ("packages: 'a b'", "accepted: NAME, NAME:ARCH")),
        (lambda: component(packages=("-x",)), ("packages: '-x'", "accepted")),
        (lambda: component(packages=("ab=",)), ("packages: 'ab='", "accepted")),
        (lambda: component(packages=("ab",), packages_absent=("ab",)),
         ("packages: ab is listed twice",)),
        (lambda: component(packages=("ab", "ab=1")), ("packages: ab is listed twice",)),
        (lambda: paths(("/a", "file"), ("/a", "link")), ("files: /a is listed twice",)),
        (lambda: paths(("/a", "file"), ("/a/b", "file")), ("files: /a/b is below /a",
                                                           "which is to be file", "accepted")),
        (lambda: paths(("/a/b/c", "absent"), ("/a", "link")), ("/a/b/c is below /a", "link")),
        (lambda: paths(("/a/b", "link"), ("/a", "absent")), ("/a/b is below /a", "absent")),
        (lambda: component(units=(UnitSpec(name="u.timer"), UnitSpec(name="u.timer"))),
         ("units: u.timer is listed twice",)),
        (lambda: component(files=(FileSpec(path="/a", units=("v.service",)),),
                           units=(UnitSpec(name="u.service"),)),
         ("files: /a concerns v.service", "accepted: u.service")),
        (lambda: FileSpec(path="etc/motd"), ("dest 'etc/motd'", "accepted: an absolute path")),
        (lambda: FileSpec(path="/"), ("dest '/'", "accepted")),
        (lambda: FileSpec(path="/etc/"), ("dest '/etc/'", "accepted")),
        (lambda: FileSpec(path="/etc//motd"), ("dest '/etc//motd'", "accepted")),
        (lambda: FileSpec(path="/etc/../motd"), ("dest '/etc/../motd'", "accepted")),
        (lambda: FileSpec(path="/etc/a\0b"), ("holds a null character",)),
        (lambda: FileSpec(path="/a", validate="visudo -c"), ("validate 'visudo -c' of /a",
                                                             "has no %s", "accepted")),
        (lambda: FileSpec(path="/a", validate="sh -c x%s"), ("has no %s", "a word of its own")),
        (lambda: UnitSpec(name="ssh"), ("units: name 'ssh'", "accepted: a unit with its suffix")),
        (lambda: UnitSpec(name="-x.service; rm"), ("units: name", "accepted")),
        (Check, ("verify: found nothing", "accepted: exactly one of unit, tcp")),
        (lambda: Check(unit="a.service", tcp="22"), ("verify: found unit, tcp", "accepted")),
        (lambda: Check(tcp="ssh"), ("verify: tcp 'ssh'", "accepted: PORT or HOST:PORT")),
        (lambda: Check(tcp="0"), ("verify: tcp '0'", "accepted")),
        (lambda: Check(tcp="host:65536"), ("verify: tcp 'host:65536'", "accepted")),
    ],
)  # fmt: skip
def test_refusal_names_option_found_and_accepted(
    make: Callable[[], Any], words: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as error:
        make()
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize(
    ("tcp", "endpoint"),
    [
        ("22", ("localhost", 22)),
        ("192.0.2.1:8080", ("192.0.2.1", 8080)),
        ("[2001:db8::1]:443", ("2001:db8::1", 443)),
        ("www.example.org:65535", ("www.example.org", 65535)),
    ],
)
def test_endpoint(tcp: str, endpoint: tuple[str, int]) -> None:
    assert Check(tcp=tcp).endpoint() == endpoint


def test_what_can_be_there_together() -> None:
    paths(("/a", "directory"), ("/a/b", "file"), ("/c", "absent"), ("/c/d", "absent"))
    paths(("/a", "file"), ("/ab/c", "file"))


def test_component_survives_its_journal() -> None:
    desired = Desired(
        name="all-of_it",
        packages=("chrony", "libc6:amd64=2.36-9+deb12u14"),
        packages_absent=("ntp",),
        files=(
            FileSpec(path="/a\n/ü", digest="d", size=3, units=("u.service",), validate="t %s"),
            FileSpec(path="/l", kind="link", target="x", units=()),
        ),
        validate=("true",),
        commands=("sync",),
        units=(UnitSpec(name="u.service", masked=True),),
        verify=(Check(tcp="22", timeout=3),),
    )
    assert Desired.from_dict(json.loads(json.dumps(desired.as_dict()))) == desired
