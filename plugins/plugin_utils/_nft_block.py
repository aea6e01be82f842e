# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table of blocked addresses, kept over reloads, for `nft -f`. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.servertechnik.core.plugins.plugin_utils._addresses import (
    VERSIONS,
    Addresses,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._nft_text import (
    FAMILY,
    Block,
    braces,
    set_block,
)

BLOCK_TABLE = "servertechnik_block"


def block_table(blocked: Addresses) -> Iterator[str]:
    """Yield a table that is kept: only what the inventory says in it is put in place anew."""
    listed = [set_block(f"listed_{version}", version, "interval") for version in VERSIONS]
    timed = [set_block(f"blocked_{version}", version, "interval,timeout") for version in VERSIONS]
    chain = Block(
        "chain prerouting",
        [
            "type filter hook prerouting priority raw; policy accept",
            *(
                f"iif != lo {FAMILY[version]} saddr @{name}_{version} counter name blocked drop"
                for name in ("listed", "blocked")
                for version in VERSIONS
            ),
        ],
    )
    # A chain's rules are added to those that it has, so it is emptied before.
    empty = Block(chain.head, chain.body[:1])
    counter = Block("counter blocked", [])
    yield from Block(f"table inet {BLOCK_TABLE}", [counter, *listed, *timed, empty]).lines()
    yield f"flush chain inet {BLOCK_TABLE} prerouting"
    for version in VERSIONS:
        yield f"flush set inet {BLOCK_TABLE} listed_{version}"
        if elements := blocked.elements(version):
            yield f"add element inet {BLOCK_TABLE} listed_{version} {braces(elements)}"
    yield from Block(f"table inet {BLOCK_TABLE}", [chain]).lines()
