from __future__ import annotations

import pytest

from tests.bench.measure import Line, Target, in_turn, readable, slope


def test_pairs_are_measured_in_turn() -> None:
    order: list[str] = []

    def timed(name: str) -> float:
        order.append(name)
        return float(len(order))

    assert in_turn(2, lambda: timed("own"), lambda: timed("other")) == ((1, 3), (2, 4))
    assert order == ["own", "other", "own", "other"]


def test_the_ratio_is_that_of_pairs() -> None:
    # The machine was busy during the second pair, which the medians alone would not show.
    line = Line("x", (1.0, 30.0, 1.0), "y", (2.0, 60.0, 8.0))
    assert line.ratios == (0.5, 0.5, 0.125)
    assert line.ratio == 0.5


def test_without_a_comparison_there_is_no_ratio() -> None:
    line = Line("x", (1.0,))
    assert line.ratio is None
    assert not line.reached(Target(9, "ratio"))


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        (Target(1.5, "ratio"), True),
        (Target(1.49, "ratio"), False),
        (Target(3.0, "seconds"), False),
        (Target(3.01, "seconds"), True),
    ],
    ids=str,
)
def test_targets(target: Target, reached: bool) -> None:
    assert Line("x", (1.0, 3.0, 9.0), "y", (0.1, 2.0, 6.0)).reached(target) is reached


def test_slope_ignores_what_is_the_same_for_all() -> None:
    assert slope((1, 2, 4, 8), [5.25, 5.5, 6.0, 7.0]) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0214, "21 ms"), (0.9996, "1000 ms"), (1.0, "1.00 s"), (-0.02, "-20 ms")],
)
def test_readable(seconds: float, text: str) -> None:
    assert readable(seconds) == text
