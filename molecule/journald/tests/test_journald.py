# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import re
import secrets

import pytest
from testinfra.host import Host


@pytest.mark.parametrize(
    "setting",
    [
        "Storage=persistent",
        "SystemMaxUse=96M",
        "SystemMaxFileSize=8M",
        "MaxRetentionSec=90days",
        "ForwardToSyslog=no",
        "Seal=yes",
        "Audit=",
    ],
)
def test_last_word_is_ours(host: Host, setting: str) -> None:
    everything = host.check_output("systemd-analyze cat-config systemd/journald.conf")
    keyword = setting.partition("=")[0]
    assert re.findall(rf"^{keyword}=.*$", everything, re.MULTILINE)[-1] == setting


def test_unit_runs(host: Host) -> None:
    assert host.service("systemd-journald.service").is_running


def test_folder_may_be_read_by_administrators(host: Host) -> None:
    folder = host.file("/var/log/journal")
    assert (folder.user, folder.group, folder.mode) == ("root", "systemd-journal", 0o2755)
    reader = "setpriv --reuid=nobody --regid=nogroup --groups=adm"
    assert "Journal started" in host.check_output(f"{reader} journalctl -u systemd-journald -o cat")


def test_log_is_on_the_disk(host: Host) -> None:
    word = secrets.token_hex(8)
    host.check_output(f"logger -t probe {word} && journalctl --sync")
    machine = host.file("/etc/machine-id").content_string.strip()
    found = host.check_output(f"journalctl --directory=/var/log/journal/{machine} -t probe -o cat")
    assert word in found
    assert not host.file(f"/run/log/journal/{machine}/system.journal").exists


def test_limits_are_in_effect(host: Host) -> None:
    host.check_output("systemctl kill --signal=SIGUSR2 systemd-journald && journalctl --sync")
    told = host.check_output("journalctl -u systemd-journald -o cat --no-pager")
    assert re.search(r"System Journal \(/var/log/journal/.*max 96(\.0)?M", told), told


def test_talkative_service_is_cut_short(host: Host) -> None:
    word = secrets.token_hex(8)
    flood = f"systemd-run --quiet --wait sh -c 'for i in $(seq 2000); do echo {word}; done'"
    host.check_output(f"{flood} && journalctl --sync")
    # journald lets more through than its burst while there is room: log2 of it, less 16, over 4.
    assert 200 <= int(host.check_output(f"journalctl -o cat | grep -c '^{word}$'")) < 1000
