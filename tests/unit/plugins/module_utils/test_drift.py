# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._drift import (
    drift,
    findings,
    metrics,
    report,
)
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Store
from ansible_collections.servertechnik.core.plugins.module_utils._model import Desired, FileSpec
from ansible_collections.servertechnik.core.plugins.module_utils._order import Order
from ansible_collections.servertechnik.core.plugins.module_utils._transaction import transact

PATH = "/etc/a.conf"
DIGEST = hashlib.sha256(b"x").hexdigest()
LOG = """\
2026-11-24 08:00:00 install chronyx:amd64 <none> 4.3-2
2026-11-24 09:00:00 status installed chrony:amd64 4.3-2
2026-11-24 10:00:00 remove chrony:amd64 4.3-2 <none>
2026-11-24 11:00:00 status not-installed libchrony:amd64 <none>
"""
FOUND: dict[str, Any] = {
    "components": {"a": "t", "b": None},
    "differences": [{"component": "b"}, {"component": "b"}],
}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    for folder in ("run", "etc", "var/lib/dpkg", "var/log"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text("Package: chrony\nStatus: install ok installed\n"
                                                  "Architecture: amd64\nVersion: 1\n")  # fmt: skip
    host = Host(str(tmp_path))
    files = (
        FileSpec(path="/etc/file", kind="file", digest=DIGEST),
        FileSpec(path="/etc/link", kind="link", target="file"),
        FileSpec(path="/etc/folder", kind="directory", mode=0o755, purge=True),
    )
    transact(host, Order(desired=Desired(name="files", files=files), contents={DIGEST: b"x"}))
    transact(host, Order(desired=Desired(name="packages", packages=("chrony",)), contents={}))
    return host


def by_hand(host: Host) -> None:
    root = Path(host.root)
    (root / "etc/file").write_text("y")
    (root / "etc/file").chmod(0o666)
    (root / "etc/link").unlink()
    (root / "etc/folder/more").symlink_to("x")
    (root / "var/lib/dpkg/status").write_text("")
    (root / "var/log/dpkg.log").write_text(LOG)


def since_of(host: Host, name: str) -> str:
    found = {one["name"]: one["since"] for one in drift(host, Store(host))["differences"]}
    return str(found[name])


def test_none_right_after_the_run(host: Host) -> None:
    found = drift(host, Store(host))
    assert found["differences"] == []
    assert found["components"].keys() == {"files", "packages"}


def test_each_difference(host: Host) -> None:
    by_hand(host)
    found = {one["name"]: one for one in drift(host, Store(host))["differences"]}
    assert found.keys() == {"/etc/file", "/etc/link", "/etc/folder/more", "chrony"}
    assert found["/etc/file"]["wanted"] == f"file root:root 0644 SHA-256 {DIGEST[:12]}…"
    assert found["/etc/file"]["found"].startswith("file root:root 0666 SHA-256 ")
    assert (found["/etc/link"]["wanted"], found["/etc/link"]["found"]) == ("link to file", "absent")
    assert found["/etc/folder/more"]["wanted"] == "absent"
    assert found["/etc/folder/more"]["found"] == "link to x"
    assert found["chrony"]["kind"] == "package"
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["since"])
               for one in found.values())  # fmt: skip


def test_package_says_since_when(host: Host) -> None:
    by_hand(host)
    local = datetime(2026, 11, 24, 10).astimezone(UTC)
    assert since_of(host, "chrony") == f"{local:%Y-%m-%dT%H:%M:%SZ}"
    (Path(host.root) / "var/log/dpkg.log").unlink()
    assert since_of(host, "chrony") == ""


def test_what_can_not_be_compared_is_told(host: Host) -> None:
    (Path(host.root) / "etc/file").unlink()
    (Path(host.root) / "etc/file").mkdir()
    (one,) = drift(host, Store(host))["differences"]
    assert (one["component"], one["kind"]) == ("files", "component")
    assert "/etc/file is a directory" in one["found"]


def test_metrics() -> None:
    lines = metrics(FOUND).splitlines()
    assert lines[:4] == [
        "# HELP servertechnik_drift_differences Differences from what was last committed.",
        "# TYPE servertechnik_drift_differences gauge",
        'servertechnik_drift_differences{component="a"} 0',
        'servertechnik_drift_differences{component="b"} 2',
    ]
    assert re.fullmatch(r"servertechnik_drift_checked_seconds \d{10}", lines[-1])
    assert metrics(FOUND).endswith("\n")


@pytest.mark.parametrize(("differences", "status"), [([], 0), (FOUND["differences"], 1)])
def test_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], differences: list[Any], status: int
) -> None:
    target = tmp_path / "new folder" / "drift.prom"
    assert report({**FOUND, "differences": differences}, str(target)) == status
    assert json.loads(capsys.readouterr().out)["differences"] == differences
    assert target.read_text().startswith("# HELP")
    assert [path.name for path in target.parent.iterdir()] == ["drift.prom"]


def drifted(root: Path, *, sensitive: bool) -> dict[str, object]:
    """A host on which one file was committed and then changed by hand."""
    host = Host(str(root))
    store = Store(host)
    (root / "etc").mkdir()
    (root / "etc/a.conf").write_text("by hand\n")
    committed = hashlib.sha256(b"as committed\n").hexdigest()
    spec = FileSpec(path=PATH, digest=committed, sensitive=sensitive)
    desired = Desired(name="a", files=(spec,))
    store.set_record("a", {"desired": desired.as_dict(), "transaction": "1", "owed": False})
    return drift(host, store)


@pytest.mark.parametrize(("sensitive", "words"), [(False, "SHA-256 "), (True, "content not shown")])
def test_what_differs_is_told_in_words(tmp_path: Path, sensitive: bool, words: str) -> None:
    found = drifted(tmp_path, sensitive=sensitive)
    (sentence,) = findings(found)
    assert sentence.startswith(f"a: file {PATH}: found file root:root 0644 {words}")
    assert f"; committed file root:root 0644 {words}" in sentence
    assert "; changed 20" in sentence
    assert ("SHA-256" in sentence) is not sensitive
