# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import subprocess

import pytest
from testinfra.host import Host

from tests.bed.hosts import address, ssh_options


def name_of(host: Host) -> str:
    return str(host.backend.get_hostname())


def login(host: Host, user: str, command: str) -> subprocess.CompletedProcess[str]:
    """Come in from outside, over the wire, with the key of the bed."""
    name = name_of(host)
    options = [*ssh_options(name), "-o", "BatchMode=yes", "-o", "ControlPath=none"]
    return subprocess.run(
        ["ssh", *options, f"{user}@{address(name)}", command],
        capture_output=True,
        text=True,
        check=False,
    )


def test_host_knows_its_name(host: Host) -> None:
    name = name_of(host)
    assert host.check_output("hostname") == name
    assert host.check_output("hostname -f") == f"{name}.example.org"
    assert host.check_output("cat /etc/hostname") == name


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("localhost", "localhost"),
        ("files", "192.0.2.10"),
        ("files.example.org", "192.0.2.10"),
    ],
)
def test_hosts_file_answers(host: Host, name: str, found: str) -> None:
    assert found in host.check_output(f"getent hosts {name}")


def test_entry_that_is_absent_is_not_there(host: Host) -> None:
    assert not host.file("/etc/hosts").contains("former.example.org")


def test_clock_shows_the_time_of_the_zone(host: Host) -> None:
    assert host.check_output("date --date=2026-07-01T00:00Z +%Z%H") == "CEST02"
    assert host.file("/etc/localtime").linked_to == "/usr/share/zoneinfo/Europe/Berlin"


def test_only_the_release_that_reads_it_has_a_file_for_the_zone(host: Host) -> None:
    file = host.file("/etc/timezone")
    if host.system_info.codename == "bookworm":
        assert file.content_string == "Europe/Berlin\n"
    else:
        assert not file.exists


@pytest.mark.parametrize("locale", ["en_GB.utf8", "de_DE.utf8", "C.utf8"])
def test_locale_is_generated(host: Host, locale: str) -> None:
    assert locale in host.check_output("locale -a").splitlines()


def test_logins_speak_the_language(host: Host) -> None:
    result = login(host, "alice", "locale; LC_ALL= date --date=2026-03-01 +%B")
    assert "LANG=en_GB.UTF-8" in result.stdout
    assert "LC_TIME=de_DE.UTF-8" in result.stdout
    assert result.stdout.endswith("März\n")


def test_keyboard_of_the_console_has_umlauts(host: Host) -> None:
    keymap = host.check_output("zcat /etc/console-setup/cached_UTF-8_*.kmap.gz")
    (key,) = [line for line in keymap.splitlines() if line.startswith("keycode 26 =")]
    assert "U+00fc" in key


@pytest.mark.parametrize(
    "line",
    [
        'APT::Install-Recommends "false";',
        'APT::Install-Suggests "false";',
        'APT::Keep-Downloaded-Packages "false";',
        'Acquire::Retries "3";',
    ],
)
def test_apt_is_told(host: Host, line: str) -> None:
    assert line in host.check_output("apt-config dump").splitlines()


def test_packages(host: Host) -> None:
    assert host.package("less").is_installed
    assert not host.package("lsof").is_installed


@pytest.mark.parametrize(
    ("user", "uid", "shell", "comment"),
    [("alice", 2001, "/bin/bash", "Alice Example"), ("bob", None, "/bin/sh", "")],
)
def test_account(host: Host, user: str, uid: int | None, shell: str, comment: str) -> None:
    account = host.user(user)
    assert account.exists
    assert account.uid == uid if uid else account.uid >= 1000
    assert (account.shell, account.gecos) == (shell, comment)
    home = host.file(f"/home/{user}")
    assert (home.user, home.mode) == (user, 0o700)
    assert host.file(f"/home/{user}/.bashrc").exists


def test_nobody_has_a_password_unless_given(host: Host) -> None:
    assert host.check_output("getent shadow bob").startswith("bob:*:")


@pytest.mark.parametrize(("password", "became"), [("swordfish", "0\n"), ("marlin", "")])
def test_alice_becomes_root_with_her_password(host: Host, password: str, became: str) -> None:
    result = login(host, "alice", f"echo {password} | sudo --stdin --reset-timestamp id -u")
    assert result.stdout == became, result.stderr


