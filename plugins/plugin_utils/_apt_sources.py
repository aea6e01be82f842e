# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Package repositories beside the host's own as files of sources.list(5). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

SOURCES = "/etc/apt/sources.list.d"
KEYRINGS = "/etc/apt/keyrings"


def source_files(repositories: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return files of a component: for each repository its deb822 stanza and its key.

    A repository has `name`, `uris`, `suites`, `components`, `key` (ASCII armour), `architectures`,
    and `state`; an absent one leaves neither file.
    """
    return [file for repository in repositories for file in _files(repository)]


def source_checks(repositories: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return commands that fetch and verify the lists of each present repository, and of no other.

    They fail when a repository doesn't answer or isn't signed by its key.
    """
    options = (
        "Dir::Etc::SourceParts=/dev/null",
        "APT::Get::List-Cleanup=false",
        "APT::Update::Error-Mode=any",
    )
    words = " ".join(f"--option={option}" for option in options)
    return [
        f"apt-get --quiet=2 update --option=Dir::Etc::SourceList={_source(repository)} {words}"
        for repository in repositories
        if _is_there(repository)
    ]


def _is_there(repository: Mapping[str, Any]) -> bool:
    return bool(repository.get("state", "present") == "present")


def _source(repository: Mapping[str, Any]) -> str:
    return f"{SOURCES}/{repository['name']}.sources"


def _files(repository: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    key = f"{KEYRINGS}/{repository['name']}.asc"
    if not _is_there(repository):
        yield {"dest": _source(repository), "state": "absent"}
        yield {"dest": key, "state": "absent"}
        return
    fields = {
        "Types": ["deb"],
        "URIs": repository["uris"],
        "Suites": repository["suites"],
        "Components": repository.get("components", ()),
        "Architectures": repository.get("architectures", ()),
        "Signed-By": [key],
    }
    stanza = "".join(f"{name}: {' '.join(words)}\n" for name, words in fields.items() if words)
    yield {"dest": key, "content": f"{repository['key'].strip()}\n"}
    yield {"dest": _source(repository), "content": stanza}
