"""Write docs/scenarios.md from the table of scenarios.

python tests/scenarios/rendering.py docs/scenarios.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).parent
STARTS = {
    "nothing": "nothing yet", "deal": "a deal a seller may share", "shared": "a co-sell deal of ours",
    "private": "a private deal of ours", "received": "a deal of Microsoft's, on hold",
    "accepted": "a deal of Microsoft's, accepted", "sent": "a referral Microsoft just sent",
    "lead": "a lead Microsoft sent",
}  # fmt: skip
TOLD = {"audit": "audit says", "letters": "open letters", "sent": "sent", "posts": "POSTs",
        "mark": "mark", "lost": "kept as loser", "there": "solutions there",
        "solutions": "solutions here", "linked": "linked",
        "contacts": "contacts of the account", "customer": "customer contact there",
        "team": "team here", "sellers": "sellers there"}  # fmt: skip


class AsWritten(yaml.SafeLoader):
    """Yes and No stay words and 2027-03-31 stays text, as in the product's own files."""


AsWritten.yaml_implicit_resolvers = {}
for kind, pattern, first in (
    ("null", r"^(?:~|null)$", "~n"),
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^-?[0-9]+\.[0-9]+$", "-0123456789"),
):
    AsWritten.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(pattern), list(first))


def tables() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each file of the table: its name, and what it holds."""
    for path in sorted(TABLE.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        yield path.stem, yaml.load(text, AsWritten)


def page() -> str:
    """The page of all scenarios."""
    lines = [
        "<!-- Made by `make docs`; edit what it is made from: tests/scenarios. -->", "",
        "# Two-way scenarios", "",
        "What happens to a deal, and how both sides end. Every row is played through both emulators",
        "by the tests, which also hold each to two rules it does not say: a plan shows exactly what the",
        "run then writes, and once all is quiet, syncing again writes nothing.",
    ]  # fmt: skip
    for _, table in tables():
        lines += ["", f"## {table['title']}", "",
                  "| scenario | begins with | what happens | how it ends |", "|---|---|---|---|"]  # fmt: skip
        lines += [_row(row) for row in table["scenarios"]]
    return "\n".join(lines) + "\n"


def _row(row: Mapping[str, Any]) -> str:
    begins = STARTS[row.get("start", "nothing")]
    for name, value in (row.get("env") or {}).items():
        begins += f"; {name} is {value}"
    for path, told in (row.get("org") or {}).items():
        begins += f"; `{path}` is {told.get('formula') or told['kind']}"
    if row.get("with"):
        begins += f"; {_shown(row['with'])}"
    happens = "; ".join(
        f"{who}: {_shown(what)}" for step in row.get("do") or [] for who, what in step.items()
    )
    ends = [f"{side}: {_shown(row[side])}" for side in
            ("opportunity", "account", "contact", "lead", "referral", "microsoft") if side in row]  # fmt: skip
    ends += [f"{word}: {_shown(row[name]) or 'nothing'}" for name, word in TOLD.items()
             if name in row and row[name] != []]  # fmt: skip
    ends += ["nothing is patched there"] if row.get("sent") == [] else []
    ends += ["no open letter"] if row.get("letters") == [] else []
    return (
        "| "
        + " | ".join(_cell(one) for one in (row["says"], begins, happens, "; ".join(ends)))
        + " |"
    )


def _shown(value: Any) -> str:
    match value:
        case dict():
            return ", ".join(f"`{key}` {_shown(one)}" for key, one in value.items())
        case list():
            return ", ".join(_shown(one) for one in value)
        case None:
            return "(empty)"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.15g}"
        case _:
            return str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ⏎ ")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
