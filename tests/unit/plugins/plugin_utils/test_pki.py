# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils._pki import (
    Authorities,
    Authority,
    PkiError,
    authorities,
    constraints,
    moment,
    permitted,
)

from tests.unit.plugins.plugin_utils.signing import NOW, authority

# number, since, until (in days from now)
Found = list[tuple[int, int, int]]


def judged(found: Found, retired: tuple[int, ...] = (), now: datetime = NOW) -> Authorities:
    known = [authority(*one) for one in found]
    return authorities(
        [(f"{one.path}.crt", one.pem) for one in reversed(known)],
        now,
        valid=timedelta(days=3650),
        renew_before=timedelta(days=400),
        distribution=timedelta(days=30),
        retired=retired,
    )


@pytest.mark.parametrize(
    ("found", "retired", "trusted", "signing", "missing"),
    [
        ([], (), [], None, 1),
        ([(1, 0, 3650)], (), [1], 1, 0),
        ([(1, -3000, 400)], (), [1], 1, 0),
        ([(1, -3000, 399)], (), [1], 1, 2),
        # The next one signs after 30 days, and the last day before is still the former's.
        ([(1, -3000, 399), (2, -29, 3000)], (), [1, 2], 1, 0),
        ([(1, -3000, 399), (2, -30, 3000)], (), [1, 2], 2, 0),
        ([(1, -3650, 0), (2, -400, 3000)], (), [2], 2, 0),
        ([(1, -3650, -1)], (), [], None, 2),
        # A key was lost: what follows signs at once, as hosts accept nothing else.
        ([(1, -100, 3000)], (1,), [], None, 2),
        ([(1, -100, 3000), (2, 0, 3000)], (1,), [2], 2, 0),
        ([(9, -100, 3000), (10, -50, 3000)], (), [9, 10], 10, 0),
    ],
)
def test_authorities(
    found: Found, retired: tuple[int, ...], trusted: list[int], signing: int | None, missing: int
) -> None:
    result = judged(found, retired)
    assert [one.number for one in result.trusted] == trusted
    assert (result.signing and result.signing.number) == signing
    assert result.missing == missing


def test_authority_that_would_be_due_at_once() -> None:
    with pytest.raises(PkiError, match=r"renew_before_days: found 400; accepted: fewer .* 400"):
        authorities(
            [],
            NOW,
            valid=timedelta(days=400),
            renew_before=timedelta(days=400),
            distribution=timedelta(0),
        )


def test_playbooks_keep_them_as_they_are() -> None:
    result = judged([(1, -3000, 399), (2, -30, 3000)])
    assert Authorities.from_dict(result.as_dict()) == result
    assert result.as_dict()["signing"]["subject"] == [{"CN": "Test 2"}]
    assert result.as_dict()["signing"]["path"] == "/pki/ca-2"
    assert Authorities.from_dict(judged([]).as_dict()) == judged([])


def test_file_that_is_no_certificate() -> None:
    with pytest.raises(PkiError, match=r"/pki/ca-1\.crt: found no certificate; accepted"):
        Authority.of("/pki/ca-1.crt", "hello")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2028-02-29T12:00:00Z", NOW),
        # Europe/Berlin, before and after its clocks change.
        ("2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_moment(text: str, found: datetime) -> None:
    assert moment(text) == found


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-11-24T12:00:00", "2026-11-24", "2027-02-29T00:00Z"]
)
def test_moment_without_a_meaning(text: str) -> None:
    with pytest.raises(PkiError, match="accepted: a time in UTC"):
        moment(text)


def test_constraints() -> None:
    assert constraints(["example.org"], ["192.0.2.0/24", "2001:DB8::/32"]) == {
        "permitted": ["DNS:example.org", "IP:192.0.2.0/24", "IP:2001:db8::/32"],
        "excluded": [],
    }
    assert constraints(["example.org"], [])["excluded"] == ["IP:0.0.0.0/0", "IP:::/0"]
    with pytest.raises(PkiError, match="pki_permitted_domains: found none"):
        constraints([], ["192.0.2.0/24"])


def test_permitted() -> None:
    domains, networks = permitted(authority().certificate)
    assert (domains, list(map(str, networks))) == (["example.org"], ["192.0.2.0/24"])
