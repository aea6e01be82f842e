# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All steps of the replacement of a disk, as the controller takes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_state import STEPS
from ansible_collections.servertechnik.core.plugins.plugin_utils._progress_view import duration
from ansible_collections.servertechnik.core.plugins.plugin_utils._replacement_words import (
    estimate,
    phase_of,
    words_of,
)

Json = dict[str, Any]
# In these steps the host may be switched off and on.
_PATIENT = ("insert", "rebuild", "check")
_PAUSE = 2.0
_WIDTH = 24
_POINTS = 5
_QUIET = 60.0


@dataclass
class Way:
    """What a job needs of its surroundings."""

    call: Callable[[Json], Json]
    reset: Callable[[], None]
    say: Callable[[str], None]
    keep: Callable[[Json], None]
    sheets: Callable[[Json], list[str]]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass
class Job:
    """The replacement of one disk of one host, from wherever it was to where it can go."""

    host: str
    arguments: Mapping[str, Any]
    way: Way
    worked: float = 0.0
    changed: bool = False
    did: list[str] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    said: tuple[str, str] = ("", "")

    def run(self, *, check: bool) -> Json:
        """Go through the steps; return the result of the task."""
        result = self._call("verify", "")
        state = result.get("state")
        if result.get("failed"):
            return result
        if state is None:
            return self._ended(result, "no disk has failed")
        if state["closed"]:
            words = words_of(self.host, state, "closed")["en"]
            return self._ended(result, f"{words} ({state['closed']})")
        if check or self._stops(result["next"]):
            return self._ended(result, _plan(state))
        self._keep(state, result["next"], [])
        while result["next"] and not self._stops(result["next"]):
            result = self._go_on(result["next"], result["state"])
            if result.get("failed"):
                return result | {"changed": self.changed, "did": self.did, "sheets": self.sheets}
        words = words_of(self.host, result["state"], phase_of(result["next"]))["en"]
        return self._ended(result, words)

    def _stops(self, following: str) -> bool:
        last = self.arguments["stop_after"]
        return bool(last and following and STEPS.index(following) > STEPS.index(last))

    def _ended(self, result: Json, msg: str) -> Json:
        sums = {"changed": self.changed, "did": self.did, "sheets": self.sheets}
        return result | sums | {"msg": msg, "worked": self.worked}

    def _go_on(self, step: str, state: Json) -> Json:
        """Take steps as far as the host can, however long that is."""
        serial = state["disk"]["serial"]
        if step == "announce":
            self.sheets = self.way.sheets(state)
            self.way.say(f"{self.host}: to print for the rack: {', '.join(self.sheets)}")
        deadline = self._deadline(step)
        shown = _Shown(self.host, self.way.say, self.way.clock)
        while True:
            result = self._patient(step, serial, deadline)
            if result.get("failed"):
                if result.get("state"):
                    self._keep(result["state"], result.get("next", step), [], refused=result)
                return result
            state, following = result["state"], result["next"]
            if not result["waiting"]:
                self._keep(state, following, result["progress"])
                return result
            if (following, result["waiting"]) != self.said:
                self.said = (following, result["waiting"])
                self._keep(state, following, result["progress"])
                self.way.say(f"{self.host}: {_told(state, following, result['waiting'])}")
            if following != step:
                step, deadline = following, self._deadline(following)
            shown.show(step, result["progress"])
            if self.way.clock() > deadline:
                msg = f"{result['waiting']}: that took too long. Run this again to go on from here"
                return result | {"failed": True, "msg": msg}

    def _deadline(self, step: str) -> float:
        limit = self.arguments["wait" if step == "insert" else "wait_rebuild"]
        return self.way.clock() + float(limit)

    def _patient(self, step: str, serial: str, deadline: float) -> Json:
        """Call a step; where the host may restart meanwhile, until it answers again."""
        while True:
            try:
                return self._call(step, serial)
            except AnsibleConnectionFailure as error:
                if step not in _PATIENT or self.way.clock() > deadline:
                    raise
                if self.said != ("", str(error)):
                    self.said = ("", str(error))
                    self.way.say(f"{self.host}: it doesn't answer, maybe it restarts: waiting")
            self.way.sleep(_PAUSE)
            self.way.reset()

    def _call(self, step: str, serial: str) -> Json:
        began = self.way.clock()
        known = {"serial": serial} if serial else {}
        # Until somebody knows that the disk can be pulled, nobody brings another.
        poll = self.arguments["poll"] if step in _PATIENT else 0
        wanted = {"step": step, "until": self._until(step), "poll": poll, "worked": self.worked}
        result = self.way.call({**self.arguments, **known, **wanted})
        took = self.way.clock() - began - result.get("slept", 0.0)
        before = max(self.worked, (result.get("state") or {}).get("worked", 0.0))
        self.worked = round(before + took, 2)
        self.changed = self.changed or bool(result.get("changed"))
        self.did += result.get("did", [])
        return result

    def _until(self, step: str) -> str:
        """Return the last step of the call that begins with this one."""
        # The controller has the sheet to make after the first.
        last = "verify" if step == "verify" else STEPS[-1]
        return min(last, self.arguments["stop_after"] or last, key=STEPS.index)

    def _keep(
        self,
        state: Json,
        following: str,
        progress: Sequence[Mapping[str, Any]],
        *,
        refused: Json | None = None,
    ) -> None:
        phase = "refused" if refused else phase_of(following)
        self.way.keep(
            {
                "serial": state["disk"]["serial"],
                "phase": phase,
                "next": following,
                "opened": state["opened"],
                "closed": state["closed"],
                "disk": state["disk"],
                "replacement": state["replacement"],
                "carries": [
                    {key: unit[key] for key in ("use", "of", "number", "carries")}
                    for unit in state["units"]
                ],
                "left": state.get("left") or {},
                "notes": state["notes"],
                "message": str(refused.get("msg", "")) if refused else "",
                "words": words_of(self.host, state, phase),
                "estimate": estimate(state, following, progress),
                "progress": list(progress),
                "steps": [{"name": name, **times} for name, times in state["steps"].items()],
                "worked": max(self.worked, state["worked"]),
            }
        )


