#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Look at the network from a host, many probes in one call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_check
short_description: Look at the network as a host sees it, many probes in one call
version_added: 0.1.0
description:
  - Runs a batch of probes from the host, side by side, and returns what each has found. Nothing is
    changed, neither on the host nor on others; no lease is taken and no address claimed.
  - A probe that doesn't find what is expected is a finding, and fails the task only with
    O(strict).
  - Messages of DNS are made and read on the controller, certificates and DHCP offers are read
    there. The host needs nothing but Python and iproute2.
  - Probes of TCP, UDP, DNS, NTP, TLS and HTTP need no root, the others do.
extends_documentation_fragment:
  - servertechnik.core.transaction.read_only
options:
  probes:
    description: What to look at.
    type: list
    elements: dict
    required: true
    suboptions:
      probe:
        description:
          - V(default_route) finds the gateway and whether it answers ARP or neighbour discovery.
          - V(dhcp) asks for offers at O(probes[].interface).
          - V(dns) looks up O(probes[].name).
          - V(duplicate_address) asks who else has O(probes[].address).
          - V(http) fetches O(probes[].url).
          - V(icmp) measures loss and latency.
          - V(link) looks at carrier, speed, duplex, MTU and driver of O(probes[].interface).
          - V(listening) lists the sockets of the host that others may reach.
          - V(ntp) measures how far the clock is from that of a server.
          - V(path_mtu) finds the largest packet that goes to O(probes[].host) and back uncut.
          - V(tcp) connects.
          - V(tls) looks at protocol versions and certificates.
          - V(udp) sends a datagram and waits for its answer.
        type: str
        required: true
        choices:
          - default_route
          - dhcp
          - dns
          - duplicate_address
          - http
          - icmp
          - link
          - listening
          - ntp
          - path_mtu
          - tcp
          - tls
          - udp
      label:
        description: What findings call the probe. By default its kind and what it looks at.
        type: str
      expect:
        description:
          - What values of the result must be; what they are called is told at RV(results).
            Without it a probe is satisfied when V(tcp) is open, V(udp) is answered, V(dns) finds
            records, V(tls) is verified, V(http) has a status of 200 to 399, V(icmp) is answered,
            V(ntp) comes from a server that is synchronised, V(dhcp) brings an offer, the gateway
            of V(default_route) answers, V(duplicate_address) finds nobody, V(link) has a carrier.
          - A plain value must be equal, or be in the list that was found. A list must have the
            same entries in any order, or the value that was found in it. A dictionary compares,
            with V(min) and V(max) (of lists, how many), V(matches) (a regular expression) and
            V(contains).
          - An error is one more value, V(error), empty when there is none.
        type: dict
      timeout:
        description:
          - Seconds until the probe gives up. By default 3, for V(dns), V(icmp) and V(ntp) 5, for
            V(dhcp) 7, for V(tls) and V(http) 10, for V(path_mtu) 20.
        type: float
      host:
        description: Name or address. Names are looked up by the host that probes.
        type: str
      port:
        description: Port of TCP or UDP. By default 53 for V(dns), 123 for V(ntp), 443 for V(tls).
        type: int
      family:
        description:
          - Which addresses of a name to take. V(default_route) knows V(ipv4), its default, and
            V(ipv6). The others take V(any) by default.
        type: str
        choices: [any, ipv4, ipv6]
      source:
        description: The address to come from, one of the host's own.
        type: str
      interface:
        description: The link to look at. V(duplicate_address) finds it by itself.
        type: str
      address:
        description: The address of V(duplicate_address).
        type: str
      banner:
        description: Whether V(tcp) waits for the first line that a server says by itself.
        type: bool
      send:
        description:
          - What V(udp) sends, as text. By default, and to ports 53 and 123 only, a question of DNS
            or NTP.
        type: str
      send_hex:
        description: The same in hexadecimal digits.
        type: str
      name:
        description: The name for V(dns); for V(PTR) it may be an address.
        type: str
      type:
        description: The type of record for V(dns). By default V(A).
        type: str
      server:
        description: The server for V(dns). By default the first of the host's resolv.conf(5).
        type: str
      transport:
        description: How to ask the server. By default UDP, and TCP when that was too small.
        type: str
        choices: [udp, tcp]
      server_name:
        description: The name that V(tls) asks for and checks. By default O(probes[].host).
        type: str
      ca_file:
        description: Trusted certificates, a file on the host. By default those of the host.
        type: str
      versions:
        description: The versions that V(tls) tries. By default all.
        type: list
        elements: str
        choices: [TLSv1, TLSv1.1, TLSv1.2, TLSv1.3]
      alpn:
        description: The protocols that V(tls) offers, such as V(h2).
        type: list
        elements: str
      url:
        description: The address for V(http).
        type: str
      method:
        description: The method of V(http). By default V(GET).
        type: str
        choices: [GET, HEAD]
      headers:
        description: The headers of the answer that V(http) returns.
        type: list
        elements: str
      redirects:
        description: How many redirections V(http) follows. By default 5.
        type: int
      match:
        description: A regular expression that V(http) looks for in the first MiB of the answer.
        type: str
      verify:
        description: Whether V(http) needs a certificate that the host trusts. By default it does.
        type: bool
      count:
        description: How many packets V(icmp) sends. By default 3.
        type: int
      size:
        description: The size of its packets with all headers, in bytes. By default 84.
        type: int
  strict:
    description: Whether findings make the task fail.
    type: bool
    default: false
  parallel:
    description: How many probes may be under way at the same time.
    type: int
    default: 1000
  deadline:
    description: Seconds after which the probes that are left have failed.
    type: float
    default: 120
  batch:
    description: The probes as they travel, filled in by the action plugin; not for people.
    type: str
