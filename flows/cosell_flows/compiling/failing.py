"""What goes wrong with an expression, in words, and where in the file."""

from __future__ import annotations

from cosell_definitions.model import Bare, Template
from cosell_definitions.problems import Place
from cosell_definitions.tracing import spot_of

from .values import Faulty


class ExpressionFailed(Exception):
    """An expression cannot be read, or has no value."""

    def __init__(self, message: str, *, hint: str | None, place: Place, text: str) -> None:
        super().__init__(f"{place}: {message}")
        self.message = message
        self.hint = hint
        self.place = place
        self.text = text


def failed(fault: Faulty, source: Template | Bare) -> ExpressionFailed:
    """The fault with its place in the file."""
    place = spot(source, fault.at)
    return ExpressionFailed(fault.message, hint=fault.hint, place=place, text=source.text)


def spot(source: Template | Bare, at: int | None, length: int | None = None) -> Place:
    """Where in the file the letter at an offset stands.

    Only where that is known: either the text is as long as its span in the file, or the reader
    traced its letters back.
    """
    place = source.place
    if at is None:
        return place
    if source.turns:
        line, column, until = spot_of(source.turns, at)
        rest = (len(source.text.rstrip()) if until is None else until) - at
        width = max(1, min(rest, length or rest))
        return Place(file=place.file, line=line, column=column, end_column=column + width)
    if place.end_column is None:
        return place
    if place.end_column - place.column != len(source.text):
        return place
    start = place.column + at
    end = start + length if length else place.end_column
    return Place(file=place.file, line=place.line, column=start, end_column=max(end, start + 1))


def leftover(at: int, text: str) -> Faulty:
    """Something stands after the end of the expression."""
    rest = text[at:].strip()
    shown = rest if len(rest) <= 30 else rest[:29] + "…"
    hint = (
        "use == to compare"
        if rest.startswith("=")
        else "between two values stands a sign, `and`, `or`, `~` or `|`"
    )
    return Faulty(f"the expression ends before {shown!r}", hint, at=at)


def slip(message: str, line: int, text: str) -> Faulty:
    """What the parser says, without its jargon."""
    at = min(line if line > 1 else 0, len(text))
    said = (message or "it cannot be read").rstrip(".")
    words = {
        "end of template": "the end",
        "end of print statement": "the end",
        "begin of statement block": "{%",
        "token 'end of template'": "the end",
    }
    for jargon, plain in words.items():
        said = said.replace(f"'{jargon}'", plain).replace(jargon, plain)
    hint = "every ( [ { and quote must close; `x | filter`, `x == y`, `a and b`"
    if "&&" in text or "||" in text or "!" in text.replace("!=", ""):
        hint = "write `and`, `or`, `not` instead of &&, ||, !"
    return Faulty(f"this is not an expression: {said}", hint, at=at)
