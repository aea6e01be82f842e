"""Debian images for hosts, built from Debian's packages and kept until the recipe changes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bed.environment import BedError, locked, run

RELEASES = ("bookworm", "trixie")
REPOSITORY = "localhost/servertechnik-bed"
INIT = "/usr/local/sbin/bed-init"
_IMAGE = Path(__file__).parent / "image"
# udev would give every container made from one image the same MAC address (99-default.link); what
# keeps it from that lies where no role looks: /etc/systemd/network belongs to a host's role.
_CUSTOMIZE = """\
set -eu
cp "$BED_IMAGE/bed-init" "$BED_IMAGE/bed-enrol" "$1/usr/local/sbin/"
rm -f "$1"/etc/ssh/ssh_host_*
: >"$1/etc/machine-id"
: >"$1/etc/hostname"
printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' >"$1/etc/hosts"
mkdir -p "$1/usr/local/lib/systemd/network"
ln -s /dev/null "$1/usr/local/lib/systemd/network/99-default.link"
chroot "$1" useradd --create-home --shell /bin/bash technician
echo 'technician ALL=(ALL:ALL) NOPASSWD: ALL' >"$1/etc/sudoers.d/technician"
chmod 0440 "$1/etc/sudoers.d/technician"
chroot "$1" apt-get clean
chroot "$1" apt-get --yes -qq install --download-only $BED_ARCHIVES
# Else every host makes the same cache at its first call of apt.
chroot "$1" apt-cache gencaches
rm -f "$1/etc/resolv.conf"
: >"$1/etc/resolv.conf"
"""


def tag(release: str) -> str:
    """The image's name for that release, with the hash of the recipe it is built from."""
    recipe = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(_IMAGE.iterdir()):
        recipe.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{REPOSITORY}:{release}-{recipe.hexdigest()[:12]}"


def ensure(releases: tuple[str, ...] = RELEASES) -> dict[str, str]:
    """Build the images that are missing, side by side; the name of each by release.

    Raises:
        BedError: a release is unknown or a build failed, with the builder's output.
    """
    unknown = sorted(set(releases) - set(RELEASES))
    if unknown:
        raise BedError(f"unknown release {', '.join(unknown)}; there are {', '.join(RELEASES)}")
    with ThreadPoolExecutor() as pool:
        return dict(zip(releases, pool.map(_ensure, releases), strict=True))


def _ensure(release: str) -> str:
    name = tag(release)
    if _exists(name):
        return name
    with locked(f"image-{release}"):
        if not _exists(name):
            began = time.monotonic()
            print(f"bed: building {name}", file=sys.stderr)
            run("podman", "tag", _build(release), name)
            _prune(release, name)
            print(f"bed: {name} took {time.monotonic() - began:.0f} s", file=sys.stderr)
    return name


def _exists(name: str) -> bool:
    return run("podman", "image", "exists", name, check=False).returncode == 0


def _build(release: str) -> str:
    """Bootstrap the release straight into podman; the identity of the new image."""
    hook = f'BED_IMAGE="{_IMAGE}" BED_ARCHIVES="{" ".join(_names("archives"))}"\n{_CUSTOMIZE}'
    # Without a mirror argument mmdebstrap uses Debian's own default.
    bootstrap = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        "--skip=cleanup/apt/lists,cleanup/apt/cache",
        f"--include={','.join(_names('packages'))}",
        f"--customize-hook={hook}",
        release,
        "-",
    ]
    with (
        subprocess.Popen(bootstrap, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as maker,
        ThreadPoolExecutor(1) as reader,
    ):
        assert maker.stderr is not None
        said = reader.submit(maker.stderr.read)
        taken = subprocess.run(
            ["podman", "import", "--quiet", "--change", f'CMD ["{INIT}"]', "-"],
            stdin=maker.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
        output = said.result().decode(errors="replace")
    if maker.returncode or taken.returncode:
        raise BedError(f"can't build {release}:\n{output[-3000:]}{taken.stderr}")
    return taken.stdout.strip().removeprefix("sha256:")


def _names(listing: str) -> list[str]:
    lines = (_IMAGE / listing).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _prune(release: str, keep: str) -> None:
    """Forget older images of the release; one that a host still uses stays."""
    listed = run("podman", "images", "--format", "{{.Repository}}:{{.Tag}}", REPOSITORY)
    for name in listed.stdout.split():
        if name.startswith(f"{REPOSITORY}:{release}-") and name != keep:
            run("podman", "image", "rm", name, check=False)
