"""$filter: read an OData expression and ask it of a referral.

https://learn.microsoft.com/en-us/partner-center/developer/get-a-list-of-referrals
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cosell_emulators.partner_center import moments
from cosell_emulators.partner_center.problems import ReferralRefusal, invalid
from cosell_emulators.partner_center.shapes import (
    REFERRAL,
    Amount,
    Flag,
    Guid,
    Many,
    Moment,
    Shape,
    Thing,
    is_guid,
)

Test = Callable[[Mapping[str, Any]], bool]
Read = Callable[[Mapping[str, Any]], Any]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | (?P<moment>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)?)
      | (?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})
      | (?P<number>-?\d+(?:\.\d+)?)(?![\w-])
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign>[()/:])
    )""",
    re.VERBOSE,
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Filter:
    """An expression, ready to be asked; *engagement* when that alone is what it asks for."""

    matches: Test
    engagement: str | None = None


@dataclass(frozen=True, slots=True)
class _Field:
    read: Read
    shape: Shape


@dataclass(frozen=True, slots=True)
class _Literal:
    value: Any


def read(text: str) -> Filter:
    """Read an expression; refuse what the grammar or the shape of a referral does not know."""
    tokens = _tokens(text)
    parser = _Parser(tokens)
    test = parser.whole()
    names = [token.text for token in tokens]
    lone = names[:2] == ["engagementId", "eq"] and not names[3:]
    return Filter(test, names[2].strip("'") if lone else None)


