# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Package repositories as files of a component."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._apt_sources import (
    source_checks,
    source_files,
)

DOCUMENTATION = r"""
name: apt_sources
version_added: 0.1.0
short_description: Package repositories as files of a component
description:
  - Turns repositories such as V(base_apt_repositories) of the role P(servertechnik.core.base#role)
    into deb822 files and their keys, and into commands that prove that they answer and are signed.
options:
  _input:
    description: The repositories.
    type: list
    elements: dict
    required: true
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Have the repositories
  servertechnik.core.component:
    name: repositories
    files: "{{ (base_apt_repositories | servertechnik.core.apt_sources).files }}"
    validate: "{{ (base_apt_repositories | servertechnik.core.apt_sources).checks }}"
"""

RETURN = r"""
_value:
  description: C(files) and C(checks), as M(servertechnik.core.component) takes them.
  type: dict
"""


def apt_sources(repositories: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return files and checks."""
    repositories = list(repositories)
    return {"files": source_files(repositories), "checks": source_checks(repositories)}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"apt_sources": apt_sources}
