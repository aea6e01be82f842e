# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a host has names: its servers answer, its own resolver does, and names have addresses.

The role `resolver` puts this file on the host as a program of its own; standard library only.
"""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import ssl
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

CONFIGURED = "/etc/resolv.conf"
UPLINKS = "/run/systemd/resolve/resolv.conf"
STUB_FILE = "/run/systemd/resolve/stub-resolv.conf"
STUB = "127.0.0.53"
# Seconds for one answer over UDP, which is asked for twice, and for all of one over TLS or of the
# host's own resolver, which may have to fetch the keys of DNSSEC first.
UDP_TIMEOUT = 1.5
LONG_TIMEOUT = 6.0
# RFC 1035, section 4.1.1.
REFUSED = 5
# The server knows, if only that there is nothing: NOERROR and NXDOMAIN.
KNOWS = (0, 3)
RCODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


class NoAnswerError(Exception):
    """A server gave no answer that counts; the text says what came instead."""


@dataclass(frozen=True)
class Server:
    """A name server; `name` is the one that its certificate must have, if any."""

    address: str
    name: str = ""

    @classmethod
    def of(cls, word: str) -> Server:
        """From ADDRESS or ADDRESS#NAME, as resolved.conf(5) has it."""
        address, _hash, name = word.partition("#")
        return cls(address, name)


def question(identity: int) -> bytes:
    """Return a query for the name servers of the root, which every resolver knows (RFC 1035)."""
    recursion_desired, name_servers, internet = 0x0100, 2, 1
    header = struct.pack(">6H", identity, recursion_desired, 1, 0, 0, 0)
    return header + b"\0" + struct.pack(">2H", name_servers, internet)


def response_code(message: bytes, identity: int) -> int:
    """Return the response code of an answer to `question(identity)`. Raises NoAnswerError."""
    if len(message) < 12 or message[:2] != struct.pack(">H", identity) or not message[2] & 0x80:  # noqa: PLR2004 -- RFC 1035, 4.1.1: 12 bytes, bit QR
        raise NoAnswerError("what it says is no answer of DNS")
    return message[3] & 0x0F


def ask(server: Server, timeout: float = UDP_TIMEOUT, attempts: int = 2) -> int:
    """Ask over UDP and return the response code. Raises NoAnswerError."""
    identity = secrets.randbelow(1 << 16)
    family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
    trouble: Exception = NoAnswerError()
    for _attempt in range(attempts):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as channel:
                channel.settimeout(timeout)
                channel.connect((server.address, 53))
                channel.send(question(identity))
                return response_code(channel.recv(4096), identity)
        except OSError as error:
            trouble = error
    raise NoAnswerError(f"no answer ({_words(trouble)})")


def ask_over_tls(server: Server) -> int:
    """Ask over TLS (RFC 7858), checking the certificate, and return the response code.

    Raises NoAnswerError.
    """
    identity = secrets.randbelow(1 << 16)
    query = question(identity)
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((server.address, 853), LONG_TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=server.name or server.address) as channel,
        ):
            channel.sendall(struct.pack(">H", len(query)) + query)
            with channel.makefile("rb") as stream:
                size = struct.unpack(">H", stream.read(2).rjust(2, b"\0"))[0]
                return response_code(stream.read(size), identity)
    except OSError as error:
        raise NoAnswerError(f"no answer over TLS ({_words(error)})") from error


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    return "nothing came back" if isinstance(error, TimeoutError) else str(error.args[-1])


def nameservers(text: str) -> list[Server]:
    """Return the servers that the text of a resolv.conf(5) names."""
    rows = (line.split() for line in text.splitlines())
    return [Server(row[1]) for row in rows if len(row) > 1 and row[0] == "nameserver"]


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _outcome(probe: Callable[[Server], int], server: Server) -> tuple[int, str]:
    """Return a response code and, if that is no use, what is wrong with the server."""
    try:
        code = probe(server)
    except NoAnswerError as error:
        return -1, f"name server {server.address}: {error}"
    return code, f"name server {server.address} refuses this host" if code == REFUSED else ""


def problems(servers: Sequence[Server], *, tls: bool, own: bool) -> Iterator[str]:
    """Yield what keeps the host from having names.

    All of `servers` must answer; without any, one of those that links bring must, unless the host
    has names of its `own`. What they know, the host's own resolver must know too.
    """
    configured = nameservers(_read(CONFIGURED))
    has_stub = any(server.address == STUB for server in configured)
    wanted = servers or (nameservers(_read(UPLINKS)) if has_stub else configured)
    if not configured or not (wanted or own):
        yield f"no name server is known: none in the inventory and none from a link ({CONFIGURED})"
        return
    probe = ask_over_tls if tls else ask
    with ThreadPoolExecutor(len(wanted) or 1) as pool:
        outcomes = list(pool.map(lambda server: _outcome(probe, server), wanted))
    failed = [text for _code, text in outcomes if text]
    if failed and (servers or len(failed) == len(outcomes)):
        yield from failed
    elif has_stub:
        known = any(code in KNOWS for code, _text in outcomes)
        yield from _stub(known=known)


def _stub(*, known: bool) -> Iterator[str]:
    try:
        code = ask(Server(STUB), LONG_TIMEOUT, 1)
    except NoAnswerError as error:
        yield f"this host's own resolver ({STUB}): {error}"
        return
    if known and code not in KNOWS:
        yield (
            f"this host's own resolver says {RCODES.get(code, code)} to what its name servers "
            "answer: they may not give what DNSSEC or DNS over TLS ask of them"
        )


def unknown(names: Iterable[str]) -> Iterator[str]:
    """Yield the names that programs on this host can't resolve."""
    for name in names:
        try:
            socket.getaddrinfo(name, None)
        except OSError as error:
            yield f"{name} has no address on this host ({error.strerror})"


def bridge(servers: Sequence[Server]) -> None:
    """Have names until systemd-resolved runs, where /etc/resolv.conf leads to its file already.

    It overwrites the file when it starts.
    """
    try:
        ask(Server(STUB), LONG_TIMEOUT, 1)
    except NoAnswerError:
        os.makedirs(os.path.dirname(STUB_FILE), exist_ok=True)
        with open(STUB_FILE, "w", encoding="ascii") as file:
            file.writelines(f"nameserver {server.address}\n" for server in servers)


def main() -> int:
    """Print what is wrong; the exit status says whether anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("servers", nargs="*", type=Server.of, metavar="SERVER")
    parser.add_argument("--name", action="append", default=[], help="must have an address")
    parser.add_argument("--tls", action="store_true", help="servers answer over TLS alone")
    parser.add_argument("--own", action="store_true", help="names of its own are enough")
    parser.add_argument("--bridge", action="store_true", help="only have names for a moment")
    options = parser.parse_args()
    if options.bridge:
        bridge(options.servers)
        return 0
    found = list(problems(options.servers, tls=options.tls, own=options.own))
    found = found or list(unknown(options.name))
    print("; ".join(found))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