def _tokens(text: str) -> list[Token]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _unsound(f"There is a syntax error at position {at}.")
        tokens.append(Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


class _Parser:
    """Turns tokens into one test, by recursive descent: or, and, not, comparison."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._variables: dict[str, Shape] = {}

    def whole(self) -> Test:
        test = self._or()
        if self._at < len(self._tokens):
            raise _unsound(f"{self._tokens[self._at].text!r} is not expected there.")
        return test

    def _or(self) -> Test:
        tests = [self._and()]
        while self._word("or"):
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else lambda item: any(test(item) for test in tests)

    def _and(self) -> Test:
        tests = [self._not()]
        while self._word("and"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda item: all(test(item) for test in tests)

    def _not(self) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _unsound("The expression is nested too deeply.")
        try:
            if self._word("not"):
                test = self._not()
                return lambda item: not test(item)
            if self._sign("("):
                inside = self._or()
                self._expect(")")
                return inside
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Test:
        left = self._operand()
        if callable(left):
            return left
        token = self._next("name")
        compare = _COMPARE.get(token.text)
        if compare is None:
            raise _unsound(f"The operator {token.text!r} is not supported.")
        right = self._operand()
        if callable(right):
            raise _unsound("any cannot be compared.")
        return _compared(left, right, compare, equality=token.text in ("eq", "ne"))

    def _operand(self) -> "_Field | _Literal | Test":
        token = self._next()
        match token.kind:
            case "text":
                return _Literal(token.text[1:-1].replace("''", "'"))
            case "number":
                return _Literal(Decimal(token.text))
            case "guid" | "moment":
                return _Literal(token.text)
            case "name" if token.text in ("true", "false", "null"):
                return _Literal({"true": True, "false": False, "null": None}[token.text])
            case "name":
                return self._path(token.text)
        raise _unsound(f"{token.text!r} is not expected there.")

    def _path(self, first: str) -> "_Field | Test":
        shape: Shape | None = self._variables.get(first)
        names: list[str] = []
        variable = first if shape is not None else None
        if shape is None:
            shape = self._into(REFERRAL, first, names)
        while self._sign("/"):
            name = self._next("name").text
            if isinstance(shape, Many) and name in ("any", "all"):
                return self._quantified(_reader(variable, names), shape.item, name)
            shape = self._into(shape, name, names)
        return _Field(_reader(variable, names), shape)

    def _into(self, shape: Shape, name: str, names: list[str]) -> Shape:
        fields = shape.fields if isinstance(shape, Thing) else {}
        for known, inner in fields.items():
            if known.lower() == name.lower():
                names.append(known)
                return inner
        raise _unsound(f"There is no property {name!r} on a referral.")

    def _quantified(self, listed: Read, item: Shape, word: str) -> Test:
        self._expect("(")
        if word == "any" and self._sign(")"):
            return lambda outer: bool(listed(outer))
        variable = self._next("name").text
        self._expect(":")
        self._variables[variable] = item
        test = self._or()
        del self._variables[variable]
        self._expect(")")
        quantify = any if word == "any" else all
        return lambda outer: quantify(
            test({**outer, f":{variable}": one}) for one in listed(outer) or ()
        )

    def _next(self, kind: str | None = None) -> Token:
        if self._at >= len(self._tokens):
            raise _unsound("The expression ends too early.")
        token = self._tokens[self._at]
        if kind is not None and token.kind != kind:
            raise _unsound(f"{token.text!r} is not expected there.")
        self._at += 1
        return token

    def _peek(self, kind: str, text: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == Token(kind, text)

    def _word(self, text: str) -> bool:
        found = self._peek("name", text)
        self._at += found
        return found

    def _sign(self, text: str) -> bool:
        found = self._peek("sign", text)
        self._at += found
        return found

    def _expect(self, text: str) -> None:
        if not self._sign(text):
            raise _unsound(f"A {text!r} is missing.")


def _reader(variable: str | None, names: list[str]) -> Read:
    path = ([f":{variable}"] if variable is not None else []) + names

    def look(item: Mapping[str, Any]) -> Any:
        value: Any = item
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    return look


def _compared(
    left: _Field | _Literal,
    right: _Field | _Literal,
    compare: Callable[[Any, Any], bool],
    *,
    equality: bool,
) -> Test:
    shape = next((side.shape for side in (left, right) if isinstance(side, _Field)), None)
    if shape is None or isinstance(shape, Thing | Many):
        raise _unsound("A comparison needs a property that holds one value.")
    comparable = _comparable(shape)
    for side in (left, right):
        if isinstance(side, _Literal):
            comparable(side.value)  # refuse now what could never be compared
    first, second = _side(left), _side(right)

    def test(item: Mapping[str, Any]) -> bool:
        one, other = comparable(first(item)), comparable(second(item))
        if one is None or other is None:
            return equality and compare(one, other)
        return compare(one, other)

    return test


def _side(side: _Field | _Literal) -> Read:
    return (lambda _: side.value) if isinstance(side, _Literal) else side.read


def _comparable(shape: Shape) -> Callable[[Any], Any]:
    match shape:
        case Moment():
            return _as_moment
        case Amount():
            return _as_number
        case Guid():
            return _as_guid
        case Flag():
            return _as_flag
        case _:
            return _as_text


def _as_moment(value: Any) -> Any:
    try:
        return None if value is None else moments.read(value)
    except (TypeError, ValueError) as error:
        raise _unsound(f"{value} is not a moment.") from error


def _as_number(value: Any) -> Any:
    if value is not None and (isinstance(value, bool) or not isinstance(value, Decimal | int)):
        raise _unsound(f"{value} is not a number.")
    return value


def _as_guid(value: Any) -> Any:
    # Documents quote identifiers, observed links do not; both are read.
    if value is not None and not is_guid(value):
        raise _unsound(f"{value} is not a GUID.")
    return value and value.lower()


def _as_flag(value: Any) -> Any:
    if value is not None and not isinstance(value, bool):
        raise _unsound(f"{value} is not true or false.")
    return value


def _as_text(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise _unsound(f"{value} is not text.")
    return value


def _unsound(message: str) -> ReferralRefusal:
    return invalid(f"The query is not valid. {message}", target="$filter", inner="InvalidQuery")
