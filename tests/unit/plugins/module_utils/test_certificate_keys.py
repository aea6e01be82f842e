# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Keys and requests, made by openssl itself."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._certificate_keys import (
    ALGORITHMS,
    Keys,
    KeysError,
    common_name,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._pki_certificates import (
    check_request,
    completed,
)

WEB = completed(
    {
        "name": "host",
        "dns_names": ["web1.example.org", "*.web1.example.org"],
        "addresses": ["192.0.2.1", "2001:db8::1"],
        "owner": pwd.getpwuid(os.geteuid()).pw_name,
        "group": grp.getgrgid(os.getegid()).gr_name,
        "mode": "0640",
    }
)


def openssl(words: Sequence[str], stdin: str) -> str:
    done = subprocess.run(
        ["openssl", *words], input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise KeysError(done.stderr)
    return done.stdout


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(openssl, str(tmp_path))


def use(keys: Keys, made: dict[str, str]) -> None:
    """Let the link lead to a key, as the component does."""
    folder = Path(keys.certificates) / "host"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "privkey.pem").unlink(missing_ok=True)
    (folder / "privkey.pem").symlink_to(made["new_key"])


@pytest.mark.parametrize("key_type", ALGORITHMS)
def test_request_is_one_that_is_signed(keys: Keys, key_type: str) -> None:
    wanted = {**WEB, "key_type": key_type}
    made = keys.request(wanted)
    check_request(wanted, made["request"], "web1")
    key = Path(made["new_key"])
    assert key.stat().st_mode & 0o777 == 0o640
    assert key.parent.stat().st_mode & 0o777 == 0o711
    assert list(key.parent.iterdir()) == [key]


@pytest.mark.parametrize("usages", [["server"], ["client"]])
def test_usage(keys: Keys, usages: list[str]) -> None:
    wanted = {**WEB, "usages": usages}
    check_request(wanted, keys.request(wanted)["request"], "web1")


def test_what_there_is(keys: Keys) -> None:
    assert keys.found("host") == {"certificate": "", "key": "", "access": "", "public_key": ""}
    made = keys.request(WEB)
    use(keys, made)
    (Path(keys.certificates) / "host" / "cert.pem").write_text("a certificate")
    found = keys.found("host")
    assert found["certificate"] == "a certificate"
    assert found["key"] == made["new_key"]
    assert found["access"] == f"{WEB['owner']}:{WEB['group']} 0640"
    assert found["public_key"].startswith("-----BEGIN PUBLIC KEY-----")


def test_key_in_use_stays_and_older_ones_go(keys: Keys) -> None:
    other = keys.request({**WEB, "name": "host-2"})["new_key"]
    used = keys.request(WEB)
    use(keys, used)
    tried = keys.request(WEB)
    newest = keys.request(WEB)
    left = {str(path) for path in Path(keys.keys).iterdir()}
    assert tried["new_key"] not in left
    assert left == {other, used["new_key"], newest["new_key"]}


def test_group_that_is_not_there(keys: Keys) -> None:
    with pytest.raises(KeysError, match=r"found .*:no-such-group as owner and group"):
        keys.request({**WEB, "group": "no-such-group"})


def test_common_name_is_short_enough() -> None:
    long = "a" * 60 + ".example.org"
    assert common_name({**WEB, "dns_names": [long, "web1.example.org"]}) == "web1.example.org"
    assert common_name({**WEB, "dns_names": [long], "addresses": []}) == "host"
