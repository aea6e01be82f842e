# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the controller knows of a host follows it to another address: inventory and known hosts."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import os
import re
import secrets
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible._internal._datatag._tags import Origin
from ansible_collections.servertechnik.core.plugins.plugin_utils._inventory import origin_of

USUAL_PORT = 22
_SSH_OPTIONS = ("ssh_args", "ssh_common_args", "ssh_extra_args")


@dataclass
class Told:
    """What was changed on the controller, and what a person has to change there."""

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def rewrite_inventory(host: str, value: object, former: str, new: str) -> Told:
    """Write the new address where the inventory has the former one as `ansible_host` of `host`.

    `value` is that variable as Ansible read it, which knows its file and line. The line is changed
    only if it holds just this address for this variable.
    """
    if value is None:
        return Told(left=[f"{host} is reached by its name; have that lead to {new}"])
    origin, place = Origin.get_tag(value), origin_of(value) or "the inventory"
    wish = f"{place}: make ansible_host of {host} {new}, it is {value!r}"
    if origin is None or origin.path is None or origin.line_num is None or str(value) != former:
        return Told(left=[wish])
    path, number = Path(origin.path).resolve(), origin.line_num - 1
    try:
        with _alone(path.parent):
            lines = path.read_text().splitlines(keepends=True)
            line = _with_address(lines[number], former, new) if number < len(lines) else None
            if line is None:
                return Told(left=[wish])
            lines[number] = line
            _replace(path, "".join(lines))
    except (OSError, UnicodeDecodeError) as error:
        return Told(left=[f"{wish}; the file could not be changed: {error}"])
    return Told(done=[f"{place}: ansible_host of {host} is {new}, it was {former}"])


def _with_address(line: str, former: str, new: str) -> str | None:
    """Return a line with another address; none if it doesn't hold exactly the former one."""
    pattern = (
        rf"""(["']?\bansible_host["']?\s*[:=]\s*)(["']?){re.escape(former)}\2(?=[\s,}}\#]|$)"""
    )
    if len(re.findall(pattern, line)) != 1:
        return None
    # A colon means something to YAML.
    quoted = f'"{new}"' if ":" in new else new
    return re.sub(pattern, lambda m: f"{m[1]}{m[2]}{new}{m[2]}" if m[2] else m[1] + quoted, line)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep the workers of other hosts out of a folder meanwhile."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(path: Path, text: str) -> None:
    """Put a new text in the place of a file at once, with its owner and mode."""
    found = path.stat()
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            shutil.copymode(path, file.name)
            os.chown(file.name, found.st_uid, found.st_gid)
            Path(file.name).replace(path)
        except OSError:
            Path(file.name).unlink()
            raise


@dataclass(frozen=True)
class Ssh:
    """How ssh goes to a host: its options, and what it makes of them (`ssh -G`)."""

    options: tuple[str, ...]
    settings: Mapping[str, str]

    @classmethod
    def of(cls, connection: Any, host: str) -> Ssh | None:
        """Ask ssh about a connection of Ansible; nothing for connections of another kind."""
        try:
            given = [connection.get_option(name) or "" for name in _SSH_OPTIONS]
        except KeyError:
            return None
        options = tuple(word for text in given for word in shlex.split(text))
        done = subprocess.run(
            ["ssh", "-G", *options, host], capture_output=True, text=True, check=False
        )
        if done.returncode:
            return None
        settings = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
        return cls(options, settings)

    @property
    def is_known_by_alias(self) -> bool:
        """Whether ssh knows the host by a name of its own, whatever its address."""
        return self.settings.get("hostkeyalias", "none") != "none"

    @property
    def known_hosts(self) -> list[Path]:
        """The files in which users have keys of hosts."""
        return [Path(name).expanduser() for name in self.settings["userknownhostsfile"].split()]


def entry(host: str, port: int | None) -> str:
    """Return what known_hosts calls a host at a port (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT")."""
    return host if port in (None, USUAL_PORT) else f"[{host}]:{port}"


def know_as(ssh: Ssh, former: str, new: str) -> Told:
    """Add the keys that known_hosts has for the entry `former` under the entry `new` as well."""
    keys = list(dict.fromkeys(_keys(ssh.known_hosts, former)))
    present = set(_keys(ssh.known_hosts, new))
    lines = [f"{_name(new, ssh)} {key}\n" for key in keys if key not in present]
    if not lines:
        return Told()
    path = ssh.known_hosts[0]
    try:
        with _alone(path.parent):
            text = path.read_text() if path.exists() else ""
            with path.open("a") as file:
                file.write(("\n" if text and not text.endswith("\n") else "") + "".join(lines))
    except OSError as error:
        return Told(left=[f"{path}: add the keys of {former} for {new} ({error})"])
    return Told(done=[f"{path}: the keys of {former} are known for {new} as well"])


def _keys(files: Iterable[Path], name: str) -> Iterator[str]:
    """Yield type and key of each entry for a name, authorities and revoked keys left out."""
    for file in files:
        # Status 1 means that the name isn't known.
        done = subprocess.run(
            ["ssh-keygen", "-F", name, "-f", str(file)], capture_output=True, text=True, check=False
        )
        for line in done.stdout.splitlines():
            words = line.split()
            if not line.startswith(("#", "@")) and len(words) >= 3:  # noqa: PLR2004 -- name, type, key
                yield " ".join(words[1:3])


def _name(name: str, ssh: Ssh) -> str:
    """Return a name as known_hosts has it: hashed, if ssh is told so (HashKnownHosts)."""
    if ssh.settings.get("hashknownhosts") != "yes":
        return name
    salt = secrets.token_bytes(hashlib.sha1().digest_size)  # noqa: S324 -- the format says so
    digest = hmac.digest(salt, name.encode(), "sha1")
    return "|1|" + "|".join(base64.b64encode(part).decode() for part in (salt, digest))


class Move:
    """The way of one host to a new address, as its controller goes it."""

    def __init__(self, connection: Any, variables: Mapping[str, Any], to: tuple[str, int]) -> None:
        """Begin at the address that `connection` has; `to` are host and port."""
        self.connection = connection
        self.variables = variables
        self.former = connection.get_option("host"), connection.get_option("port")
        self.new = to
        self.ssh = Ssh.of(connection, self.former[0])
        self.is_known_by_address = self.ssh is not None and not self.ssh.is_known_by_alias

    def recognise(self) -> None:
        """Have ssh expect the host's own key at the new address, before it is known there."""
        if self.is_known_by_address:
            given = self.connection.get_option("ssh_extra_args") or ""
            alias = shlex.quote(f"HostKeyAlias={entry(*self.former)}")
            self.connection.set_option("ssh_extra_args", f"{given} -o {alias}".strip())

    def follow(self) -> Told:
        """Have inventory and known hosts follow; return what was done and what is left to do."""
        told, former, new = Told(), self.former[0], self.new[0]
        if new == former:
            return told
        if self.ssh is not None and self.is_known_by_address:
            told = know_as(self.ssh, entry(*self.former), entry(*self.new))
        value = self.variables.get("ansible_host")
        if str(value) != new:
            name = self.variables["inventory_hostname"]
            written = rewrite_inventory(name, value, former, new)
            told = Told([*written.done, *told.done], [*written.left, *told.left])
        return told
