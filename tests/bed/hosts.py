"""Hosts made from the images: up, down, and reached over SSH with keys of the bed's own."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bed import images, networks
from tests.bed.environment import CACHE, ROOT, BedError, locked, run
from tests.bed.spec import Host, Spec

KEY = CACHE / "id_ed25519"
USER = "technician"
_LABEL = "servertechnik.bed"
_READY = ("running", "degraded")
_SSH_TIMEOUT = 30.0


@dataclass(frozen=True)
class Running:
    """A host that answers: how to reach it, and what `up` did (created, replaced, unchanged)."""

    name: str
    address: str
    release: str
    outcome: str
    known_hosts: str


def up(spec: Spec) -> list[Running]:
    """Bring up every host of the spec, side by side, and wait until SSH and systemd answer.

    A host that runs as wanted is left alone; one made from another image or with other
    addresses is replaced.

    Raises:
        BedError: a host didn't come up, or its name belongs to another checkout.
    """
    names = images.ensure(tuple(sorted({host.release for host in spec.hosts})))
    public = public_key()
    used = {network for host in spec.hosts for network in host.addresses}
    with locked("networks", shared=True), ThreadPoolExecutor(len(spec.hosts) or 1) as pool:
        for network in sorted(used):
            networks.ensure(network, spec.networks[network])
        return list(pool.map(lambda host: _up(host, names[host.release], public), spec.hosts))


def down(names: Iterable[str]) -> list[str]:
    """Remove the named hosts and the networks nobody uses any more; the names removed."""
    there = [name for name in names if _inspect(name) is not None]
    with ThreadPoolExecutor(len(there) or 1) as pool:
        list(pool.map(_down, there))
    networks.prune()
    return there


def running() -> list[dict[str, str]]:
    """This checkout's hosts, each with name, state, image and addresses, by name."""
    listed = run("podman", "ps", "--all", "--filter", f"label={_LABEL}={ROOT}", "-q")
    hosts = []
    for identity in listed.stdout.split():
        found = _inspect(identity)
        if found is not None:
            attached = found["NetworkSettings"]["Networks"]
            hosts.append(
                {
                    "name": found["Name"],
                    "state": found["State"]["Status"],
                    "image": found["ImageName"],
                    "addresses": ", ".join(
                        " ".join([network.removeprefix(networks.PREFIX), *_addresses(details)])
                        for network, details in attached.items()
                    ),
                }
            )
    return sorted(hosts, key=lambda host: host["name"])


def ssh_options(name: str) -> list[str]:
    """Options of `ssh` that know the host by its own key, whatever its address and port."""
    return [
        *("-o", f"UserKnownHostsFile={_known_hosts(name)}"),
        *("-o", f"HostKeyAlias={name}"),
        *("-i", str(KEY)),
        *("-o", "IdentitiesOnly=yes"),
    ]


def address(name: str) -> str:
    """The address where the machine reaches the host.

    Raises:
        BedError: there is no such host.
    """
    found = _inspect(name)
    if found is None:
        raise BedError(f"{name}: no such host; `tests/bed/bed list` shows those that are there")
    first = next(iter(found["NetworkSettings"]["Networks"].values()))
    return _addresses(first)[0]


def restart(name: str, *, hard: bool) -> None:
    """Shut a host down and start it again, or cut its power (`hard`); waits until it answers.

    Raises:
        BedError: there is no such host, or it didn't come up again.
    """
    address(name)
    run("podman", "stop", "--time", "0" if hard else "30", name)
    run("podman", "start", name)
    _wait_for_systemd(name)
    _wait_for_ssh(name, address(name))


