# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from collections.abc import Callable

import pytest
from testinfra.backend.base import CommandResult
from testinfra.host import Host

Login = Callable[..., CommandResult]
PRINCIPALS = "/etc/ssh/authorized_principals.d"
WEAK = ("sha1", "nistp", "-cbc", "umac-64", "ssh-dss", "diffie-hellman")
NEW = "mlkem768x25519-sha256"


def settings_for(host: Host, criteria: str = "") -> list[str]:
    lines: list[str] = host.check_output(f"sshd -T {criteria}").splitlines()
    return lines


@pytest.fixture(scope="module")
def settings(host: Host) -> list[str]:
    return settings_for(host)


@pytest.mark.parametrize(
    "line",
    [
        "port 22",
        "port 2222",
        "permitrootlogin no",
        "passwordauthentication no",
        "kbdinteractiveauthentication no",
        "x11forwarding no",
        "allowtcpforwarding no",
        "allowagentforwarding no",
        "requiredrsasize 3072",
        "loglevel VERBOSE",
        "banner /etc/ssh/banner",
        "trustedusercakeys /etc/ssh/user_ca_keys",
        "usepam yes",
        "maxauthtries 6",
        "logingracetime 30",
        "authorizedkeysfile .ssh/authorized_keys",
    ],
)
def test_setting_holds(settings: list[str], line: str) -> None:
    assert line in settings


@pytest.mark.parametrize(
    "keyword",
    ["kexalgorithms", "ciphers", "macs", "hostkeyalgorithms", "pubkeyacceptedalgorithms",
     "casignaturealgorithms"],
)  # fmt: skip
def test_nothing_weak_is_offered(settings: list[str], keyword: str) -> None:
    (line,) = [line for line in settings if line.startswith(f"{keyword} ")]
    assert [weak for weak in WEAK if weak in line] == []


def test_keys_resist_quantum_computers(host: Host, settings: list[str]) -> None:
    (line,) = [line for line in settings if line.startswith("kexalgorithms ")]
    first = NEW if host.system_info.codename == "trixie" else "sntrup761x25519-sha512@openssh.com"
    assert line.split()[1].split(",")[0] == first


def test_penalties_where_openssh_has_them(host: Host, settings: list[str]) -> None:
    found = [line for line in settings if line.startswith("persourcepenalt")]
    if host.system_info.codename == "trixie":
        assert any("authfail:7" in line for line in found)
        assert "persourcepenaltyexemptlist 127.0.0.0/8" in found
    else:
        assert found == []


