# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Tables of /proc/net as Linux 6.1 has them."""

from __future__ import annotations

from ansible_collections.servertechnik.core.plugins.module_utils._probe_sockets import parse

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 66292
   1: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 66293
   2: 0C6433C6:C1F0 016433C6:0050 06 00000000:00000000 03:000015D7 00000000     0        0 0 3
   3: 0C6433C6:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 66294
"""
UDP6 = """\
  sl  local_address                         remote_address                        st tx_queue
 6547: 00000000000000000000000000000000:007B 00000000000000000000000000000000:0000 07 00000000
 6548: B80D0120000001000000000001000000:0035 00000000000000000000000000000000:0000 07 00000000
 6549: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 00000000
 6550: B80D0120000001000000000001000000:ABCD B80D0120000001000000000002000000:0035 01 00000000
"""


def test_what_others_may_reach() -> None:
    assert list(parse("tcp", TCP)) == [
        {"protocol": "tcp", "address": "0.0.0.0", "port": 22},  # noqa: S104 -- found
        {"protocol": "tcp", "address": "198.51.100.12", "port": 8080},
    ]
    assert list(parse("udp", UDP6)) == [
        {"protocol": "udp", "address": "::", "port": 123},
        {"protocol": "udp", "address": "2001:db8:1::1", "port": 53},
    ]
