# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.manager import VariableManager
from ansible_collections.servertechnik.core.plugins.plugin_utils._moved import (
    Move,
    entry,
    rewrite_inventory,
)

FORMER, NEW = "198.51.100.7", "198.51.100.20"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFYxnbhcLUHtN9J8Em8r2oMKnPaBcFZJlkQMMtUYtRV6"


def variable(path: Path, host: str = "web1") -> Any:
    """`ansible_host` as Ansible reads it from an inventory, its origin included."""
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(path)])
    variables = VariableManager(loader=loader, inventory=inventory)
    return variables.get_vars(host=inventory.get_host(host)).get("ansible_host")


@pytest.mark.parametrize(
    ("name", "before", "new", "after"),
    [
        ("hosts.ini", "[web]\nweb1 ansible_host=198.51.100.7 ansible_port=22\n", NEW,
         "[web]\nweb1 ansible_host=198.51.100.20 ansible_port=22\n"),
        ("hosts.ini", 'web1 ansible_host="198.51.100.7"\n', NEW,
         'web1 ansible_host="198.51.100.20"\n'),
        ("hosts.yml", "# 198.51.100.7\nall:\n hosts:\n  web1:\n   ansible_host: 198.51.100.7 #\n",
         NEW, "# 198.51.100.7\nall:\n hosts:\n  web1:\n   ansible_host: 198.51.100.20 #\n"),
        ("hosts.yml", "all: {hosts: {web1: {ansible_host: 198.51.100.7, x: [198.51.100.7/25]}}}\n",
         NEW, "all: {hosts: {web1: {ansible_host: 198.51.100.20, x: [198.51.100.7/25]}}}\n"),
        ("hosts.yml", "all: {hosts: {web1: {ansible_host: 198.51.100.7}}}\n", "2001:db8::7",
         'all: {hosts: {web1: {ansible_host: "2001:db8::7"}}}\n'),
        ("hosts.yml", "all:\n  hosts:\n    web1:\n      ansible_host: '198.51.100.7'\n",
         "2001:db8::7", "all:\n  hosts:\n    web1:\n      ansible_host: '2001:db8::7'\n"),
    ],
)  # fmt: skip
def test_literal_address_is_changed_in_its_line(
    tmp_path: Path, name: str, before: str, new: str, after: str
) -> None:
    path = tmp_path / name
    path.write_text(before)
    path.chmod(0o640)
    told = rewrite_inventory("web1", variable(path), FORMER, new)
    assert path.read_text() == after
    assert str(variable(path)) == new
    assert path.stat().st_mode & 0o777 == 0o640
    assert (len(told.done), told.left) == (1, [])
    assert told.done[0].endswith(f"ansible_host of web1 is {new}, it was {FORMER}")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("hosts.yml", "all: {hosts: {web1: {ansible_host: '{{ x }}', x: 198.51.100.7}}}\n",
         "hosts.yml:1: make ansible_host of web1 198.51.100.20, it is '{{ x }}'"),
        ("hosts.yml", "all: {hosts: {web1: }}\n",
         "web1 is reached by its name; have that lead to 198.51.100.20"),
        ("hosts.yml", "all:\n  hosts:\n    web1:\n      ansible_host:\n        198.51.100.7\n",
         "hosts.yml:5: make ansible_host of web1 198.51.100.20, it is '198.51.100.7'"),
        ("hosts.yml", "all: {hosts: {web1: {ansible_host: 198.51.100.7}, "
         "web2: {ansible_host: 198.51.100.7}}}\n", "hosts.yml:1: make ansible_host of web1"),
        ("hosts.yml", "all: {hosts: {web1: {ansible_host: 198.51.100.70}}}\n",
         "hosts.yml:1: make ansible_host of web1 198.51.100.20, it is '198.51.100.70'"),
    ],
)  # fmt: skip
def test_anything_else_is_told(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    told = rewrite_inventory("web1", variable(path), FORMER, NEW)
    assert path.read_text() == text
    assert told.done == []
    assert words in told.left[0]


def test_file_that_has_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hosts.ini"
    path.write_text("web1 ansible_host=198.51.100.7\n")
    value = variable(path)
    path.write_text("# a line more\nweb1 ansible_host=198.51.100.7\n")
    assert rewrite_inventory("web1", value, FORMER, NEW).done == []
    assert path.read_text() == "# a line more\nweb1 ansible_host=198.51.100.7\n"


def test_link_to_the_inventory_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "real.ini", tmp_path / "hosts.ini"
    path.write_text("web1 ansible_host=198.51.100.7\n")
    link.symlink_to(path)
    assert rewrite_inventory("web1", variable(link), FORMER, NEW).left == []
    assert link.is_symlink()
    assert path.read_text() == "web1 ansible_host=198.51.100.20\n"


class Connection:
    """The options of a connection over ssh."""

    def __init__(self, known_hosts: Path, more: str = "") -> None:
        self.options: dict[str, Any] = {
            "host": FORMER,
            "port": 22,
            "ssh_args": "-F none",
            "ssh_common_args": f"-o UserKnownHostsFile={known_hosts} {more}",
            "ssh_extra_args": None,
        }

    def get_option(self, name: str) -> Any:
        return self.options[name]

    def set_option(self, name: str, value: Any) -> None:
        self.options[name] = value


def known(path: Path, name: str) -> list[str]:
    done = subprocess.run(
        ["ssh-keygen", "-F", name, "-f", str(path)], capture_output=True, text=True, check=False
    )
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    return [line.split(" ", 1)[1] for line in lines]


@pytest.fixture
def known_hosts(tmp_path: Path) -> Path:
    path = tmp_path / "known_hosts"
    path.write_text(f"{FORMER} {KEY} someone\n[{FORMER}]:2222 {KEY[:-1]}7")
    return path


def moved(connection: Connection, to: tuple[str, int]) -> list[str]:
    move = Move(connection, {"inventory_hostname": "web1", "ansible_host": to[0]}, to)
    return move.follow().done


@pytest.mark.parametrize("hashed", ["no", "yes"])
def test_keys_are_known_at_the_new_address(known_hosts: Path, hashed: str) -> None:
    before = known_hosts.read_text()
    told = moved(Connection(known_hosts, f"-o HashKnownHosts={hashed}"), (NEW, 22))
    assert known(known_hosts, NEW) == [KEY]
    assert known_hosts.read_text().startswith(f"{before}\n")
    assert (NEW in known_hosts.read_text()) == (hashed == "no")
    assert told == [f"{known_hosts}: the keys of {FORMER} are known for {NEW} as well"]


def test_keys_are_added_once(known_hosts: Path) -> None:
    moved(Connection(known_hosts), (NEW, 22))
    before = known_hosts.read_text()
    assert moved(Connection(known_hosts), (NEW, 22)) == []
    assert known_hosts.read_text() == before


def test_another_port_is_another_entry(known_hosts: Path) -> None:
    connection = Connection(known_hosts)
    connection.options["port"] = 2222
    moved(connection, (NEW, 2200))
    assert known(known_hosts, f"[{NEW}]:2200") == [f"{KEY[:-1]}7"]


def test_host_known_by_an_alias_needs_nothing(known_hosts: Path) -> None:
    before = known_hosts.read_text()
    connection = Connection(known_hosts, "-o HostKeyAlias=web1")
    move = Move(connection, {"inventory_hostname": "web1", "ansible_host": NEW}, (NEW, 22))
    move.recognise()
    assert (move.follow().done, connection.options["ssh_extra_args"]) == ([], None)
    assert known_hosts.read_text() == before


def test_host_is_recognised_before_it_is_known(known_hosts: Path) -> None:
    connection = Connection(known_hosts)
    connection.options |= {"port": 2222, "ssh_extra_args": "-v"}
    Move(connection, {"inventory_hostname": "web1"}, (NEW, 2222)).recognise()
    assert connection.options["ssh_extra_args"] == f"-v -o 'HostKeyAlias=[{FORMER}]:2222'"


def test_connection_of_another_kind_has_no_known_hosts() -> None:
    connection = Connection(Path("/nowhere"))
    connection.options = {"host": FORMER, "port": None}
    move = Move(connection, {"inventory_hostname": "web1", "ansible_host": NEW}, (NEW, 22))
    move.recognise()
    assert (move.follow().done, move.follow().left) == ([], [])


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [("h", None, "h"), ("h", 22, "h"), ("h", 2222, "[h]:2222"), ("2001:db8::1", 22, "2001:db8::1")],
)
def test_entry(host: str, port: int | None, expected: str) -> None:
    assert entry(host, port) == expected
