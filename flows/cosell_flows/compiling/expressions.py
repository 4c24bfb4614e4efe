"""Compile and evaluate expressions. Jinja2 reads them; what they may do is decided here alone.

Jinja's parser gives us the grammar that people know. Its code generator is not used: it reads
Python attributes, calls methods, computes with floats and cannot be stopped. The parts of an
expression become closures instead, which read keys of records and nothing else (`computing.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import jinja2
from jinja2 import nodes as j
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser

from cosell_definitions.braces import end_of_braces
from cosell_definitions.model import Bare, Template, Value
from cosell_definitions.problems import did_you_mean

from . import syntax as s
from .computing import Compute, Turn, not_boolean, path_text, settled
from .failing import ExpressionFailed, failed, leftover, refuse_guess, slip, spot
from .filters import FILTERS, FUNCTIONS, TESTS
from .guessing import METHODS
from .limits import Meter, room_for, within
from .values import MAX_DIGITS, Faulty, ScopeFunction, text_of

__all__ = [
    "ExpressionFailed",
    "ScopeFunction",
    "compiled",
    "evaluate",
    "evaluate_bare",
    "parsed",
    "spot",
    "truth",
]

MAX_LENGTH = 10_000
MAX_DEPTH = 100
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


@dataclass(frozen=True, slots=True)
class Compiled:
    """A text with its expressions. `lone`: it is one expression and nothing else."""

    parts: tuple[str | Piece, ...]
    lone: bool

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The expressions alone."""
        return tuple(part for part in self.parts if isinstance(part, Piece))


# -- reading ----------------------------------------------------------------------------------


class _Grammar(jinja2.Environment):
    """Jinja's environment, for its parser only; a token's line is its offset, and so a node's."""

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        raw: list[tuple[int, str, str]] = []
        offset = 0
        for _, kind, text in self.lexer.tokeniter(source, name, filename, state):
            if kind in ("integer", "float"):
                refuse_guess(source, offset)
            raw.append((offset, kind, text))
            offset += len(text)
        floats = iter([text for _, kind, text in raw if kind == "float"])
        tokens = self.lexer.wrap(raw, name, filename)
        return TokenStream(_with_exact_digits(tokens, floats), name, filename)


def _with_exact_digits(tokens: Iterator[Token], floats: Iterator[str]) -> Iterator[Token]:
    """A number with a point is the decimal that was typed: 1.10 stays 1.10."""
    for token in tokens:
        if token.type == "float":
            digits: Any = Decimal(next(floats).replace("_", ""))
            yield Token(token.lineno, "float", digits)
        else:
            yield token


_GRAMMAR = _Grammar(autoescape=False)


