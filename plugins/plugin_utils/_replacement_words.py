# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is going on with a disk, in plain words, German and English, for status pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Bytes in a second that a rebuild is taken to have before it has shown its own pace: half of what
# a disk of that kind reads in a row.
_PACE = {True: 80e6, False: 250e6}
_MINUTE = 60
_HOUR = 3600

WORDS = {
    "open": {
        "en": "Disk {serial} in {host} has failed and will be replaced. {safety}",
        "de": "Die Festplatte {serial} in {host} ist ausgefallen und wird ersetzt. {safety}",
    },
    "waiting": {
        "en": "Disk {serial} in {host} can be pulled; we wait for the new one. {safety}",
        "de": "Die Festplatte {serial} in {host} kann gezogen werden; wir warten auf die neue. "
        "{safety}",
    },
    "rebuilding": {
        "en": "The new disk {new} is in {host}; its data is being restored from the other disks. "
        "{safety}",
        "de": "Die neue Festplatte {new} ist in {host}; ihre Daten werden von den anderen "
        "wiederhergestellt. {safety}",
    },
    "checking": {
        "en": "The new disk {new} in {host} has all data. All copies are being compared.",
        "de": "Die neue Festplatte {new} in {host} hat alle Daten. Alle Kopien werden verglichen.",
    },
    "closed": {
        "en": "Disk {serial} in {host} has been replaced by {new}. Everything is as it should be.",
        "de": "Die Festplatte {serial} in {host} wurde durch {new} ersetzt. Alles ist wieder "
        "in Ordnung.",
    },
    "refused": {
        "en": "Replacing disk {serial} in {host} has stopped; a technician has to look. {safety}",
        "de": "Der Austausch der Festplatte {serial} in {host} steht; ein Techniker muss "
        "nachsehen. {safety}",
    },
}
_SAFETY = {
    "none": {"en": "Services go on.", "de": "Alle Dienste laufen weiter."},
    "lost": {
        "en": "Some data was on this disk alone and comes back from the backup.",
        "de": "Einige Daten waren nur auf dieser Platte und kommen aus der Sicherung zurück.",
    },
    "last": {
        "en": "Services go on; until it is done, no other disk may fail.",
        "de": "Alle Dienste laufen weiter; bis zum Ende darf keine weitere Platte ausfallen.",
    },
    "more": {
        "en": "Services go on; even now {left} more may fail.",
        "de": "Alle Dienste laufen weiter; selbst jetzt dürfte noch {left} weitere ausfallen.",
    },
}
_AFTER = {
    "insert": "waiting",
    "copy": "waiting",
    "rebuild": "rebuilding",
    "check": "checking",
    "": "closed",
}


def phase_of(following: str) -> str:
    """Return the phase of a case, by the step that comes next; empty when none does."""
    return _AFTER.get(following, "open")


def words_of(host: str, state: Mapping[str, Any], phase: str) -> dict[str, str]:
    """Return a sentence or two for people who aren't technicians, by language (de, en)."""
    left = min((state.get("left") or {}).values(), default=None)
    which = "none" if left is None else "lost" if left < 0 else "more" if left else "last"
    if state.get("losses"):
        which = "lost"
    values = {
        "host": host,
        "serial": state["disk"]["serial"],
        "new": (state.get("replacement") or {}).get("serial", ""),
    }
    return {
        language: text.format(safety=_SAFETY[which][language].format(left=left), **values)
        for language, text in WORDS[phase].items()
    }


def estimate(
    state: Mapping[str, Any], following: str, progress: Sequence[Mapping[str, Any]]
) -> int:
    """Return the seconds of work that are left, waiting for people not counted.

    What arrays say of themselves comes first; else it is the disk's size at the pace of its kind,
    for the rebuild and once more for the comparison.
    """
    if not following:
        return 0
    size = float(state["layout"]["size"])
    whole = size / _PACE[bool(state["disk"].get("rotational"))]
    known = [one["left"] for one in progress if one.get("left") is not None]
    now = float(sum(known)) if known else whole
    return round(now if following == "check" else now + whole)


def about(seconds: float) -> dict[str, str]:
    """Say a duration as roughly as it is known, by language."""
    if seconds < _MINUTE:
        return {"en": "less than a minute", "de": "weniger als eine Minute"}
    if seconds < 2 * _HOUR:
        minutes = round(seconds / _MINUTE)
        return {"en": f"about {minutes} min", "de": f"etwa {minutes} min"}
    hours = round(seconds / _HOUR)
    return {"en": f"about {hours} hours", "de": f"etwa {hours} Stunden"}
