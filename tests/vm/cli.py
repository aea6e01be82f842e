"""The virtual machines' command line, for people: here machines stay until they are put down."""

from __future__ import annotations

import argparse
import os
import select
import socket
import sys
import termios
import tty
from collections.abc import Sequence

from tests.bed import environment
from tests.bed.environment import BedError
from tests.vm import enrolment, registry
from tests.vm.devices import Disk
from tests.vm.machine import Machine
from tests.vm.networks import Network
from tests.vm.qemu import Firmware
from tests.vm.spec import Spec
from tests.vm.wire import VmError

_LEAVE = b"\x1d"  # Ctrl-]


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    options = _parser().parse_args(words)
    try:
        if options.act is _up and not environment.entered():
            environment.enter([sys.executable, sys.argv[0], *(words or sys.argv[1:])])
        options.act(options)
    except (BedError, VmError) as error:
        print(f"vm: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vm", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, act: object, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(act=act)
        return added

    rise = command("up", _up, "start machines, and wait until SSH answers")
    rise.add_argument("machines", nargs="+", metavar="NAME=RELEASE")
    rise.add_argument("--disk", action="append", default=[], metavar="SERIAL=SIZE[:KIND]")
    rise.add_argument("--network", action="append", default=[], metavar="NAME")
    rise.add_argument("--cold", action="store_true", help="start from nothing, no saved state")
    rise.add_argument("--efi", action="store_true", help="EFI firmware instead of BIOS")
    command("list", _list, "show machines that run")
    login = command("ssh", _ssh, "log in on a machine, or run a command there")
    login.add_argument("name")
    login.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    command("console", _console, "the serial line; Ctrl-] leaves it").add_argument("name")
    fall = command("down", _down, "end machines, and networks without any")
    fall.add_argument("names", nargs="*", metavar="NAME")
    fall.add_argument("--all", action="store_true", help="all that this command started")
    return parser


def _up(options: argparse.Namespace) -> None:
    disks = dict(_disk(word) for word in options.disk)
    firmware: Firmware = "efi" if options.efi else "bios"
    networks = [Network.ensure(name) for name in options.network]
    started = []
    for word in options.machines:
        name, _, release = word.partition("=")
        spec = Spec(name, release, disks, networks, not options.cold, firmware)
        started.append(Machine(spec, tied=False))
    for one in started:
        one.wait()
    _list(options)


def _disk(word: str) -> tuple[str, Disk]:
    serial, _, text = word.partition("=")
    size, _, kind = text.partition(":")
    return serial, Disk(size, kind or "virtio")


def _list(_options: argparse.Namespace) -> None:
    for one in registry.running():
        print(f"{one.name:24} {one.release:10} 127.0.0.1:{one.port:<6} {' '.join(one.networks)}")


def _ssh(options: argparse.Namespace) -> None:
    one = registry.find(options.name)
    words = [*enrolment.ssh_words(one.name, one.port, one.folder / "known_hosts"), *options.words]
    os.execvp(words[0], words)  # noqa: S606 - to become ssh is the point, no shell


def _console(options: argparse.Namespace) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(registry.find(options.name).sockets / "console"))
        before = termios.tcgetattr(sys.stdin)
        tty.setraw(sys.stdin)
        try:
            _talk(line)
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _talk(line: socket.socket) -> None:
    """Pass on what either side says, until one of them leaves."""
    while True:
        ready, _, _ = select.select([sys.stdin, line], [], [])
        if line in ready:
            heard = line.recv(4096)
            if not heard:
                return
            os.write(sys.stdout.fileno(), heard)
        if sys.stdin in ready:
            typed = os.read(sys.stdin.fileno(), 4096)
            if not typed or _LEAVE in typed:
                return
            line.sendall(typed)


def _down(options: argparse.Namespace) -> None:
    loose = [one for one in registry.running() if not one.tied]
    names = [one.name for one in loose] if options.all else options.names
    for name in names:
        registry.find(name).end()
        print(f"removed {name}")
    used = {network for one in registry.running() for network in one.networks}
    for network in Network.loose():
        if network.name not in used:
            network.end()
