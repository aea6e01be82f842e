# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Authorities, requests and certificates for tests, with the dates and names that a test needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import Authority
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2028, 2, 29, 12, 0, tzinfo=UTC)
KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "host", "other")}
PEM = serialization.Encoding.PEM
BOTH = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


def subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def public(key: str = "host") -> str:
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return KEYS[key].public_key().public_bytes(PEM, kind).decode()


def authority(number: int = 1, since: int = -100, until: int = 3000, key: str = "ca") -> Authority:
    """An authority that holds from `since` to `until`, in days from NOW."""
    constraints = x509.NameConstraints(
        [x509.DNSName("example.org"), x509.IPAddress(ip_network("192.0.2.0/24"))], None
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject(f"Test {number}"))
        .issuer_name(subject(f"Test {number}"))
        .public_key(KEYS[key].public_key())
        .serial_number(1000 + number)
        .not_valid_before(NOW + timedelta(days=since))
        .not_valid_after(NOW + timedelta(days=until))
        .add_extension(constraints, critical=True)
        .sign(KEYS[key], hashes.SHA256())
    )
    return Authority.of(f"/pki/ca-{number}.crt", made.public_bytes(PEM).decode())


def extensions(
    names: Sequence[str], addresses: Sequence[str], *, is_authority: bool = False
) -> list[x509.ExtensionType]:
    alternatives = [
        *map(x509.DNSName, names),
        *(x509.IPAddress(ip_address(one)) for one in addresses),
    ]
    return [
        x509.SubjectAlternativeName(alternatives),
        x509.ExtendedKeyUsage(BOTH),
        x509.BasicConstraints(ca=is_authority, path_length=None),
    ]


def leaf(
    signer: Authority,
    *,
    names: Sequence[str] = ("web1.example.org",),
    addresses: Sequence[str] = (),
    serial: int = 7,
    since: timedelta = timedelta(days=-1),
    until: timedelta = timedelta(days=60),
    key: str = "host",
    signed_by: str = "ca",
) -> x509.Certificate:
    """A certificate that holds from `since` to `until`, from NOW."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject(names[0]))
        .issuer_name(signer.certificate.subject)
        .public_key(KEYS[key].public_key())
        .serial_number(serial)
        .not_valid_before(NOW + since)
        .not_valid_after(NOW + until)
    )
    for extension in extensions(names, addresses):
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(KEYS[signed_by], hashes.SHA256())


def request(
    *names: str, addresses: Sequence[str] = (), is_authority: bool = False, more: bool = False
) -> str:
    """A request, with an extension that nobody asked for if there is to be `more`."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject(names[0]))
    for extension in extensions(names, addresses, is_authority=is_authority):
        builder = builder.add_extension(extension, critical=False)
    if more:
        constraints = x509.NameConstraints([x509.DNSName("net")], None)
        builder = builder.add_extension(constraints, critical=False)
    return builder.sign(KEYS["host"], hashes.SHA256()).public_bytes(PEM).decode()


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(PEM).decode()
