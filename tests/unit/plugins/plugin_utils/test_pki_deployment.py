# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import json
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import Authorities
from ansible_collections.servertechnik.core.plugins.plugin_utils._pki_deployment import (
    YET_TO_BE_ISSUED,
    component,
)

from tests.unit.plugins.plugin_utils.signing import authority, leaf, pem

OLD, NEW = authority(1), authority(2)
BOTH = Authorities((OLD, NEW), NEW, 0)
WEB = {"name": "host", "units": ["nginx.service", "a.service"]}
LEAF = pem(leaf(OLD))
THERE = {"host": {"certificate": LEAF, "key": "/etc/servertechnik/keys/host-1.pem"}}
FOLDER = "/etc/ssl/servertechnik"
ANCHORS = "/usr/local/share/ca-certificates/servertechnik"


def parts(
    authorities: Authorities = BOTH, found: dict[str, Any] | None = None, **options: Any
) -> dict[str, Any]:
    given: dict[str, Any] = {"due": [], "issued": {}, "lists": [], "anchors": [], **options}
    return component([WEB], THERE if found is None else found, authorities, **given)


def contents(found: dict[str, Any]) -> dict[str, str]:
    return {one["dest"]: one.get("content", one.get("link")) for one in found["files"]}


def test_what_is_there_stays() -> None:
    found = contents(parts())
    assert found[f"{FOLDER}/host/cert.pem"] == LEAF
    assert found[f"{FOLDER}/host/chain.pem"] == OLD.pem
    assert found[f"{FOLDER}/host/fullchain.pem"] == LEAF + OLD.pem
    assert found[f"{FOLDER}/host/privkey.pem"] == "/etc/servertechnik/keys/host-1.pem"


def test_certificate_and_key_change_together() -> None:
    new = pem(leaf(NEW))
    there = {"host": {**THERE["host"], "new_key": "/etc/servertechnik/keys/host-2.pem"}}
    found = contents(parts(found=there, due=["host"], issued={"host": new}))
    assert found[f"{FOLDER}/host/cert.pem"] == new
    assert found[f"{FOLDER}/host/chain.pem"] == NEW.pem
    assert found[f"{FOLDER}/host/privkey.pem"] == "/etc/servertechnik/keys/host-2.pem"


def test_dry_run_foretells_all_files_of_the_first_run() -> None:
    nothing = {"host": {"certificate": "", "key": ""}}
    dry = contents(parts(Authorities((), None, 1), nothing, due=["host"]))
    assert dry.keys() == contents(parts(Authorities((OLD,), OLD, 0))).keys()
    assert dry[f"{FOLDER}/host/cert.pem"] == YET_TO_BE_ISSUED
    assert dry[f"{ANCHORS}/servertechnik-ca-1.crt"] == YET_TO_BE_ISSUED


def test_dry_run_foretells_a_renewal() -> None:
    dry, now = contents(parts(due=["host"])), contents(parts())
    changed = {path for path in now if dry[path] != now[path]}
    assert {f"{FOLDER}/host/{name}.pem" for name in ("cert", "fullchain", "privkey")} <= changed


def test_old_and_new_authorities_are_accepted_and_nothing_else_is() -> None:
    anchors = [{"name": "partner", "certificate": f"\n{NEW.pem}\n"}]
    found = parts(anchors=anchors)
    assert {
        path: text for path, text in contents(found).items() if path.startswith(f"{ANCHORS}/")
    } == {
        f"{ANCHORS}/servertechnik-ca-1.crt": OLD.pem,
        f"{ANCHORS}/servertechnik-ca-2.crt": NEW.pem,
        f"{ANCHORS}/servertechnik-partner.crt": NEW.pem,
    }
    purged = {one["dest"] for one in found["files"] if one.get("purge")}
    assert purged == {FOLDER, ANCHORS}


def test_what_expires_when() -> None:
    facts = json.loads(contents(parts())["/etc/ansible/facts.d/pki.fact"])
    assert facts["certificates"] == [
        {
            "name": "host",
            "path": f"{FOLDER}/host/cert.pem",
            "serial": "7",
            "subject": "CN=web1.example.org",
            "issuer": "CN=Test 1",
            "not_before": "2028-02-28T12:00:00Z",
            "not_after": "2028-04-29T12:00:00Z",
        }
    ]
    assert [one["name"] for one in facts["authorities"]] == ["ca-1", "ca-2"]


def test_commands() -> None:
    found = parts()
    assert found["commands"] == [
        "update-ca-certificates",
        "systemctl try-reload-or-restart [a].service",
        "systemctl try-reload-or-restart [n]ginx.service",
    ]
    (check,) = found["validate"]
    assert check.endswith(f"-CAfile {FOLDER}/host/chain.pem {FOLDER}/host/cert.pem")