author: Servertechnik contributors (@servertechnik)
"""

EXAMPLES = r"""
- name: See whether the host can do its work
  servertechnik.core.network_check:
    probes:
      - probe: default_route
      - probe: dns
        name: www.example.org
        type: AAAA
      - probe: ntp
        host: time1.example.org
        expect:
          offset_seconds: {min: -0.1, max: 0.1}
      - probe: link
        interface: eno1
        expect: {speed_mbit: {min: 1000}, duplex: full}

- name: Nobody but the office may reach the database
  servertechnik.core.network_check:
    strict: true
    probes:
      - probe: tcp
        host: db1.example.org
        port: 5432
        expect: {state: [timeout, rejected]}

- name: Certificates last for three weeks at least
  servertechnik.core.network_check:
    probes:
      - probe: tls
        host: www.example.org
        expect: {verified: true, days_left: {min: 21}, versions: [TLSv1.2, TLSv1.3]}
"""

RETURN = r"""
results:
  description:
    - For each probe, in their order, what was asked, and then what was found. Latencies are in
      milliseconds.
    - V(default_route) finds V(gateway), V(interface), V(metric), V(routes) (how many there are),
      V(answers), V(mac).
    - V(dhcp) finds V(servers), the V(address) and V(options) of the first offer, and V(offers).
    - V(dns) finds V(rcode), V(answers) and V(aliases) as in a zone file, V(ttl) in seconds,
      V(flags), V(authenticated) (the resolver has validated the answer), V(server), V(transport),
      V(latency_ms).
    - V(duplicate_address) finds V(duplicate), V(macs), V(interface).
    - V(http) finds V(status), V(url) and V(redirects), V(headers), V(size) in bytes, V(matched),
      V(latency_ms).
    - V(icmp) finds V(address), V(sent), V(received), V(loss_percent), V(min_ms), V(average_ms),
      V(max_ms).
    - V(link) finds V(carrier), V(speed_mbit), V(duplex), V(mtu) in bytes, V(mac), V(driver),
      V(state); what the driver doesn't tell is missing.
    - V(listening) finds V(sockets) with protocol, address and port.
    - V(ntp) finds V(offset_seconds) (positive when the host is slow), V(delay_seconds),
      V(stratum), V(leap), V(reference), V(root_delay_seconds), V(root_dispersion_seconds),
      V(version).
    - V(path_mtu) finds V(bytes), and V(link_bytes), which is what the host's own link takes.
    - V(tcp) finds V(state), V(address), V(source), V(latency_ms), V(by), V(banner). The state is
      V(open), V(refused) (nothing listens, but the packet got there), V(rejected) (a filter said
      so by ICMP, which V(by) has sent), V(unreachable), or V(timeout).
    - V(tls) finds V(version), V(cipher), V(alpn), V(versions), V(verified), V(verify_error),
      V(subject), V(issuer), V(names), V(days_left), and the V(chain) of certificates.
    - V(udp) finds V(state), V(address), V(source), V(latency_ms), V(by), V(reply), V(reply_hex).
      The state is V(reply), V(refused) (ICMP says that nothing listens), V(rejected),
      V(unreachable), or V(silent).
  returned: success
  type: list
  elements: dict
  contains:
    probe:
      description: The kind of probe.
      type: str
      sample: tcp
    ok:
      description: Whether it found what was expected.
      type: bool
      sample: false
    error:
      description: Why there are no values, else empty.
      type: str
      sample: ""
    seconds:
      description: How long it took.
      type: float
      sample: 0.004
  sample:
    - probe: tcp
      host: db1.example.org
      port: 5432
      state: refused
      address: 198.51.100.20
      source: 198.51.100.11
      latency_ms: 0.412
      ok: false
      error: ""
      seconds: 0.001
findings:
  description: What isn't as expected, in words.
  returned: success
  type: list
  elements: str
  sample:
    - "tcp db1.example.org:5432: state found refused, expected timeout, rejected"
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.servertechnik.core.plugins.module_utils._probe import run_batch
from ansible_collections.servertechnik.core.plugins.module_utils._probe_arguments import ARGUMENTS
from ansible_collections.servertechnik.core.plugins.module_utils._probe_batch import pack, unpack


def main() -> None:
    """Translate between Ansible and the probes."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if not module.params["batch"]:
        module.fail_json(msg="found: no batch; accepted: one that the action plugin has made")
    module.exit_json(found=pack(run_batch(unpack(module.params["batch"]))))


if __name__ == "__main__":
    main()
