# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Documentation that the modules around transactions share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options and attributes of transactions."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - How many seconds to wait for another run on this host, for a transaction that may still be
        confirmed, and for dpkg's lock, before failing with the name of who holds it.
    type: int
    default: 120
requirements:
  - systemd, dpkg and root (use C(become)) on the host
"""

    CONFIRM = r"""
options:
  confirm:
    description:
      - Let the change stand only if the controller can reach the host over a new connection
        afterwards. The host arms its own timer before it activates anything, and puts itself back
        when nobody confirms, also over a restart.
    type: dict
    suboptions:
      timeout:
        description: Seconds from activation until the host puts itself back.
        type: int
        required: true
      address:
        description:
          - Where the host answers after the change, if that changes, as C(HOST), C(HOST:PORT) or
            C([IPV6]:PORT).
        type: str
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Predicts exactly what a run then does, and changes nothing.
  diff_mode:
    support: full
    description: Shows every file that changes.
  platform:
    platforms: debian
    support: full
    description: Debian 12 and Debian 13.
"""

    READ_ONLY = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Only reads.
  diff_mode:
    support: none
    description: Only reads.
  platform:
    platforms: debian
    support: full
    description: Debian 12 and Debian 13.
"""
