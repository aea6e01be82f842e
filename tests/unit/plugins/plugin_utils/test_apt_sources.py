# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from ansible_collections.servertechnik.core.plugins.filter.apt_sources import apt_sources

REPOSITORY = {
    "name": "tools",
    "uris": ["https://packages.example.org/debian", "https://packages.example.com/debian"],
    "suites": ["bookworm", "bookworm-next"],
    "components": ["main", "extra"],
    "architectures": ["amd64"],
    "key": "\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n\n",
}


def test_repository_is_a_stanza_and_its_own_key() -> None:
    key, source = apt_sources([REPOSITORY])["files"]
    assert key["dest"] == "/etc/apt/keyrings/tools.asc"
    assert key["content"] == REPOSITORY["key"].strip() + "\n"  # type: ignore[attr-defined]
    assert source == {
        "dest": "/etc/apt/sources.list.d/tools.sources",
        "content": (
            "Types: deb\n"
            "URIs: https://packages.example.org/debian https://packages.example.com/debian\n"
            "Suites: bookworm bookworm-next\n"
            "Components: main extra\n"
            "Architectures: amd64\n"
            "Signed-By: /etc/apt/keyrings/tools.asc\n"
        ),
    }


def test_flat_repository_has_no_components() -> None:
    flat = {name: REPOSITORY[name] for name in ("name", "uris", "key")} | {"suites": ["./"]}
    content = apt_sources([flat])["files"][1]["content"]
    assert "Suites: ./\n" in content
    assert "Components" not in content
    assert "Architectures" not in content


def test_absent_repository_leaves_no_file_and_isn_t_asked() -> None:
    assert apt_sources([{"name": "old", "state": "absent"}]) == {
        "files": [
            {"dest": "/etc/apt/sources.list.d/old.sources", "state": "absent"},
            {"dest": "/etc/apt/keyrings/old.asc", "state": "absent"},
        ],
        "checks": [],
    }


def test_each_present_repository_is_asked_alone() -> None:
    (check,) = apt_sources([REPOSITORY, {"name": "old", "state": "absent"}])["checks"]
    words = check.split()
    assert words[0] == "apt-get"
    assert "--option=Dir::Etc::SourceList=/etc/apt/sources.list.d/tools.sources" in words
    assert "--option=Dir::Etc::SourceParts=/dev/null" in words
    assert "--option=APT::Get::List-Cleanup=false" in words
    assert "--option=APT::Update::Error-Mode=any" in words
