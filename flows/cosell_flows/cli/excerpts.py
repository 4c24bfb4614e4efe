"""Show the line a problem is about, with carets under the fault, as a terminal aligns them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from cosell_definitions.problems import Place

WIDEST = 160  # letters of a line that are shown; a longer one is cut around the fault
BEFORE = 60  # of them, those before the fault


def excerpt(place: Place, lines: Sequence[str]) -> tuple[str, str] | None:
    """The line, and the line of carets below it; None where the file has no such line."""
    if not 0 < place.line <= len(lines):
        return None
    line = lines[place.line - 1]
    at = min(place.column - 1, len(line))
    end = min(max(place.end_column or 0, place.column + 1) - 1, max(len(line), at + 1))
    start = max(0, at - BEFORE) if len(line) > WIDEST else 0
    stop = min(len(line), start + WIDEST)
    shown = _seen(line[start:stop])
    head, tail = "…" if start else "", "…" if stop < len(line) else ""
    blank = " " * (len(head) + _width(line[start:at]))
    carets = "^" * max(1, _width(line[at : min(end, stop)]))
    return f"{head}{shown}{tail}", f"{blank}{carets}"


def _seen(text: str) -> str:
    """Each letter as one that can be seen and does nothing: tabs as arrows, the unseen as dots."""
    return "".join(_letter(letter) for letter in text)


def _letter(letter: str) -> str:
    if letter == "\t":
        return "→"
    unseen = unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return "·" if unseen else letter


def _width(text: str) -> int:
    """The columns that a terminal gives to a text."""
    return sum(_columns(letter) for letter in text)


def _columns(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1