@pytest.mark.parametrize(
    ("user", "address", "line", "holds"),
    [
        ("carl", "127.0.1.1", "allowusers *", True),
        ("carl", "127.0.2.1", "allowusers *", False),
        ("anna", "127.0.1.1", "allowusers *", False),
        ("carl", "127.0.2.1", "allowtcpforwarding local", True),
        ("anna", "127.0.0.1", "allowtcpforwarding local", False),
        ("dora", "127.0.0.1", "chrootdirectory /srv/sftp/%u", True),
        ("anna", "127.0.0.1", "chrootdirectory none", True),
        ("deploy", "127.0.0.1", f"authorizedprincipalsfile {PRINCIPALS}/%u", True),
        ("anna", "127.0.0.1", "authorizedprincipalsfile none", True),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("people")
def test_setting_for_some(host: Host, user: str, address: str, line: str, holds: bool) -> None:
    assert (line in settings_for(host, f"-C user={user},addr={address},host=x")) == holds


@pytest.mark.parametrize(
    ("user", "source", "admitted"),
    [
        ("anna", "127.0.0.1", True),  # by name, from her network
        ("anna", "127.0.0.9", False),  # by name, from elsewhere
        ("carl", "127.0.1.1", True),  # by group, from its network
        ("carl", "127.0.0.1", False),  # by group, from elsewhere
        ("bob", "127.0.1.1", True),
        ("bob", "127.0.1.9", False),  # denied, though his group is allowed
        ("eve", "127.0.0.1", False),  # nobody named her
    ],
)
def test_who_comes_in_from_where(login: Login, user: str, source: str, admitted: bool) -> None:
    found = login(user, source=source)
    assert (found.rc == 0, found.stdout.strip()) == (admitted, user if admitted else "")


@pytest.mark.parametrize(
    ("user", "key", "admitted"),
    [
        ("anna", "certified", True),  # her name is among its principals
        ("deploy", "certified", True),  # a principal that opens this account
        ("technician", "certified", False),  # neither
        ("anna", "lost", False),  # revoked, and so is its certificate
    ],
)
def test_certificates_and_revoked_keys(login: Login, user: str, key: str, admitted: bool) -> None:
    assert (login(user, key=key).rc == 0) == admitted


def test_host_proves_itself_with_a_certificate(login: Login) -> None:
    assert "Server host certificate: ssh-ed25519" in login("anna", more="-v").stderr


def test_host_key_without_certificate_is_not_enough(login: Login) -> None:
    found = login("anna", more="-o HostKeyAlgorithms=ssh-ed25519")
    assert "Host key verification failed" in found.stderr


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_password_is_not_asked_for(login: Login, method: str) -> None:
    found = login("anna", more=f"-o PreferredAuthentications={method}")
    assert "Permission denied (publickey)" in found.stderr


def test_root_does_not_come_in(host: Host, login: Login) -> None:
    host.check_output("ssh-keygen -y -f /root/own >> /root/.ssh/authorized_keys")
    assert "Permission denied (publickey)" in login("root").stderr


@pytest.mark.parametrize(
    "options",
    [
        "KexAlgorithms=ecdh-sha2-nistp256",
        "Ciphers=aes128-cbc",
        "Ciphers=aes256-ctr -o MACs=hmac-sha1",
    ],
)
def test_old_cryptography_is_refused(login: Login, options: str) -> None:
    found = login("anna", more=f"-o {options}")
    assert "Unable to negotiate" in found.stderr


def test_customers_transfer_files_and_no_more(login: Login, host: Host) -> None:
    assert login("dora").stdout.strip() == "This service allows sftp connections only."
    host.check_output("echo report > /root/report && echo 'put /root/report' > /root/batch")
    sent = login("dora", "", program="sftp", more="-b /root/batch")
    assert sent.rc == 0, sent.stderr
    # Her umask, not that of the server.
    assert host.file("/srv/sftp/dora/in/report").mode == 0o640


@pytest.mark.parametrize("user", ["anna", "dora"])
def test_nothing_is_forwarded(login: Login, user: str) -> None:
    found = login(user, "", more="-W localhost:22")
    assert "administratively prohibited" in found.stderr


def test_banner_is_shown(login: Login) -> None:
    assert "Authorised use only." in login("anna").stderr


def test_second_port_answers(login: Login) -> None:
    assert login("anna", more="-p 2222").stdout.strip() == "anna"


def test_listens_where_it_should(host: Host) -> None:
    found = host.check_output("ss --listening --tcp --numeric --no-header").split()
    everywhere = {"0.0.0.0:22", "[::]:22"} & set(found)
    if host.system_info.codename == "trixie":
        assert not everywhere
        unit = host.check_output("systemctl show ssh.service -p After")
        assert "network-online.target" in unit
    else:
        assert everywhere


def test_service_runs_by_itself(host: Host) -> None:
    assert host.service("ssh.service").is_running
    assert host.service("ssh.service").is_enabled
    assert not host.service("ssh.socket").is_running


def test_key_that_is_refused_is_logged(host: Host, login: Login) -> None:
    now = host.check_output("date +%s")
    login("anna", key="lost")
    told = host.check_output(f"journalctl --since=@{now} -t sshd -t sshd-session -o cat")
    assert "Failed publickey for anna from 127.0.0.1" in told
