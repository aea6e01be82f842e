"""What the machine under the bed offers, and how to run podman on it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "bed"
PACKAGES = (
    *("podman", "runc", "netavark", "aardvark-dns", "conmon", "uidmap", "mmdebstrap", "gpg"),
    *("iproute2", "nftables", "iptables", "openssh-client", "python3-venv"),
    *("qemu-system-x86", "qemu-utils", "ovmf", "e2fsprogs"),
)
COMMANDS = (
    *("podman", "runc", "mmdebstrap", "ip", "nft", "iptables", "ssh", "ssh-keygen"),
    *("qemu-system-x86_64", "qemu-img", "mke2fs"),
)

# The machine's, not the checkout's: so is podman's storage, and containers created in one mount
# namespace look broken from another.
_STATE = Path("/run/servertechnik-bed")
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
_WATCHERS = 1024
_CAP_SYS_ADMIN = 21
_CAP_SYS_RESOURCE = 24
# A machine that may not raise limits, nor run crun, which insists on raising one.
_LIMITED = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
pids_limit = 0
[engine]
runtime = "runc"
"""
_CONF = """\
[network]
network_backend = "netavark"
"""


class BedError(Exception):
    """The bed can't do what was asked; the text says why and what would help."""


def run(
    *words: str | Path, stdin: str | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a command and return it with its output as text.

    Raises:
        BedError: it failed and `check` is set; the text holds its error output.
    """
    command = [str(word) for word in words]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise BedError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done


@contextmanager
def locked(name: str, *, shared: bool = False, wait: bool = True) -> Iterator[None]:
    """Hold the machine's lock of that name, alone or together with other `shared` holders.

    Raises:
        BlockingIOError: somebody holds it and `wait` is off.
    """
    _STATE.mkdir(mode=0o700, exist_ok=True)
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    with (_STATE / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, how)
        yield


def missing() -> list[str]:
    """What keeps the bed from running here, one sentence each with the way out."""
    problems = []
    if os.geteuid() != 0:
        problems.append(
            "not root: hosts on networks of their own need it; run the same command with sudo"
        )
    absent = [command for command in COMMANDS if shutil.which(command) is None]
    if absent:
        problems.append(
            f"not installed: {', '.join(absent)}; as root run `tests/bed/bed install`, "
            f"or on Debian 12 and later `apt-get install {' '.join(PACKAGES)}`"
        )
    if _hybrid() and os.geteuid() == 0 and not _has_capability(_CAP_SYS_ADMIN):
        problems.append(
            "no cgroup2 at /sys/fs/cgroup and no right to mount it (CAP_SYS_ADMIN); use a machine "
            "that boots with systemd, or a privileged container"
        )
    return problems


def install() -> None:
    """Install the Debian packages that the bed needs.

    Raises:
        BedError: this isn't a Debian machine, we aren't root, or apt failed.
    """
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise BedError("; ".join(missing()) or "apt-get: not found; the bed needs Debian")
    wanted = [package for package in PACKAGES if not _installed(package)]
    if not wanted:
        return
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print(f"bed: installing {', '.join(wanted)}", file=sys.stderr)
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *wanted]):
        done = subprocess.run(
            [*apt, *words], env=quiet, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BedError(f"{' '.join([*apt, *words])}: {done.stderr.strip()}")


def enter(command: Sequence[str]) -> None:
    """Become `command` in the containers' environment; plain exec where none is needed.

    Raises:
        BedError: something is missing; all of it is named at once.
    """
    problems = missing()
    if problems:
        raise BedError("\n".join(problems))
    _allow_watches()
    os.environ["CONTAINERS_CONF"] = str(_containers_conf())
    words = list(command)
    if _hybrid():
        shell = 'cd "$0" && exec "$@"'
        namespace = f"--mount={_namespace()}"
        words = ["nsenter", namespace, "sh", "-c", shell, str(Path.cwd()), *words]
    os.execvp(words[0], words)  # noqa: S606 - to become the command is the point, no shell


def entered() -> bool:
    """Whether this process already runs in the containers' environment."""
    return not _hybrid() and os.environ.get("CONTAINERS_CONF") == str(CACHE / "containers.conf")


def _allow_watches() -> None:
    """Let systemd watch files in many hosts: some ten use up what Debian allows root (128).

    The limit is the machine's, and is raised until its next boot.
    """
    current = int(_INOTIFY.read_text())
    if current < _WATCHERS:
        with contextlib.suppress(OSError):
            _INOTIFY.write_text(str(_WATCHERS))


def _installed(package: str) -> bool:
    done = run("dpkg-query", "-W", "-f", "${db:Status-Status}", package, check=False)
    return done.stdout == "installed"


def _hybrid() -> bool:
    return not Path("/sys/fs/cgroup/cgroup.controllers").exists()


def _has_capability(number: int) -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> number & 1)


def _containers_conf() -> Path:
    path = CACHE / "containers.conf"
    text = _CONF if _has_capability(_CAP_SYS_RESOURCE) else _CONF + _LIMITED
    if not path.exists() or path.read_text() != text:
        CACHE.mkdir(parents=True, exist_ok=True)
        candidate = path.with_suffix(f".{os.getpid()}")
        candidate.write_text(text)
        candidate.replace(path)
    return path


def _namespace() -> Path:
    """The mount namespace with a cgroup2 of its own, kept by name, made when there is none."""
    handle = _STATE / "mnt"
    with locked("namespace"):
        if _mounted(handle):
            return handle
        if not _mounted(_STATE):
            run("mount", "--bind", _STATE, _STATE)
            run("mount", "--make-private", _STATE)
        # podman takes this mark for "no reboot since"; where /run is no tmpfs it outlives one.
        if run("pgrep", "-x", "conmon", check=False).returncode:
            Path("/run/libpod/alive").unlink(missing_ok=True)
        handle.touch()
        unshare = ("unshare", f"--mount={handle}", "--propagation", "slave")
        run(*unshare, "mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
    return handle


def _mounted(path: Path) -> bool:
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    return any(line.split()[4] == str(path) for line in mounts)
