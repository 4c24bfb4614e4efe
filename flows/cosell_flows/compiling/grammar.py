"""Read expressions: Jinja2 knows the grammar, and what is allowed of it is decided here.

Apart from what uses them: a check that has seen every expression before needs no grammar.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import jinja2
from jinja2 import nodes as j
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser

from cosell_definitions.problems import did_you_mean

from . import syntax as s
from .failing import leftover, refuse_guess, slip
from .filters import FILTERS, FUNCTIONS, TESTS
from .guessing import METHODS
from .paths import path_text
from .values import MAX_DIGITS, Faulty

MAX_LENGTH = 10_000
MAX_DEPTH = 100


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
