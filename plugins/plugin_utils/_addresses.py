# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sets of IP addresses of both families, as ranges of numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv6Address,
    ip_address,
    ip_network,
    summarize_address_range,
)

# First and last address of each, sorted; neighbours neither overlap nor touch.
Ranges = tuple[tuple[int, int], ...]
VERSIONS = (4, 6)
_MAKE: dict[int, type[IPv4Address | IPv6Address]] = {4: IPv4Address, 6: IPv6Address}
_LAST = {4: 2**32 - 1, 6: 2**128 - 1}


@dataclass(frozen=True)
class Addresses:
    """A set of addresses. Two sets with the same addresses are equal."""

    v4: Ranges = ()
    v6: Ranges = ()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Addresses:
        """Return the set of all these addresses and networks. Raises ValueError."""
        networks = [ip_network(text) for text in texts]
        found = {
            version: [
                (int(network[0]), int(network[-1]))
                for network in networks
                if network.version == version
            ]
            for version in VERSIONS
        }
        return cls(_normal(found[4]), _normal(found[6]))

    def ranges(self, version: int) -> Ranges:
        """Return the ranges of IP version 4 or 6."""
        return self.v4 if version == 4 else self.v6  # noqa: PLR2004 -- the version of IP

    def is_all(self, version: int) -> bool:
        """Whether every address of IP version 4 or 6 is in the set."""
        return self.ranges(version) == ((0, _LAST[version]),)

    def __bool__(self) -> bool:
        """Whether there is any address in the set."""
        return bool(self.v4 or self.v6)

    def __contains__(self, address: str) -> bool:
        """Whether an address, given as text, is in the set. Raises ValueError."""
        one = ip_address(address)
        return any(first <= int(one) <= last for first, last in self.ranges(one.version))

    def __or__(self, other: Addresses) -> Addresses:
        """Return the addresses of both sets."""
        return Addresses(_normal((*self.v4, *other.v4)), _normal((*self.v6, *other.v6)))

    def __and__(self, other: Addresses) -> Addresses:
        """Return the addresses that both sets have."""
        return ~(~self | ~other)

    def __invert__(self) -> Addresses:
        """Return all other addresses."""
        return Addresses(*(_gaps(self.ranges(version), _LAST[version]) for version in VERSIONS))

    def elements(self, version: int) -> list[str]:
        """Return addresses, networks and ranges (`FIRST-LAST`) as nft(8) writes them."""
        return [_element(version, *span) for span in self.ranges(version)]


def _normal(ranges: Iterable[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _gaps(ranges: Ranges, end: int) -> Ranges:
    def gaps() -> Iterator[tuple[int, int]]:
        start = 0
        for first, last in ranges:
            if start < first:
                yield start, first - 1
            start = last + 1
        if start <= end:
            yield start, end

    return tuple(gaps())


def _element(version: int, first: int, last: int) -> str:
    make = _MAKE[version]
    if first == last:
        return str(make(first))
    networks = list(summarize_address_range(make(first), make(last)))
    return str(networks[0]) if len(networks) == 1 else f"{make(first)}-{make(last)}"


NOBODY = Addresses()
EVERYBODY = ~NOBODY
