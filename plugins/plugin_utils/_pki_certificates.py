# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates of hosts: which are due, and whether a request asks for what it may. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._certificate_keys import (
    common_name,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import (
    ASN1_TIME,
    BACKDATED,
    Authorities,
    Authority,
    PkiError,
    permitted,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._pki_crl import Revocation
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DEFAULTS: dict[str, Any] = {
    "dns_names": [],
    "addresses": [],
    "key_type": "ecdsa-p256",
    "usages": ["server", "client"],
    "days": 90,
    "renew_before_days": 30,
    "owner": "root",
    "group": "root",
    "mode": "0600",
    "units": [],
}
KEY_OPTIONS = (
    *("name", "key_type", "dns_names", "addresses", "usages"),
    *("owner", "group", "mode"),
)
_USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


def completed(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return one of `pki_certificates` with its defaults. Raises PkiError for one without names."""
    full = {**DEFAULTS, **wanted}
    # On the command line numbers are texts.
    full |= {name: int(full[name]) for name in ("days", "renew_before_days")}
    if not full["dns_names"] and not full["addresses"]:
        raise PkiError(
            f"pki_certificates: {full['name']} has neither dns_names nor addresses; accepted: at "
            "least one of them"
        )
    if full["renew_before_days"] >= full["days"]:
        raise PkiError(
            f"pki_certificates: {full['name']}: found renew_before_days "
            f"{full['renew_before_days']} with days {full['days']}; accepted: fewer than days"
        )
    return full


def strangers(wanted: Mapping[str, Any], authority: x509.Certificate) -> list[str]:
    """Return the names and addresses for which the authority may not sign."""
    domains, networks = permitted(authority)
    names = [
        name
        for name in wanted["dns_names"]
        if not any(f".{name.removeprefix('*.')}".endswith(f".{domain}") for domain in domains)
    ]
    addresses = [ip_address(address) for address in wanted["addresses"]]
    return names + [
        str(one) for one in addresses if not any(one in network for network in networks)
    ]


def due(
    wanted: Mapping[str, Any],
    found: Mapping[str, str],
    authority: Authority | None,
    now: datetime,
    revoked: Iterable[Revocation] = (),
) -> str:
    """Return why a certificate is to be issued, or an empty text if what is found will do.

    `found` is what the module certificate_keys returns of it.
    """
    try:
        certificate = x509.load_pem_x509_certificate(found["certificate"].encode())
    except ValueError:
        return "there is none"
    if not found["public_key"] or found["public_key"].strip() != _pem(certificate.public_key()):
        return "its key is another one"
    access = f"{wanted['owner']}:{wanted['group']} {int(wanted['mode'], 8):04o}"
    if found["access"] != access:
        return f"its key is for {found['access']}"
    left = certificate.not_valid_after_utc - now
    if left < timedelta(days=wanted["renew_before_days"]):
        return f"it has {left.days} days left"
    if any(one.holds_for(certificate) for one in revoked):
        return "it is revoked"
    return next(_differences(wanted, certificate, authority), "")


def _differences(
    wanted: Mapping[str, Any], certificate: x509.Certificate, authority: Authority | None
) -> Iterator[str]:
    if authority is None or certificate.issuer != authority.certificate.subject:
        yield "another authority signs now"
        return
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except Exception:  # noqa: BLE001, RUF100 -- whatever is wrong with the signature, it doesn't fit
        yield "another authority signs now"
    yield from request_mistakes(wanted, certificate)


def request_mistakes(
    wanted: Mapping[str, Any], found: x509.Certificate | x509.CertificateSigningRequest
) -> Iterator[str]:
    """Yield what a certificate or a request has that is not wanted.

    A request is signed as it is, so a host that has been taken over must not get more than this.
    """
    if key_type(found.public_key()) != wanted["key_type"]:
        yield f"its key is {key_type(found.public_key())}"
    if _common_names(found.subject) != [common_name(wanted)]:
        yield f"its subject is {found.subject.rfc4514_string()}"
    names = _extension(found, x509.SubjectAlternativeName)
    said = sorted(map(str, (one.value for one in names))) if names else []
    asked = [*wanted["dns_names"], *(str(ip_address(a)) for a in wanted["addresses"])]
    if said != sorted(asked):
        yield f"its names are {', '.join(said) or 'none'}"
    usages = _extension(found, x509.ExtendedKeyUsage)
    if set(usages or ()) != {_USAGES[usage] for usage in wanted["usages"]}:
        yield "its usages are others"
    basic = _extension(found, x509.BasicConstraints)
    if basic is None or basic.ca:
        yield "it is one of an authority"
    if isinstance(found, x509.CertificateSigningRequest):
        allowed = {
            x509.SubjectAlternativeName.oid,
            x509.ExtendedKeyUsage.oid,
            x509.BasicConstraints.oid,
            x509.KeyUsage.oid,
        }
        if more := {extension.oid for extension in found.extensions} - allowed:
            yield f"it asks for {', '.join(sorted(oid.dotted_string for oid in more))}"


def key_type(key: CertificatePublicKeyTypes) -> str:
    """Return the kind of a public key as `key_type` has it."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ecdsa-p{key.curve.key_size}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa-{key.key_size}"
    return "ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else type(key).__name__


def _common_names(name: x509.Name) -> list[str]:
    parts = list(name)
    return [
        str(part.value) for part in parts if part.oid == NameOID.COMMON_NAME and len(parts) == 1
    ]


def _extension(found: Any, kind: Any) -> Any:
    try:
        return found.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _pem(key: CertificatePublicKeyTypes) -> str:
    return (
        key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        .decode()
        .strip()
    )


def check_request(wanted: Mapping[str, Any], text: str, host: str) -> None:
    """Refuse a request that asks for anything but what is wanted. Raises PkiError."""
    try:
        request = x509.load_pem_x509_csr(text.encode())
    except ValueError as error:
        raise PkiError(f"{host}: found no request for {wanted['name']}") from error
    found = list(request_mistakes(wanted, request))
    if not request.is_signature_valid:
        found.append("its signature is wrong")
    if found:
        raise PkiError(
            f"{host}: the request for certificate {wanted['name']} was not signed: "
            f"{'; '.join(found)}; accepted: what pki_certificates says"
        )


def all_due(
    wanted: Iterable[Mapping[str, Any]],
    found: Mapping[str, Mapping[str, str]],
    authorities: Authorities,
    revoked: Sequence[Revocation],
    now: datetime,
) -> list[dict[str, Any]]:
    """Return those of `pki_certificates` that are to be issued, with the `reason`.

    `keys` of each is what the module certificate_keys is to know of it.

    Raises PkiError for names for which the authority may not sign.
    """
    jobs = []
    for one in map(completed, wanted):
        signing = authorities.signing
        if signing and (others := strangers(one, signing.certificate)):
            raise PkiError(
                f"pki_certificates: {one['name']}: found {', '.join(others)}; accepted: what is in "
                f"pki_permitted_domains and pki_permitted_networks of {signing.name}"
            )
        if reason := due(one, found[one["name"]], signing, now, revoked):
            keys = {option: one[option] for option in KEY_OPTIONS}
            jobs.append({**one, "reason": reason, "keys": keys})
    return jobs


def orders(
    jobs: Iterable[Mapping[str, Any]],
    found: Mapping[str, Mapping[str, str]],
    authorities: Authorities,
    now: datetime,
    host: str,
) -> list[dict[str, str]]:
    """Return what is to be signed: name, request, and the times from and until it holds.

    No certificate outlives its authority. Raises PkiError for a request that is not as wanted.
    """
    placed = []
    for job in jobs:
        request = found[job["name"]].get("request", "")
        check_request(job, request, host)
        until = now + timedelta(days=job["days"])
        if authorities.signing:
            until = min(until, authorities.signing.certificate.not_valid_after_utc)
        placed.append(
            {
                "name": job["name"],
                "request": request,
                "not_before": (now - BACKDATED).strftime(ASN1_TIME),
                "not_after": until.strftime(ASN1_TIME),
            }
        )
    return placed
