# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What the kernel has said of disks since boot. Pure.

The block layer's lines are those of `blk_print_req_error` in block/blk-mq.c of the kernel. It says
no more than ten in five seconds, so a count means "at least".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ansible_collections.servertechnik.core.plugins.module_utils._disk_shape import KernelErrors
from ansible_collections.servertechnik.core.plugins.module_utils._disk_values import word

# Of a long log, what journalctl(1) is to print.
WANTED = r" error, dev |-byte logical blocks|: pci function "
_ERROR = re.compile(r"(?:^|: )([\w/ ]+?) error, dev (\S+), sector \d+ op 0x[0-9a-f]+:\((\w+)\)")
_CAME = re.compile(r"\[([\w!]+)\] \d+ \d+-byte logical blocks")
_NVME_CAME = re.compile(r"nvme (nvme\d+): pci function ")
_BYTE = re.compile(r"\\x([0-9a-f]{2})")
_MEDIUM = "critical medium"
# Others, such as DISCARD, fail on healthy disks that don't know them.
_WRITES = ("WRITE", "FLUSH", "ZONE_APPEND")


def none() -> KernelErrors:
    """Return what is said of a disk without errors."""
    return {"read": 0, "write": 0, "medium": 0, "last": ""}


def errors(messages: Iterator[str]) -> dict[str, KernelErrors]:
    """Return the errors of each device, by the kernel's name for it.

    A new disk may get the name of one that was pulled; what was said before it came is forgotten.
    """
    found: dict[str, KernelErrors] = {}
    for text in messages:
        if match := _ERROR.search(text):
            _add(found, match, text)
        elif match := _CAME.search(text):
            found.pop(match[1], None)
        elif match := _NVME_CAME.search(text):
            for name in [name for name in found if name.startswith(f"{match[1]}n")]:
                del found[name]
    return found


def _add(found: dict[str, KernelErrors], match: re.Match[str], text: str) -> None:
    kind, name, act = match.groups()
    if act != "READ" and act not in _WRITES:
        return
    one = found.setdefault(name, none())
    if act == "READ":
        one["read"] += 1
    else:
        one["write"] += 1
    one["medium"] += kind == _MEDIUM
    one["last"] = text


def from_ring(text: str) -> Iterator[str]:
    """Yield the messages of /dev/kmsg.

    Source: Documentation/ABI/testing/dev-kmsg of the kernel; lines that begin with a blank hold
    properties.
    """
    for line in text.splitlines():
        before, mark, message = line.partition(";")
        if mark and not line.startswith(" ") and before[:1].isdigit():
            yield _BYTE.sub(lambda match: chr(int(match[1], 16)), message)


def first_number(text: str) -> int:
    """Return the number of the first message of /dev/kmsg; above 0, earlier ones are lost."""
    words = text.partition(";")[0].split(",")
    return int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0


def from_journal(text: str) -> Iterator[str]:
    """Yield the messages of `journalctl --output=json`."""
    for line in text.splitlines():
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            continue
        message = said.get("MESSAGE") if isinstance(said, dict) else None
        if isinstance(message, str):
            yield word(message)
