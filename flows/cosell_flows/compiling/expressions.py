"""Compile and evaluate expressions. Jinja2 reads them; what they may do is decided by us alone.

Jinja's parser gives us the grammar that people know (`grammar.py`). Its code generator is not used: it reads
Python attributes, calls methods, computes with floats and cannot be stopped. The parts of an
expression become closures instead, which read keys of records and nothing else (`computing.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cosell_definitions.braces import end_of_braces
from cosell_definitions.model import Bare, Template, Value
from cosell_definitions.remembering import Remembered

from . import syntax as s
from .computing import not_boolean, settled
from .failing import ExpressionFailed, failed, spot
from .limits import Meter, all_through, room_for, within
from .paths import Compute, Turn, path_text
from .values import Faulty, ScopeFunction, text_of

__all__ = [
    "ExpressionFailed",
    "ScopeFunction",
    "compiled",
    "evaluate",
    "evaluate_bare",
    "spot",
    "truth",
]

MAX_PIECES = 1_000


@dataclass(frozen=True)
class Piece:
    """One expression of a text; `at` is where it begins in the whole."""

    syntax: s.Syntax
    at: int

    @functools.cached_property
    def compute(self) -> Compute:
        """The closure that yields its value; a check alone never needs it."""
        return settled(self.syntax)


@dataclass(frozen=True)
class Compiled:
    """A text with its expressions. `lone`: it is one expression and nothing else."""

    parts: tuple[str | Piece, ...]
    lone: bool

    @functools.cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The expressions alone."""
        return tuple(part for part in self.parts if isinstance(part, Piece))


# -- compiling --------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8192)
def compiled(text: str, *, bare: bool = False) -> Compiled:
    """A text with `{{ … }}`, or a bare expression, ready to be evaluated; raises Faulty."""
    if bare:
        return Compiled((_piece(text, 0),), lone=True)
    parts: list[str | Piece] = []
    at = pieces = 0
    while (opening := text.find("{{", at)) >= 0:
        if opening > at:
            parts.append(text[at:opening])
        end = end_of_braces(text, opening)
        if end < 0:
            open_quote = any(text[opening:].count(quote) % 2 for quote in "'\"")
            hint = "add }}, or close the quote in it" if open_quote else "add }}"
            raise Faulty("the braces that open here are never closed", hint, at=opening)
        pieces += 1
        if pieces > MAX_PIECES:
            raise Faulty(
                f"a text holds at most {MAX_PIECES:,} expressions",
                "name parts of it with `set`",
                at=opening,
            )
        parts.append(_piece(text[opening + 2 : end - 2], opening + 2))
        at = end
    if at < len(text):
        parts.append(text[at:])
    # A text block ends in a line break that nobody typed as part of the value.
    around = "".join(part for part in parts if isinstance(part, str)).rstrip("\n")
    return Compiled(tuple(parts), lone=pieces == 1 and not around)


def _piece(text: str, at: int) -> Piece:
    try:
        return Piece(SYNTAX.made_of(text, "expression", lambda: _parsed(text)), at)
    except Faulty as fault:
        fault.at = at + (fault.at or 0)
        raise


def _parsed(text: str) -> s.Syntax:
    from .grammar import parsed  # noqa: PLC0415 - Jinja loads for as long as all else of a check

    return parsed(text)


SYNTAX = Remembered(room=2_000_000)

# -- evaluating -------------------------------------------------------------------------------


def evaluate(value: Value, scope: Mapping[str, Any]) -> Any:
    """*value* with its templates filled in: lists and dicts of plain values."""
    if isinstance(value, Template):
        return _filled(value, scope, None)
    if isinstance(value, Mapping | tuple | list):
        return _evaluated(value, scope, all_through())
    return value


def _evaluated(value: Value, scope: Mapping[str, Any], until: float) -> Any:
    if isinstance(value, Template):
        return _filled(value, scope, until)
    if isinstance(value, Mapping):
        return {key: _evaluated(inner, scope, until) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_evaluated(inner, scope, until) for inner in value]
    return value


def _filled(template: Template, scope: Mapping[str, Any], until: float | None) -> Any:
    try:
        whole = compiled(template.text)
        turn = Turn(scope, Meter(until=until), strict=False)
        if whole.lone:
            return within(_value(whole.pieces[0], turn))
        texts = [part if isinstance(part, str) else _text(part, turn) for part in whole.parts]
        room_for(text=sum(map(len, texts)))
        return "".join(texts)
    except Faulty as fault:
        raise failed(fault, template) from fault


def _value(piece: Piece, turn: Turn) -> Any:
    try:
        return piece.compute(turn)
    except Faulty as fault:
        fault.at = piece.at + (fault.at or 0)
        raise
    except RecursionError:
        raise Faulty(
            "this is nested too deeply", "name parts of it with `set`", at=piece.at
        ) from None


def _text(piece: Piece, turn: Turn) -> str:
    value = _value(piece, turn)
    try:
        return text_of(value)
    except Faulty as fault:
        name = path_text(piece.syntax)
        if value is None and name:
            fault.message = f"{name} is null, which cannot be written into text"
            fault.hint = f"say what stands there instead: {{{{ {name} | default('') }}}}"
        fault.at = piece.at + s.start(piece.syntax)
        raise


def evaluate_bare(bare: Bare, scope: Mapping[str, Any]) -> Any:
    """The value of a bare expression."""
    try:
        piece = compiled(bare.text, bare=True).pieces[0]
        return within(_value(piece, Turn(scope, Meter(), strict=True)))
    except Faulty as fault:
        raise failed(fault, bare) from fault


def truth(bare: Bare, scope: Mapping[str, Any]) -> bool:
    """Whether a condition holds; anything but true or false is an error that proposes a test."""
    value = evaluate_bare(bare, scope)
    if isinstance(value, bool):
        return value
    piece = compiled(bare.text, bare=True).pieces[0]
    simple = path_text(piece.syntax) or f"({bare.text.strip()})"
    raise failed(not_boolean(value, simple, s.start(piece.syntax)), bare)
