# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host gets from an internal PKI, as the parts of a component. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._certificate_keys import (
    CERTIFICATES,
    KEYS,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import STAMP, Authorities
from cryptography import x509

ANCHORS = "/usr/local/share/ca-certificates/servertechnik"
FACTS = "/etc/ansible/facts.d/pki.fact"
# What stands in the place of something that only a real run makes.
YET_TO_BE_ISSUED = "(made when this runs for real)\n"

File = dict[str, Any]


def anchor_files(authorities: Authorities, anchors: Iterable[Mapping[str, str]]) -> list[File]:
    """Return the files of all anchors; the folder holds nothing else."""
    own = {f"ca-{one.number}": one.pem for one in authorities.trusted}
    if authorities.missing:
        own.setdefault(f"ca-{authorities.missing}", YET_TO_BE_ISSUED)
    own |= {one["name"]: one["certificate"].strip() + "\n" for one in anchors}
    files = [
        {"dest": f"{ANCHORS}/servertechnik-{name}.crt", "content": pem} for name, pem in own.items()
    ]
    return [{"dest": ANCHORS, "state": "directory", "purge": True}, *files]


def certificate_files(
    name: str, certificate: str, key: str, authorities: Authorities
) -> list[File]:
    """Return the files of one certificate, named as those of other tools for certificates are."""
    folder = f"{CERTIFICATES}/{name}"
    leaf = certificate.strip() + "\n" if certificate else YET_TO_BE_ISSUED
    chain = _issuer(certificate, authorities)
    return [
        {"dest": folder, "state": "directory"},
        {"dest": f"{folder}/cert.pem", "content": leaf},
        {"dest": f"{folder}/chain.pem", "content": chain},
        {"dest": f"{folder}/fullchain.pem", "content": leaf + chain},
        {"dest": f"{folder}/privkey.pem", "link": key or f"{KEYS}/{name}-new.pem"},
    ]


def _issuer(certificate: str, authorities: Authorities) -> str:
    if certificate:
        issuer = x509.load_pem_x509_certificate(certificate.encode()).issuer
        for one in authorities.trusted:
            if one.certificate.subject == issuer:
                return one.pem
    return authorities.signing.pem if authorities.signing else YET_TO_BE_ISSUED


def fact_file(
    certificates: Mapping[str, str], authorities: Authorities, lists: Iterable[str]
) -> File:
    """Return the facts on what expires when, as `ansible_facts['ansible_local']['pki']`."""
    facts = {
        "certificates": [
            {"name": name, "path": f"{CERTIFICATES}/{name}/cert.pem", **_dates(pem)}
            for name, pem in certificates.items()
            if pem
        ],
        "authorities": [{"name": one.name, **_dates(one.pem)} for one in authorities.trusted],
        "revocation_lists": [_list_dates(pem) for pem in lists if pem],
    }
    return {"dest": FACTS, "content": json.dumps(facts, indent=2) + "\n"}


def _dates(pem: str) -> dict[str, Any]:
    found = x509.load_pem_x509_certificate(pem.encode())
    return {
        "serial": f"{found.serial_number:x}",
        "subject": found.subject.rfc4514_string(),
        "issuer": found.issuer.rfc4514_string(),
        "not_before": found.not_valid_before_utc.strftime(STAMP),
        "not_after": found.not_valid_after_utc.strftime(STAMP),
    }


def _list_dates(pem: str) -> dict[str, Any]:
    found = x509.load_pem_x509_crl(pem.encode())
    return {
        "issuer": found.issuer.rfc4514_string(),
        "revoked": [f"{one.serial_number:x}" for one in found],
        "next_update": found.next_update_utc.strftime(STAMP) if found.next_update_utc else None,
    }


def checks(names: Iterable[str]) -> list[str]:
    """Return commands that prove that each certificate follows from its chain."""
    return [
        f"openssl verify -no-CApath -no-CAstore -CAfile {CERTIFICATES}/{name}/chain.pem "
        f"{CERTIFICATES}/{name}/cert.pem"
        for name in names
    ]


def reloads(units: Iterable[str]) -> list[str]:
    """Return commands that let units take new certificates, if they run.

    As a pattern a name stands for units that are loaded, so one that isn't there is no mistake.
    """
    return [f"systemctl try-reload-or-restart [{unit[0]}]{unit[1:]}" for unit in sorted(set(units))]


def component(
    wanted: Iterable[Mapping[str, Any]],
    found: Mapping[str, Mapping[str, str]],
    authorities: Authorities,
    *,
    due: Collection[str],
    issued: Mapping[str, str],
    lists: Sequence[str],
    anchors: Iterable[Mapping[str, str]],
) -> dict[str, Any]:
    """Return files, validate and commands of the component.

    `found` is what the host has, `issued` holds by name what was signed just now of that which is
    `due`; the rest of that is only foretold.
    """
    files = [{"dest": CERTIFICATES, "state": "directory", "purge": True}]
    current, units = {}, set()
    for one in wanted:
        name, there = one["name"], found[one["name"]]
        units |= set(one.get("units", []))
        is_foretold = name in due and name not in issued
        current[name] = "" if is_foretold else issued.get(name, there["certificate"])
        key = "" if is_foretold else there.get("new_key", there["key"])
        files += certificate_files(name, current[name], key, authorities)
    files.append({"dest": f"{CERTIFICATES}/crl.pem", "content": "".join(lists)})
    files += anchor_files(authorities, anchors)
    files.append(fact_file(current, authorities, lists))
    return {
        "files": files,
        "validate": checks(current),
        "commands": ["update-ca-certificates", *reloads(units)],
    }
