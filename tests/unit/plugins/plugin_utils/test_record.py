# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.servertechnik.core.plugins.plugin_utils import _record
from ansible_collections.servertechnik.core.plugins.plugin_utils._record import RecordError
from jsonschema import Draft202012Validator

AT = datetime(2026, 3, 29, 1, 30, 5, 250000, tzinfo=UTC)
RUN = "20260329T013000Z-12af"
SCHEMAS = Path(_record.__file__).parent / "schemas"


def make(**changes: Any) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "kind": "stocktaking",
        "schema": 1,
        "host": "web1",
        "run": RUN,
        "data": {},
        "at": AT,
    }
    return _record.envelope(**(parts | changes))


def run_data(**changes: Any) -> dict[str, Any]:
    arguments = {
        "inventory": ["hosts"],
        "limit": None,
        "tags": ["all"],
        "skip_tags": [],
        "start_at_task": None,
        "diff": False,
    }
    return {
        "playbook": "site.yml",
        "by": "ada@controller",
        "result": "ok",
        "check": False,
        "arguments": arguments,
        "seconds": 1.5,
        "hosts": {"web1": {"ok": 1}},
        "tasks": [],
    } | changes


@pytest.mark.parametrize("path", sorted(SCHEMAS.iterdir()), ids=lambda path: path.name)
def test_schemas_are_schemas(path: Path) -> None:
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_envelope() -> None:
    east = timezone(timedelta(hours=2))
    assert make(data={"a": (1, None)}, at=AT.astimezone(east)) == {
        "kind": "stocktaking",
        "schema": 1,
        "host": "web1",
        "at": "2026-03-29T01:30:05Z",
        "run": RUN,
        "data": {"a": [1, None]},
    }


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"kind": "Disk health"}, 'kind: found "Disk health", accepted: text like smart_report'),
        ({"kind": "../etc"}, 'kind: found "../etc", accepted: text like smart_report'),
        ({"kind": ""}, 'kind: found "", accepted: text like smart_report'),
        ({"schema": 0}, "schema: found 0, accepted: at least 1"),
        ({"schema": "1"}, 'schema: found "1", accepted: integer'),
        ({"host": ""}, 'host: found "", accepted: at least 1 character'),
        ({"run": "today"}, 'run: found "today", accepted: text like 20261124T083000Z-1f3c'),
        ({"data": [1]}, "data: found [1], accepted: object"),
        ({"data": {"a": [{"b": AT}]}}, "data.a[0].b: found 2026-03-29"),
        ({"data": {"a": float("nan")}}, "data.a: found nan, accepted: a finite number"),
        ({"kind": "run", "schema": 9}, "schema: found 9, accepted: 1"),
        ({"kind": "run", "data": {}}, "data: missing playbook, by, result"),
        (
            {"kind": "run", "data": run_data(result="fine")},
            'data.result: found "fine", accepted: ok, failed, interrupted',
        ),
        (
            {"kind": "run", "data": run_data(hosts={"web1": {"ok": "x"}})},
            'data.hosts.web1.ok: found "x", accepted: integer',
        ),
        (
            {"kind": "run", "data": run_data(tasks=[{"seconds": -1}])},
            "data.tasks[0]",
        ),
        (
            {"kind": "run", "data": run_data(extra_vars={"a": 1})},
            "data: found extra_vars, accepted: arguments, by, check, hosts",
        ),
        (
            {"kind": "run", "data": run_data(playbook=["x" * 300])},
            "…, accepted: string",
        ),
    ],
)
def test_what_does_not_fit_is_explained(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(RecordError) as caught:
        make(**changes)
    assert complaint in str(caught.value)
    assert f"for {changes.get('host', 'web1')} doesn't fit: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_data_of_a_known_kind() -> None:
    assert make(kind="run", data=run_data())["data"] == run_data()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("web1.example.org", "web1.example.org"),
        ("2001:db8::1", "2001%3Adb8%3A%3A1"),
        ("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd"),
        ("büro 1", "b%C3%BCro%201"),
        ("a\nb", "a%0Ab"),
    ],
)
def test_names_are_safe_and_sort(tmp_path: Path, host: str, name: str) -> None:
    later = AT + timedelta(microseconds=1)
    paths = [_record.store(make(host=host), tmp_path, at) for at in (later, AT)]
    assert paths[1] == tmp_path / "stocktaking" / f"20260329T013005.250000Z-{name}.json"
    assert sorted(paths) == [paths[1], paths[0]]
    assert json.loads(paths[1].read_text()) == make(host=host)


def test_long_names_stay_apart(tmp_path: Path) -> None:
    hosts = [f"{'ü' * 200}{number}" for number in (1, 2)]
    paths = [_record.store(make(host=host), tmp_path, AT) for host in hosts]
    assert paths[0] != paths[1]
    assert all(len(path.name) < 200 for path in paths)


def test_records_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = _record.store(make(), tmp_path / "records", AT)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "records").write_text("")
    with pytest.raises(RecordError, match=r"'stocktaking' for web1 can't be written to .*records"):
        _record.store(make(), tmp_path / "records", AT)


def test_a_failed_write_leaves_the_former_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    _record.write_private(path, "former")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        _record.write_private(path, "new")
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("option", "config", "directory"),
    [
        ("records", "/srv/ansible/ansible.cfg", "/srv/ansible/records"),
        ("/var/lib/records", "/srv/ansible/ansible.cfg", "/var/lib/records"),
        ("../records", "/srv/ansible/ansible.cfg", "/srv/ansible/../records"),
        ("~/records", None, "/home/ada/records"),
    ],
)
def test_where_records_are(
    monkeypatch: pytest.MonkeyPatch, option: str, config: str | None, directory: str
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert str(_record.directory_of(option, config)) == directory


def test_without_a_configuration_records_are_below_the_current_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _record.directory_of("records", None) == tmp_path / "records"
