# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Store
from ansible_collections.servertechnik.core.plugins.module_utils._model import Desired, FileSpec
from ansible_collections.servertechnik.core.plugins.module_utils._order import (
    Order,
    TransactionError,
)
from ansible_collections.servertechnik.core.plugins.module_utils._transaction import transact

from tests.unit.plugins.module_utils.trees import TOP, plant, seen

FOLDERS = (
    FileSpec(path=f"{TOP}/a", kind="directory"),
    FileSpec(path=f"{TOP}/a/b/c/link", kind="link", target="x"),
    FileSpec(path=f"{TOP}/d/e/link", kind="link", target="x"),
)


def failing(root: Path, script: str) -> TransactionError:
    """The error of a transaction whose validation runs that script, and fails."""
    validate = (f"sh -c 'cd {root}{TOP}; {script}; exit 3'",)
    order = Order(desired=Desired(name="c", files=FOLDERS, validate=validate), contents={})
    with pytest.raises(TransactionError) as error:
        transact(Host(str(root)), order)
    return error.value


def test_new_folders_go_from_below(tmp_path: Path) -> None:
    plant(tmp_path, {})
    before = seen(tmp_path)
    error = failing(tmp_path, "true")
    assert "c: validation: 'sh -c" in str(error)
    assert "failed (3): (no output). The host is as before" in str(error)
    assert error.details["rolled_back"]
    assert seen(tmp_path) == before


@pytest.mark.parametrize(
    ("folder", "stays"), [("a", ["a"]), ("a/b/c", ["a/b/c", "a/b", "a"]), ("d", ["d"])]
)
def test_what_a_service_has_left_in_a_new_folder_stays_and_is_told(
    tmp_path: Path, folder: str, stays: list[str]
) -> None:
    plant(tmp_path, {})
    error = failing(tmp_path, f"echo data > {folder}/data")
    told = [f"{TOP}/{path} was not there before, but is not empty" for path in stays]
    assert f"Files were put back, but look at these: {'; '.join(told)}." in str(error)
    assert (tmp_path / TOP[1:] / folder / "data").read_text() == "data\n"
    assert Store(Host(str(tmp_path))).active() is None
    left = [path for path in seen(tmp_path) if path.startswith(f"{TOP}/")]
    assert sorted(left) == sorted([*(f"{TOP}/{path}" for path in stays), f"{TOP}/{folder}/data"])
