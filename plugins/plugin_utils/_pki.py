# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The authorities of an internal PKI: which there are, which signs, when the next is due. Pure.

"Now" is always an argument. Times are aware and in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import PurePosixPath
from typing import Any

from cryptography import x509

# Certificates count from a little earlier, for hosts whose clocks are behind.
BACKDATED = timedelta(hours=1)
STAMP = "%Y-%m-%dT%H:%M:%SZ"
ASN1_TIME = "%Y%m%d%H%M%SZ"
Network = IPv4Network | IPv6Network


class PkiError(ValueError):
    """Something that must not be signed or can't be used; the text says what is accepted."""


@dataclass(frozen=True)
class Authority:
    """One generation of the authority; `path` is that of its files without their suffix."""

    number: int
    path: str
    pem: str
    certificate: x509.Certificate

    @classmethod
    def of(cls, path: str, pem: str) -> Authority:
        """From the file PATH/ca-NUMBER.crt. Raises PkiError."""
        file = PurePosixPath(path)
        number = file.stem.rpartition("-")[2]
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
        except ValueError as error:
            raise PkiError(f"{path}: found no certificate; accepted: one in PEM") from error
        return cls(int(number), str(file.with_suffix("")), pem.strip() + "\n", certificate)

    @property
    def name(self) -> str:
        """Name of its files, such as ca-1."""
        return PurePosixPath(self.path).name

    def as_dict(self) -> dict[str, Any]:
        """Return it as a playbook uses it; the inverse of `from_dict`."""
        subject = [
            {part.rfc4514_attribute_name: str(part.value)} for part in self.certificate.subject
        ]
        return {"name": self.name, "path": self.path, "certificate": self.pem, "subject": subject}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Authority:
        """Return the authority that `as_dict` has described."""
        return cls.of(f"{data['path']}.crt", data["certificate"])


@dataclass(frozen=True)
class Authorities:
    """The authorities of a folder, oldest first.

    `trusted` are those that hosts accept, `signing` is the one that signs, `missing` the number of
    one that is to be made first; 0 for none.
    """

    trusted: tuple[Authority, ...]
    signing: Authority | None
    missing: int

    def as_dict(self) -> dict[str, Any]:
        """Return them as a playbook uses them; the inverse of `from_dict`."""
        return {
            "trusted": [one.as_dict() for one in self.trusted],
            "signing": self.signing and self.signing.as_dict(),
            "missing": self.missing,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Authorities:
        """Return the authorities that `as_dict` has described."""
        signing = data["signing"]
        return cls(
            tuple(map(Authority.from_dict, data["trusted"])),
            Authority.from_dict(signing) if signing else None,
            data["missing"],
        )


def moment(text: str) -> datetime:
    """Return a time given in ISO 8601 with its zone, such as 2026-11-24T12:00:00Z.

    Raises PkiError.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min
    if found.tzinfo is None:
        raise PkiError(f"found {text!r}; accepted: a time in UTC (2026-11-24T12:00:00Z)")
    return found.astimezone(UTC)


def authorities(
    files: Iterable[tuple[str, str]],
    now: datetime,
    *,
    valid: timedelta,
    renew_before: timedelta,
    distribution: timedelta,
    retired: Sequence[int] = (),
) -> Authorities:
    """Judge the authorities in `files` (path and PEM of each).

    The next one is due while the newest still has `renew_before`. It signs once hosts have had it
    for the time of `distribution`, since they accept all that are neither retired nor expired.
    Raises PkiError if a new one, `valid` for some time, would be due at once.
    """
    if renew_before >= valid:
        raise PkiError(
            f"pki_authority_renew_before_days: found {renew_before.days}; accepted: fewer than "
            f"pki_authority_days, which are {valid.days}"
        )
    known = sorted((Authority.of(path, pem) for path, pem in files), key=lambda one: one.number)
    trusted = tuple(
        one
        for one in known
        if one.number not in retired and one.certificate.not_valid_after_utc > now
    )
    ripe = [one for one in trusted if one.certificate.not_valid_before_utc <= now - distribution]
    signing = ripe[-1] if ripe else next(iter(trusted), None)
    is_due = not trusted or trusted[-1].certificate.not_valid_after_utc - now < renew_before
    last = max((one.number for one in known), default=0)
    return Authorities(trusted, signing, last + 1 if is_due else 0)


def constraints(domains: Iterable[str], networks: Iterable[str]) -> dict[str, list[str]]:
    """Return permitted and excluded subtrees (RFC 5280, 4.2.1.10) as community.crypto has them.

    Without networks no address is permitted. Raises PkiError without domains.
    """
    names = [f"DNS:{domain}" for domain in domains]
    ranges = [f"IP:{ip_network(network)}" for network in networks]
    if not names:
        raise PkiError("pki_permitted_domains: found none; accepted: at least one domain")
    return {
        "permitted": names + ranges,
        "excluded": [] if ranges else ["IP:0.0.0.0/0", "IP:::/0"],
    }


def permitted(authority: x509.Certificate) -> tuple[list[str], list[Network]]:
    """Return the domains and networks for which an authority may sign."""
    extension = authority.extensions.get_extension_for_class(x509.NameConstraints)
    subtrees = extension.value.permitted_subtrees or []
    domains = [one.value for one in subtrees if isinstance(one, x509.DNSName)]
    networks = [one.value for one in subtrees if isinstance(one, x509.IPAddress)]
    return domains, [one for one in networks if isinstance(one, IPv4Network | IPv6Network)]
