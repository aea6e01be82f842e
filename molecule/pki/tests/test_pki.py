# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import json
import os
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from testinfra.host import Host

CA = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "pki"
PASSPHRASE = "only for this test"  # noqa: S105 -- protects nothing else
HOSTS = ("pki-bookworm", "pki-trixie")
FOLDER = "/etc/ssl/servertechnik"


def name_of(host: Host) -> str:
    return str(host.backend.get_hostname())


def certificate(host: Host, name: str = "host") -> x509.Certificate:
    return x509.load_pem_x509_certificate(host.file(f"{FOLDER}/{name}/cert.pem").content)


def issued(host: Host) -> list[x509.Certificate]:
    files = sorted((CA / "issued").glob(f"{name_of(host)}-host-*.pem"))
    return [x509.load_pem_x509_certificate(file.read_bytes()) for file in files]


def verify(host: Host, leaf: bytes, more: str = "") -> str:
    """What openssl says to a certificate that was signed with the authority's key."""
    command = f"printf %s {shlex.quote(leaf.decode())} | openssl verify {more} /dev/stdin"
    done = host.run(command)
    return str(done.stdout + done.stderr)


def sign(name: str) -> bytes:
    """Sign a certificate for a name with the authority's key, as one who has stolen it would."""
    key = serialization.load_pem_private_key((CA / "ca-1.key").read_bytes(), PASSPHRASE.encode())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    authority = x509.load_pem_x509_certificate((CA / "ca-1.crt").read_bytes())
    now = datetime.now(UTC)
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "thief")]))
        .issuer_name(authority.subject)
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA384())
    )
    return leaf.public_bytes(serialization.Encoding.PEM)


def test_key_of_the_authority_is_encrypted_and_private() -> None:
    key = CA / "ca-1.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert CA.stat().st_mode & 0o777 == 0o700
    with pytest.raises(TypeError, match="encrypted"):
        serialization.load_pem_private_key(key.read_bytes(), None)


def test_authority_may_sign_for_the_inventory_alone() -> None:
    authority = x509.load_pem_x509_certificate((CA / "ca-1.crt").read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    basic = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert basic.critical
    assert basic.value == x509.BasicConstraints(ca=True, path_length=0)


@pytest.mark.parametrize(
    ("name", "said"),
    [("good.lab.example.org", "/dev/stdin: OK"),
     ("evil.example.net", "permitted subtree violation"),
     ("lab.example.org.evil.example.net", "permitted subtree violation")],
)  # fmt: skip
def test_host_refuses_foreign_names(host: Host, name: str, said: str) -> None:
    assert said in verify(host, sign(name))


@pytest.mark.parametrize("server", HOSTS)
def test_one_host_proves_itself_to_another(host: Host, server: str) -> None:
    where = host.check_output(f"getent ahostsv4 {server}").split()[0]
    name = f"{server}.lab.example.org"
    client = f"openssl s_client -connect {where}:4433 -verify_return_error -brief"
    good = host.run(f"{client} -verify_hostname {name} </dev/null")
    assert good.rc == 0, good.stderr
    assert "Verification: OK" in good.stderr
    assert host.run(f"{client} -verify_ip {where} </dev/null").rc == 0
    assert host.run(f"{client} -verify_hostname other.lab.example.org </dev/null").rc != 0


def test_renewed_before_it_ended_and_the_service_knows(host: Host) -> None:
    first, second = issued(host)
    now = datetime.now(UTC)
    assert first.not_valid_after_utc < now + timedelta(days=3)
    assert second.not_valid_after_utc > now + timedelta(days=80)
    assert first.public_key() != second.public_key()
    assert certificate(host) == second
    shown = host.check_output("openssl s_client -connect localhost:4433 </dev/null | openssl x509")
    assert x509.load_pem_x509_certificate(shown.encode()) == second


@pytest.mark.parametrize("which", [0, 1])
def test_revoked_certificate_is_refused(host: Host, which: int) -> None:
    leaf = issued(host)[which].public_bytes(serialization.Encoding.PEM)
    said = verify(host, leaf, f"-crl_check -CRLfile {FOLDER}/crl.pem")
    assert ("certificate revoked" in said) == (which == 0), said


def test_revocation_list_holds_for_some_time(host: Host) -> None:
    found = x509.load_pem_x509_crl(host.file(f"{FOLDER}/crl.pem").content)
    assert found.next_update_utc
    assert found.next_update_utc > datetime.now(UTC) + timedelta(days=29)
    (row,) = [one for one in found if one.serial_number == issued(host)[0].serial_number]
    reason = row.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason == x509.ReasonFlags.key_compromise


@pytest.mark.parametrize(
    ("name", "group", "mode"), [("host", "root", 0o600), ("web", "adm", 0o640)]
)
def test_key(host: Host, name: str, group: str, mode: int) -> None:
    target = host.file(f"{FOLDER}/{name}/privkey.pem").linked_to
    key = host.file(target)
    assert (key.user, key.group, key.mode) == ("root", group, mode)
    public = host.check_output(f"openssl pkey -in {target} -pubout")
    assert public == host.check_output(f"openssl x509 -in {FOLDER}/{name}/cert.pem -noout -pubkey")


def test_at_most_one_former_key_stays(host: Host) -> None:
    keys = host.check_output("ls /etc/servertechnik/keys").split()
    assert len([key for key in keys if key.startswith("host-")]) == 2
    assert len([key for key in keys if key.startswith("web-")]) == 1
    assert host.file("/etc/servertechnik/keys").mode == 0o711


def test_keys_are_nowhere_on_the_controller() -> None:
    assert [file.name for file in CA.rglob("*.key")] == ["ca-1.key"]


def test_certificate_is_as_ordered(host: Host) -> None:
    found = certificate(host, "web")
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    name = f"{name_of(host)}.lab.example.org"
    assert names.get_values_for_type(x509.DNSName) == [f"www.{name}", f"*.{name}"]
    usages = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [usage.dotted_string for usage in usages] == ["1.3.6.1.5.5.7.3.1"]


@pytest.mark.parametrize("anchor", ["servertechnik-ca-1", "servertechnik-partner"])
def test_host_accepts_anchor(host: Host, anchor: str) -> None:
    assert host.file(f"/etc/ssl/certs/{anchor}.pem").exists
    path = f"/usr/local/share/ca-certificates/servertechnik/{anchor}.crt"
    assert "OK" in host.check_output(f"openssl verify -CApath /etc/ssl/certs {path}")


def test_what_expires_when_is_a_fact(host: Host) -> None:
    facts = json.loads(host.file("/etc/ansible/facts.d/pki.fact").content_string)
    known = {one["name"]: one for one in facts["certificates"]}
    for name in ("host", "web"):
        found = certificate(host, name)
        assert known[name]["serial"] == f"{found.serial_number:x}"
        assert known[name]["not_after"] == f"{found.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
        assert known[name]["subject"].endswith(f"{name_of(host)}.lab.example.org")
    assert [one["name"] for one in facts["authorities"]] == ["ca-1"]


def test_passphrase_is_nowhere_on_the_host(host: Host) -> None:
    told = host.check_output("journalctl --no-pager --output=cat")
    assert PASSPHRASE not in told
    assert host.run(f"grep -rqF '{PASSPHRASE}' /var/lib/servertechnik /etc").rc == 1