def parsed(text: str) -> s.Syntax:
    """The parts of one expression; raises Faulty with the offset of the slip."""
    if len(text) > MAX_LENGTH:
        raise Faulty(
            f"an expression has at most {MAX_LENGTH:,} letters", "name parts of it with `set`"
        )
    if not text.strip():
        raise Faulty("there is no expression here", "write one, or delete the braces", at=0)
    try:
        parser = Parser(_GRAMMAR, text, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise leftover(parser.stream.current.lineno, text)
        syntax = _translated(tree)
        if s.depth(syntax) > MAX_DEPTH:
            raise RecursionError
        return syntax
    except jinja2.TemplateSyntaxError as error:
        raise slip(error.message or "", error.lineno, text) from None
    except RecursionError:
        raise Faulty(
            "this expression is nested too deeply", "name parts of it with `set`"
        ) from None
    except ValueError:
        raise Faulty("this number has too many digits", f"at most {MAX_DIGITS:,}") from None


# -- from Jinja's nodes to ours ---------------------------------------------------------------

_SIGNS: Mapping[type[j.BinExpr], Any] = {
    j.Add: "+",
    j.Sub: "-",
    j.Mul: "*",
    j.Div: "/",
    j.FloorDiv: "//",
    j.Mod: "%",
    j.Pow: "**",
}


def _translated(node: j.Node) -> s.Syntax:
    at = node.lineno
    match node:
        case j.Const():
            return s.Constant(node.value, at)
        case j.Name():
            return _name(node.name, at)
        case j.Getattr():
            return _attribute(node, node.attr)
        case j.Getitem():
            return _item(node)
        case j.List() | j.Tuple():
            return s.ListOf(tuple(map(_translated, node.items)), at)
        case j.Dict():
            pairs = ((_translated(pair.key), _translated(pair.value)) for pair in node.items)
            return s.RecordOf(tuple(pairs), at)
        case j.Filter() | j.Test() | j.Call():
            return _named(node)
    return _operated(node)


def _name(name: str, at: int) -> s.Syntax:
    _refuse_private(name, at)
    return s.Constant(None, at) if name == "null" else s.Name(name, at)


def _operated(node: j.Node) -> s.Syntax:
    at = node.lineno
    match node:
        case j.And():
            return s.Both(_translated(node.left), _translated(node.right), at)
        case j.Or():
            return s.Either(_translated(node.left), _translated(node.right), at)
        case j.BinExpr():
            left, right = _translated(node.left), _translated(node.right)
            return s.Arithmetic(_SIGNS[type(node)], left, right, at)
        case j.Not():
            return s.Not(_translated(node.node), at)
        case j.Neg():
            return s.Negative(_translated(node.node), at)
        case j.Pos():
            return _translated(node.node)
        case j.Concat():
            return s.Joined(tuple(map(_translated, node.nodes)), at)
        case j.Compare():
            rest = tuple((operand.op, _translated(operand.expr)) for operand in node.ops)
            return s.Compared(_translated(node.expr), rest, at)
        case j.CondExpr():
            otherwise = _translated(node.expr2) if node.expr2 is not None else None
            return s.Choice(_translated(node.test), _translated(node.expr1), otherwise, at)
    raise Faulty(f"{type(node).__name__.lower()} is not part of the language", at=at)


def _attribute(node: j.Getattr, name: str) -> s.Syntax:
    _refuse_private(name, node.lineno + 1)
    return s.Read(_translated(node.node), s.Constant(name, node.lineno + 1), node.lineno)


def _refuse_private(name: str, at: int) -> None:
    """`_links` and `__typename` are keys that a payload may have; `__class__` is Python's alone."""
    if name.startswith("__") and name.endswith("__"):
        message = f"names such as {name} belong to Python and cannot be read"
        raise Faulty(message, "read a key of the record, or use a filter", at=at, code="X007")


def _item(node: j.Getitem) -> s.Syntax:
    whole = _translated(node.node)
    if isinstance(node.arg, j.Slice):
        if node.arg.step is not None:
            raise Faulty("a part has no step: x[a:b]", "for backwards: | reverse", at=node.lineno)
        bounds = [
            _translated(it) if it is not None else None for it in (node.arg.start, node.arg.stop)
        ]
        return s.Part(whole, bounds[0], bounds[1], node.lineno)
    key = _translated(node.arg)
    if isinstance(key, s.Constant) and isinstance(key.value, str):
        _refuse_private(key.value, key.at)
    return s.Read(whole, key, node.lineno)


def _named(node: j.Filter | j.Test | j.Call) -> s.Syntax:
    """What is called by name: it must be in the allow-list, and called as it can be."""
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise Faulty("* and ** are not part of the language", at=node.lineno)
    arguments = tuple(map(_translated, node.args))
    options = tuple((str(option.key), _translated(option.value)) for option in node.kwargs)
    if isinstance(node, j.Call):
        if not isinstance(node.node, j.Name):
            raise _method(node)
        name = node.node.name
        if name in FUNCTIONS:  # others may come with the scope; a check knows which do
            _refuse_misuse(FUNCTIONS, "function", name, len(arguments), options, at=node.lineno)
        return s.Called(name, arguments, options, node.node.lineno)
    value = _translated(node.node) if node.node is not None else s.Constant(None, node.lineno)
    if isinstance(node, j.Test):
        _refuse_misuse(TESTS, "test", node.name, 1 + len(arguments), options, at=node.lineno)
        return s.Tested(node.name, value, arguments, node.lineno)
    _refuse_misuse(FILTERS, "filter", node.name, 1 + len(arguments), options, at=node.lineno)
    return s.Filtered(node.name, value, arguments, options, node.lineno)


def _method(node: j.Call) -> Faulty:
    called = node.node
    if isinstance(called, j.Getattr):
        name = METHODS.get(called.attr.lower(), called.attr)
        near = name if name in FILTERS else did_you_mean(name, FILTERS)
        owner = path_text(_translated(called.node)) or "x"
        given = "(…)" if node.args or node.kwargs else ""
        hint = f"write: {owner} | {near}{given}" if near else "filters do this work: x | filter"
        return Faulty(
            f"methods cannot be called: {called.attr}()", hint, at=called.lineno + 1, code="X006"
        )
    return Faulty("only functions can be called", at=node.lineno)


def _refuse_misuse(
    table: Mapping[str, Any],
    kind: str,
    name: str,
    count: int,
    options: tuple[tuple[str, s.Syntax], ...],
    *,
    at: int,
) -> None:
    if name not in table:
        return  # told with all else that the expression reads; nothing can be computed with it
    misuse = table[name].misuse(count, tuple(option for option, _ in options))
    if misuse is not None:
        raise Faulty(
            f"{kind} {name!r}: {misuse}", f"as in: {table[name].example}", at=at, code="X005"
        )


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
        return Piece(parsed(text), at)
    except Faulty as fault:
        fault.at = at + (fault.at or 0)
        raise


# -- evaluating -------------------------------------------------------------------------------


def evaluate(value: Value, scope: Mapping[str, Any]) -> Any:
    """*value* with its templates filled in: lists and dicts of plain values."""
    if isinstance(value, Template):
        return _filled(value, scope)
    if isinstance(value, Mapping):
        return {key: evaluate(inner, scope) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [evaluate(inner, scope) for inner in value]
    return value


def _filled(template: Template, scope: Mapping[str, Any]) -> Any:
    try:
        whole = compiled(template.text)
        turn = Turn(scope, Meter(), strict=False)
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
