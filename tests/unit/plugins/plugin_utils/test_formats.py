# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._formats import (
    FORMATS,
    format_named,
)

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1Zs2M1kX5T5cN4m3m3wq9x2k8V1d0Qy7c5c6b3a2Zq"

# format: (accepted, refused)
CASES: dict[str, tuple[list[str], list[str]]] = {
    "hostname": (["web1", "WEB-1", "a", "1a", "a" * 63], ["", "-a", "a-", "a_b", "a.b", "a" * 64]),
    "fqdn": (
        ["web1.example.org", "a.b", "xn--bcher-kva.example"],
        ["web1", "", "a..b", "a.b.", "192.0.2.1", "a b.c", ".".join(["a" * 60] * 5)],
    ),
    "domain": (["example.org", "lan"], ["", "a..b", "_x.org", "1.2.3.4"]),
    "host": (["ntp.example.org", "192.0.2.1", "2001:db8::1", "gw"], ["", "a b", "192.0.2.300"]),
    "ip_address": (["192.0.2.1", "2001:db8::1"], ["192.0.2.1/24", "192.0.2.256", "", "web1"]),
    "ip_network": (
        ["192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0"],
        ["192.0.2.1/24", "192.0.2.0", "192.0.2.0/33", ""],
    ),
    "ip_source": (["192.0.2.1", "192.0.2.0/24", "2001:db8::/32"], ["192.0.2.1/24", "web1", ""]),
    "ip_interface": (["192.0.2.1/24", "2001:db8::1/64"], ["192.0.2.1", "192.0.2.1/99", ""]),
    "ip_address_or_interface": (
        ["192.0.2.1", "192.0.2.1/24", "2001:db8::1/64"],
        ["", "192.0.2.1/33", "web1", "192.0.2"],
    ),
    "ip_destination": (
        ["default", "192.0.2.0/24", "::/0"],
        ["", "192.0.2.1/24", "192.0.2.0", "Default"],
    ),
    "mac_address": (
        ["02:00:5e:10:00:01", "02:00:5E:10:00:01"],
        ["", "02:00:5e:10:00", "02-00-5e-10-00-01", "02:00:5e:10:00:01:02", "02:00:5e:10:00:0g"],
    ),
    "interface_name": (
        ["eth0", "enp3s0f1", "br-office", "bond0.17", "a" * 15, "all0"],
        ["", "a" * 16, "a/b", "a b", "a:1", "..", ".", "17", "all", "default", "büro", "a%d"],
    ),
    "name": (
        ["office", "web-tls", "a", "lan_2", "a" * 32],
        ["", "Office", "2lan", "-a", "a b", "a.b", "a" * 33, "büro"],
    ),
    "name_server": (
        ["192.0.2.53", "2001:db8::53", "192.0.2.53#dns.example.org"],
        ["", "dns.example.org", "192.0.2.53#", "192.0.2.53#a b", "#dns.example.org"],
    ),
    "search_domain": (
        ["example.org", "~example.org", "~."],
        ["", "~", ".", "a..b", "~~example.org"],
    ),
    "dns_name": (
        ["www.example.org", "*.example.org", "web1"],
        ["", "*", "a.*.org", "*example.org", "192.0.2.1"],
    ),
    "port_range": (
        ["22", "8000-8010", "1-65535"],
        ["", "0", "22-", "-22", "8010-8000", "22-22", "22-65536", "ssh", "1-2-3"],
    ),
    "port": (["1", "22", "65535"], ["0", "65536", "-1", "ssh", "", "2 2", "\uff12"]),
    "user_name": (["admin", "_apt", "a-b_1"], ["Admin", "1a", "a" * 33, "", "a b", "root:"]),
    "timezone": (["Europe/Berlin", "UTC", "Etc/GMT+5"], ["Berlin", "", "/etc/passwd", "../x"]),
    "locale": (
        ["de_DE.UTF-8", "C.UTF-8", "C", "en_GB", "ca_ES@valencia"],
        ["german", "de-DE", "", "de_DE UTF-8"],
    ),
    "ssh_public_key": (
        [ED25519, f"{ED25519} admin@example.org"],
        [
            "",
            "ssh-ed25519",
            "ssh-ed25519 no/base64!",
            ED25519.replace("ssh-ed25519", "ssh-rsa"),
            f"{ED25519}\nssh-rsa AAAA",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
        ],
    ),
    "file_mode": (["0644", "644", "4755"], ["420x", "0888", "", "u=rw", "00644"]),
    "email": (
        ["admin@example.org", "first.last+x@mail.example.org"],
        ["admin", "@example.org", "a b@example.org", "admin@example", "a@b@"],
    ),
    "url": (
        ["https://example.org", "http://192.0.2.1:8080/a?b=c"],
        ["example.org", "ftp://example.org", "https://", "https://a b.org", "http://a:99999", ""],
    ),
    "absolute_path": (["/", "/etc/hosts"], ["etc/hosts", "", "/a/../b", "/a\nb", "~/x"]),
    "unit_name": (["ssh.service", "getty@tty1.service", "a.timer"], ["ssh", "a b.service", ""]),
    "duration": (
        ["30", "30s", "1h 30min", "2weeks", "1.5h", "infinity", "1d12h"],
        ["", "soon", "s", "5 parsecs", "1h,2m"],
    ),
    "calendar": (
        [
            "daily",
            "Mon..Fri 04:00",
            "*-*-01 03:30:00",
            "Sun 02:00",
            "04:00",
            "Sat,Sun *-*-* 10:00",
            "*:0/15",
            "2026-02-29",
            "Mon *-*-1..7 05:00 Europe/Berlin",
            "*-02~03",
        ],
        ["", "every day", "Montag 04:00", "4 Uhr", "Mon04:00", "04"],
    ),
    "smart_type": (["sat", "megaraid,0", "sat+megaraid,12"], ["", "megaraid, 0", "-d sat", "a b"]),
    "smart_schedule": (
        ["../.././02", "../../[1-5]/(00|12)", "../../6/03:004", "01/../../03:002-010"],
        ["", "daily", "../../6", "../../6/03:4", "../../6/03 -m x", "S/../../6/03"],
    ),
    "stable_disk_path": (
        ["/dev/disk/by-path/pci-0000:00:1f.2-ata-1", "/dev/disk/by-id/virtio-SER001"],
        ["", "/dev/sda", "/dev/disk/by-uuid/0b9f3a56", "/dev/disk/by-id/a b"],
    ),
    "storage_size": (
        ["512MiB", "1.5 TiB", "1%", "50%", "100%", "rest"],
        ["", "512", "512M", "20GB", "0%", "101%", "1.5%", "Rest"],
    ),
    "tmpfs_size": (["512M", "1048576", "20%"], ["", "0", "512MiB", "0%", "120%"]),
    "size": (["1024", "64M", "1.5G"], ["", "64MB", "M", "-1G", "64 M"]),
    "1..100": (["1", "100"], ["0", "101", "x", "1.5", ""]),
    "0..": (["0", "99999"], ["-1"]),
    "..5": (["-3", "5"], ["6"]),
    "domain?": (["", "example.org"], ["a..b"]),
}


@pytest.mark.parametrize(
    ("name", "text", "is_accepted"),
    [
        (name, text, is_accepted)
        for name, (good, bad) in CASES.items()
        for is_accepted, texts in ((True, good), (False, bad))
        for text in texts
    ],
)
def test_format(name: str, text: str, is_accepted: bool) -> None:
    assert format_named(name).accepts(text) is is_accepted


def test_every_format_has_cases_and_words() -> None:
    assert CASES.keys() >= FORMATS.keys()
    assert all(format_named(name).words for name in CASES)


def test_a_range_says_its_ends() -> None:
    assert format_named("1..100").words == "a whole number from 1 to 100"
    assert format_named("0..").words == "a whole number from 0"
    assert format_named("..5?").words == "a whole number to 5, or empty"


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(KeyError):
        format_named("hostnam")
