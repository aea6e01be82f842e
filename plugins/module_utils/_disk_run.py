# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Programs that read from disks: many at once, and none of them can hang the call."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

# A disk that tries hard to read a sector takes about seven seconds.
PATIENCE = 10.0
_AT_ONCE = 16
# The path of `become` may lack the second half.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Key = TypeVar("Key")


@dataclass(frozen=True)
class Ran:
    """What a program said; `late` if it was given up, `status` 127 if it isn't there."""

    status: int
    output: bytes
    errors: str
    late: bool = False


def run(words: Sequence[str], patience: float = PATIENCE) -> Ran:
    """Run a program for so many seconds at most, and leave it behind if it hangs in the kernel."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PATH": PATH}
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
    except OSError as error:
        return Ran(127, b"", f"{words[0]}: {error.strerror}")
    try:
        output, errors = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        # Killed at once or as soon as the disk answers: nobody waits for it.
        process.kill()
        return Ran(-1, b"", f"no answer in {patience:g} s", late=True)
    return Ran(process.returncode, output, errors.decode(errors="replace").strip())


def run_all(commands: Mapping[Key, Sequence[str]], patience: float = PATIENCE) -> dict[Key, Ran]:
    """Run programs side by side; return what each said, by its key."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = {key: pool.submit(run, words, patience) for key, words in commands.items()}
        return {key: future.result() for key, future in running.items()}
