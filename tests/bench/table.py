"""The table that people read, and the record that machines read."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.measure import Line, readable

WIDTH = 110  # columns in a pipe, where no terminal says how many there are
FOOTNOTE = (
    "Seconds are medians. Both sides of a line were measured in turn; the ratio is the median of "
    "the pairs' ratios, with the lowest and the highest. A role's seconds are those of its tasks. "
    "Inside the module: from the start of main() to its result, in a new process each time; "
    "Python's start and the imports come before."
)


def show(lines: Sequence[Line], machine: dict[str, Any], console: Console) -> None:
    """Print the table; without a terminal in plain lines."""
    if not console.is_terminal:
        console.width = WIDTH
    title = "{cores} cores, Python {python}, ansible-core {ansible_core}, load {load_start:.1f}"
    console.print(
        f"\nBenchmark: {title.format(**machine)} at start, {machine['load_end']:.1f} at end"
    )
    if machine["load_start"] > machine["cores"] / 2:
        console.print(
            "WARNING: the machine was busy with other things; trust the ratios, not the seconds.",
            style="bold yellow",
        )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("what", "takes", "against", "takes", "ratio", "aim", "pairs"):
        table.add_column(head, justify="right" if head in ("takes", "pairs") else "left")
    for line in lines:
        table.add_row(*cells(line))
    console.print(table)
    for line in lines:
        if line.problem:
            console.print(f"\n{line.what} could not be measured:\n{line.problem}", markup=False)
    console.print(f"\n{FOOTNOTE}")


def cells(line: Line) -> list[str]:
    """Return a line's text for each column."""
    if line.problem:
        return [line.what, "", "", "", "", "not measured", ""]
    aims = [f"{aim} {'reached' if line.reached(aim) else 'NOT reached'}" for aim in line.targets]
    compared = ["", ""]
    if line.ratio is not None:
        low, high = min(line.ratios), max(line.ratios)
        compared = [
            readable(median(line.others)),
            f"{line.ratio:.2f} ({low:.2f}-{high:.2f})",
        ]
    return [
        line.what,
        readable(median(line.seconds)),
        line.against,
        *compared,
        "; ".join(aims),
        str(len(line.seconds)),
    ]


def data(lines: Sequence[Line], machine: dict[str, Any]) -> dict[str, Any]:
    """Return the record's data: the machine, and all times of every line."""
    return {
        "machine": machine,
        "lines": [
            {
                "what": line.what.strip(),
                "seconds": list(line.seconds),
                "against": line.against,
                "others": list(line.others),
                "ratio": line.ratio,
                "aims": [
                    {"of": aim.of, "most": aim.most, "reached": line.reached(aim)}
                    for aim in line.targets
                    if not line.problem
                ],
                "problem": line.problem,
            }
            for line in lines
        ],
    }
