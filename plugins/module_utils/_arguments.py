# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The arguments of the modules, and their translation into what the transaction understands."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import signal
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.servertechnik.core.plugins.module_utils._host import HostError
from ansible_collections.servertechnik.core.plugins.module_utils._model import (
    Check,
    Desired,
    FileKind,
    FileSpec,
    InputError,
    UnitSpec,
)
from ansible_collections.servertechnik.core.plugins.module_utils._order import (
    Order,
    TransactionError,
)

CONFIRM = {
    "type": "dict",
    "options": {
        "timeout": {"type": "int", "required": True},
        "address": {"type": "str"},
    },
}
COMMON = {
    "wait": {"type": "int", "default": 120},
    "origin": {"type": "dict", "default": {}},
}
WORDS = {"type": "list", "elements": "str", "default": []}
MODE = re.compile(r"0?[0-7]{3,4}")
SOURCES = ("template", "content", "source", "link")
COMPONENT: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "packages": WORDS,
    "packages_absent": WORDS,
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "dest": {"type": "str", "required": True},
            **{source: {"type": "str"} for source in SOURCES},
            "state": {"choices": ["present", "absent", "directory"], "default": "present"},
            "purge": {"type": "bool", "default": False},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
            "mode": {"type": "str"},
            "validate": {"type": "str"},
            "sensitive": {"type": "bool", "default": False},
            "outline": {"type": "bool", "default": False},
            "units": {"type": "list", "elements": "str"},
        },
    },
    "validate": WORDS,
    "commands": WORDS,
    "units": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "enabled": {"type": "bool", "default": True},
            "state": {"choices": ["started", "stopped"], "default": "started"},
            "masked": {"type": "bool", "default": False},
            "on_change": {
                "choices": ["restart", "reload", "reload-or-restart", "none"],
                "default": "restart",
            },
        },
    },
    "live": {"type": "list", "elements": "str", "choices": ["network"], "default": []},
    "verify": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "unit": {"type": "str"},
            "tcp": {"type": "str"},
            "command": {"type": "str"},
            "timeout": {"type": "int", "default": 10},
        },
    },
    "confirm": CONFIRM,
    "payload": {"type": "str", "no_log": True},
    **COMMON,
}


def desired_of(params: Mapping[str, Any], digests: Mapping[str, tuple[str, int]]) -> Desired:
    """Return the component that a module's parameters describe.

    `digests` gives SHA-256 and size of the content of each file by its dest. Raises InputError.
    """
    return Desired(
        name=params["name"],
        packages=tuple(params["packages"]),
        packages_absent=tuple(params["packages_absent"]),
        files=tuple(_file(one, digests.get(one["dest"])) for one in params["files"]),
        validate=tuple(params["validate"]),
        commands=tuple(params["commands"]),
        units=tuple(UnitSpec.from_dict(one) for one in params["units"]),
        live=tuple(params["live"]),
        verify=tuple(Check.from_dict(one) for one in params["verify"]),
    )


def _file(one: Mapping[str, Any], content: tuple[str, int] | None) -> FileSpec:
    dest, state = one["dest"], one["state"]
    given = [source for source in SOURCES if one[source] is not None]
    if len(given) != (1 if state == "present" else 0):
        wanted = "exactly one of" if state == "present" else f"with state {state} none of"
        raise InputError(
            f"files: {dest} has {' and '.join(given) or 'no content'}; accepted: {wanted} "
            f"{', '.join(SOURCES)}"
        )
    if one["outline"] and one["sensitive"]:
        raise InputError(f"files: {dest} has outline and sensitive; accepted: only one of them")
    if one["purge"] and state != "directory":
        raise InputError(f"files: {dest} has purge; accepted: only with state directory")
    kind: FileKind = state if state != "present" else "link" if one["link"] is not None else "file"
    if kind == "file" and content is None:
        raise InputError(f"files: the content of {dest} did not come along with the call")
    digest, size = content or (None, 0)
    return FileSpec(
        path=dest,
        kind=kind,
        digest=digest,
        size=size,
        target=one["link"],
        owner=one["owner"],
        group=one["group"],
        mode=_mode(one),
        purge=one["purge"],
        sensitive=one["sensitive"],
        outline=one["outline"],
        validate=one["validate"],
        units=tuple(one["units"]) if one["units"] is not None else None,
    )


def _mode(one: Mapping[str, Any]) -> int:
    usual = "0755" if one["state"] == "directory" else "0600" if one["sensitive"] else "0644"
    mode = one["mode"] or usual
    if not MODE.fullmatch(mode):
        raise InputError(
            f"files: mode {mode!r} of {one['dest']} is not accepted; accepted: octal digits in "
            "quotes, such as '0644'"
        )
    return int(mode, 8)


def pack(contents: Mapping[str, bytes]) -> str | None:
    """Return the contents of files by dest as one parameter that no log shows; none for none."""
    if not contents:
        return None
    return json.dumps({dest: base64.b64encode(data).decode() for dest, data in contents.items()})


def unpack(payload: str | None) -> dict[str, bytes]:
    """Return the contents of files by dest; the inverse of `pack`."""
    return {dest: base64.b64decode(data) for dest, data in json.loads(payload or "{}").items()}


def component_of(module: Any) -> Order:
    """Return what a call of the component module asks for. Raises InputError."""
    params = module.params
    by_dest = unpack(params["payload"])
    digests = {d: (hashlib.sha256(data).hexdigest(), len(data)) for d, data in by_dest.items()}
    return Order(
        desired=desired_of(params, digests),
        contents={digests[dest][0]: data for dest, data in by_dest.items()},
        **order_options(module),
    )


def order_options(module: Any) -> dict[str, Any]:
    """Return the parts of an order that all modules share."""
    params = module.params
    return {
        "check": module.check_mode,
        "diff": module._diff,
        "confirm": params["confirm"] and params["confirm"]["timeout"],
        "wait": params["wait"],
        "by": str(params["origin"].get("by", "unknown")),
        "run": str(params["origin"].get("run", "")),
    }


def run_module(module: Any, work: Callable[[], dict[str, Any]]) -> None:
    """End the module with the result of `work`, or with one clear error.

    A lost connection doesn't end the work half-way: it is either done or put back.
    """
    if os.geteuid() != 0:
        module.fail_json(msg="found: not root; accepted: root, so use 'become: true'")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        result = work()
    except TransactionError as error:
        module.fail_json(msg=readable(str(error)), **error.details)
    except (HostError, InputError, OSError) as error:
        module.fail_json(msg=readable(str(error)), changed=False, rolled_back=False)
    for warning in result.pop("warnings", []):
        module.warn(readable(warning))
    module.exit_json(**readable(result))


def readable(value: Any) -> Any:
    """Return a result whose texts hold `\\xe9` where a file's name has bytes that are no text."""
    if isinstance(value, str):
        return value.encode(errors="surrogateescape").decode(errors="backslashreplace")
    if isinstance(value, list):
        return [readable(one) for one in value]
    if isinstance(value, dict):
        return {key: readable(one) for key, one in value.items()}
    return value
