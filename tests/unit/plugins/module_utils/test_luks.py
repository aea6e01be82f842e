# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._luks import mapping_of

# What `dmsetup table` says of LUKS2 with the key in the kernel's keyring, and of LUKS1.
LUKS2 = (
    "0 1015808 crypt aes-xts-plain64 :64:logon:cryptsetup:9f3a-d0 0 9:127 32768 1 allow_discards\n"
)
LUKS1 = f"0 2048 crypt aes-xts-plain64 {'0' * 64} 0 254:17 4096\n"


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (LUKS2, ("9:127", 32768 * 512, 1015808 * 512)),
        (LUKS1, ("254:17", 4096 * 512, 2048 * 512)),
    ],
)
def test_open_container(table: str, found: tuple[str, int, int]) -> None:
    assert mapping_of(table) == found


@pytest.mark.parametrize("table", ["", "0 65536 linear 254:17 2048\n", "0 1 crypt aes\n"])
def test_what_is_no_container_is_told(table: str) -> None:
    with pytest.raises(ValueError, match="no open LUKS container: "):
        mapping_of(table)
