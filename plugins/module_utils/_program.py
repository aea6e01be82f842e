# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The program that lives on every host: it puts back what nobody confirmed or finished.

It is a Python archive of this collection's own files and needs only Python's standard library.
A person at the console calls it as `servertechnik`.
"""

from __future__ import annotations

import importlib
import io
import os
import zipfile

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._journal import PROGRAM
from ansible_collections.servertechnik.core.plugins.module_utils._model import FileSpec

PACKAGE = "ansible_collections/servertechnik/core/plugins/module_utils"
PARTS = (
    "_activation",
    "_cli",
    "_confirmation",
    "_drift",
    "_host",
    "_ip",
    "_journal",
    "_live_network",
    "_model",
    "_neighbours",
    "_network_follow",
    "_network_verify",
    "_networkd_state",
    "_packages",
    "_plan",
    "_restore",
)
COMMAND = "/usr/local/sbin/servertechnik"
UNIT = "/etc/systemd/system/servertechnik-recover.service"
WANTED = "/etc/systemd/system/sysinit.target.wants/servertechnik-recover.service"
START = f"from {PACKAGE.replace('/', '.')}._cli import main\n\nmain()\n"
RECOVER = f"""\
[Unit]
Description=Put back a change that was not finished when the host went down
DefaultDependencies=no
ConditionPathIsSymbolicLink=/var/lib/servertechnik/active
RequiresMountsFor=/etc /usr/local /var/lib/servertechnik
After=local-fs.target
Before=sysinit.target network-pre.target shutdown.target
Conflicts=shutdown.target
Wants=network-pre.target

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -I {PROGRAM} recover

[Install]
WantedBy=sysinit.target
"""


def install(host: Host) -> None:
    """Have the program, its name at the console and its unit for the next boot on the host."""
    wanted = {PROGRAM: (archive(), 0o755), UNIT: (RECOVER.encode(), 0o644)}
    for path, (content, mode) in wanted.items():
        if not os.path.exists(host.at(path)) or host.content(path) != content:
            host.make_folder(os.path.dirname(path))
            host.write(f"{path}.new", content, FileSpec(path=path, mode=mode))
            host.move(f"{path}.new", path)
            if path == PROGRAM and not host.root:
                host.must("/usr/bin/python3", "-I", PROGRAM, "list")
    for path, target in {COMMAND: PROGRAM, WANTED: UNIT}.items():
        if not os.path.islink(host.at(path)):
            host.make_folder(os.path.dirname(path))
            host.link(target, path)


def archive() -> bytes:
    """Return the program as a Python archive (zipapp), the same bytes every time."""
    # Needed on the first change of a host alone, so no other call pays for the import.
    from ansible_collections.servertechnik.core.plugins.module_utils import _cli  # noqa: F401, PLC0415

    prefix = PACKAGE.replace("/", ".") + "."
    folders = PACKAGE.split("/")
    sources = {"__main__.py": START}
    sources |= {"/".join([*folders[:n], "__init__.py"]): "" for n in range(1, len(folders) + 1)}
    for part in PARTS:
        loader = importlib.import_module(prefix + part).__loader__
        source = loader.get_source(prefix + part)  # type: ignore[union-attr]  # every importer has it
        sources[f"{PACKAGE}/{part}.py"] = source
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for path, source in sources.items():
            target.writestr(zipfile.ZipInfo(path), source, zipfile.ZIP_DEFLATED)
    return b"#!/usr/bin/env -S python3 -I\n" + packed.getvalue()
