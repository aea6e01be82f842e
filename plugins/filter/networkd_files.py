# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Links as files of systemd-networkd."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.servertechnik.core.plugins.plugin_utils._links import (
    LinkError,
    links_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._links_outline import outline_of
from ansible_collections.servertechnik.core.plugins.plugin_utils._networkd import files_of

DOCUMENTATION = r"""
name: networkd_files
version_added: 0.1.0
short_description: Links as files of systemd-networkd
description:
  - Turns V(network_links) of the role P(servertechnik.core.network#role) into files of
    M(servertechnik.core.component) below C(/etc/systemd/network), and an outline of them in plain
    words.
positional: networks
options:
  _input:
    description: The links of a host.
    type: list
    elements: dict
    required: true
  networks:
    description: The networks that there are, V(network_networks).
    type: list
    elements: dict
    default: []
author:
  - The Servertechnik authors (@servertechnik)
"""

EXAMPLES = r"""
- name: Show the files
  ansible.builtin.debug:
    msg: "{{ network_links | servertechnik.core.networkd_files(network_networks) }}"
"""

RETURN = r"""
_value:
  description: Files, each with C(dest) and C(content); the last one is the outline.
  type: list
  elements: dict
"""

FOLDER = "/etc/systemd/network"
OUTLINE = "/etc/servertechnik/network.txt"


def networkd_files(
    links: Sequence[Mapping[str, Any]], networks: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """Return the files of a component. Raises AnsibleFilterError."""
    try:
        found = links_of({"network_links": links, "network_networks": networks})
        files = files_of(found)
    except LinkError as error:
        raise AnsibleFilterError(str(error)) from error
    return [
        *({"dest": f"{FOLDER}/{name}", "content": text} for name, text in files.items()),
        {"dest": OUTLINE, "content": outline_of(found), "outline": True},
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {"networkd_files": networkd_files}
