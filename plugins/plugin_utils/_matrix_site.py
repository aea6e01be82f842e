# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The firewalls of all hosts, as a playbook is to make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.host import Host
from ansible.template import Templar
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall import Intent, merge
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_peers import Directory
from ansible_collections.servertechnik.core.plugins.plugin_utils._firewall_read import (
    IntentError,
    intent_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._links import (
    LinkError,
    addresses_of,
    links_of,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._matrix import World
from ansible_collections.servertechnik.core.plugins.plugin_utils._site import Site, SiteError
from ansible_collections.servertechnik.core.plugins.plugin_utils._ways import Routes

_ROLE = "firewall"
_ADDRESSES = ("network_networks", "network_links", "ansible_host")
_FIREWALL = (
    "firewall_playbook",
    "firewall_services",
    "firewall_zones",
    "firewall_gateway",
    "firewall_forwards",
    "firewall_nat",
    "firewall_blocked",
)


class WorldError(ValueError):
    """A host whose firewall can't be told; the text names it and says why."""


def world_of(site: Site, playbook: str) -> World:
    """Return all hosts of the inventory, whatever --limit says. Raises WorldError."""
    hosts = site.inventory.get_hosts(ignore_limits=True, ignore_restrictions=True)
    given = {host.name: _variables(site, playbook, host) for host in hosts}
    try:
        addresses = {name: addresses_of(variables) for name, (variables, _has) in given.items()}
        links = {name: links_of(variables) for name, (variables, _has) in given.items()}
        directory = Directory(_groups(site), lambda name: addresses[name])
        intents = {
            name: _intent(site, name, variables, directory)
            for name, (variables, has_firewall) in given.items()
            if has_firewall
        }
    except (LinkError, SiteError, IntentError) as error:
        raise WorldError(str(error)) from error
    return World(Routes(links, addresses), intents)


def _variables(site: Site, playbook: str, host: Host) -> tuple[dict[str, Any], bool]:
    """Return what is asked of a host's variables, and whether it gets the role."""
    for play in site.plays(playbook):
        for role in play.roles:
            named = role.get_name(include_role_fqcn=False) == _ROLE
            if named and host in site.hosts(play, all_of_them=True):
                seen = site.seen(role, site.variables(play, host))
                return _templated(site, host, seen, (*_ADDRESSES, *_FIREWALL)), True
    return _templated(site, host, site.variables(None, host), _ADDRESSES), False


def _templated(
    site: Site, host: Host, variables: dict[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    templar = Templar(site.loader, variables)
    found = {}
    for name in names:
        try:
            if name in variables:
                found[name] = templar.template(variables[name])
        except AnsibleError as error:
            raise WorldError(f"{host.name}: {name}: {error}") from error
    return found


def _intent(site: Site, name: str, variables: Mapping[str, Any], directory: Directory) -> Intent:
    playbook = variables["firewall_playbook"]
    if playbook:
        services = merge(site.needs(playbook, name))
    else:
        services = merge([("", variables["firewall_services"])])
    try:
        return intent_of(variables, services, directory)
    except IntentError as error:
        raise IntentError(f"{name}: {error}") from error


def _groups(site: Site) -> dict[str, list[str]]:
    return {
        name: [host.name for host in group.get_hosts()]
        for name, group in site.inventory.groups.items()
    }
