# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put together what was asked, what was found and whether that was expected. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_expect import unmet
from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_plan import Probe
from ansible_collections.servertechnik.core.plugins.plugin_utils._probe_values import decoded

# What the host found: values, error, seconds.
Found = tuple[dict[str, Any], str, float]


def report(probes: Sequence[Probe], found: Sequence[Found], now: datetime) -> dict[str, Any]:
    """Return ``results``, one for each probe in order, and ``findings``, what isn't as expected.

    `now` is an aware time. Raises ExpectationError.
    """
    results, findings = [], []
    for probe, (values, error, seconds) in zip(probes, found, strict=True):
        read, problem = {}, error
        if not problem:
            try:
                read = decoded(probe.kind, values, probe.given, now)
            except ValueError as unreadable:
                problem = str(unreadable)
        expected = probe.expect if not problem or "error" in probe.expect else {}
        wrong = list(unmet(read | {"error": problem}, expected))
        if problem and "error" not in probe.expect:
            wrong = [problem]
        findings += [f"{probe.label}: {one}" for one in wrong]
        results.append(
            {**probe.given, **read, "ok": not wrong, "error": problem, "seconds": seconds}
        )
    return {"results": results, "findings": findings}
