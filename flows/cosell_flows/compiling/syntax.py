"""What an expression is made of, as frozen values; `at` is the offset in its text."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal as OneOf

from cosell_definitions.freezing import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text, true, false or null as written."""

    value: bool | int | Decimal | str | None
    at: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the scope."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Read:
    """`x.y` or `x['y']`, which mean the same; `x[i]` where the key is computed."""

    record: Syntax
    key: Syntax
    at: int


@dataclass(frozen=True, slots=True)
class Part:
    """`x[a:b]`: a part of a list or text."""

    whole: Syntax
    start: Syntax | None
    stop: Syntax | None
    at: int


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    items: tuple[Syntax, ...]
    at: int


@dataclass(frozen=True, slots=True)
class RecordOf:
    """`{'a': b}`."""

    pairs: tuple[tuple[Syntax, Syntax], ...]
    at: int


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`a + b` and its kin."""

    sign: OneOf["+", "-", "*", "/", "//", "%", "**"]
    left: Syntax
    right: Syntax
    at: int


@dataclass(frozen=True, slots=True)
class Negative:
    """`-a`."""

    value: Syntax
    at: int


@dataclass(frozen=True, slots=True)
class Joined:
    """`a ~ b`: as text, one after the other."""

    parts: tuple[Syntax, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Compared:
    """`a < b <= c`."""

    first: Syntax
    rest: tuple[tuple[str, Syntax], ...]
    at: int


@dataclass(frozen=True, slots=True)
class Both:
    """`a and b`."""

    left: Syntax
    right: Syntax
    at: int


@dataclass(frozen=True, slots=True)
class Either:
    """`a or b`."""

    left: Syntax
    right: Syntax
    at: int


@dataclass(frozen=True, slots=True)
class Not:
    """`not a`."""

    value: Syntax
    at: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`a if c else b`."""

    condition: Syntax
    then: Syntax
    otherwise: Syntax | None
    at: int


@dataclass(frozen=True, slots=True)
class Filtered:
    """`a | name(b, c=d)`."""

    name: str
    value: Syntax
    arguments: tuple[Syntax, ...]
    options: tuple[tuple[str, Syntax], ...]
    at: int


@dataclass(frozen=True, slots=True)
class Tested:
    """`a is name(b)`."""

    name: str
    value: Syntax
    arguments: tuple[Syntax, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Called:
    """`name(b, c=d)`."""

    name: str
    arguments: tuple[Syntax, ...]
    options: tuple[tuple[str, Syntax], ...]
    at: int


Syntax = (
    Constant
    | Name
    | Read
    | Part
    | ListOf
    | RecordOf
    | Arithmetic
    | Negative
    | Joined
    | Compared
    | Both
    | Either
    | Not
    | Choice
    | Filtered
    | Tested
    | Called
)


def children(node: Syntax) -> tuple[Syntax, ...]:  # noqa: C901, PLR0912 - a line for each kind
    """What a node is made of, in the order it is written."""
    match node:
        case Constant() | Name():
            return ()
        case Read(record, key, _):
            return record, key
        case Part(whole, start, stop, _):
            return tuple(part for part in (whole, start, stop) if part is not None)
        case ListOf(items, _):
            return items
        case RecordOf(pairs, _):
            return tuple(side for pair in pairs for side in pair)
        case Arithmetic(_, left, right, _) | Both(left, right, _) | Either(left, right, _):
            return left, right
        case Negative(value, _) | Not(value, _):
            return (value,)
        case Joined(parts, _):
            return parts
        case Compared(first, rest, _):
            return first, *(value for _, value in rest)
        case Choice(condition, then, otherwise, _):
            return (condition, then) if otherwise is None else (condition, then, otherwise)
        case Filtered(_, value, arguments, options, _):
            return value, *arguments, *(option for _, option in options)
        case Tested(_, value, arguments, _):
            return value, *arguments
        case Called(_, arguments, options, _):
            return *arguments, *(option for _, option in options)


def start(node: Syntax) -> int:
    """Where a node begins in its text: `at` is where its own sign stands, say the dot of `x.y`."""
    match node:
        case Constant() | Name() | ListOf() | RecordOf() | Negative() | Not() | Called():
            return node.at
        case _:
            return min((node.at, *map(start, children(node)[:1])))


def end(node: Syntax) -> int | None:
    """Where a node ends, where that is easily told: a name, a chain of names, a text, a sign."""
    match node:
        case Name(name, at):
            return at + len(name)
        case Constant(str() as text, at):
            return at + len(text) + 2
        case Constant(int() as number, at) if not isinstance(number, bool):
            return at + len(str(number))
        case Read(_, Constant(str() as key, at), _):
            return at + len(key)
        case Arithmetic(_, _, right, _):
            return end(right)
        case Compared(_, rest, _):
            return end(rest[-1][1])
    return None


def depth(node: Syntax) -> int:
    """How deeply the parts of a node are nested; without recursion, which deep ones would exhaust."""
    deepest, waiting = 0, [(node, 1)]
    while waiting:
        inner, level = waiting.pop()
        deepest = max(deepest, level)
        waiting += [(child, level + 1) for child in children(inner)]
    return deepest
