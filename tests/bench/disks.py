"""A virtual machine with eight disks, two arrays and volumes on one of them, and a look at it."""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
import zipfile

from tests.bench.fleet import BenchError
from tests.conftest_hosts import ROOT

VM = ROOT / "tests" / "vm" / "vm"
NAME = "bench-disks"
COUNT = 8
PACKAGE = "ansible_collections.servertechnik.core.plugins.module_utils"
LAYOUT = """
d=/dev/disk/by-id/virtio-SER00
mdadm --quiet --create /dev/md/system --run --level=1 --raid-devices=2 --bitmap=internal ${d}1 ${d}2
mdadm --quiet --create /dev/md/data --run --level=5 --raid-devices=4 ${d}3 ${d}4 ${d}5 ${d}6
vgcreate --quiet main /dev/md/data
for number in 1 2 3 4 5 6 7 8 9 10; do
  lvcreate --quiet --yes --name "volume$number" --size 8m main
done
mkfs.ext4 -q /dev/main/volume1
mount /dev/main/volume1 /mnt
mdadm --wait /dev/md/system /dev/md/data || true
udevadm settle
"""
# The first look is not counted: it reads the programs from disk.
LOOKS = f"""
import sys, time
sys.path.insert(0, "/root/looks.zip")
from {PACKAGE}._disk_health import document
from {PACKAGE}._host import Host
for number in range(6):
    began = time.monotonic()
    found = document(Host())
    if number:
        print(time.monotonic() - began)
    assert len(found["disks"]) == {COUNT + 1} and len(found["arrays"]) == 2, found
"""


def looks() -> tuple[float, ...]:
    """Return how long each of five looks took on the machine, in seconds. Raises BenchError."""
    disks = [word for number in range(1, COUNT + 1) for word in ("--disk", f"SER00{number}=64M")]
    try:
        _run("up", f"{NAME}=bookworm", *disks)
        _run("ssh", NAME, "sudo sh -eu", given=LAYOUT.encode())
        _run("ssh", NAME, "sudo tee /root/looks.zip >/dev/null", given=_archive())
        said = _run("ssh", NAME, "sudo python3 -", given=LOOKS.encode())
    finally:
        subprocess.run([VM, "down", NAME], capture_output=True, check=False)
    return tuple(map(float, said.split()))


def _archive() -> bytes:
    """Return the module's code as an archive that Python imports from."""
    importlib.import_module(f"{PACKAGE}._disk_health")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        folders = PACKAGE.split(".")
        for depth in range(1, len(folders) + 1):
            target.writestr("/".join([*folders[:depth], "__init__.py"]), "")
        for name in [name for name in sys.modules if name.startswith(f"{PACKAGE}.")]:
            path = ROOT / "plugins" / "module_utils" / f"{name.rpartition('.')[2]}.py"
            target.write(path, f"{name.replace('.', '/')}.py")
    return packed.getvalue()


def _run(*words: str, given: bytes = b"") -> str:
    act = f"vm {' '.join(words[:2])}"
    try:
        done = subprocess.run(
            [VM, *words], input=given, capture_output=True, timeout=600, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{act}: not done within {error.timeout:.0f} s") from error
    if done.returncode:
        raise BenchError(f"{act}: {done.stderr.decode()[-500:]}")
    return done.stdout.decode()
