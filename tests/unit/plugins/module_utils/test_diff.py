# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._diff import (
    LARGEST,
    differences,
    outline,
)
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._model import Desired, FileSpec
from ansible_collections.servertechnik.core.plugins.module_utils._plan import Plan

LATIN = "größe".encode("latin-1")
LARGE = b"x" * (LARGEST + 1)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def shown(root: Path, content: bytes | None, **spec: Any) -> list[dict[str, str]]:
    host, contents = Host(str(root)), {}
    if content is not None:
        contents[digest(content)] = content
        spec["digest"] = digest(content)
    desired = Desired(name="c", files=(FileSpec(path="/a", **spec),))
    return differences(host, Plan.between(host.read(desired), desired), contents)


@pytest.mark.parametrize(
    ("content", "spec", "after"),
    [
        (b"new\n", {}, "new\n"),
        (b"", {}, ""),
        (b"no final newline", {}, "no final newline"),
        ("ü☃".encode(), {}, "ü☃"),
        (b"a\0b", {}, f"(3 bytes, SHA-256 {digest(b'a' + bytes(1) + b'b')})\n"),
        (LATIN, {}, f"(5 bytes, SHA-256 {digest(LATIN)})\n"),
        (LARGE, {}, f"({LARGEST + 1} bytes, SHA-256 {digest(LARGE)})\n"),
        (b"secret", {"sensitive": True}, "(sensitive, not shown)\n"),
        (None, {"kind": "link", "target": "t"}, "-> t\n"),
        (None, {"kind": "directory"}, ""),
    ],
)
def test_new_file(tmp_path: Path, content: bytes | None, spec: dict[str, Any], after: str) -> None:
    (one,) = shown(tmp_path, content, **spec)
    assert (one["before"], one["after"]) == ("", after)
    assert one["before_header"] == "/a (absent)"


@pytest.mark.parametrize(
    ("content", "spec", "texts", "header"),
    [
        (b"new\n", {}, ("old\n", "new\n"), "/a (root:root 0644)"),
        (b"old\n", {"mode": 0o4755}, ("root:root 0640\n", "root:root 4755\n"),
         "/a (root:root 4755)"),
        (b"old\n", {"mode": 0o600, "sensitive": True}, ("root:root 0640\n", "root:root 0600\n"),
         "/a (root:root 0600)"),
        (b"new\n", {"sensitive": True}, ("(sensitive, not shown)\n",) * 2, "/a (root:root 0644)"),
        (None, {"kind": "absent"}, ("old\n", ""), "/a (absent)"),
        (None, {"kind": "link", "target": "t"}, ("old\n", "-> t\n"), "/a (link)"),
    ],
)  # fmt: skip
def test_file_that_changes(
    tmp_path: Path, content: bytes | None, spec: dict[str, Any], texts: tuple[str, str], header: str
) -> None:
    (tmp_path / "a").write_text("old\n")
    (tmp_path / "a").chmod(0o640)
    (one,) = shown(tmp_path, content, **spec)
    assert (one["before"], one["after"]) == texts
    assert one["before_header"] == "/a (root:root 0640)"
    assert one["after_header"] == header


def test_file_that_stays_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old\n")
    (tmp_path / "a").chmod(0o644)
    assert shown(tmp_path, b"old\n") == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (None, b"# head\n\na\nb\n", {"added": ["a", "b"], "removed": []}),
        (b"a\nb\n", b"# other head\nb\nc\n", {"added": ["c"], "removed": ["a"]}),
        (b"a\nb\n", None, {"added": [], "removed": ["a", "b"]}),
        (b"\xff\n", b"a", {"added": ["a"], "removed": ["\ufffd"]}),
    ],
)
def test_outline_is_what_comes_and_goes(
    tmp_path: Path, old: bytes | None, new: bytes | None, told: dict[str, list[str]]
) -> None:
    if old is not None:
        (tmp_path / "a").write_bytes(old)
    host, contents = Host(str(tmp_path)), {digest(new or b""): new or b""}
    spec = FileSpec(
        path="/a",
        kind="absent" if new is None else "file",
        digest=None if new is None else digest(new),
        outline=True,
    )
    desired = Desired(name="c", files=(spec, FileSpec(path="/b", digest=digest(b"other"))))
    plan = Plan.between(host.read(desired), desired)
    assert outline(host, plan, contents | {digest(b"other"): b"not told"}) == told
