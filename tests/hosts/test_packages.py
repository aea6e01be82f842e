# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Packages that come and go with a component, on real hosts, from Debian and from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest_hosts import Fleet, Results
from tests.hosts.tasks import assert_predicted, component, looks, predicted, shell, snapshot

DROPIN = "[Service]\nEnvironment=STORY=ours\n"
SERVICE: dict[str, Any] = {
    "packages": ["unattended-upgrades"],
    "packages_absent": ["systemd-timesyncd"],
    "files": [
        {
            "dest": "/etc/systemd/system/unattended-upgrades.service.d/story.conf",
            "content": DROPIN,
        },
        {"dest": "/etc/apt/apt.conf.d/50unattended-upgrades", "content": "// ours\n"},
    ],
    "validate": ["apt-config dump"],
    "units": [{"name": "unattended-upgrades.service"}],
    "verify": [{"unit": "unattended-upgrades.service"}],
}
# A package whose installation waits until it is let go, and a repository with others.
BUILD = """
build() {  # NAME, and the postinst's text
    mkdir -p "/srv/build/$1/DEBIAN" /srv/repo
    printf 'Package: %s\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@example.org>\\n' "$1" \\
        > "/srv/build/$1/DEBIAN/control"
    printf 'Description: a test\\n' >> "/srv/build/$1/DEBIAN/control"
    printf '#!/bin/sh\\n%s\\n' "$2" > "/srv/build/$1/DEBIAN/postinst"
    chmod 755 "/srv/build/$1/DEBIAN/postinst"
    dpkg-deb --build "/srv/build/$1" "/srv/repo/$1.deb" >&2
    { cat "/srv/build/$1/DEBIAN/control"
      echo "Filename: ./$1.deb"
      echo "Size: $(stat -c %s "/srv/repo/$1.deb")"
      echo "SHA256: $(sha256sum "/srv/repo/$1.deb" | cut -d' ' -f1)"
      echo
    } >> /srv/repo/Packages
}
"""
HOLD = f"""{BUILD}
build story-slow 'until test -e /run/story-go; do sleep 0.1; done'
rm /srv/repo/Packages
systemd-run --unit=story-slow dpkg -i /srv/repo/story-slow.deb
until test "$(dpkg-query -W -f '${{db:Status-Status}}' story-slow)" = half-configured; do
    sleep 0.1
done
"""
STARTS = """
journalctl -u unattended-upgrades.service -o json --output-fields=MESSAGE_ID |
    grep -c 39f53479d3a045ac8e11786248231fbf || true
process=$(systemctl show -p MainPID --value unattended-upgrades.service)
tr '\\0' '\\n' < "/proc/$process/environ" | grep STORY
"""
STAMP = "/var/lib/servertechnik/apt-lists"
LISTS = f"stat -c %Y {STAMP} || echo never"


@pytest.fixture(scope="module")
def told(fleet: Fleet) -> Results:
    lsof: dict[str, Any] = {"name": "lsof", "packages": ["lsof"]}
    watched = ("/etc/apt/apt.conf.d", "/etc/systemd/system")
    units = ("unattended-upgrades.service", "systemd-timesyncd.service")
    clock: dict[str, Any] = {"name": "clock", "packages": ["chrony"]}
    return fleet.play(
        [
            snapshot("before", *watched, units=units),
            component("surprise check", check=True, **clock),
            component("surprise", **clock),
            snapshot("after surprise", *watched, units=units),
            *predicted("service", name="service", **SERVICE),
            shell("starts", STARTS),
            snapshot("after", units=units),
            shell("hold", "apt-mark hold unattended-upgrades lsof"),
            component("held: to install", check=True, **lsof),
            component("held: to remove", name="none", packages_absent=["unattended-upgrades"]),
            component("held: version", name="one", packages=["unattended-upgrades=1"]),
            shell("unhold", "apt-mark unhold unattended-upgrades lsof"),
            shell("busy", HOLD),
            component("busy: short wait", wait=1, **lsof),
            shell("let go soon", "systemd-run --on-active=2 touch /run/story-go"),
            component("busy: long wait", wait=60, **lsof),
            shell("lists after", LISTS),
        ]
    )


def test_apt_must_not_remove_what_nobody_named(told: Results, release: str) -> None:
    for task in ("surprise check", "surprise"):
        assert told[release][task]["failed"]
        assert "apt would also remove systemd-timesyncd" in told[release][task]["msg"]
        assert "packages_absent" in told[release][task]["msg"]
        assert "stay" not in told[release][task]["msg"]
        assert not told[release][task]["changed"]
    assert looks(told[release]["after surprise"]) == looks(told[release]["before"])


def test_check_mode_foretells_the_run(told: Results, release: str) -> None:
    assert_predicted(told[release], "service")
    assert told[release]["service"]["packages"] == {
        "installed": ["unattended-upgrades"],
        "removed": ["systemd-timesyncd"],
    }


def test_new_service_starts_once_and_with_our_configuration(told: Results, release: str) -> None:
    assert told[release]["starts"]["stdout_lines"] == ["1", "STORY=ours"]
    state = told[release]["after"]["units"]["unattended-upgrades.service"]
    assert (state["ActiveState"], state["UnitFileState"]) == ("active", "enabled")


@pytest.mark.parametrize(
    ("task", "package"),
    [
        ("to install", "lsof"),
        ("to remove", "unattended-upgrades"),
        ("version", "unattended-upgrades"),
    ],
)
def test_held_package_is_refused(told: Results, release: str, task: str, package: str) -> None:
    result = told[release][f"held: {task}"]
    assert result["failed"]
    assert f"{package}" in result["msg"]
    assert "is held on this host" in result["msg"]
    assert f"apt-mark unhold {package}" in result["msg"]


