# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._drift import (
    drift,
    findings,
    metrics,
)
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Store
from ansible_collections.servertechnik.core.plugins.module_utils._model import Desired, FileSpec

PATH = "/etc/a.conf"


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


def test_metrics_count_the_differences_of_each_component(tmp_path: Path) -> None:
    lines = metrics(drifted(tmp_path, sensitive=False)).splitlines()
    assert 'servertechnik_drift_differences{component="a"} 1' in lines
    assert "# TYPE servertechnik_drift_checked_seconds gauge" in lines
