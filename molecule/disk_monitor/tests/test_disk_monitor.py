# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Whatever mdadm, smartd and scrubs report is kept, counted and told."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from testinfra.host import Host

HOOK = "/usr/local/lib/servertechnik/disk-event"
EVENTS = "/var/lib/servertechnik/disks/events"
METRICS = "/var/lib/prometheus/node-exporter/servertechnik-disks.prom"
PART = "/etc/mdadm/mdadm.conf.d/servertechnik.conf"
KEPT = 40
# What smartd 7.3 sets for a critical warning of an NVMe disk, by its own warning script.
SMARTD = {
    "SMARTD_MAILER": HOOK,
    "SMARTD_ADDRESS": "",
    "SMARTD_MESSAGE": "Device: /dev/nvme0, Critical Warning (0x04): Reliability",
    "SMARTD_FAILTYPE": "Health",
    "SMARTD_TFIRST": "",
    "SMARTD_PREVCNT": "0",
    "SMARTD_NEXTDAYS": "1",
    "SMARTD_DEVICEINFO": "QEMU NVMe Ctrl, S/N:SER001, FW:8.2.0",
    "SMARTD_DEVICE": "/dev/nvme0",
    "SMARTD_DEVICETYPE": "nvme",
    "SMARTD_DEVICESTRING": "/dev/nvme0",
}
NASTY = '\n# TYPE x counter\n"}\\ 9 $(touch /root/owned) `id` \x1b[2J é 🖴'


def call(host: Host, *words: str, environ: dict[str, str] | None = None) -> None:
    """Call the program as mdadm does, or another one with an environment."""
    settings = [f"{key}={value}" for key, value in (environ or {}).items()]
    host.check_output(shlex.join(["env", *settings, *words]))


def events(host: Host) -> list[dict[str, Any]]:
    """All events that are kept, oldest first."""
    read = f"[json.load(open(p)) for p in sorted(glob.glob('{EVENTS}/*'))]"
    script = f"import glob, json; print(json.dumps({read}))"
    found: list[dict[str, Any]] = json.loads(host.check_output(f"python3 -c {shlex.quote(script)}"))
    return found


def counts(host: Host) -> dict[str, float]:
    """The metrics by name and labels; every line of the file must be sound."""
    lines = host.file(METRICS).content_string.splitlines()
    pairs = [line.rpartition(" ") for line in lines if not line.startswith("# ")]
    return {name: float(value) for name, _space, value in pairs}


def counted(found: dict[str, float], event: str) -> float:
    """How many events of that name were counted, on all devices."""
    return sum(n for name, n in found.items() if "_total{" in name and f'"{event}"' in name)


def log(host: Host) -> str:
    host.check_output("journalctl --sync")
    return str(host.check_output("journalctl --no-pager -o cat -t servertechnik-disks"))


def test_what_has_no_disks_rests_and_nothing_fails(host: Host) -> None:
    assert host.check_output("systemctl --failed --no-legend") == ""
    for unit in ("smartmontools.service", "fstrim.timer"):
        assert host.service(unit).is_enabled
        assert not host.service(unit).is_running
    for unit in ("mdmonitor-oneshot", "mdcheck_start", "mdcheck_continue", "servertechnik-scrub"):
        assert host.service(f"{unit}.timer").is_running


def test_arrays_are_compared_by_one_mechanism_alone(host: Host) -> None:
    assert not host.file("/etc/cron.d/mdadm").exists
    for unit in ("mdcheck_start", "mdcheck_continue"):
        found = host.check_output(f"systemctl show --property=Environment {unit}.service")
        assert found == 'Environment="MDADM_CHECK_DURATION=4 hours"'


def test_smartd_accepts_its_settings(host: Host) -> None:
    # 17: there is no disk to be found here. Mistakes would be 2.
    done = host.run("smartd -q showtests -c /etc/smartd.conf")
    assert done.rc in (16, 17), done.stdout
    assert "/dev/sda [megaraid_disk_00]" in done.stdout


def test_mdadm_reports_to_the_program(host: Host) -> None:
    # There is no array to be watched, but it would complain about lines that it doesn't know.
    done = host.run(f"mdadm --monitor --scan --oneshot --config={PART}")
    assert "nknown keyword" not in done.stderr
    assert "No mail address or alert command" not in done.stderr


