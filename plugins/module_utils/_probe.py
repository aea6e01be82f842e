# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Run a batch of probes on the host."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._probe_icmp import (
    icmp,
    path_mtu,
)
from ansible_collections.servertechnik.core.plugins.module_utils._probe_links import link
from ansible_collections.servertechnik.core.plugins.module_utils._probe_loop import Loop, Steps
from ansible_collections.servertechnik.core.plugins.module_utils._probe_names import dns, ntp
from ansible_collections.servertechnik.core.plugins.module_utils._probe_neighbours import (
    default_route,
    dhcp,
    duplicate_address,
)
from ansible_collections.servertechnik.core.plugins.module_utils._probe_sockets import listening
from ansible_collections.servertechnik.core.plugins.module_utils._probe_transport import tcp, udp
from ansible_collections.servertechnik.core.plugins.module_utils._probe_web import (
    http_request,
    tls,
)

KINDS: dict[str, Callable[[Mapping[str, Any], float], Steps]] = {
    "default_route": default_route,
    "dhcp": dhcp,
    "dns": dns,
    "duplicate_address": duplicate_address,
    "http": http_request,
    "icmp": icmp,
    "link": link,
    "listening": listening,
    "ntp": ntp,
    "path_mtu": path_mtu,
    "tcp": tcp,
    "tls": tls,
    "udp": udp,
}


def run_batch(batch: Mapping[str, Any]) -> list[tuple[dict[str, Any], str, float]]:
    """Run a batch: ``probes`` (kind and options of each), ``parallel``, ``deadline`` in seconds.

    Returns for each probe its values, its error (empty for none) and the seconds it took.
    """
    probes = [partial(_begin, kind, options) for kind, options in batch["probes"]]
    loop = Loop(parallel=batch["parallel"], deadline=batch["deadline"])
    return [(one.values, one.error, round(one.seconds, 3)) for one in loop.run(probes)]


def _begin(kind: str, options: Mapping[str, Any]) -> Steps:
    # The clock of a probe starts when its turn comes, not when the batch does.
    return KINDS[kind](options, time.monotonic() + options["timeout"])
