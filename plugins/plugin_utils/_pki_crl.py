# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Revocation: what is no longer to be trusted, and when a list of it is due (RFC 5280, 5). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import (
    ASN1_TIME,
    BACKDATED,
    STAMP,
    Authority,
    PkiError,
    moment,
)
from cryptography import x509


@dataclass(frozen=True)
class Revocation:
    """One of `pki_revoked`: a certificate by its number, or those of a name from before a time."""

    date: datetime
    reason: str
    serial: int = 0
    name: str = ""

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Revocation:
        """From an entry with date, reason, and serial (hex) or name. Raises PkiError."""
        try:
            serial = int(str(entry.get("serial", "0")).replace(":", ""), 16)
        except ValueError as error:
            raise PkiError(
                f"pki_revoked: found serial {entry['serial']!r}; accepted: hexadecimal digits"
            ) from error
        name = str(entry.get("name", ""))
        if bool(serial) == bool(name):
            raise PkiError(
                f"pki_revoked: found {'both' if serial else 'neither'} of serial and name; "
                "accepted: one of them"
            )
        try:
            date = moment(str(entry["date"]))
        except PkiError as error:
            raise PkiError(f"pki_revoked: date: {error}") from error
        return cls(date, str(entry.get("reason", "unspecified")), serial, name)

    def holds_for(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate is meant: it has the number, or the name and is from before."""
        if self.serial:
            return self.serial == certificate.serial_number
        if certificate.not_valid_before_utc + BACKDATED > self.date:
            return False
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return self.name in {str(one.value) for one in names}

    def row(self, serial: int) -> dict[str, Any]:
        """Return the row of a revocation list as community.crypto has it."""
        return {
            "serial_number": serial,
            "revocation_date": self.date.strftime(ASN1_TIME),
            "reason": self.reason,
        }


def revocations(entries: Iterable[Mapping[str, Any]], now: datetime) -> list[Revocation]:
    """Return `pki_revoked` as objects. Raises PkiError, for times to come as well."""
    found = [Revocation.of(entry) for entry in entries]
    for one in found:
        if one.date > now:
            raise PkiError(
                f"pki_revoked: found date {one.date.strftime(STAMP)}; accepted: a time that is past"
            )
    return found


def list_of(
    authority: Authority,
    pem: str,
    *,
    revoked: Iterable[Revocation],
    issued: Iterable[x509.Certificate],
    now: datetime,
    valid: timedelta,
) -> dict[str, Any]:
    """Return what an authority's list is to say, and whether that is due; `pem` is the list."""
    wanted = rows(list(revoked), list(issued), authority)
    return {
        **authority.as_dict(),
        "list": pem,
        "revoked": wanted,
        "due": list_is_due(pem, wanted, now, valid),
    }


def rows(
    revoked: Sequence[Revocation], issued: Sequence[x509.Certificate], authority: Authority
) -> list[dict[str, Any]]:
    """Return the rows of an authority's list, in order of serial numbers.

    `issued` are the certificates that are known; a number that is none of theirs is listed too.
    """
    mine = [one for one in issued if one.issuer == authority.certificate.subject]
    others = {one.serial_number for one in issued} - {one.serial_number for one in mine}
    found: dict[int, dict[str, Any]] = {}
    for revocation in revoked:
        serials = [one.serial_number for one in mine if revocation.holds_for(one)]
        if revocation.serial and revocation.serial not in others:
            serials = [revocation.serial]
        for serial in serials:
            found.setdefault(serial, revocation.row(serial))
    return [found[serial] for serial in sorted(found)]


def list_is_due(
    pem: str, wanted: Iterable[Mapping[str, Any]], now: datetime, valid: timedelta
) -> bool:
    """Whether a list is missing, says something else, or has less than half of its time left."""
    try:
        current = x509.load_pem_x509_crl(pem.encode())
    except ValueError:
        return True
    until = current.next_update_utc
    if until is None or until - now < valid / 2:
        return True
    said = {(one.serial_number, one.revocation_date_utc.strftime(ASN1_TIME)) for one in current}
    return said != {(row["serial_number"], row["revocation_date"]) for row in wanted}
