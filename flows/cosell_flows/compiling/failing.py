"""What goes wrong with an expression, in words, and where in the file."""

from __future__ import annotations

import re

from cosell_definitions.model import Bare, Template
from cosell_definitions.problems import Place
from cosell_definitions.tracing import spot_of

from .guessing import sign_meant
from .values import Faulty

_WORD = re.compile(r"[0-9]\w*(\.[0-9]\w*)?([+-][0-9]+)?")
_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?([+-][0-9]+)?")


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
    hint = sign_meant(rest, text[:at])
    hint = hint or "between two values stands a sign, `and`, `or`, `~` or `|`"
    return Faulty(f"the expression ends before {shown!r}", hint, at=at)


def slip(message: str, line: int, text: str) -> Faulty:
    """What the parser says, without its jargon."""
    at = min(line if line > 1 else 0, len(text))
    said = (message or "it cannot be read").rstrip(".")
    stray = re.match(r"unexpected char (.+) at ([0-9]+)$", said)
    if stray is not None:
        at = int(stray[2])
        return _strange_sign(at, text)
    if text[at - 1 : at + 1] == "||":
        return _strange_sign(at - 1, text)
    if "end of" in said:
        at = len(text.rstrip())
        lacks = re.search(r", expected '(.+?)'", said)
        brackets = {",": "a ] or )", "name": "a name"}
        missing = brackets.get(lacks[1], lacks[1]) if lacks else "something"
        hint = "every ( [ { must close; `x | filter`, `x == y`, `a and b`"
        return Faulty(f"the expression ends too early: {missing} is missing", hint, at=at)
    said = re.sub(r"expected token '(.+?)', got '(.+?)'", r"unexpected '\2'", said)
    said = re.sub(r"^unexpected 'name'", "something is missing", said)
    hint = sign_meant(text[at:], text[:at]) or _HINT
    return Faulty(f"this is not an expression: {said}", hint, at=at)


def _strange_sign(at: int, text: str) -> Faulty:
    sign = re.match(r"&&|\|\||\?\?|\?\.|.", text[at:], re.DOTALL)
    hint = sign_meant(text[at:], text[:at]) or "texts stand in quotes: '…'"
    return Faulty(f"{sign[0] if sign else ''} means nothing here", hint, at=at)


_HINT = "every ( [ { and quote must close; `x | filter`, `x == y`, `a and b`"


def refuse_guess(source: str, at: int) -> None:
    """A number is digits, with a point or without: 006E00000012345 is an id, not 6 with zeros."""
    written = _WORD.match(source, at)
    if written is None or _NUMBER.fullmatch(written[0]):
        return
    shown = written[0] if len(written[0]) <= 40 else f"{written[0][:39]}…"
    raise Faulty(
        f"{shown} is not a number here", f"if it is a text, put it in quotes: '{shown}'", at=at
    )
