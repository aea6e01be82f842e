# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""What putting a transaction back makes of a journal."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ansible_collections.servertechnik.core.plugins.module_utils._host import Host
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Store
from ansible_collections.servertechnik.core.plugins.module_utils._model import Desired, FileSpec
from ansible_collections.servertechnik.core.plugins.module_utils._order import Order
from ansible_collections.servertechnik.core.plugins.module_utils._revert import revert
from ansible_collections.servertechnik.core.plugins.module_utils._transaction import transact

PATH = "/etc/a.timer.d/a.conf"


def test_a_file_that_concerns_one_unit_can_be_put_back(tmp_path: Path) -> None:
    for folder in ("etc", "run"):
        (tmp_path / folder).mkdir()
    host = Host(str(tmp_path))
    digest = hashlib.sha256(b"new\n").hexdigest()
    desired = Desired(name="a", files=(FileSpec(path=PATH, digest=digest),))
    done = transact(host, Order(desired=desired, contents={digest: b"new\n"}))
    store = Store(host)
    journal = store.load(done["transaction"])
    # As the journal of a component with this unit has it; systemd is not asked here.
    journal.files[0]["spec"]["units"] = ["a.timer"]
    store.save(journal)
    assert revert(host, journal.id, force=False, confirm=None, wait=0)["reverted"] == [journal.id]
    assert not (tmp_path / "etc/a.timer.d").exists()
