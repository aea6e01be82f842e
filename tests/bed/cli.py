"""The bed's command line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.bed import environment, hosts, images, spec
from tests.bed.environment import BedError


def main(words: Sequence[str] | None = None) -> int:
    """Run one command of the bed; its exit status."""
    options = _parser().parse_args(words)
    try:
        if options.inside and not environment.entered():
            environment.enter([sys.executable, sys.argv[0], *(words or sys.argv[1:])])
        return int(options.act(options) or 0)
    except BedError as error:
        print(f"bed: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bed", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, act: object, text: str, *, inside: bool) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(act=act, inside=inside)
        return added

    command("install", _install, "install the Debian packages the bed needs", inside=False)
    command("doctor", _doctor, "say what is missing here and how to get it", inside=False)
    enter = command("enter", _enter, "run a command where the containers live", inside=False)
    enter.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    build = command("images", _images, "build the images that are missing", inside=True)
    build.add_argument("releases", nargs="*", default=images.RELEASES, metavar="RELEASE")
    rise = command("up", _up, "bring hosts up; prints how to reach them as JSON", inside=True)
    rise.add_argument("hosts", nargs="*", metavar="NAME=RELEASE")
    fall = command("down", _down, "remove hosts", inside=True)
    fall.add_argument("hosts", nargs="*", metavar="NAME")
    fall.add_argument("--all", action="store_true", help="all of this checkout's hosts")
    for one in (rise, fall):
        one.add_argument("-i", "--inventory", type=Path, help="the hosts with bed_release in it")
        one.add_argument("--json", action="store_true", help="a spec on standard input")
    again = command("restart", _restart, "restart a host, and wait for it", inside=True)
    again.add_argument("name")
    again.add_argument("--hard", action="store_true", help="cut its power: no shutdown")
    command("list", _list, "show this checkout's hosts", inside=True)
    login = command("ssh", _ssh, "log in on a host, or run a command there", inside=True)
    login.add_argument("name")
    login.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    return parser


def _install(_options: argparse.Namespace) -> None:
    environment.install()


def _doctor(_options: argparse.Namespace) -> int:
    problems = environment.missing()
    print("\n".join(problems) or "Everything the test bed needs is here.")
    return bool(problems)


def _enter(options: argparse.Namespace) -> None:
    environment.enter(options.words or [os.environ.get("SHELL", "/bin/sh")])


def _images(options: argparse.Namespace) -> None:
    for name in images.ensure(tuple(options.releases)).values():
        print(name)


def _up(options: argparse.Namespace) -> None:
    print(json.dumps([asdict(host) for host in hosts.up(_wanted(options))], indent=2))


def _down(options: argparse.Namespace) -> None:
    if options.all:
        names = [host["name"] for host in hosts.running()]
    elif options.inventory or options.json:
        names = [host.name for host in _wanted(options).hosts]
    else:
        names = options.hosts
    for name in hosts.down(names):
        print(f"removed {name}")


def _restart(options: argparse.Namespace) -> None:
    hosts.restart(options.name, hard=options.hard)


def _list(_options: argparse.Namespace) -> None:
    for host in hosts.running():
        print(f"{host['name']:24} {host['state']:10} {host['addresses']:40} {host['image']}")


def _ssh(options: argparse.Namespace) -> None:
    target = f"{hosts.USER}@{hosts.address(options.name)}"
    words = ["ssh", *hosts.ssh_options(options.name), target, *options.words]
    os.execvp("ssh", words)  # noqa: S606 - to become ssh is the point, no shell


def _wanted(options: argparse.Namespace) -> spec.Spec:
    if options.json:
        return spec.of_data(json.load(sys.stdin))
    if options.inventory:
        return spec.of_inventory(options.inventory).only(options.hosts)
    return spec.of_arguments(options.hosts)
