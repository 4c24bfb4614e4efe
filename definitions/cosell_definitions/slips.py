"""The two slips of layout that every beginner makes: braces without quotes, and tabs."""

from __future__ import annotations

import re
from collections.abc import Callable

from .braces import end_of_braces, first_unquoted, looks_bare, quoted_line
from .decoding import BREAKS
from .problems import Place, Problem

MAX_LISTED = 50  # a file full of the same slip is cured by one habit, not by a thousand lines


def unquoted_problem(source: str, line: str, number: int, file: str) -> Problem:
    """Say what is wrong with the first unquoted braces of *line*; earlier ones are mended."""
    body = line.rstrip("\r\n")
    fixed = quoted_line(body)
    at = first_unquoted(body)
    original = BREAKS.split(source)[number - 1]
    # Quotes put in by us have moved the columns; the n-th braces are still the n-th braces.
    openings = [found.start() for found in re.finditer(r"\{\{", original)]
    start = openings[min(body.count("{{", 0, at), len(openings) - 1)] if openings else 0
    end = end_of_braces(original, start)
    if looks_bare(body):
        message = "this key takes a bare expression: no braces, no quotes"
    else:
        message = "a value with {{ }} must stand in quotes, or YAML takes the braces for its own"
    return Problem(
        code="Y001",
        place=Place(
            file=file, line=number, column=start + 1, end_column=end + 1 if end > 0 else None
        ),
        message=message,
        hint=f"write: {fixed.strip()}" if fixed else 'put the whole value in "double quotes"',
    )


def tabs_in(
    source: str, file: str, in_text: Callable[[int, int], bool], *, failed: bool
) -> list[Problem]:
    """Tabs that lay the document out; those in quoted text and comments are nobody's business."""
    if "\t" not in source:
        return []
    found: list[Problem] = []
    for number, line in enumerate(BREAKS.split(source), start=1):
        column = _first_tab(line, number, in_text, failed=failed)
        if column is not None and len(found) < MAX_LISTED:
            found.append(tab_problem(Place(file=file, line=number, column=column + 1)))
    return found


def tab_problem(place: Place) -> Problem:
    """Say that there is a tab where a blank belongs."""
    return Problem(
        code="Y004",
        place=place._replace(end_column=place.column + 1),
        message="there is a tab here; YAML is laid out with spaces",
        hint="replace the tab by two spaces (most editors: Convert indentation to spaces)",
    )


def _first_tab(
    line: str, number: int, in_text: Callable[[int, int], bool], *, failed: bool
) -> int | None:
    """Where the first tab of a line stands that is neither text nor comment."""
    for found in re.finditer(r"\t|(?:^|(?<=\s))#", line):
        at = found.start()
        if in_text(number, at + 1):
            continue
        if found.group() == "#":
            return None
        if failed and line[:at].strip():
            return None  # the parser did not get so far, so this may be text
        return at
    return None
