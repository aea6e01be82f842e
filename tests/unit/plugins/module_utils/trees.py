# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""File trees for tests: arbitrary ones, what stands on disk, and hosts that fail on purpose."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._model import (
    Desired,
    FileKind,
    FileSpec,
    InputError,
)
from ansible_collections.servertechnik.core.plugins.module_utils._order import Order
from hypothesis import reject
from hypothesis import strategies as st

TOP = "/srv/tree"
OURS = ("/var", "/run", "/usr", "/etc")  # the journal, the lock and the program on the host
IDS = ("0", "1", "65534", "123456")
ODD = ("-rf", " ", "a\nb", "'\"$(x)", "%s", "üñ☃", "\\", ".hidden", "n" * 255, "ü" * 127 + "x",
       "\udcff")  # fmt: skip


@dataclass(frozen=True)
class Node:
    """What may stand at one path before a transaction."""

    kind: str
    content: bytes = b""
    target: str = ""
    owner: str = "0"
    group: str = "0"
    mode: int = 0o644


def _names() -> st.SearchStrategy[str]:
    plain = st.sampled_from(["a", "b", "c"])
    return st.one_of(plain, plain, st.sampled_from(ODD))


CONTENTS = st.sampled_from([b"", b"a\n", b"no final newline", b"\0\xff binary", b"x\n" * 3000])
TARGETS = st.sampled_from(["nowhere", "/no/where", "ü ü"])
KINDS: list[FileKind] = ["file", "file", "link", "directory", "absent"]
MODES = st.sampled_from([0o644, 0o600, 0o755, 0o4755, 0o2750, 0o1777, 0o000])
NODES = st.builds(
    Node,
    kind=st.sampled_from(["file", "file", "link", "directory"]),
    content=CONTENTS,
    target=TARGETS,
    owner=st.sampled_from(IDS),
    group=st.sampled_from(IDS),
    mode=MODES,
)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Node]:
    """Draw a tree below TOP; parents are folders."""
    found: dict[str, Node] = {}
    for _ in range(draw(st.integers(0, 7))):
        folders = [TOP, *(path for path, node in found.items() if node.kind == "directory")]
        path = f"{draw(st.sampled_from(folders))}/{draw(_names())}"
        found.setdefault(path, draw(NODES))
    return found


@st.composite
def orders(draw: st.DrawFn, tree: dict[str, Node]) -> Order:
    """Draw what a component may want of that tree, some of it about paths that are there."""
    specs: dict[str, FileSpec] = {}
    contents: dict[str, bytes] = {}
    folders = [TOP, *(path for path, node in tree.items() if node.kind == "directory")]
    there = list(tree)
    for _ in range(draw(st.integers(1, 5))):
        fresh = f"{draw(st.sampled_from(folders))}/{draw(_names())}"
        deeper = f"{fresh}/{draw(_names())}"
        path = draw(st.sampled_from([fresh, deeper, f"{deeper}/{draw(_names())}", *there]))
        kind = draw(st.sampled_from(KINDS))
        data = draw(CONTENTS)
        digest = hashlib.sha256(data).hexdigest()
        spec = FileSpec(path=path, kind=kind, owner=draw(st.sampled_from(IDS)),
                        group=draw(st.sampled_from(IDS)), mode=draw(MODES))  # fmt: skip
        if kind == "file":
            contents[digest] = data
            spec = replace(spec, digest=digest, size=len(data))
        elif kind == "link":
            spec = replace(spec, target=draw(TARGETS))
        elif kind == "directory":
            spec = replace(spec, purge=draw(st.booleans()))
        specs[path] = spec
    try:
        desired = Desired(name="tree", files=tuple(specs.values()))
    except InputError:
        reject()
    return Order(desired=desired, contents=contents)


def plant(root: Path, tree: dict[str, Node]) -> None:
    """Have that tree on disk, below `root`."""
    for folder in (TOP, "/run", "/var/lib"):
        (root / folder[1:]).mkdir(parents=True)
    for path, node in tree.items():
        where = root / path[1:]
        if node.kind == "directory":
            where.mkdir()
        elif node.kind == "link":
            where.symlink_to(node.target)
        else:
            where.write_bytes(node.content)
        os.chown(where, int(node.owner), int(node.group), follow_symlinks=False)
        if node.kind != "link":
            where.chmod(node.mode)


def seen(root: Path) -> dict[str, tuple[Any, ...]]:
    """Return all that stands below `root` but what is ours: kind, content, owner, mode."""
    found: dict[str, tuple[Any, ...]] = {}
    for folder, names, files in os.walk(root):
        for name in (*names, *files):
            where = os.path.join(folder, name)  # noqa: PTH118 -- names that pathlib would change
            path = where.removeprefix(str(root))
            if path.startswith(OURS):
                continue
            state = os.lstat(where)
            what: Any = None
            if stat.S_ISLNK(state.st_mode):
                what = os.readlink(where)  # noqa: PTH115 -- as above
            elif stat.S_ISREG(state.st_mode):
                what = Path(where).read_bytes(), state.st_mtime_ns
            found[path] = (oct(state.st_mode), state.st_uid, state.st_gid, what)
    return found


class Stop(BaseException):
    """What SIGKILL is to a process: nothing handles it."""


class Failing(Host):
    """A host where the effect with the number `at` fails, or stops everything."""

    def __init__(self, root: Path, at: int, failure: Callable[[], BaseException]) -> None:
        """Count effects on the file system from 0."""
        super().__init__(str(root))
        self.left = at
        self.failure = failure

    def _effect(self) -> None:
        self.left -= 1
        if self.left == -1:
            raise self.failure()


def _failing(name: str, *, late: bool) -> Callable[..., Any]:
    def effect(self: Failing, *words: Any, **options: Any) -> Any:
        if not late:
            self._effect()
        result = getattr(Host, name)(self, *words, **options)
        if late:
            self._effect()
        return result

    return effect


for _name in ("write", "move", "link", "remove", "make_folder", "set_folder", "sync"):
    setattr(Failing, _name, _failing(_name, late=_name in ("move", "remove", "make_folder")))
