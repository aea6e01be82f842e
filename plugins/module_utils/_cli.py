# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""The command line of the program that lives on every host."""

from __future__ import annotations

import argparse
import sys

from ansible_collections.servertechnik.core.plugins.module_utils import (
    _confirmation,
    _network_follow,
    _network_verify,
)
from ansible_collections.servertechnik.core.plugins.module_utils._drift import drift, report
from ansible_collections.servertechnik.core.plugins.module_utils._host import Host, HostError
from ansible_collections.servertechnik.core.plugins.module_utils._journal import Store

DESCRIPTION = "The transactions of this host, and what differs from them."


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="servertechnik", description=DESCRIPTION)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in {
        "restore": "put a transaction back unless it was confirmed",
        "activate": "activate a transaction that was prepared",
    }.items():
        verbs.add_parser(verb, help=text).add_argument("id")
    verbs.add_parser("recover", help="put back what was not finished (at boot)")
    network = verbs.add_parser("network", help="make the links follow systemd-networkd's files")
    network.add_argument("--verify", action="store_true", help="only see whether they do")
    network.add_argument("--check", action="store_true", help="only see what would go wrong")
    network.add_argument("--moves", action="store_true", help="the host may lose its address")
    verbs.add_parser("list", help="show all transactions, newest first")
    drifting = verbs.add_parser("drift", help="show what differs from what was committed")
    drifting.add_argument("--textfile", help="write Prometheus metrics to this file")
    options = parser.parse_args()
    try:
        sys.exit(_obey(options))
    except HostError as error:
        sys.exit(f"servertechnik: {error}")


def _obey(options: argparse.Namespace) -> int:
    host = Host()
    store = Store(host)
    if options.verb == "restore":
        _confirmation.restore(host, store, options.id)
    elif options.verb == "activate":
        _confirmation.proceed(host, store, options.id)
    elif options.verb == "recover":
        with store.locked(_confirmation.BUSY, "recovery at boot"):
            print(_confirmation.recover(host, store, booting=True) or "nothing was unfinished")
    elif options.verb == "network":
        _network(host, options)
    elif options.verb == "list":
        for name in store.ids():
            journal = store.load(name)
            print(f"{journal.id}  {journal.state}  by {journal.by}")
    else:
        return report(drift(host, store), options.textfile)
    return 0


def _network(host: Host, options: argparse.Namespace) -> None:
    if options.check:
        _network_verify.check(host, moves=options.moves)
    elif options.verify:
        _network_verify.verify(host)
    else:
        _network_follow.follow(host)
