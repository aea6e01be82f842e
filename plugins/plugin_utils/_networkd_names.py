# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How systemd names what links, routes and rules have: systemd.network(5), systemd.netdev(5)."""

from __future__ import annotations

# Options of a variable as systemd names them; those in milliseconds are marked by their unit.
BRIDGE = {
    "stp": "STP",
    "priority": "Priority",
    "forward_delay": "ForwardDelaySec",
    "hello_time": "HelloTimeSec",
    "max_age": "MaxAgeSec",
    "ageing_time": "AgeingTimeSec",
    "multicast_snooping": "MulticastSnooping",
    "multicast_querier": "MulticastQuerier",
    "vlan_filtering": "VLANFiltering",
}
BOND = {
    "mode": "Mode",
    "hash_policy": "TransmitHashPolicy",
    "lacp_rate": "LACPTransmitRate",
    "mii_monitor": "MIIMonitorSec ms",
    "up_delay": "UpDelaySec ms",
    "down_delay": "DownDelaySec ms",
    "primary_reselect": "PrimaryReselectPolicy",
    "fail_over_mac": "FailOverMACPolicy",
    "min_links": "MinLinks",
    "ad_select": "AdSelect",
    "ad_system_priority": "AdActorSystemPriority",
    "ad_system": "AdActorSystem",
    "ad_user_port_key": "AdUserPortKey",
    "arp_interval": "ARPIntervalSec ms",
    "arp_targets": "ARPIPTargets",
    "arp_validate": "ARPValidate",
    "arp_all_targets": "ARPAllTargets",
    "all_ports_active": "AllSlavesActive",
    "dynamic_load_balancing": "DynamicTransmitLoadBalancing",
    "packets_per_port": "PacketsPerSlave",
    "learn_packet_interval": "LearnPacketIntervalSec",
    "gratuitous_arp": "GratuitousARP",
    "resend_igmp": "ResendIGMP",
}
ROUTE = {
    "via": "Gateway",
    "onlink": "GatewayOnLink",
    "metric": "Metric",
    "table": "Table",
    "scope": "Scope",
    "source": "PreferredSource",
    "type": "Type",
    "mtu": "MTUBytes",
}
RULE = {
    "from": "From",
    "to": "To",
    "iif": "IncomingInterface",
    "oif": "OutgoingInterface",
    "fwmark": "FirewallMark",
    "invert": "InvertRule",
    "family": "Family",
    "table": "Table",
    "type": "Type",
    "suppress_prefix_length": "SuppressPrefixLength",
    "priority": "Priority",
}
MATCH = {"mac": "PermanentMACAddress", "path": "Path", "driver": "Driver"}
