#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Keep what mdadm, smartd and scrubs report about disks: as an event, a metric, a line in the log.

mdadm(8) calls it with an event, an array and maybe a device, smartd(8) with SMARTD_* variables
(smartd.conf(5), -M exec), scrubs like mdadm with --source=scrub. Each call leaves one JSON file in
the folder of events. Whatever can't be done is told to the log and keeps nothing else from being
done; the exit status is 1 when the event itself couldn't be kept.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import syslog
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

SETTINGS = Path("/etc/servertechnik/disk-monitor.json")
LONGEST = 4000
SERIES = 500  # a metric of each kind and device; more of them are counted together
# mdadm(8), "The different events are".
URGENT = {
    "DeviceDisappeared": "critical",
    "Fail": "critical",
    "FailSpare": "critical",
    "DegradedArray": "critical",
    "SparesMissing": "warning",
    "ScrubErrors": "critical",
    "TestMessage": "info",
}
# smartd_warning.sh and smartd.conf(5), -M exec; what isn't named here is critical.
SMART = {"EmailTest": "info", "ErrorCount": "warning", "Temperature": "warning"}
PRIORITIES = {
    "critical": syslog.LOG_CRIT,
    "warning": syslog.LOG_WARNING,
    "info": syslog.LOG_INFO,
}
Event = dict[str, Any]
Counts = dict[str, dict[str, Any]]


def event_of(words: Sequence[str], environ: Mapping[str, str], now: datetime) -> Event:
    """Return what a call means.

    ``source`` is mdadm, smartd or scrub; ``severity`` critical, warning or info; ``device`` what it
    is about, ``component`` the part of it; ``details`` the SMARTD_* variables as they came.
    """
    event: Event = {"schema": 1, "at": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}", "host": os.uname().nodename}
    if "SMARTD_FAILTYPE" in environ:
        told = {key: text(environ[key]) for key in sorted(environ) if key.startswith("SMARTD_")}
        kind = told["SMARTD_FAILTYPE"]
        return event | {
            "source": "smartd",
            "event": kind,
            "severity": SMART.get(kind, "critical"),
            "device": told.get("SMARTD_DEVICE", ""),
            "component": "",
            "serial": serial(told.get("SMARTD_DEVICE", "")),
            "message": told.get("SMARTD_MESSAGE", ""),
            "mail": True,
            "details": told,
        }
    source = "mdadm"
    if words and words[0] == "--source=scrub":
        source, words = "scrub", words[1:]
    kind, device, more = (text(word) for word in [*words, "", "", ""][:3])
    # RebuildFinished has "mismatches found: ..." where others have a device.
    component, message = (more, "") if more.startswith("/") else ("", more.strip())
    usual = "warning" if kind.startswith("Rebuild") else "info"
    return event | {
        "source": source,
        "event": kind,
        "severity": URGENT.get(kind, usual),
        "device": device,
        "component": component,
        "serial": serial(component),
        "message": message,
        "mail": kind in URGENT,
        "details": array(device),
    }


def text(value: str) -> str:
    """Return a value of others in bounded length, without what is no text."""
    return os.fsencode(value).decode(errors="backslashreplace")[:LONGEST]


def block(device: str) -> Path:
    """Return where the kernel tells about a device, given by any of its names."""
    return Path("/sys/class/block", Path(os.path.realpath(device)).name or "-")


def serial(device: str) -> str:
    """Return the serial number of the disk that holds `device`, as udev remembers it, or none."""
    with suppress(OSError):
        number = (block(device) / "dev").read_text().strip()
        known = Path(f"/run/udev/data/b{number}").read_text(errors="replace")
        for key in ("ID_SERIAL_SHORT", "ID_SERIAL"):
            if found := re.search(rf"^E:{key}=(.*)$", known, re.MULTILINE):
                return found[1]
    return ""


def array(device: str) -> dict[str, str]:
    """Return the state of an array (md(4)) at this moment; nothing of what is none."""
    folder, state = block(device) / "md", {}
    for name in ("level", "array_state", "degraded", "sync_action", "mismatch_cnt"):
        with suppress(OSError):
            state[name] = (folder / name).read_text().strip()
    return state


def sentence(event: Event) -> str:
    """Return an event in one line without control characters."""
    place = " ".join(filter(None, (event["device"], event["component"])))
    number = f" (serial {event['serial']})" if event["serial"] else ""
    said = f": {event['message']}" if event["message"] else ""
    line = f"{event['source']} {event['event']} {place}{number}{said}"
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", line)


