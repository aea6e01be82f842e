# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import base64
import gzip
from pathlib import Path

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._storage_headers import (
    HeaderError,
    Headers,
)

UUID = "0b9f3a56-5d3e-4a0a-9f5b-6f6f5c1b0a11"


def header(number: int, uuid: str = UUID, magic: bytes = b"LUKS\xba\xbe") -> bytes:
    """The beginning of a LUKS2 header, as its specification lays it out."""
    head = magic + (2).to_bytes(2, "big") + (0x4000).to_bytes(8, "big") + number.to_bytes(8, "big")
    return head.ljust(168, b"\0") + uuid.encode().ljust(40, b"\0") + bytes(100)


def packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content)).decode()


def test_copy_is_kept_for_its_owner_alone_until_the_header_changes(tmp_path: Path) -> None:
    headers = Headers(str(tmp_path / "headers"), "web1")
    there = ("secure", "/dev/md127", UUID, 3)
    assert list(headers.stale([there])) == [there]
    headers.keep("secure", UUID, packed(header(3)))
    assert list(headers.stale([there])) == []
    newer = ("secure", "/dev/md127", UUID, 4)
    assert list(headers.stale([newer])) == [newer]
    headers.keep("secure", UUID, packed(header(4)))
    (copy,) = (tmp_path / "headers" / "web1").iterdir()
    assert copy.name == f"secure-{UUID}.luks"
    assert copy.read_bytes() == header(4)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700


def test_another_container_of_that_name_has_a_copy_of_its_own(tmp_path: Path) -> None:
    headers, other = Headers(str(tmp_path), "web1"), "9" + UUID[1:]
    headers.keep("secure", UUID, packed(header(3)))
    assert list(headers.stale([("secure", "/dev/a", other, 1)]))
    headers.keep("secure", other, packed(header(3, other)))
    assert len(list((tmp_path / "web1").iterdir())) == 2


def test_number_that_is_not_known_asks_for_one_copy(tmp_path: Path) -> None:
    headers = Headers(str(tmp_path), "web1")
    headers.keep("secure", UUID, packed(header(3)))
    assert list(headers.stale([("secure", "/dev/a", UUID, 0)])) == []


def test_no_folder_keeps_nothing() -> None:
    assert list(Headers("", "web1").stale([("secure", "/dev/a", UUID, 3)])) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("?", "is broken"),
        (packed(header(3))[:40], "is broken"),
        (packed(header(3, "9" + UUID[1:])), f"is that of 9{UUID[1:]}"),
        (packed(header(3, magic=b"XFSB\0\0")), "is that of"),
        (packed(b""), "is that of none"),
    ],
)
def test_broken_or_wrong_copy_is_not_kept(content: str, said: str, tmp_path: Path) -> None:
    headers = Headers(str(tmp_path), "web1")
    with pytest.raises(HeaderError, match=said):
        headers.keep("secure", UUID, content)
    assert not list(tmp_path.rglob("*.luks"))
