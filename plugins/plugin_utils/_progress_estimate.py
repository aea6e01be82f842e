# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Learn how long runs take, and say how long this one still will."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.servertechnik.core.plugins.plugin_utils._record import write_private

_POINTS = 20
_KEPT = 200
# The first tasks say little about the pace of a run, so they count as if a fifth of it had
# gone as expected.
_TRUST = 0.2


@dataclass(frozen=True)
class Profile:
    """A finished run: its `seconds`, its `steps` (results), and the `curve` between.

    ``curve[i]`` is the share of the time (0 to 1) after which ``i / (len(curve) - 1)`` of the
    steps were done.
    """

    seconds: float
    steps: int
    curve: tuple[float, ...]

    @classmethod
    def of(cls, marks: Sequence[float], seconds: float) -> Profile:
        """Learn from `marks`, the seconds from the start to each result, in order."""
        known = (0.0, *marks)
        at = (known[round(i * len(marks) / _POINTS)] for i in range(_POINTS + 1))
        return cls(
            round(seconds, 3),
            len(marks),
            tuple(round(min(mark / seconds, 1.0), 4) if seconds else 0.0 for mark in at),
        )

    @classmethod
    def read(cls, stored: Any) -> Profile | None:
        """Return a stored profile, or None for anything that isn't one."""
        try:
            profile = cls(
                float(stored["seconds"]),
                int(stored["steps"]),
                tuple(float(share) for share in stored["curve"]),
            )
        except (TypeError, ValueError, KeyError, IndexError, AttributeError):
            return None
        whole = profile.seconds > 0 and profile.steps > 0 and len(profile.curve) > 1
        return profile if whole and list(profile.curve) == sorted(profile.curve) else None

    def share(self, steps: int) -> float:
        """Return the share of the time (0 to 1) that `steps` results took."""
        position = min(steps / self.steps, 1.0) * (len(self.curve) - 1)
        low = min(int(position), len(self.curve) - 2)
        return self.curve[low] + (self.curve[low + 1] - self.curve[low]) * (position - low)

    def remaining(self, marks: Sequence[float], elapsed: float) -> float:
        """Return the seconds still to go, `elapsed` seconds after the start.

        A run that is slower or faster than the learned one so far is taken to go on like that.
        """
        last = marks[-1] if marks else 0.0
        share = self.share(len(marks))
        trust = _TRUST * self.seconds
        pace = (last + trust) / (share * self.seconds + trust)
        return max(0.0, (1 - share) * self.seconds * pace - (elapsed - last))


class History:
    """The profiles of earlier runs in one JSON file; a broken file counts as none."""

    def __init__(self, path: Path) -> None:
        """Remember where the file is; it is read when it's needed."""
        self._path = path

    def find(self, job: str, hosts: int) -> Profile | None:
        """Return the profile of `job` on as many `hosts`, or on the nearest number of them."""
        known = {
            abs(int(count) - hosts): profile
            for name, count, profile in map(_split, self._read().items())
            if name == job and profile
        }
        return known[min(known)] if known else None

    def learn(self, job: str, hosts: int, profile: Profile) -> None:
        """Keep `profile`; a directory that can't be written loses it silently.

        An estimate is a comfort, and no run may fail for it.
        """
        runs = self._read()
        runs.pop(f"{job}#{hosts}", None)
        runs[f"{job}#{hosts}"] = asdict(profile)
        newest = dict(list(runs.items())[-_KEPT:])
        try:
            write_private(self._path, json.dumps(newest))
        except OSError:
            return

    def _read(self) -> dict[str, Any]:
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return dict(stored) if isinstance(stored, Mapping) else {}


def _split(entry: tuple[str, Any]) -> tuple[str, str, Profile | None]:
    job, hosts = entry[0].rpartition("#")[::2]
    return (job, hosts, Profile.read(entry[1])) if hosts.isdecimal() else (job, "0", None)
