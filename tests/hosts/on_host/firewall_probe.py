# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Load a ruleset in the namespace `fw-here`, and say which new connections come through.

The only argument is JSON in base64: `ruleset` (for nft -f), and `probes`, each with `source`,
`destination`, `protocol`, `port` and `number`, which no other probe of this host may have. Prints
a list of true and false.

`fw-there` owns every source address, `fw-beyond` every destination that isn't `fw-here` itself.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import selectors
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = ("10.10.0.1", "2001:db8:a::1")
PORTS = range(1, 41)
TARGETS = {"4": (HERE[0], "203.0.113.1"), "6": (HERE[1], "2001:db8:f::1")}
PATIENCE = 0.5
_CLONE_NEWNET = 0x40000000

SET_UP = """
put() { ip netns exec fw-$2 sh -c "echo $1 >/proc/sys/net/$3"; }
for name in here there beyond; do
    ip netns add fw-$name
    put 0 $name ipv6/conf/default/accept_dad
done
ip link add there netns fw-here type veth peer name here netns fw-there
ip link add beyond netns fw-here type veth peer name here netns fw-beyond
ip -n fw-here address add 10.10.0.1/24 dev there
ip -n fw-here address add 2001:db8:a::1/64 dev there
ip -n fw-there address add 10.10.0.2/24 dev here
ip -n fw-there address add 2001:db8:a::2/64 dev here
ip -n fw-here address add 10.20.0.1/24 dev beyond
ip -n fw-here address add 2001:db8:b::1/64 dev beyond
ip -n fw-beyond address add 10.20.0.2/24 dev here
ip -n fw-beyond address add 2001:db8:b::2/64 dev here
for name in here there beyond; do ip -n fw-$name link set lo up; done
for link in there beyond; do ip -n fw-here link set $link up; done
ip -n fw-there link set here up
ip -n fw-beyond link set here up
ip -n fw-there route add default via 10.10.0.1
ip -n fw-there route add default via 2001:db8:a::1
ip -n fw-beyond route add default via 10.20.0.1
ip -n fw-beyond route add default via 2001:db8:b::1
ip -n fw-here route add default via 10.10.0.2
ip -n fw-here route add default via 2001:db8:a::2
ip -n fw-here route add 203.0.113.0/24 via 10.20.0.2
ip -n fw-here route add 2001:db8:f::/48 via 2001:db8:b::2
# Every address of these is the namespace's own.
ip -n fw-there route add local 198.51.0.0/16 dev lo
ip -n fw-there route add local 2001:db8:5::/48 dev lo
ip -n fw-beyond route add local 203.0.113.0/24 dev lo
ip -n fw-beyond route add local 2001:db8:f::/48 dev lo
for name in there beyond; do put 1 $name ipv6/ip_nonlocal_bind; done
for key in ipv4/ip_forward ipv6/conf/all/forwarding; do put 1 here $key; done
"""


def enter(name: str) -> None:
    """Move this thread into a network namespace."""
    with Path(f"/run/netns/{name}").open() as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def serve(name: str) -> None:
    """Answer on all ports of a namespace."""
    enter(name)
    selector = selectors.DefaultSelector()
    for port in PORTS:
        listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        selector.register(listener, selectors.EVENT_READ)
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # Answers come from the address that was asked, whichever that is.
        sock.setsockopt(socket.SOL_IP, 8, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        sock.bind(("::", port))
        selector.register(sock, selectors.EVENT_READ)
    while True:
        for key, _events in selector.select():
            sock = key.fileobj  # type: ignore[assignment]  # sockets are all there is
            if sock.type == socket.SOCK_STREAM:
                sock.accept()[0].close()
                continue
            data, control, _flags, peer = sock.recvmsg(9, 256)
            sock.sendmsg([data], control, 0, peer)


def comes_through(probe: dict[str, Any]) -> bool:
    """Whether a new connection from there is answered."""
    is_tcp = probe["protocol"] == "tcp"
    family = socket.AF_INET6 if ":" in probe["source"] else socket.AF_INET
    kind = socket.SOCK_STREAM if is_tcp else socket.SOCK_DGRAM
    enter("fw-there")
    with socket.socket(family, kind) as sock:
        sock.settimeout(PATIENCE)
        # Nothing of an earlier probe may be taken for the same connection.
        sock.bind((probe["source"], 10000 + probe["number"]))
        try:
            sock.connect((probe["destination"], probe["port"]))
            if not is_tcp:
                sock.send(b"x")
                sock.recv(9)
        except TimeoutError:
            return False
    return True


def settle() -> None:
    """Wait until everybody knows the way to everybody."""
    for family, source in (("4", "198.51.0.1"), ("6", "2001:db8:5::1")):
        for destination in TARGETS[family]:
            way = {"source": source, "destination": destination, "protocol": "udp", "port": 1}
            # Ports that no probe uses, and each anew: the kernel may remember the last one.
            numbers = iter(range(-5000, 0))
            while not comes_through({**way, "number": next(numbers)}):
                pass


def main() -> None:
    """Do what the argument says."""
    wanted = json.loads(base64.b64decode(sys.argv[1]))
    if not Path("/run/netns/fw-here").exists():
        subprocess.run(["sh", "-euc", SET_UP], check=True)
    for name in ("fw-here", "fw-beyond"):
        threading.Thread(target=serve, args=(name,), daemon=True).start()
    load("flush ruleset")
    settle()
    load(wanted["ruleset"])
    with ThreadPoolExecutor(len(wanted["probes"])) as pool:
        print(json.dumps(list(pool.map(comes_through, wanted["probes"]))))
    sys.stdout.flush()
    os._exit(0)


def load(text: str) -> None:
    """Give a text to nft in the namespace `fw-here`."""
    command = ["ip", "netns", "exec", "fw-here", "nft", "-f", "-"]
    subprocess.run(command, input=text, text=True, check=True)


if __name__ == "__main__":
    main()