def _up(host: Host, image: str, public: str) -> Running:
    wanted = hashlib.sha256(json.dumps([image, asdict(host)]).encode()).hexdigest()[:12]
    found, outcome = _inspect(host.name), "created"
    if found is not None and found["Config"]["Labels"].get(f"{_LABEL}.wanted") != wanted:
        _down(host.name)
        found, outcome = None, "replaced"
    if found is None:
        _create(host, image, wanted)
    elif found["State"]["Running"]:
        outcome = "unchanged"
    else:
        outcome = "started"
        run("podman", "start", host.name)
    where = next(iter(next(iter(host.addresses.values()))), "") or address(host.name)
    # A host that was there already is as its roles have left it, its keys included.
    if outcome != "unchanged":
        key = _wait_for_systemd(host.name, public if found is None else "")
        folder = _known_hosts(host.name).parent
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "known_hosts").write_text(f"{host.name} {key}\n")
        (folder / "address").write_text(where)
    _wait_for_ssh(host.name, where)
    return Running(host.name, where, host.release, outcome, str(_known_hosts(host.name)))


def _create(host: Host, image: str, wanted: str) -> None:
    attached: list[str] = []
    for network, fixed in host.addresses.items():
        # The same after a restart, or neighbours would look for the former one for a minute.
        digits = hashlib.sha256(f"{host.name} {network}".encode()).hexdigest()
        mac = ":".join([networks.MAC, *(digits[at : at + 2] for at in range(0, 6, 2))])
        options = [f"mac={mac}", *(f"ip{'6' if ':' in one else ''}={one}" for one in fixed)]
        attached += ["--network", f"{networks.PREFIX}{network}:{','.join(options)}"]
    run(
        *("podman", "run", "--detach", "--name", host.name, "--hostname", host.name),
        *("--label", f"{_LABEL}={ROOT}", "--label", f"{_LABEL}.wanted={wanted}"),
        *("--systemd=always", "--cap-add", "NET_ADMIN,SYS_ADMIN,AUDIT_CONTROL", "--no-hosts"),
        *attached,
        *(image, images.INIT),
    )


def _wait_for_systemd(name: str, public: str = "") -> str:
    """Wait for the end of the start, and let that key in; the host's own key.

    All through podman rather than over the wire: that is what makes the key trustworthy.
    """
    done = run("podman", "exec", "-i", name, "/usr/local/sbin/bed-enrol", stdin=public)
    key, state = done.stdout.splitlines()[-2:]
    if state not in _READY:
        raise BedError(f"{name}: systemd says {state!r}; `podman logs {name}` shows its start")
    return key


def _wait_for_ssh(name: str, where: str) -> None:
    # Another host may have had this address a moment ago.
    run("ip", "neigh", "flush", "to", where)
    deadline = time.monotonic() + _SSH_TIMEOUT
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((where, 22), timeout=2) as connection:
                connection.settimeout(2)
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.1)
    raise BedError(f"{name}: no SSH at {where} port 22 within {_SSH_TIMEOUT:.0f} s")


def _down(name: str) -> None:
    run("podman", "rm", "--force", "--time", "0", name)
    shutil.rmtree(_known_hosts(name).parent, ignore_errors=True)


def _addresses(details: Mapping[str, Any]) -> list[str]:
    """What podman says a host's addresses in one network are, IPv4 first."""
    return [str(details[key]) for key in ("IPAddress", "GlobalIPv6Address") if details[key]]


def _inspect(name: str) -> dict[str, Any] | None:
    """What podman knows about this checkout's host of that name; nothing if there is none.

    Raises:
        BedError: the name is taken, by another checkout or by something that isn't ours.
    """
    done = run("podman", "container", "inspect", name, check=False)
    if done.returncode:
        return None
    found: dict[str, Any] = json.loads(done.stdout)[0]
    owner = found["Config"]["Labels"].get(_LABEL)
    if owner != str(ROOT):
        where = f"checkout {owner}: `make down` there" if owner else "another: `podman rm` it"
        raise BedError(f"{name}: a container of that name belongs to {where}")
    return found


def _known_hosts(name: str) -> Path:
    return CACHE / "hosts" / name / "known_hosts"


def public_key() -> str:
    """The bed's own SSH key, made on first use; its public half."""
    with locked("key"):
        if not KEY.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test bed", "-f", KEY)
    return KEY.with_suffix(".pub").read_text().strip()
