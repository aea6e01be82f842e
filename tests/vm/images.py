"""Disks for machines: a host of the bed with a kernel, kept until the recipe changes."""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bed import images as bed
from tests.bed.environment import ROOT, locked, run

CACHE = ROOT / ".cache" / "vm"
RELEASES = bed.RELEASES
_RECIPE = Path(__file__).parent / "image"
_SIZE = "8G"


@dataclass(frozen=True)
class Image:
    """What a machine of a release starts from, in a folder named after its recipe."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The root file system, raw."""
        return self.folder / "root.img"

    @property
    def kernel(self) -> Path:
        """The kernel that is also installed on the disk."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """Its initial file system."""
        return self.folder / "initrd.img"


def ensure(release: str) -> Image:
    """The image of that release, built if it isn't there.

    Raises:
        BedError: the release is unknown or a build failed, with the builder's output.
    """
    base = bed.ensure((release,))[release]
    image = Image(CACHE / "images" / f"{release}-{_hash(base)}")
    with locked(f"vm-image-{release}"):
        if not image.folder.exists():
            began = time.monotonic()
            print(f"vm: building {image.folder.name}", file=sys.stderr)
            # Machines that run may be clones of the one before.
            there = sorted(
                image.folder.parent.glob(f"{release}-*"), key=lambda old: old.stat().st_mtime
            )
            for old in there[:-1]:
                shutil.rmtree(old)
            _build(base, image.folder)
            print(f"vm: it took {time.monotonic() - began:.0f} s", file=sys.stderr)
    return image


def _hash(base: str) -> str:
    recipe = hashlib.sha256(base.encode() + Path(__file__).read_bytes())
    for path in sorted(_RECIPE.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(_RECIPE))
            recipe.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return recipe.hexdigest()[:12]


def _build(base: str, folder: Path) -> None:
    """Have podman add to the bed's image, and write what comes out into a file system."""
    candidate = Image(folder.with_suffix(".new"))
    shutil.rmtree(candidate.folder, ignore_errors=True)
    candidate.folder.mkdir(parents=True)
    words = ("podman", "build", "--quiet", "--layers=false", "--build-arg", f"BASE={base}")
    built = run(*words, _RECIPE).stdout.strip()
    try:
        root = Path(run("podman", "image", "mount", built).stdout.strip())
        shutil.copy(root / "vmlinuz", candidate.kernel)
        shutil.copy(root / "initrd.img", candidate.initrd)
        zeros = ("-E", "assume_storage_prezeroed=1")
        make = ("mke2fs", "-q", "-t", "ext4", "-L", "root", *zeros, "-d", root)
        run(*make, candidate.disk, _SIZE)
    finally:
        run("podman", "image", "unmount", built, check=False)
        run("podman", "image", "rm", built, check=False)
    candidate.folder.rename(folder)
