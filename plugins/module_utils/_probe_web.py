# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""TLS handshakes and HTTP requests. Certificates are read by the controller."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
from base64 import b64encode
from typing import Any
from urllib.parse import urljoin, urlsplit

from ansible_collections.servertechnik.core.plugins.module_utils._probe_loop import (
    ProbeError,
    Steps,
    Values,
    Work,
    reason,
)
from ansible_collections.servertechnik.core.plugins.module_utils._probe_transport import (
    FAMILIES,
    Options,
)

# As ssl.SSLSocket.version() has them.
VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
# Of a body that much is searched.
LONGEST_BODY = 1 << 20
_REDIRECTS = (301, 302, 303, 307, 308)
_AGENT = "servertechnik-network-check"


def tls(options: Options, until: float) -> Steps:
    """Shake hands. Returns ``address``, ``version``, ``cipher``, ``alpn``, ``versions`` (those that
    the server accepts), ``verified``, ``verify_error`` and ``chain`` (DER in base64).
    """
    values: Values = yield Work(lambda: _tls(options, until))
    return values


def _tls(options: Options, until: float) -> Values:
    name = options["server_name"] or options["host"]
    with _handshake(_trusting(options["alpn"]), options, name, until) as one:
        cipher = one.cipher()
        values: Values = {
            "address": one.getpeername()[0],
            "version": one.version(),
            "cipher": cipher and cipher[0],
            "alpn": one.selected_alpn_protocol() or "",
            "chain": [b64encode(der).decode() for der in _chain(one)],
        }
    values["verify_error"] = _verify(options, name, until)
    values["verified"] = not values["verify_error"]
    values["versions"] = [
        version for version in options["versions"] if _accepts(version, options, name, until)
    ]
    return values


def _verify(options: Options, name: str, until: float) -> str:
    """Return why the host doesn't trust the certificate, empty when it does."""
    try:
        _handshake(_distrusting(options["ca_file"]), options, name, until).close()
    except ssl.SSLCertVerificationError as error:
        return str(error.verify_message)
    except ssl.SSLError as error:
        return reason(error)
    return ""


def _accepts(version: str, options: Options, name: str, until: float) -> bool:
    context = _trusting([])
    # Old versions need more than the library offers by itself.
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = VERSIONS[version]
    try:
        _handshake(context, options, name, until).close()
    except (ssl.SSLError, ConnectionResetError):
        return False
    return True


def _distrusting(ca_file: str) -> ssl.SSLContext:
    """Return a context that trusts the certificates of a file, by default those of the host."""
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise ProbeError(f"ca_file {ca_file}: {reason(error)}") from error
    # Python 3.13 is stricter than other programs are; the probe speaks for all of them.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _trusting(alpn: list[str]) -> ssl.SSLContext:
    """Return a context that takes any certificate: to look at it is what the probe is for."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def _handshake(context: ssl.SSLContext, options: Options, name: str, until: float) -> ssl.SSLSocket:
    plain = _connect(options, until)
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except BaseException:
        plain.close()
        raise


def _connect(options: Options, until: float) -> socket.socket:
    """Return a connected, blocking socket; each of its operations ends by the end of the probe."""
    found = socket.getaddrinfo(
        options["host"], options["port"], FAMILIES[options["family"]], socket.SOCK_STREAM
    )
    family, kind, protocol, _name, address = found[0]
    one = socket.socket(family, kind, protocol)
    try:
        one.settimeout(max(0.05, until - time.monotonic()))
        one.connect(address)
    except BaseException:
        one.close()
        raise
    return one


def _chain(one: ssl.SSLSocket) -> list[bytes]:
    """Return the certificates that the server sent, its own first, as DER."""
    public: Any = getattr(one, "get_unverified_chain", None)
    if public:
        return [bytes(der) for der in public()]
    # Python before 3.13 has it without a name that others may use.
    inner: Any = one._sslobj  # type: ignore[attr-defined]
    der_form = 2  # _ssl.ENCODING_DER
    return [bytes(one.public_bytes(der_form)) for one in inner.get_unverified_chain() or ()]


def http_request(options: Options, until: float) -> Steps:
    """Fetch a URL. Returns ``status``, ``url`` and ``redirects``, ``headers``, ``size``,
    ``latency_ms`` and, if asked for, ``matched``.
    """
    values: Values = yield Work(lambda: _follow(options, until))
    return values


def _follow(options: Options, until: float) -> Values:
    url, redirects = options["url"], list[str]()
    while True:
        began = time.monotonic()
        try:
            response, body = _request(url, options, until)
        except http.client.HTTPException as error:
            raise ProbeError(f"{url}: no HTTP answer ({reason(error)})") from error
        target = response.getheader("location")
        if response.status not in _REDIRECTS or not target:
            break
        if len(redirects) >= options["redirects"]:
            break
        url = urljoin(url, target)
        redirects.append(url)
    values: Values = {
        "status": response.status,
        "url": url,
        "redirects": redirects,
        "headers": {
            name.lower(): value
            for name in options["headers"]
            if (value := response.getheader(name)) is not None
        },
        "size": len(body),
        "latency_ms": round((time.monotonic() - began) * 1000, 3),
    }
    if options["match"]:
        text = body.decode(errors="replace")
        values["matched"] = re.search(options["match"], text) is not None
    return values


def _request(url: str, options: Options, until: float) -> tuple[http.client.HTTPResponse, bytes]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ProbeError(f"url: found {url!r}, accepted: http://… or https://…")
    default = 443 if parts.scheme == "https" else 80
    where = {**options, "host": parts.hostname, "port": parts.port or default}
    one = _connect(where, until)
    if parts.scheme == "https":
        context = _distrusting(options["ca_file"]) if options["verify"] else _trusting([])
        one = context.wrap_socket(one, server_hostname=parts.hostname)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    connection.sock = one
    path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    headers = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": _AGENT, "Connection": "close"}
    try:
        connection.request(options["method"], path, headers=headers)
        response = connection.getresponse()
        return response, response.read(LONGEST_BODY)
    finally:
        connection.close()
