# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Probes side by side, over real sockets of this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest
from ansible_collections.servertechnik.core.plugins.module_utils._probe_icmp import (
    echoed,
    request,
)
from ansible_collections.servertechnik.core.plugins.module_utils._probe_loop import (
    READ,
    Loop,
    ProbeError,
    Steps,
    Wait,
    Work,
)

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def hear(file: socket.socket, seconds: float) -> Steps:
    ready = yield Wait(file, READ, time.monotonic() + seconds)
    return {"heard": file.recv(9) if ready else None}


def say(file: socket.socket, data: bytes) -> Steps:
    yield Work(lambda: time.sleep(0.05))
    file.send(data)
    return {}


def test_one_waits_for_the_other(pair: Pair) -> None:
    loop = Loop(parallel=10, deadline=10)
    found = loop.run([partial(hear, pair[0], 5), partial(say, pair[1], b"hello")])
    assert [one.values for one in found] == [{"heard": b"hello"}, {}]


def test_a_probe_gives_up_by_itself(pair: Pair) -> None:
    found = Loop(parallel=10, deadline=10).run([partial(hear, pair[0], 0.05)])
    assert found[0].values == {"heard": None}
    assert found[0].error == ""


def test_what_is_not_done_by_the_deadline_has_failed(pair: Pair) -> None:
    closed: list[bool] = []

    def patient() -> Steps:
        try:
            yield Wait(pair[0], READ, time.monotonic() + 60)
        finally:
            closed.append(True)
        return {}

    def stuck() -> Steps:
        yield Work(partial(threading.Event().wait, 2))
        return {}

    found = Loop(parallel=10, deadline=0.1).run([patient, stuck, partial(hear, pair[1], 0.01)])
    late = "not finished by the deadline (0.1 s)"
    assert [one.error for one in found] == [late, late, ""]
    assert closed == [True]


@pytest.mark.parametrize("parallel", [1, 3])
def test_no_more_than_allowed_are_under_way(parallel: int) -> None:
    under_way: list[int] = [0]
    most: list[int] = []

    def work() -> Steps:
        under_way[0] += 1
        most.append(under_way[0])
        yield Work(lambda: time.sleep(0.005))
        under_way[0] -= 1
        return {}

    found = Loop(parallel=parallel, deadline=10).run([work] * 9)
    assert [one.error for one in found] == [""] * 9
    assert max(most) == parallel


def test_one_bad_probe_leaves_the_others_alone() -> None:
    def refusing() -> Steps:
        raise ProbeError("found this, accepted: that")
        yield

    def failing() -> Steps:
        def read() -> None:
            raise FileNotFoundError(2, "No such file or directory")

        yield Work(read)
        return {}

    def fine() -> Steps:
        return {"fine": True}
        yield

    found = Loop(parallel=10, deadline=10).run([refusing, failing, fine])
    assert [one.error for one in found] == [
        "found this, accepted: that",
        "No such file or directory",
        "",
    ]
    assert found[2].values == {"fine": True}


def test_a_probe_may_go_on_after_an_error() -> None:
    def read() -> None:
        raise FileNotFoundError(2, "No such file or directory")

    def careful() -> Steps:
        try:
            yield Work(read)
        except FileNotFoundError as error:
            return {"caught": error.errno}
        return {}

    assert Loop(parallel=1, deadline=10).run([careful])[0].values == {"caught": 2}


def test_an_echo_is_told_from_others() -> None:
    packet = request(socket.AF_INET, 0x1234, 7, b"abc")
    header = bytes([0x46]) + bytes(23)
    assert echoed(socket.AF_INET, header + packet) == (8, 0x1234, 7)
    assert echoed(socket.AF_INET6, request(socket.AF_INET6, 1, 2, b"")) == (128, 1, 2)
    assert echoed(socket.AF_INET, b"\x45" + bytes(20)) == (-1, 0, 0)
    assert echoed(socket.AF_INET, b"") == (-1, 0, 0)