def test_account_of_the_installer_is_adopted(host: Host) -> None:
    dora = host.user("dora")
    assert (dora.uid, dora.shell, dora.home, dora.gecos) == (
        1500,
        "/bin/sh",
        "/srv/dora",
        "Dora,,,",
    )
    assert dora.groups == ["dora", "cdrom"]
    assert dora.password.startswith("$")
    assert host.file("/srv/dora/letter").content_string == "Dear Dora\n"


def test_account_that_left_is_gone_with_all_that_ran(host: Host) -> None:
    assert not host.user("carla").exists
    assert not host.file("/home/carla").exists
    assert host.run("pgrep --uid 1600").stdout == ""


def test_alice_may_read_the_log(host: Host) -> None:
    assert "adm" in host.user("alice").groups
    assert "sshd" in login(host, "alice", "journalctl --quiet --unit=ssh --lines=20").stdout


@pytest.mark.parametrize(
    ("user", "rights"),
    [
        ("alice", ["(ALL : ALL) ALL"]),
        ("bob", ["(root) NOPASSWD: /usr/bin/systemctl restart ssh.service"]),
    ],
)
def test_rights(host: Host, user: str, rights: list[str]) -> None:
    listed = host.check_output(f"sudo -l -U {user}")
    _, _, commands = listed.partition("may run the following commands")
    assert [line.strip() for line in commands.splitlines()[1:]] == rights


def test_without_rights(host: Host) -> None:
    assert "dora is not allowed to run sudo" in host.check_output("sudo -l -U dora")


def test_rights_have_effect(host: Host) -> None:
    assert login(host, "technician", "sudo -n id -u").stdout == "0\n"
    assert login(host, "bob", "sudo -n id -u").returncode != 0
    restarted = login(host, "bob", "sudo -n systemctl restart ssh.service && echo done")
    assert restarted.stdout == "done\n", restarted.stderr


@pytest.mark.parametrize("user", ["technician", "alice", "bob", "dora"])
def test_login_over_ssh_with_the_key(host: Host, user: str) -> None:
    result = login(host, user, "id -un")
    assert result.stdout == f"{user}\n", result.stderr


def test_other_keys_of_an_admin_do_not_count(host: Host) -> None:
    """The key is in bob's home, but no longer in the folder of keys."""
    key = "/etc/ssh/admin_keys.d/bob"
    host.check_output("install -d -o bob -m 0700 /home/bob/.ssh")
    host.check_output(f"install -o bob -m 0600 {key} /home/bob/.ssh/authorized_keys")
    host.check_output(f"mv {key} {key}.away")
    try:
        assert login(host, "bob", "id -un").returncode == 255
    finally:
        host.check_output(f"mv {key}.away {key} && rm -r /home/bob/.ssh")
    assert login(host, "bob", "id -un").returncode == 0


@pytest.mark.parametrize(
    ("user", "files"),
    [
        ("alice", "/etc/ssh/admin_keys.d/%u"),
        ("root", ".ssh/authorized_keys .ssh/authorized_keys2"),
    ],
)
def test_only_admins_have_their_keys_elsewhere(host: Host, user: str, files: str) -> None:
    settings = host.check_output(f"sshd -T -C user={user},host=h,addr=192.0.2.1").splitlines()
    assert f"authorizedkeysfile {files}" in settings


def test_message_says_where_one_is_and_whom_to_call(host: Host) -> None:
    message = host.file("/etc/motd").content_string
    wanted = [
        f"  {name_of(host)}.example.org\n",
        "  Purpose   Proof of the role\n",
        "  Location  Cellar, rack 4\n",
        "  Call      IT desk, +49 30 23125 100, day and night\n",
    ]
    assert [line for line in wanted if line not in message] == []
    assert "Owner" not in message


def test_own_mirror_stays(host: Host) -> None:
    """Only the file that the host came with is there, and it still serves the host's packages."""
    listed = host.check_output("find /etc/apt/sources.list /etc/apt/sources.list.d -type f")
    assert listed == "/etc/apt/sources.list"
    assert "o=Debian,a=" in host.check_output("apt-cache policy")
