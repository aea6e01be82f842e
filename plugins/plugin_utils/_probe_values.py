# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read the messages and certificates that probes bring from hosts. Pure."""

from __future__ import annotations

import struct
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
from ansible_collections.servertechnik.core.plugins.module_utils._probe_frames import (
    dhcp_offered,
    dhcp_options,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

Values = dict[str, Any]


def decoded(
    kind: str, values: Mapping[str, Any], given: Mapping[str, Any], now: datetime
) -> Values:
    """Return the values of a probe with messages turned into what they say.

    `now` is an aware time, from which the days of certificates count. Raises ValueError when a
    message can't be read.
    """
    read = _READERS.get(kind)
    return read(dict(values), given, now) if read else dict(values)


def _dns(values: Values, given: Mapping[str, Any], _now: datetime) -> Values:
    try:
        message = dns.message.from_wire(b64decode(values.pop("response")), ignore_trailing=True)
    except dns.exception.DNSException as error:
        raise ValueError(f"the answer is no DNS message: {error}") from None
    wanted = dns.rdatatype.from_text(given.get("type") or "A")
    answers: list[str] = []
    aliases: list[str] = []
    ttls: list[int] = []
    for records in message.answer:
        if wanted in (records.rdtype, dns.rdatatype.ANY):
            answers += [record.to_text() for record in records]
            ttls.append(records.ttl)
        elif records.rdtype == dns.rdatatype.CNAME:
            aliases += [record.to_text() for record in records]
    return values | {
        "rcode": dns.rcode.to_text(message.rcode()),
        "answers": sorted(answers),
        "aliases": aliases,
        "ttl": min(ttls, default=None),
        "flags": dns.flags.to_text(message.flags).split(),
        "authenticated": bool(message.flags & dns.flags.AD),
    }


def _tls(values: Values, _given: Mapping[str, Any], now: datetime) -> Values:
    chain = [certificate(b64decode(one), now) for one in values.pop("chain")]
    first = chain[0] if chain else {}
    kept = ("subject", "issuer", "names", "days_left")
    return values | {name: first.get(name) for name in kept} | {"chain": chain}


def certificate(der: bytes, now: datetime) -> Values:
    """Return what a certificate in DER says (RFC 5280): names, times in UTC, key, fingerprint.

    `now` is an aware time. Raises ValueError when it can't be read.
    """
    found = x509.load_der_x509_certificate(der)
    return {
        "subject": found.subject.rfc4514_string(),
        "issuer": found.issuer.rfc4514_string(),
        "serial": f"{found.serial_number:x}",
        "names": _names(found),
        "not_before": _stamp(found.not_valid_before_utc),
        "not_after": _stamp(found.not_valid_after_utc),
        "days_left": (found.not_valid_after_utc - now).days,
        "key": _key(found),
        "sha256": found.fingerprint(hashes.SHA256()).hex(":"),
    }


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _names(found: x509.Certificate) -> list[str]:
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    names = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return [*names, *map(str, addresses)]


def _key(found: x509.Certificate) -> str:
    key = found.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey").lstrip("_")


def _udp(values: Values, _given: Mapping[str, Any], _now: datetime) -> Values:
    if "reply" in values:
        reply = b64decode(values["reply"])
        text = reply.decode("latin-1").encode("unicode_escape").decode()
        return values | {"reply": text, "reply_hex": reply.hex()}
    return values


def _dhcp(values: Values, _given: Mapping[str, Any], _now: datetime) -> Values:
    offers = [_offer(b64decode(one)) for one in values.pop("messages")]
    servers = [offer["server"] for offer in offers]
    first = offers[0] if offers else {"address": None, "options": {}}
    return values | {
        "servers": servers,
        "address": first["address"],
        "options": first["options"],
        "offers": offers,
    }


def _offer(message: bytes) -> Values:
    options: dict[str, Any] = {}
    for code, value in dhcp_options(message):
        name, read = _DHCP.get(code, (str(code), bytes.hex))
        try:
            options[name] = read(value)
        except (ValueError, struct.error):
            options[name] = value.hex()
    server = options.pop("server", "")
    options.pop("message_type", None)
    return {"server": server, "address": dhcp_offered(message), "options": options}


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _address(value: bytes) -> str:
    return str(IPv4Address(value))


def _addresses(value: bytes) -> list[str]:
    return [str(IPv4Address(value[at : at + 4])) for at in range(0, len(value), 4)]


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("ascii", "backslashreplace")


# RFC 2132; what isn't here is shown by its number, in hexadecimal digits.
_DHCP: dict[int, tuple[str, Callable[[bytes], Any]]] = {
    1: ("subnet_mask", _address),
    3: ("routers", _addresses),
    6: ("name_servers", _addresses),
    12: ("host_name", _text),
    15: ("domain", _text),
    26: ("mtu", _number),
    28: ("broadcast", _address),
    42: ("time_servers", _addresses),
    51: ("lease_seconds", _number),
    53: ("message_type", _number),
    54: ("server", _address),
    58: ("renewal_seconds", _number),
    59: ("rebinding_seconds", _number),
}
_READERS: dict[str, Callable[[Values, Mapping[str, Any], datetime], Values]] = {
    "dhcp": _dhcp,
    "dns": _dns,
    "tls": _tls,
    "udp": _udp,
}
