# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""A batch of probes, and what came of it, as they travel."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from typing import Any


def pack(data: Any) -> str:
    """Return plain data as text, small: a batch may have thousands of probes."""
    return b64encode(zlib.compress(json.dumps(data).encode(), 1)).decode()


def unpack(text: str) -> Any:
    """Return what `pack` was given."""
    return json.loads(zlib.decompress(b64decode(text)))
