# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write records: JSON documents in one envelope, checked against a schema, never overwritten."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

_SCHEMAS = Path(__file__).parent / "schemas"
_LONGEST_NAME = 120
_LONGEST_VALUE = 80


class RecordError(Exception):
    """A record that can't be written; the text says what was found and what is accepted."""


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` in one step, for its owner alone (0600); parents are made.

    Readers see the former file or the whole new one. Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def directory_of(option: str, config_file: str | None) -> Path:
    """Return the directory that `option` names, seen from where ``ansible.cfg`` is.

    Without a configuration file a relative path starts at the current directory.
    """
    base = Path(config_file).parent if config_file else Path.cwd()
    return base / Path(option).expanduser()


def envelope(
    *, kind: str, schema: int, host: str, run: str, data: dict[str, Any], at: datetime
) -> dict[str, Any]:
    """Return a checked document; `at` is an aware time, `data` becomes plain JSON.

    Raises RecordError when `data` isn't JSON or anything doesn't fit its schema.
    """
    document = {
        "kind": kind,
        "schema": schema,
        "host": host,
        "at": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "run": run,
        "data": data,
    }
    try:
        plain: dict[str, Any] = _plain(document, "")
    except ValueError as error:
        raise _unfit(document, str(error)) from None
    _check(plain)
    return plain


def store(document: dict[str, Any], directory: Path, at: datetime) -> Path:
    """Write a checked `document` below `directory` and return its path.

    Names sort by time, are safe for any host name, and don't collide. Raises RecordError.
    """
    host = quote(document["host"], safe="")
    if len(host) > _LONGEST_NAME:
        host = f"{host[:_LONGEST_NAME]}~{sha256(document['host'].encode()).hexdigest()[:8]}"
    name = f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{host}.json"
    path: Path = directory / document["kind"] / name
    try:
        write_private(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    except OSError as error:
        raise RecordError(
            f"The record {document['kind']!r} for {document['host']} can't be written to "
            f"{path}: {error.strerror}"
        ) from error
    return path


def _plain(value: Any, where: str) -> Any:
    """Return `value` in JSON's own types; Ansible's are derived from them."""
    match value:
        case dict():
            return {str(key): _plain(part, f"{where}.{key}") for key, part in value.items()}
        case list() | tuple():
            return [_plain(part, f"{where}[{index}]") for index, part in enumerate(value)]
        case str():
            return str(value)
        case float() if not isfinite(value):
            raise ValueError(f"{where[1:]}: found {value}, accepted: a finite number")
        case None | bool() | int() | float():
            return value
    raise ValueError(
        f"{where[1:]}: found {value!s:.{_LONGEST_VALUE}} ({type(value).__name__}), accepted: "
        "a dictionary, a list, text, a number, true, false or null"
    )


def _unfit(document: dict[str, Any], reason: str) -> RecordError:
    return RecordError(
        f"The record {document['kind']!r} for {document['host']} doesn't fit: {reason}"
    )


def _check(document: dict[str, Any]) -> None:
    _fits(document, "envelope", document)
    kind, version = document["kind"], document["schema"]
    known = sorted(
        int(path.stem.rpartition("-")[2]) for path in _SCHEMAS.glob(f"{kind}-[0-9]*.json")
    )
    if version in known:
        _fits(document["data"], f"{kind}-{version}", document)
    elif known:
        raise _unfit(document, f"schema: found {version}, accepted: {_listed(known)}")


def _fits(part: Any, schema: str, document: dict[str, Any]) -> None:
    error = best_match(_validator(schema).iter_errors(part))
    if error is not None:
        where = error.json_path.removeprefix("$").removeprefix(".")
        inside = "" if schema == "envelope" else "data"
        where = ".".join(filter(None, (inside, where))).replace(".[", "[") or "the document"
        raise _unfit(document, f"{where}: {_wrong(error)}")


@cache
def _validator(schema: str) -> Draft202012Validator:
    text = (_SCHEMAS / f"{schema}.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def _wrong(error: Any) -> str:
    """Say what was found and what would have been accepted, for the keywords that we use."""
    wanted, schema = error.validator_value, error.schema
    if error.validator == "required":
        missing = [name for name in wanted if name not in error.instance]
        return f"missing {_listed(missing)}, accepted: {_listed(wanted)}"
    if error.validator == "additionalProperties" and wanted is False:
        known = schema.get("properties", {})
        extra = [name for name in error.instance if name not in known]
        return f"found {_listed(extra)}, accepted: {_listed(sorted(known))}"
    accepted = {
        "type": lambda: _listed([wanted] if isinstance(wanted, str) else wanted),
        "enum": lambda: _listed(wanted),
        "const": lambda: json.dumps(wanted),
        "pattern": lambda: f"text like {schema.get('description', wanted)}",
        "minimum": lambda: f"at least {wanted}",
        "maximum": lambda: f"at most {wanted}",
        "minLength": lambda: f"at least {wanted} character(s)",
        "minItems": lambda: f"at least {wanted} entries",
    }.get(error.validator, lambda: f"{error.validator} {wanted}")()
    found = json.dumps(error.instance, ensure_ascii=False)
    if len(found) > _LONGEST_VALUE:
        found = f"{found[:_LONGEST_VALUE]}…"
    return f"found {found}, accepted: {accepted}"


def _listed(choices: Iterable[Any]) -> str:
    return ", ".join(str(choice) for choice in choices)
