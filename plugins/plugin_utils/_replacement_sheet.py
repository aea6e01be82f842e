# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sheet for the person at the rack: one page to print, German and English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ansible_collections.servertechnik.core.plugins.module_utils._replacement_layout import needed
from ansible_collections.servertechnik.core.plugins.module_utils._replacement_tree import said_size
from ansible_collections.servertechnik.core.plugins.plugin_utils._record import (
    RecordError,
    write_private,
)
from ansible_collections.servertechnik.core.plugins.plugin_utils._replacement_words import (
    about,
    estimate,
    words_of,
)
from jinja2 import Environment, FileSystemLoader, StrictUndefined

LANGUAGES = ("de", "en")
_TEMPLATES = Path(__file__).parent / "templates"
_TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Replace a disk",
        "run": "Run",
        "host": "Server",
        "serial": "Serial number of the disk to pull",
        "slot": "Bay",
        "where": "Where it is",
        "no_slot": "bay unknown",
        "led": "The lamp of its bay blinks.",
        "no_led": "Its lamp can't be switched from here: go by the bay and the label.",
        "look": "Its bay isn't known: go by the serial number on the label of the disk.",
        "todo": "What to do",
        "ask": "Only pull it when this has said 'can be pulled':",
        "pull": "Pull this disk and no other. If the server has no hot-swap bays, shut it down "
        "first.",
        "compare": "Compare the serial number on its label with the one above, digit by digit. "
        "If it is another one, put it back at once and call for help.",
        "put": "Put the new disk into the same bay until it clicks (or start the server again).",
        "go": "Start the command again, or leave it running: it finds the new disk and goes on.",
        "new": "The new disk",
        "size": "At least",
        "sector": "Logical sectors",
        "bytes": "bytes",
        "state": "State",
        "empty": "new or empty, and healthy",
        "old": "The old one was",
        "why": "Why it is replaced",
        "duration": "Until all is safe again",
        "after": "after the new disk is in",
        "new_serial": "Serial number of the new disk",
        "time": "Time",
        "name": "Name",
    },
    "de": {
        "title": "Festplatte ersetzen",
        "run": "Lauf",
        "host": "Server",
        "serial": "Seriennummer der Platte, die gezogen wird",
        "slot": "Schacht",
        "where": "Wo sie ist",
        "no_slot": "Schacht unbekannt",
        "led": "Die Lampe ihres Schachts blinkt.",
        "no_led": "Ihre Lampe lässt sich von hier nicht schalten: nach Schacht und Aufkleber "
        "gehen.",
        "look": "Ihr Schacht ist nicht bekannt: nach der Seriennummer auf dem Aufkleber gehen.",
        "todo": "Was zu tun ist",
        "ask": "Erst ziehen, wenn dies 'can be pulled' gemeldet hat:",
        "pull": "Diese Platte ziehen und keine andere. Hat der Server keine Wechselschächte, ihn "
        "vorher herunterfahren.",
        "compare": "Die Seriennummer auf dem Aufkleber Zeichen für Zeichen mit der oben "
        "vergleichen. Ist es eine andere, sie sofort zurückstecken und Hilfe rufen.",
        "put": "Die neue Platte in denselben Schacht schieben, bis sie einrastet (oder den Server "
        "wieder starten).",
        "go": "Den Befehl noch einmal starten oder laufen lassen: Er findet die neue Platte und "
        "macht weiter.",
        "new": "Die neue Platte",
        "size": "Mindestens",
        "sector": "Logische Sektoren",
        "bytes": "Byte",
        "state": "Zustand",
        "empty": "neu oder leer, und gesund",
        "old": "Die alte war",
        "why": "Warum sie ersetzt wird",
        "duration": "Bis alles wieder sicher ist",
        "after": "nach dem Einsetzen der neuen Platte",
        "new_serial": "Seriennummer der neuen Platte",
        "time": "Uhrzeit",
        "name": "Name",
    },
}


def sheet(host: str, state: Mapping[str, Any], language: str, at: datetime) -> str:
    """Return the page as HTML, for an aware time `at`."""
    loader = FileSystemLoader(_TEMPLATES)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    disk, texts = state["disk"], _TEXTS[language]
    here = [{"serial": disk["serial"], "slot": disk["slot"], "model": disk["model"], "bad": True}]
    bays = here + [{**one, "bad": False} for one in state["others"]]
    seconds = estimate(state, "rebuild", [])
    return environment.get_template("disk_replacement.html.j2").render(
        language=language,
        t=texts,
        host=host,
        run=state["run"],
        date=f"{at:%d.%m.%Y %H:%M} UTC" if language == "de" else f"{at:%Y-%m-%d %H:%M} UTC",
        disk=disk,
        led=bool(state.get("led")),
        bays=sorted(bays, key=lambda bay: (str(bay["slot"]), str(bay["serial"]))),
        words=words_of(host, state, "open")[language],
        command=f"ansible-playbook playbooks/replace_disk.yml --limit {host} "
        f"-e disk={disk['serial']}",
        size=said_size(needed(state["layout"])).replace("bytes", texts["bytes"]),
        sector=state["layout"]["sector"],
        duration=f"{about(seconds)[language]} {texts['after']}",
    )


def keep_sheets(host: str, state: Mapping[str, Any], directory: Path, at: datetime) -> list[Path]:
    """Write the page in both languages below `directory`; return their paths. Raises RecordError.

    A case has one page of each language: it is written again when the case is taken up again.
    """
    opened = str(state["opened"]).replace("-", "").replace(":", "")
    name = quote(f"{opened}-{host}-{state['disk']['serial']}", safe="")
    paths = []
    for language in LANGUAGES:
        path = directory / f"{name}.{language}.html"
        try:
            write_private(path, sheet(host, state, language, at))
        except OSError as error:
            raise RecordError(f"{path} can't be written: {error.strerror}") from error
        paths.append(path)
    return paths
