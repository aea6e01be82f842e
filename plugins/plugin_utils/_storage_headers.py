# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copies of LUKS headers on the controller: one for each container, as new as the header itself.

A copy says itself of which container it is, and which state of its header: the on-disk format of
LUKS2 (specification, section 2.1) has the sequence number at byte 16 and the UUID at byte 168.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_MAGIC = b"LUKS\xba\xbe"
_NUMBER = slice(16, 24)
_UUID = slice(168, 208)

# Name, device, UUID and sequence number; 0 where that isn't known.
Header = tuple[str, str, str, int]


class HeaderError(ValueError):
    """A copy that can't be kept; the text says why."""


class Headers:
    """The copies of one host's headers."""

    def __init__(self, folder: str, host: str) -> None:
        """Keep them below `folder`, or nowhere if it is empty."""
        self._folder = Path(folder) / host if folder else None

    def stale(self, headers: Iterable[Header]) -> Iterator[Header]:
        """Yield those of which there is no copy as new as the header."""
        for header in headers:
            name, _device, identity, number = header
            if self._folder and not self._is_kept(name, identity, number):
                yield header

    def _is_kept(self, name: str, identity: str, number: int) -> bool:
        try:
            with self._path(name, identity).open("rb") as copy:
                return int.from_bytes(copy.read(_NUMBER.stop)[_NUMBER], "big") >= number
        except FileNotFoundError:
            return False

    def _path(self, name: str, identity: str) -> Path:
        return (self._folder or Path()) / f"{name}-{identity}.luks"

    def keep(self, name: str, identity: str, packed: str) -> None:
        """Keep a copy as the module returned it, readable for its owner alone.

        It takes the place of an older one, which would still open with keys that are no longer to.
        Raises HeaderError.
        """
        try:
            content = gzip.decompress(base64.b64decode(packed, validate=True))
        except (binascii.Error, OSError, EOFError) as error:
            raise HeaderError(
                f"the copy of the LUKS header of {name} is broken: {error}"
            ) from error
        found = content[_UUID].rstrip(b"\0").decode(errors="replace")
        if not content.startswith(_MAGIC) or found != identity:
            raise HeaderError(f"the copy of the LUKS header of {name} is that of {found or 'none'}")
        path = self._path(name, identity)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, written = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as copy:
            copy.write(content)
            copy.flush()
            os.fsync(handle)
        Path(written).replace(path)
