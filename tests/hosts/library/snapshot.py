#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""See what is on a host without any of the code under test: trees of files, and units."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

ASKED = "LoadState,ActiveState,SubState,UnitFileState,Description"


def walk(path: Path) -> Iterator[Path]:
    if os.path.lexists(path):
        yield path
    if path.is_dir() and not path.is_symlink():
        for below in sorted(path.iterdir()):
            yield from walk(below)


def look(path: Path) -> dict[str, Any]:
    state = path.lstat()
    found: dict[str, Any] = {
        "mode": f"{stat.S_IFMT(state.st_mode):o} {stat.S_IMODE(state.st_mode):04o}",
        "owner": f"{state.st_uid}:{state.st_gid}",
    }
    if stat.S_ISLNK(state.st_mode):
        found["target"] = str(path.readlink())
    elif stat.S_ISREG(state.st_mode):
        content = path.read_bytes()
        found["digest"] = hashlib.sha256(content).hexdigest()
        found["mtime"] = state.st_mtime_ns
        if len(content) < 1000:
            found["text"] = content.decode(errors="replace")
    return found


def unit(name: str) -> dict[str, str]:
    words = ["systemctl", "show", f"--property={ASKED}", "--", name]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return dict(line.partition("=")[::2] for line in text.splitlines())


def main() -> None:
    names = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(argument_spec={"paths": names, "units": names})
    paths = [path for top in module.params["paths"] for path in walk(Path(top))]
    module.exit_json(
        files={os.fsencode(p).decode(errors="backslashreplace"): look(p) for p in paths},
        units={name: unit(name) for name in module.params["units"]},
    )


if __name__ == "__main__":
    main()
