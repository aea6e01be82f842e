# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name, which does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: firewall_matrix
version_added: 0.1.0
short_description: Compare what firewalls let through with what is meant, as one host sees it
description:
  - Works out from the same variables as the role P(servertechnik.core.firewall#role) what every
    other host of the inventory is to let in from this one, with all gateways on the way and what
    they translate, in both address families. Then tries it, in one call.
  - Asked for are all ports that any host opens, those that listen according to O(live), those
    beside ranges, and some that are often open by mistake.
  - A connection that is refused has got there; that nothing listens is no business of a firewall.
    A datagram that is answered by nothing has got nowhere, unless something listens that may have
    taken it.
  - Fails when something is open that is meant to be closed, or the other way round.
  - Rate limits are not judged, nor O(playbook) hosts without the role; the ways to these are left
    out. Lines of V(firewall_extra_input) and V(firewall_extra_forward) are not part of what is
    meant.
options:
  playbook:
    description: The playbook that says which hosts have the firewall, by full name or path.
    type: str
    default: servertechnik.core.site
  live:
    description: What M(servertechnik.core.firewall_info) returned, by host.
    type: dict
    default: {}
  witnesses:
    description:
      - Of hosts that every rule of every host takes for the same, so many probe; the task is
        skipped on the others. V(0) for all.
    type: int
    default: 2
  parallel:
    description: How many probes may be under way at the same time.
    type: int
    default: 4000
  deadline:
    description: Seconds after which the probes that are left count as unsure.
    type: float
    default: 120
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: Only reads.
    support: none
  platform:
    description: Debian 12 and Debian 13.
    support: full
    platforms: debian
author:
  - The Servertechnik authors (@servertechnik)
seealso:
  - module: servertechnik.core.network_check
  - module: servertechnik.core.firewall_info
"""

EXAMPLES = r"""
- name: See which rules are live
  servertechnik.core.firewall_info:
  register: firewall_info

- name: Probe every other host
  servertechnik.core.firewall_matrix:
    live: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts
      | map('extract', hostvars, 'firewall_info'))) }}"
"""

RETURN = r"""
ways:
  description: Every address of every other host, with what was meant and found for each port.
  returned: unless skipped
  type: list
  elements: dict
  contains:
    zone:
      description: The zone that this host is in, as the other sees it.
      type: str
      sample: office
    source:
      description: The address that this host has there.
      type: str
      sample: 198.51.100.10
    to:
      description: The other host.
      type: str
      sample: web1
    destination:
      description: Its address.
      type: str
      sample: 198.51.100.140
    through:
      description: The gateways on the way; a router that is no host of the inventory comes last.
      type: list
      elements: str
      sample: [gw1]
    cells:
      description:
        - One for each port. C(host) and C(rule) say whose firewall decides and by what; C(found) is
          a state of M(servertechnik.core.network_check); C(verdict) is V(right), V(hole),
          V(closed) or V(unsure).
      type: list
      elements: dict
      sample:
        - protocol: tcp
          port: 443
          meant: open
          host: web1
          rule: service https
          found: open
          verdict: right
without:
  description: Addresses that were not probed, and why.
  returned: unless skipped
  type: list
  elements: str
  sample: ["gw1 198.51.100.2: answers would come back through the network they share"]
nobody:
  description: Zones in which no host is that could probe.
  returned: unless skipped
  type: list
  elements: str
  sample: [guests]
counts:
  description: How many cells of each zone and host have which verdict.
  returned: unless skipped
  type: list
  elements: dict
  sample:
    - {zone: office, to: web1, right: 104, hole: 0, closed: 0, unsure: 1}
wrong:
  description: What is wrong, in words, and which rules were changed by hand on the hosts concerned.
  returned: unless skipped
  type: list
  elements: str
  sample:
    - "hole: from 198.51.100.10 (files1, zone office) to 198.51.100.140 (web1): tcp 2525: found
      open, meant closed (web1: default drop)"
    - "web1: live rule added in servertechnik input: tcp dport 2525 accept"
"""
