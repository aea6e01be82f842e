# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
"""Write the README of every role from its specification: `make docs`.

`--check` writes nothing and fails when a README is not what would be written.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.servertechnik.core.plugins.plugin_utils._formats import (  # noqa: E402 -- the path is set above
    format_named,
)

LONGEST_DEFAULT = 60
GENERATED = "<!-- Written by `make docs` from meta/argument_specs.yml and meta/formats.yml. -->"


def main() -> int:
    """Write or check the READMEs; 1 when one is stale."""
    check = "--check" in sys.argv[1:]
    stale = []
    for role in sorted(path.parents[1] for path in ROOT.glob("roles/*/meta/argument_specs.yml")):
        readme, text = role / "README.md", document(role)
        if not readme.exists() or readme.read_text() != text:
            stale.append(str(readme.relative_to(ROOT)))
            if not check:
                readme.write_text(text)
    if stale:
        print("Stale, run `make docs`:" if check else "Written:", *stale)
    return 1 if stale and check else 0


def document(role: Path) -> str:
    """Return the README of the role in this directory, as Markdown."""
    entry = _load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]
    formats = role / "meta" / "formats.yml"
    options = entry.get("options", {})
    rows = _rows(options, _load(formats) if formats.exists() else {})
    lines = [
        f"# servertechnik.core.{role.name}",
        "",
        GENERATED,
        "",
        f"{_markdown(entry['short_description'])}.",
        "",
        *(line for text in _texts(entry.get("description")) for line in (_markdown(text), "")),
        "## Use it",
        "",
        "```yaml",
        *_example(role.name, entry),
        "```",
        "",
        "## Variables",
        "",
        "| Variable | Type | Default | Meaning |",
        "|---|---|---|---|",
        *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows),
        "",
        f"`ansible-doc -t role servertechnik.core.{role.name}` shows the same in a terminal.",
        "",
    ]
    return "\n".join(lines)


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text()) or {}
    return loaded


def _texts(description: str | list[str] | None) -> list[str]:
    return [description] if isinstance(description, str) else description or []


def _markdown(text: str) -> str:
    """Translate Ansible's markup: what is literal becomes code, the rest loses its letter."""
    text = re.sub(r"\b[OVCEMP]\(([^()]*)\)", r"`\1`", " ".join(text.split()))
    text = re.sub(r"\bL\(([^,()]*), *([^()]*)\)", r"[\1](\2)", text)
    return re.sub(r"\b(?:B|I|U)\(([^()]*)\)", r"\1", text)


def _example(role: str, entry: Mapping[str, Any]) -> list[str]:
    if entry.get("examples"):
        return str(entry["examples"]).strip().splitlines()
    required = [name for name, option in entry.get("options", {}).items() if option.get("required")]
    lines = [f"- name: {_markdown(entry['short_description'])}", "  hosts: all", "  roles:"]
    if not required:
        return [*lines, f"    - servertechnik.core.{role}"]
    named = [f"        {name}: …" for name in required]
    return [*lines, f"    - role: servertechnik.core.{role}", "      vars:", *named]


def _rows(
    options: Mapping[str, Mapping[str, Any]],
    formats: Mapping[str, str],
    place: str = "",
    depth: int = 0,
) -> Iterator[tuple[str, str, str, str]]:
    for name, option in options.items():
        here = f"{place}{name}"
        kind = _kind(option, formats.get(here) or formats.get(f"{here}[]"))
        meaning = " ".join(map(_markdown, _texts(option.get("description"))))
        yield f"{'&emsp;' * depth}`{name}`", kind, _default(option), meaning
        inner = f"{here}[]." if option.get("type") == "list" else f"{here}."
        yield from _rows(option.get("options", {}), formats, inner, depth + 1)


def _kind(option: Mapping[str, Any], format_name: str | None) -> str:
    kind = option.get("type", "str")
    words = f"list of {option.get('elements', 'raw')}" if kind == "list" else kind
    if option.get("choices"):
        words += ": " + ", ".join(f"`{_yaml(choice)}`" for choice in option["choices"])
    return f"{words}: {format_named(format_name).words}" if format_name else words


def _default(option: Mapping[str, Any]) -> str:
    if option.get("required"):
        return "**required**"
    if option.get("default") is None:
        return ""
    text = _yaml(option["default"])
    fits = len(text) <= LONGEST_DEFAULT and "\n" not in text
    return f"`{text}`" if fits else "see `defaults/main.yml`"


def _yaml(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...").strip()


if __name__ == "__main__":
    sys.exit(main())
