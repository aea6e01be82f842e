# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""ansible-test sanity over a copy of the collection, and proof that it sees the code.

A copy, because ansible-test takes the link under collections/ for the root of the repository, and
because our own tests are held to stricter rules elsewhere (tests/lint).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.release import __version__ as ansible_version
from ansible_test._internal.python_requirements import (  # type: ignore[import-untyped]
    get_venv_packages,
)

ROOT = Path(__file__).parents[2]
CONTROLLER = f"{sys.version_info.major}.{sys.version_info.minor}"
# Debian 12; newer Pythons take what it takes.
OLDEST_HOST = "3.11"

# What people install. The rest of the repository is no business of ansible-test.
SHIPPED = re.compile(
    r"(galaxy\.yml|meta|plugins|roles|playbooks|changelogs|tests/config\.yml)(/|$)"
)

# Rules for modules, where they meet code that also runs without one.
IGNORED = """\
plugins/module_utils/_cli.py pylint:ansible-bad-function # a program of its own on the host
plugins/module_utils/_disk_run.py pylint:ansible-bad-function # programs that may hang
plugins/module_utils/_drift.py pylint:ansible-bad-function # the same, when a timer runs it
plugins/module_utils/_resolver_check.py pylint:ansible-bad-function # another one
plugins/module_utils/_host.py pylint:ansible-bad-function # the one file that runs commands
roles/disk_monitor/files/usr/local/lib/servertechnik/disk_event.py shebang # programs of hosts
roles/disk_monitor/files/usr/local/lib/servertechnik/disk_scrub.py shebang # the same
"""

# ansible-test fetches pip for its own environments from a server of its makers. Python brings one.
GET_PIP = "import ensurepip\nensurepip.bootstrap()\n"

# Two at once would build the same environment twice.
pytestmark = pytest.mark.xdist_group("sanity")

Sanity = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the collection as ansible-test expects it on disk."""
    copy = tmp_path_factory.mktemp("sanity") / "ansible_collections" / "servertechnik" / "core"
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(SHIPPED.match, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    (copy / "tests" / "sanity").mkdir()
    release = re.match(r"\d+\.\d+", ansible_version)
    assert release
    (copy / "tests" / "sanity" / f"ignore-{release[0]}.txt").write_text(IGNORED)
    return copy


@pytest.fixture(scope="session")
def sanity(tree: Path, run: Sanity) -> Sanity:
    """Run ansible-test sanity in the copy; its environments stay in the cache of the project."""
    home = ROOT / ".cache" / "ansible-test"
    pip = get_venv_packages(SimpleNamespace(version=CONTROLLER))["pip"].replace(".", "_")
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / f"get_pip_{pip}.py").write_text(GET_PIP)

    def runner(*words: str) -> subprocess.CompletedProcess[str]:
        command = ("ansible-test", "sanity", "--color", "no")
        return run(*command, *words, cwd=tree, HOME=str(home), LC_ALL="C.UTF-8")

    return runner


def python(version: str) -> str | None:
    """The path of a Python of this version that starts, if there is one."""
    for directory in ("/usr/bin", "/usr/local/bin", None):
        path = shutil.which(f"python{version}", path=directory)
        # A shim of a version manager is found and may still not start.
        starts = path and subprocess.run([path, "-c", ""], check=False, capture_output=True)
        if starts and starts.returncode == 0:
            return path
    return None


def test_the_collection_is_sound(sanity: Sanity) -> None:
    # The import test wants every plugin to do without `rich` and `jsonschema`, which the
    # controller has; for what runs on hosts it follows below.
    done = sanity("--python", CONTROLLER, "--skip-test", "import")
    assert done.returncode == 0, done.stdout + done.stderr


def test_modules_run_on_the_oldest_host(sanity: Sanity) -> None:
    path = python(OLDEST_HOST)
    target = f"{OLDEST_HOST}@{path}" if path else CONTROLLER
    places = ("plugins/modules/", "plugins/module_utils/")
    tests = ("--test", "compile", "--test", "import")
    words = ("--controller", "origin:python=default", "--target-python", target)
    done = sanity(*words, *tests, *places)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f'"import" on Python {target.partition("@")[0]}' in done.stdout + done.stderr


PLANTED = '''\
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: planted
short_description: A module whose documentation forgets its option
description: [Nothing.]
author: [Nobody (@nobody)]
"""
EXAMPLES = ""
RETURN = ""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    AnsibleModule(argument_spec={"forgotten": {"type": "str"}}).exit_json()


if __name__ == "__main__":
    main()
'''


def test_a_defect_is_seen(sanity: Sanity, tree: Path) -> None:
    planted = tree / "plugins" / "modules" / "planted.py"
    planted.write_text(PLANTED)
    try:
        done = sanity("--python", CONTROLLER, "--test", "validate-modules")
    finally:
        planted.unlink()
    assert done.returncode != 0
    assert re.search(r"planted\.py.*forgotten", done.stdout + done.stderr)