def write(path: Path, content: str) -> None:
    """Have a file with this content on disk, at once and for everybody to read."""
    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(descriptor, 0o644)
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def keep(event: Event, folder: Path, limit: int) -> None:
    """Write the event beside the others, of which the newest `limit` stay."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    moment = re.sub(r"[-:]", "", event["at"])
    name = f"{moment}-{os.getpid()}-{secrets.token_hex(4)}.json"
    write(folder / name, json.dumps(event, indent=1) + "\n")
    for old in sorted(folder.glob("[0-9]*.json"))[:-limit]:
        old.unlink(missing_ok=True)


def count(event: Event, folder: Path, metrics: Path) -> None:
    """Count the event by source, kind and device, and write all counts for node_exporter."""
    path = folder / "counts.json"
    with locked(folder / "counts.lock"):
        counts: Counts = {}
        # Counts that were damaged begin anew.
        with suppress(FileNotFoundError, ValueError):
            counts = json.loads(path.read_text())
        labels = [event["source"], event["event"], event["device"]]
        key = json.dumps(labels)
        if key not in counts and len(counts) >= SERIES:
            key = json.dumps([event["source"], "other", "other"])
        entry = counts.setdefault(key, {"count": 0, "last": 0.0})
        last = datetime.fromisoformat(event["at"]).timestamp()
        entry |= {"count": entry["count"] + 1, "last": max(entry["last"], last)}
        counts[key] = entry
        write(path, json.dumps(counts))
        metrics.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write(metrics, exposition(counts))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock; the kernel gives it back whatever becomes of its holder."""
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def exposition(counts: Counts) -> str:
    """Return counts in the text format of Prometheus."""
    lines = []
    for name, help_, kind, field in (
        ("events_total", "Reports of mdadm, smartd and scrubs.", "counter", "count"),
        ("event_last_timestamp_seconds", "When the last one of the kind came.", "gauge", "last"),
    ):
        metric = f"servertechnik_disk_{name}"
        lines += [f"# HELP {metric} {help_}", f"# TYPE {metric} {kind}"]
        for key, entry in sorted(counts.items()):
            labels = zip(("source", "event", "device"), json.loads(key), strict=True)
            inside = ",".join(f'{label}="{escaped(value)}"' for label, value in labels)
            lines.append(f"{metric}{{{inside}}} {entry[field]}")
    return "\n".join(lines) + "\n"


def escaped(value: str) -> str:
    """Return the value of a label as Prometheus wants it, and not too long."""
    safe = re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", " ", value[:200])
    return safe.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def mail(event: Event, line: str, address: str) -> None:
    """Send the event to `address` with the sendmail(8) of the host. Raises OSError."""
    program = shutil.which("sendmail", path="/usr/sbin:/usr/lib")
    if not program:
        raise FileNotFoundError(f"there is no sendmail that would bring it to {address}")
    message = EmailMessage()
    message["To"] = address
    message["Subject"] = f"{event['host']}: {line}"[:200]
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{line}\n\n{json.dumps(event, indent=1)}\n")
    words = [program, "-oi", "-t"]
    subprocess.run(words, input=bytes(message), check=True, timeout=60, capture_output=True)


def attempt(what: str, action: Callable[[], None]) -> bool:
    """Do something; if it can't be done, say so in the log and return False."""
    try:
        action()
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        syslog.syslog(syslog.LOG_ERR, f"{what} failed: {error}")
        return False
    return True


def main() -> int:
    """Do all that is to be done about one report."""
    syslog.openlog("servertechnik-disks", facility=syslog.LOG_DAEMON)
    settings: dict[str, Any] = {
        "mail": "",
        "metrics": "",
        "kept": 1000,
        "folder": "/var/lib/servertechnik/disks",
    }
    attempt("reading the settings", lambda: settings.update(json.loads(SETTINGS.read_text())))
    event = event_of(sys.argv[1:], os.environ, datetime.now(UTC))
    line = sentence(event)
    syslog.syslog(PRIORITIES[event["severity"]], line)
    wanted, folder = event.pop("mail") and settings["mail"], Path(settings["folder"])
    kept = attempt("keeping it", lambda: keep(event, folder / "events", settings["kept"]))
    if settings["metrics"]:
        metrics = Path(settings["metrics"])
        attempt("counting it", lambda: count(event, folder, metrics))
    if wanted:
        attempt("sending mail", lambda: mail(event, line, settings["mail"]))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
