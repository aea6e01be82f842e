"""What a measurement is: times of two things in turn, what they say, and what was aimed at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

Times = tuple[float, ...]


@dataclass(frozen=True)
class Target:
    """What a line is to stay below (seconds) or not to exceed (ratio)."""

    most: float
    of: Literal["ratio", "seconds"]

    def __str__(self) -> str:
        """As people read it in the table."""
        if self.of == "ratio":
            return f"ratio ≤ {self.most:.2f}"
        return f"< {readable(self.most)}"


@dataclass(frozen=True)
class Line:
    """One line of the table: `seconds` of each repetition, and of what it is compared with.

    Repetition N of one was measured beside repetition N of the other. `problem` says why nothing
    was measured.
    """

    what: str
    seconds: Times = ()
    against: str = ""
    others: Times = ()
    targets: tuple[Target, ...] = ()
    problem: str = ""

    @property
    def ratios(self) -> Times:
        """The ratio of each pair; what the machine did meanwhile touched both sides of it."""
        return tuple(own / other for own, other in zip(self.seconds, self.others, strict=False))

    @property
    def ratio(self) -> float | None:
        """The median of the pairs' ratios, or nothing to compare with."""
        return median(self.ratios) if self.ratios else None

    def reached(self, target: Target) -> bool:
        """Whether the medians are within a target."""
        if target.of == "ratio":
            return self.ratio is not None and self.ratio <= target.most
        return median(self.seconds) < target.most


def in_turn(
    times: int, own: Callable[[], float], other: Callable[[], float]
) -> tuple[Times, Times]:
    """Measure two things in turn, so that a busy machine is busy for both."""
    pairs = [(own(), other()) for _ in range(times)]
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


def slope(counts: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the seconds that one more costs: the line of least squares through the points."""
    middle, level = sum(counts) / len(counts), sum(seconds) / len(seconds)
    across = sum((n - middle) * (s - level) for n, s in zip(counts, seconds, strict=True))
    return across / sum((n - middle) ** 2 for n in counts)


def readable(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    return f"{seconds * 1000:.0f} ms" if abs(seconds) < 1 else f"{seconds:.2f} s"