@dataclass
class _Shown:
    """How far arrays are, shown when it is worth a line."""

    host: str
    say: Callable[[str], None]
    clock: Callable[[], float]
    points: dict[str, int] = field(default_factory=dict)
    at: float = 0.0

    def show(self, step: str, progress: Sequence[Mapping[str, Any]]) -> None:
        points = {one["name"]: int(one["done"] * 100) // _POINTS for one in progress}
        if points == self.points and self.clock() - self.at < _QUIET:
            return
        self.points, self.at = points, self.clock()
        for one in progress:
            self.say(f"{self.host}: {step} {gauge(one)}")


def _told(state: Mapping[str, Any], following: str, waiting: str) -> str:
    if following != "insert":
        return waiting
    disk = state["disk"]
    bay = f" in bay {disk['slot']}" if disk["slot"] else ""
    return f"{disk['serial']}{bay} can be pulled; {waiting}"


def gauge(one: Mapping[str, Any]) -> str:
    """Draw how far an array is: ``system ████████░░░░ 42 %, 110 MB/s, 5:10 min left``."""
    full = round(one["done"] * _WIDTH)
    words = [f"{one['name']} {'█' * full}{'░' * (_WIDTH - full)} {one['done']:.0%}"]
    if one.get("speed"):
        words.append(f"{one['speed'] / 1e6:.0f} MB/s")
    if one.get("left") is not None:
        words.append(f"{duration(one['left'])} left")
    return ", ".join(words)


def _plan(state: Mapping[str, Any]) -> str:
    disk = state["disk"]
    parts = [
        f"{unit['device'] or 'part ' + str(unit['number'])}: {unit['use']} {unit['of']}".strip()
        for unit in state["units"]
    ]
    return f"{disk['serial']} at {disk['path'] or 'no path (gone)'} can be replaced: " + (
        "; ".join([*parts, *state["notes"]]) or "nothing is on it"
    )