def test_busy_dpkg_is_waited_for_and_its_user_named(told: Results, release: str) -> None:
    short, long = (told[release][f"busy: {wait}"] for wait in ("short wait", "long wait"))
    assert short["failed"]
    assert "another program is at work, waited 1 s" in short["msg"]
    assert "dpkg -i /srv/repo/story-slow.deb" in short["msg"]
    assert short["rolled_back"]
    assert not long.get("failed"), long
    assert long["packages"]["installed"] == ["lsof"]


def test_lists_are_not_refreshed_without_need(told: Results, release: str) -> None:
    assert told[release]["busy: long wait"]["packages"]["installed"] == ["lsof"]
    assert told[release]["lists after"]["stdout"] == "never"


@pytest.fixture(scope="module")
def elsewhere(fleet: Fleet, told: Results) -> Results:  # noqa: ARG001 -- after the other story
    unit = "[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    broken: dict[str, Any] = {
        "name": "broken",
        "packages": ["story-two"],
        "files": [{"dest": "/etc/systemd/system/story.service", "content": unit}],
        "units": [{"name": "story.service"}],
        "verify": [{"tcp": "9", "timeout": 0}],
    }
    taken: dict[str, Any] = {
        "name": "taken",
        "packages": ["story-taker"],
        "files": [{"dest": "/etc/story/taken", "content": "ours\n", "mode": "0600"}],
        "verify": [{"tcp": "9", "timeout": 0}],
    }
    watched = ("/etc/systemd/system",)
    return fleet.play(
        [
            shell("own repository", f"""{BUILD}
                cp -a /var/lib/apt/lists /srv/lists
                mv /etc/apt/sources.list* /srv || true
                mkdir -p /etc/apt/sources.list.d
                echo 'deb [trusted=yes] file:/srv/repo ./' > /etc/apt/sources.list.d/story.list
                build story-one 'exit 0'
                build story-two 'exit 0'
                build story-taker 'ln -sf /run/nowhere /etc/story/taken'
                build story-three 'echo the postinst broke; exit 7'
            """),
            component("unknown check", check=True, name="one", packages=["story-one"]),
            component("unknown", name="one", packages=["story-one"]),
            shell("refreshed", LISTS),
            snapshot("before broken", *watched, units=("story.service",)),
            component("broken", **broken),
            snapshot("after broken", *watched, units=("story.service",)),
            component("broken, fixed", **{**broken, "verify": []}),
            shell("mine", "mkdir -p /etc/story; echo mine > /etc/story/taken"),
            snapshot("before taken", "/etc/story"),
            component("taken", **taken),
            snapshot("after taken", "/etc/story"),
            component("taken, fixed", **{**taken, "verify": []}),
            snapshot("after taken, fixed", "/etc/story"),
            shell("a day later", f"touch -d '2 days ago' /var/lib/apt/lists {STAMP}"),
            component("postinst", name="three", packages=["story-three"]),
            shell("refreshed again", LISTS),
            component("nowhere", name="four", packages=["story-four"]),
            shell("restore", """
                rm /etc/apt/sources.list.d/story.list
                dpkg --purge --force-all story-three
                cp -a /srv/sources.list* /etc/apt/
                rm -rf /var/lib/apt/lists
                cp -a /srv/lists /var/lib/apt/lists
            """),
        ]
    )  # fmt: skip


def test_lists_are_refreshed_for_what_they_lack(elsewhere: Results, release: str) -> None:
    check = elsewhere[release]["unknown check"]
    assert check["changed"]
    assert "refreshes its lists first" in check["warnings"][0]
    assert elsewhere[release]["unknown"]["packages"]["installed"] == ["story-one"]
    assert elsewhere[release]["refreshed"]["stdout"] != "never"


def test_old_lists_are_refreshed(elsewhere: Results, release: str) -> None:
    first, second = (
        int(elsewhere[release][task]["stdout"]) for task in ("refreshed", "refreshed again")
    )
    assert second >= first > 0


def test_package_stays_and_is_named_when_the_rest_is_put_back(
    elsewhere: Results, release: str
) -> None:
    result = elsewhere[release]["broken"]
    assert result["failed"]
    assert result["rolled_back"]
    assert "packages stay as apt has left them: story-two" in result["msg"]
    before, after = (looks(elsewhere[release][f"{task} broken"]) for task in ("before", "after"))
    assert after == before
    fixed = elsewhere[release]["broken, fixed"]
    assert fixed["packages"]["installed"] == []
    assert fixed["units"] == [{"name": "story.service", "actions": ["enabled", "started"]}]


def test_what_a_package_replaces_is_put_back_as_well(elsewhere: Results, release: str) -> None:
    assert elsewhere[release]["taken"]["rolled_back"]
    before, after = (looks(elsewhere[release][f"{task} taken"]) for task in ("before", "after"))
    assert after == before
    assert not elsewhere[release]["taken, fixed"].get("failed"), elsewhere[release]["taken, fixed"]
    fixed = looks(elsewhere[release]["after taken, fixed"])["files"]["/etc/story/taken"]
    assert fixed != before["files"]["/etc/story/taken"]


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("postinst", ("three: packages:", "the postinst broke")),
        ("nowhere", ("Unable to locate package story-four",)),
    ],
)
def test_failure_of_apt_is_told(
    elsewhere: Results, release: str, task: str, words: tuple[str, ...]
) -> None:
    result = elsewhere[release][task]
    assert result["failed"]
    assert all(word in result["msg"] for word in words), result["msg"]
