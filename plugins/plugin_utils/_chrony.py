# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Time sources as lines of chrony.conf(5). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# chrony.conf(5), "Time sources": options that stand alone, and those that are followed by a value.
_FLAGS = ("iburst", "burst", "nts", "prefer", "noselect", "trust", "require", "xleave", "offline")
_VALUES = ("port", "key", "version", "minpoll", "maxpoll", "minstratum", "polltarget")
_POOL_VALUES = ("maxsources",)
_DEFAULTS: dict[str, Any] = {"type": "server", "iburst": True}


class SourceError(ValueError):
    """A time source that chrony would refuse; the text says what is accepted."""


def source_lines(sources: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield one line for each source of `timesync_sources`. Raises SourceError."""
    for given in sources:
        source = {**_DEFAULTS, **given}
        _check(source)
        flags = [flag for flag in _FLAGS if source.get(flag)]
        values = [f"{name} {source[name]}" for name in (*_VALUES, *_POOL_VALUES) if name in source]
        yield " ".join([source["type"], source["address"], *flags, *values])


def _check(source: Mapping[str, Any]) -> None:
    kind, address = source["type"], source["address"]
    if source.get("nts") and (kind == "peer" or "key" in source):
        raise SourceError(
            f"timesync_sources: {address} has nts and {'type peer' if kind == 'peer' else 'a key'};"
            " accepted: nts with a server or a pool, and without key"
        )
    if kind != "pool" and "maxsources" in source:
        raise SourceError(
            f"timesync_sources: {address} is a {kind} and has maxsources; accepted: maxsources "
            "with type pool"
        )
