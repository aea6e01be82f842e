# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Private keys that are made on a host and stay there, and requests that are signed with them.

A new key lies beside the one in use, under a name of its own; a component then lets the link to it
change together with the certificate. The one before stays, so that this can be put back.
"""

from __future__ import annotations

import contextlib
import grp
import hashlib
import os
import pwd
import stat
from collections.abc import Callable, Mapping, Sequence
from typing import Any

KEYS = "/etc/servertechnik/keys"
CERTIFICATES = "/etc/ssl/servertechnik"
# openssl-genpkey(1)
ALGORITHMS = {
    "ecdsa-p256": ("EC", "ec_paramgen_curve:P-256"),
    "ecdsa-p384": ("EC", "ec_paramgen_curve:P-384"),
    "ed25519": ("ED25519",),
    "rsa-3072": ("RSA", "rsa_keygen_bits:3072"),
    "rsa-4096": ("RSA", "rsa_keygen_bits:4096"),
}
USAGES = {"server": "serverAuth", "client": "clientAuth"}
LONGEST_NAME = 64  # RFC 5280, appendix A.1: ub-common-name

# Words and standard input of openssl; returns its standard output, raises KeysError.
OpenSSL = Callable[[Sequence[str], str], str]


class KeysError(Exception):
    """A key or a request can't be had; the text says why."""


def request_configuration(wanted: Mapping[str, Any]) -> str:
    """Return the configuration with which openssl-req(1) asks for a certificate (RFC 5280).

    `wanted` has name, key_type, dns_names, addresses and usages.
    """
    names = [f"DNS.{number} = {name}" for number, name in enumerate(wanted["dns_names"])]
    names += [f"IP.{number} = {address}" for number, address in enumerate(wanted["addresses"])]
    is_rsa = wanted["key_type"].startswith("rsa")
    lines = [
        "[req]",
        "prompt = no",
        "string_mask = utf8only",
        "distinguished_name = subject",
        "req_extensions = extensions",
        "[subject]",
        f"commonName = {common_name(wanted)}",
        "[extensions]",
        "basicConstraints = critical,CA:FALSE",
        f"keyUsage = critical,digitalSignature{',keyEncipherment' if is_rsa else ''}",
        f"extendedKeyUsage = {','.join(USAGES[usage] for usage in wanted['usages'])}",
        "subjectAltName = @names",
        "[names]",
        *names,
    ]
    return "\n".join([*lines, ""])


def common_name(wanted: Mapping[str, Any]) -> str:
    """Return the name for people: the first one that is short enough for it."""
    names = [*wanted["dns_names"], *wanted["addresses"], wanted["name"]]
    return next(str(name) for name in names if len(name) <= LONGEST_NAME)


def _ids(wanted: Mapping[str, Any]) -> tuple[int, int]:
    owner, group = wanted["owner"], wanted["group"]
    try:
        return pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise KeysError(
            f"found {owner}:{group} as owner and group ({error.args[0]}); accepted: an account and "
            "a group that the host has by then"
        ) from None


def _access(found: os.stat_result) -> str:
    """Return owner, group and mode as the inventory has them."""
    with contextlib.suppress(KeyError):
        owner, group = pwd.getpwuid(found.st_uid).pw_name, grp.getgrgid(found.st_gid).gr_name
        return f"{owner}:{group} {stat.S_IMODE(found.st_mode):04o}"
    return ""


class Keys:
    """The keys of one host."""

    def __init__(self, openssl: OpenSSL, root: str = "") -> None:
        """Work below `root`, which is empty but in tests."""
        self.openssl = openssl
        self.keys = root + KEYS
        self.certificates = root + CERTIFICATES

    def found(self, name: str) -> dict[str, str]:
        """Return a certificate, and place, access and public half of its key; empty for none."""
        folder = f"{self.certificates}/{name}"
        found = {"certificate": "", "key": "", "access": "", "public_key": ""}
        with (
            contextlib.suppress(OSError),
            open(f"{folder}/cert.pem", encoding="ascii", errors="replace") as file,
        ):
            found["certificate"] = file.read()
        with contextlib.suppress(OSError, KeysError):
            target = os.readlink(f"{folder}/privkey.pem")
            found["public_key"] = self.openssl(["pkey", "-pubout", "-in", target], "")
            found["access"] = _access(os.stat(target))
            found["key"] = target
        return found

    def request(self, wanted: Mapping[str, Any]) -> dict[str, str]:
        """Make a new key, and return its place and the request that is signed with it.

        Of the older ones only that in use stays. Raises KeysError or OSError.
        """
        os.makedirs(self.keys, exist_ok=True)
        os.chmod(self.keys, 0o711)  # noqa: S103 -- services with a key of their own pass through
        candidate = f"{self.keys}/.{wanted['name']}"
        algorithm, *options = ALGORITHMS[wanted["key_type"]]
        words = ["genpkey", "-algorithm", algorithm, "-out", candidate]
        self.openssl([*words, *(w for o in options for w in ("-pkeyopt", o))], "")
        text = self.openssl(
            ["req", "-new", "-utf8", "-key", candidate, "-config", "/dev/stdin"],
            request_configuration(wanted),
        )
        public = self.openssl(["pkey", "-pubout", "-in", candidate], "")
        digest = hashlib.sha256(public.encode()).hexdigest()[:16]
        path = f"{self.keys}/{wanted['name']}-{digest}.pem"
        os.chown(candidate, *_ids(wanted))
        os.chmod(candidate, int(wanted["mode"], 8))
        self._forget_unused(wanted["name"])
        os.replace(candidate, path)
        self._sync()
        return {"new_key": path, "request": text}

    def _forget_unused(self, name: str) -> None:
        used = ""
        with contextlib.suppress(OSError):
            used = os.readlink(f"{self.certificates}/{name}/privkey.pem")
        for other in os.listdir(self.keys):
            path = f"{self.keys}/{other}"
            if other.rpartition("-")[0] == name and path != used:
                os.unlink(path)

    def _sync(self) -> None:
        handle = os.open(self.keys, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
