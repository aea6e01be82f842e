# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Files of every kind, there and back again, on real hosts."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.conftest_hosts import Fleet, Results
from tests.hosts.tasks import (
    assert_predicted,
    component,
    core,
    looks,
    predicted,
    shell,
    snapshot,
    timeless,
)

TOP = "/srv/story"
LARGE = "zeile mit ümlaut\n" * 300_000
ODD = {
    "with space": "a\n",
    "-rf": "b\n",
    "quote'\"$(id)": "c\n",
    "new\nline": "d\n",
    "schön ☃": "no final newline",
    "empty": "",
    "n" * 255: "long name\n",
}
FILES = [
    {"dest": f"{TOP}/made/for/it/deep", "content": "deep\n", "owner": "games", "mode": "0640"},
    {"dest": f"{TOP}/folder", "state": "directory", "group": "games", "mode": "2770"},
    {"dest": f"{TOP}/folder/in it", "content": "in it\n"},
    {"dest": f"{TOP}/was-link", "content": "a file now\n"},
    {"dest": f"{TOP}/was-file", "link": "/etc/hostname"},
    {"dest": f"{TOP}/dropin.d", "state": "directory", "purge": True},
    {"dest": f"{TOP}/dropin.d/ours.conf", "content": "ours\n"},
    {"dest": f"{TOP}/gone", "state": "absent"},
    {"dest": f"{TOP}/secret", "content": "sesam-oeffne-dich\n", "sensitive": True},
    *({"dest": f"{TOP}/odd/{name}", "content": content} for name, content in ODD.items()),
]
TEMPLATE = "{% if true %}\nhost {{ inventory_hostname }}\n{% endif %}\n"
BINARY = bytes(range(256)) * 500
SEED = f"""
mkdir -p {TOP}/dropin.d/sub {TOP}/gone/below {TOP}/odd
echo untouched > {TOP}/target
ln -s target {TOP}/was-link; chown -h games:games {TOP}/was-link
echo former > {TOP}/was-file; chown games:www-data {TOP}/was-file; chmod 6751 {TOP}/was-file
echo x > {TOP}/dropin.d/old.conf; echo y > {TOP}/dropin.d/sub/y; ln -s /etc {TOP}/dropin.d/etc
echo z > "$(printf '{TOP}/dropin.d/caf\\351')"
printf 'no final newline' > {TOP}/gone/below/x
touch -d '2020-02-29 12:00:00.123456789' {TOP}/was-file {TOP}/gone/below/x
"""


@pytest.fixture(scope="module")
def told(fleet: Fleet) -> Results:
    (fleet.folder / "binary").write_bytes(BINARY)
    (fleet.folder / "large").write_text(LARGE)
    (fleet.folder / "template.j2").write_text(TEMPLATE)
    files = [
        *FILES,
        {"dest": f"{TOP}/large", "source": str(fleet.folder / "large")},
        {"dest": f"{TOP}/binary", "source": str(fleet.folder / "binary"),
         "mode": "4755", "owner": "33"},
        {"dest": f"{TOP}/rendered", "template": str(fleet.folder / "template.j2")},
    ]  # fmt: skip
    there = [
        ("folder", {"dest": f"{TOP}/target", "state": "directory"}),
        ("file", {"dest": f"{TOP}/odd", "content": "x"}),
        ("below a file", {"dest": f"{TOP}/target/x", "content": "x"}),
        ("special", {"dest": "/dev/null", "content": "x"}),
    ]
    return fleet.play(
        [
            shell("seed", SEED),
            snapshot("before", TOP),
            *predicted("files", name="files", files=files),
            snapshot("after", TOP),
            core("revert", "transaction_revert", run="last"),
            snapshot("reverted", TOP),
            *(component(f"in the way: {name}", name="way", files=[one]) for name, one in there),
            component("in the way: check", check=True, name="way", files=[there[0][1]]),
            snapshot("at last", TOP),
        ]
    )


def test_check_mode_foretells_the_run(told: Results, release: str) -> None:
    assert_predicted(told[release], "files")


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("made/for/it/deep", {"mode": "100000 0640", "owner": "5:0", "text": "deep\n"}),
        ("made", {"mode": "40000 0755", "owner": "0:0"}),
        ("folder", {"mode": "40000 2770", "owner": "0:60"}),
        ("folder/in it", {"mode": "100000 0644", "text": "in it\n"}),
        ("was-link", {"mode": "100000 0644", "text": "a file now\n"}),
        ("target", {"text": "untouched\n"}),
        ("was-file", {"mode": "120000 0777", "target": "/etc/hostname", "owner": "0:0"}),
        ("dropin.d/ours.conf", {"text": "ours\n"}),
        ("large", {"digest": hashlib.sha256(LARGE.encode()).hexdigest()}),
        ("binary", {"digest": hashlib.sha256(BINARY).hexdigest(), "mode": "100000 4755",
                    "owner": "33:0"}),
        ("secret", {"mode": "100000 0600"}),
        *((f"odd/{name}", {"text": content}) for name, content in ODD.items()),
    ],
)  # fmt: skip
def test_files_are_as_wanted(
    told: Results, release: str, path: str, wanted: dict[str, Any]
) -> None:
    found = told[release]["after"]["files"][f"{TOP}/{path}"]
    assert {key: found[key] for key in wanted} == wanted


def test_template_is_rendered_on_the_controller(told: Results, release: str) -> None:
    text = told[release]["after"]["files"][f"{TOP}/rendered"]["text"]
    assert text.startswith("host test-files")
    assert text.endswith(f"{release}\n")


def test_only_what_is_listed_stays(told: Results, release: str) -> None:
    after = told[release]["after"]["files"]
    assert [path for path in after if path.startswith(f"{TOP}/dropin.d/")] == [
        f"{TOP}/dropin.d/ours.conf"
    ]
    assert not [path for path in after if path.startswith(f"{TOP}/gone")]
    assert not [path for path in after if ".servertechnik-" in path]


def test_diff_shows_files_but_no_secret(told: Results, release: str) -> None:
    diff = {one["after_header"].partition(" (")[0]: one for one in told[release]["files"]["diff"]}
    assert diff[f"{TOP}/was-link"]["before"] == "-> target\n"
    assert diff[f"{TOP}/was-link"]["after"] == "a file now\n"
    for task in ("files check", "files", "files again", "revert"):
        assert "sesam" not in str(told[release][task])


def test_put_back_is_as_before(told: Results, release: str) -> None:
    assert not told[release]["revert"].get("failed"), told[release]["revert"]
    assert timeless(told[release]["reverted"]) == timeless(told[release]["before"])


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("folder", (f"{TOP}/target is a file on this host, wanted: directory",)),
        ("file", (f"{TOP}/odd is a directory on this host, wanted: file",)),
        ("below a file", (f"{TOP}/target/x", "something above it is not a folder")),
        ("special", ("/dev/null is a device, socket or pipe",)),
        ("check", (f"{TOP}/target is a file on this host, wanted: directory",)),
    ],
)
def test_what_is_in_the_way_is_named(
    told: Results, release: str, way: str, words: tuple[str, ...]
) -> None:
    result = told[release][f"in the way: {way}"]
    assert result["failed"]
    assert not result["changed"]
    assert all(word in result["msg"] for word in words), result["msg"]
    before, after = (looks(told[release][task])["files"] for task in ("before", "at last"))
    assert after.keys() == before.keys()