def test_report_of_mdadm(host: Host) -> None:
    before = counts(host) if host.file(METRICS).exists else {}
    call(host, HOOK, "Fail", "/dev/md127", "/dev/vdb1")
    event = events(host)[-1]
    assert event.pop("at")
    assert event == {
        "schema": 1,
        "host": host.check_output("uname -n"),
        "source": "mdadm",
        "event": "Fail",
        "severity": "critical",
        "device": "/dev/md127",
        "component": "/dev/vdb1",
        "serial": "",
        "message": "",
        "details": {},
    }
    assert counted(counts(host), "Fail") == counted(before, "Fail") + 1
    assert "mdadm Fail /dev/md127 /dev/vdb1" in log(host)


def test_report_of_smartd(host: Host) -> None:
    call(host, "/usr/share/smartmontools/smartd_warning.sh", environ=SMARTD)
    event = events(host)[-1]
    assert (event["source"], event["event"], event["severity"]) == ("smartd", "Health", "critical")
    assert event["device"] == "/dev/nvme0"
    assert event["message"] == SMARTD["SMARTD_MESSAGE"]
    assert event["details"]["SMARTD_DEVICEINFO"] == SMARTD["SMARTD_DEVICEINFO"]


def test_mail_is_sent_or_missed(host: Host) -> None:
    call(host, HOOK, "DegradedArray", "/dev/md126")
    call(host, HOOK, "Rebuild20", "/dev/md126")
    if host.file("/usr/sbin/sendmail").exists:
        taken = host.check_output("cat /var/log/exim4/mainlog")
        assert "admin@example.org" in taken
    else:
        missed = (
            "sending mail failed: there is no sendmail that would bring it to admin@example.org"
        )
        assert missed in log(host)


@pytest.mark.parametrize("way", ["words", "environment"])
def test_nasty_text_stays_text(host: Host, way: str) -> None:
    if way == "words":
        call(host, HOOK, "Fail", NASTY, NASTY)
    else:
        call(host, HOOK, environ={**SMARTD, "SMARTD_MESSAGE": NASTY, "SMARTD_DEVICE": NASTY})
    event = events(host)[-1]
    assert event["device"] == NASTY
    assert counts(host)
    assert not host.file("/root/owned").exists
    assert "\x1b" not in log(host)


def test_what_is_no_text_or_too_long_is_kept_all_the_same(host: Host) -> None:
    host.check_output(
        f"{HOOK} Fail \"$(printf '/dev/\\377\\376')\" \"$(head -c 90000 /dev/zero | tr '\\0' a)\""
    )
    event = events(host)[-1]
    assert event["device"] == "/dev/\\xff\\xfe"
    assert len(event["message"]) == 4000
    assert counts(host)


def test_nothing_is_lost_when_many_report_at_once(host: Host) -> None:
    before = counted(counts(host), "SpareActive")
    call(host, "sh", "-c", f"for n in $(seq 60); do {HOOK} SpareActive /dev/md$n & done; wait")
    assert counted(counts(host), "SpareActive") == before + 60
    kept = events(host)
    assert len(kept) == KEPT
    assert {one["event"] for one in kept} == {"SpareActive"}
    assert len({one["device"] for one in kept}) == KEPT
    assert log(host).count("mdadm SpareActive") >= 60
    assert host.check_output(f"find {EVENTS} /var/lib/prometheus -name '.new-*'") == ""


def test_report_is_told_even_where_it_can_not_be_kept(host: Host) -> None:
    host.check_output(f"mv {EVENTS} {EVENTS}.kept; touch {EVENTS}")
    try:
        done = host.run(f"{HOOK} FailSpare /dev/md9 /dev/vdz1")
    finally:
        host.check_output(f"rm {EVENTS}; mv {EVENTS}.kept {EVENTS}")
    assert done.rc == 1
    assert "mdadm FailSpare /dev/md9 /dev/vdz1" in log(host)
    assert counted(counts(host), "FailSpare") == 1


def test_scrub_finds_nothing_to_do_here(host: Host) -> None:
    assert host.check_output("/usr/local/lib/servertechnik/disk-scrub") == ""
