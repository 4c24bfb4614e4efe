"""Turn the parts of an expression into closures, once; evaluating calls them with a scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import syntax as s
from .arithmetic import calculate, contains, equal, negated, ordered
from .filters import FILTERS, FUNCTIONS, TESTS
from .guessing import no_such
from .limits import Meter, room_for, within
from .paths import Compute, Turn, looked_up, path_text, read_key, walked
from .values import Faulty, Missing, ScopeFunction, absent, is_list, kind_of, shown, text_of


def computed(node: s.Syntax) -> Compute:
    """A closure that yields the value of *node*, or a `Missing`; it says where it failed."""
    walk = walked(node)
    if walk is not None:
        return walk
    compute = _compute(node)
    at = s.start(node)
    makes = _makes(node)

    def placed(turn: Turn) -> Any:
        turn.meter.turn()
        try:
            value = compute(turn)
            if makes:
                turn.meter.made(value)
            return value
        except Faulty as fault:
            if fault.at is None:
                fault.at = at
            raise

    return placed


_PASSING_ON = frozenset(("default", "d", "first", "last", "min", "max"))


def _makes(node: s.Syntax) -> bool:
    """Whether a part of an expression makes a value, and does not only pass one on."""
    match node:
        case s.Filtered(name, _, _, _, _):
            return name not in _PASSING_ON
        case s.Arithmetic() | s.Joined() | s.Part() | s.Called() | s.ListOf() | s.RecordOf():
            return True
    return False


def settled(node: s.Syntax) -> Compute:
    """The same, but something missing is an error."""
    compute = computed(node)
    if isinstance(node, s.Constant):
        return compute

    def present(turn: Turn) -> Any:
        value = compute(turn)
        if isinstance(value, Missing):
            raise absent(value)
        return value

    return present


def _compute(node: s.Syntax) -> Compute:  # noqa: C901, PLR0912 - one line for each kind
    match node:
        case s.Constant(value, _):
            return lambda _: value
        case s.Name(name, at):
            return looked_up(name, at)
        case s.Read():
            return _read(node)
        case s.Part():
            return _part(node)
        case s.ListOf(items, _):
            parts = [settled(item) for item in items]
            return lambda turn: [part(turn) for part in parts]
        case s.RecordOf(pairs, _):
            return _record(pairs)
        case s.Arithmetic(sign, left, right, _):
            first, second = settled(left), settled(right)
            return lambda turn: calculate(sign, first(turn), second(turn))
        case s.Negative(value, _):
            inner = settled(value)
            return lambda turn: negated(inner(turn))
        case s.Joined(parts, _):
            return _joined(parts)
        case s.Compared():
            return _compared(node)
        case s.Both() | s.Either() | s.Not() | s.Choice():
            return _logic(node)
        case s.Filtered():
            return _filtered(node)
        case s.Tested():
            return _tested(node)
        case s.Called():
            return _called(node)


def _read(node: s.Read) -> Compute:
    record, key = computed(node.record), settled(node.key)
    owner = path_text(node.record)
    at = node.key.at if isinstance(node.key, s.Constant) else node.at

    def read(turn: Turn) -> Any:
        return read_key(record(turn), key(turn), owner=owner, at=at)

    return read


def _part(node: s.Part) -> Compute:
    whole = settled(node.whole)
    start = settled(node.start) if node.start else None
    stop = settled(node.stop) if node.stop else None

    def part(turn: Turn) -> Any:
        value = whole(turn)
        bounds = [bound(turn) if bound else None for bound in (start, stop)]
        if not (is_list(value) or isinstance(value, str)):
            raise Faulty(f"{shown(value)} has no parts", "[a:b] is for lists and texts")
        if not all(bound is None or type(bound) is int for bound in bounds):
            raise Faulty("a part goes from one whole number to another", "x[0:3]")
        return value[bounds[0] : bounds[1]]

    return part


def _record(pairs: tuple[tuple[s.Syntax, s.Syntax], ...]) -> Compute:
    parts = [(settled(key), settled(value)) for key, value in pairs]

    def record(turn: Turn) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in parts:
            name = key(turn)
            if not isinstance(name, str):
                raise Faulty(f"the keys of a record are texts; this one is {shown(name)}")
            made[name] = value(turn)
        return made

    return record


def _joined(parts: tuple[s.Syntax, ...]) -> Compute:
    inner = [settled(part) for part in parts]

    def joined(turn: Turn) -> str:
        texts = [text_of(part(turn)) for part in inner]
        room_for(text=sum(map(len, texts)))
        return "".join(texts)

    return joined


_ORDERS: Mapping[str, Callable[[int], bool]] = {
    "lt": lambda order: order < 0,
    "lteq": lambda order: order <= 0,
    "gt": lambda order: order > 0,
    "gteq": lambda order: order >= 0,
}


def _holds(sign: str, left: Any, right: Any, meter: Meter) -> bool:
    match sign:
        case "eq":
            return equal(left, right, meter)
        case "ne":
            return not equal(left, right, meter)
        case "in":
            return contains(right, left, meter)
        case "notin":
            return not contains(right, left, meter)
    return _ORDERS[sign](ordered(left, right))


def _compared(node: s.Compared) -> Compute:
    first = settled(node.first)
    rest = [(sign, settled(value)) for sign, value in node.rest]

    def compared(turn: Turn) -> bool:
        left = first(turn)
        for sign, value in rest:
            right = value(turn)
            if not _holds(sign, left, right, turn.meter):
                return False
            left = right
        return True

    return compared


def condition(node: s.Syntax) -> Compute:
    """A closure for what decides: true or false; within a value also blank or not, as in Jinja."""
    inner = settled(node)
    at = s.start(node)

    def decide(turn: Turn) -> bool:
        value = inner(turn)
        if isinstance(value, bool):
            return value
        if turn.strict:
            raise not_boolean(value, path_text(node) or "…", at)
        return bool(value)

    return decide


def not_boolean(value: Any, text: str, at: int) -> Faulty:
    """The error that proposes a test, because nothing is taken for true by its looks."""
    if value is None:
        test = f"{text} is not none"
    elif isinstance(value, str):
        test = (
            f"{text} | boolean"
            if value.lower() in ("yes", "no", "true", "false")
            else f"{text} != ''"
        )
    elif kind_of(value) == "a number":
        test = f"{text} != 0"
    elif is_list(value) or isinstance(value, Mapping):
        test = f"{text} | length > 0"
    else:
        test = f"{text} is defined"
    return Faulty(
        f"a condition must be true or false; this is {shown(value)}", f"write a test: {test}", at=at
    )


def _logic(node: s.Both | s.Either | s.Not | s.Choice) -> Compute:
    match node:
        case s.Both(left, right, _):
            return _joined_by(left, right, stop_at=False)
        case s.Either(left, right, _):
            return _joined_by(left, right, stop_at=True)
        case s.Not(value, _):
            inner = condition(value)
            return lambda turn: not inner(turn)
        case s.Choice(test, then, otherwise, at):
            decide, yes = condition(test), computed(then)
            no: Compute = computed(otherwise) if otherwise else lambda _: _no_else(at)
            return lambda turn: yes(turn) if decide(turn) else no(turn)


def _joined_by(left: s.Syntax, right: s.Syntax, *, stop_at: bool) -> Compute:
    """`and`, `or`: in a condition of booleans alone; within a value they choose, as in Jinja."""
    one, other = condition(left), condition(right)
    first, second = settled(left), settled(right)

    def joined(turn: Turn) -> Any:
        if turn.strict:
            return stop_at if one(turn) is stop_at else other(turn)
        value = first(turn)
        return value if bool(value) is stop_at else second(turn)

    return joined


def _no_else(at: int) -> Missing:
    return Missing("else", "", because="the `if` did not hold and there is no `else`", at=at)


def _defaulted(node: s.Filtered) -> Compute:
    """`a | default(b, blank)`: b is looked at only when needed, and may be missing in turn."""
    entry, value = FILTERS[node.name], computed(node.value)
    options = dict(node.options)
    fallback = computed(node.arguments[0] if node.arguments else options["fallback"])
    rest = [*node.arguments[1:], *(option for name, option in node.options if name == "blank")]
    blank = settled(rest[0]) if rest else None

    def defaulted(turn: Turn) -> Any:
        first = value(turn)
        chosen = entry.call(turn.meter, first, _UNUSED, blank(turn) if blank else False)
        return fallback(turn) if chosen is _UNUSED else first

    return defaulted


_UNUSED = object()


def _filtered(node: s.Filtered) -> Compute:
    if node.name in ("default", "d"):
        return _defaulted(node)
    if node.name not in FILTERS:
        raise no_such("filter", node.name, node.at)
    entry = FILTERS[node.name]
    value = computed(node.value) if entry.takes_missing else settled(node.value)
    arguments = [settled(argument) for argument in node.arguments]
    options = [(name, settled(option)) for name, option in node.options]

    def filtered(turn: Turn) -> Any:
        given = [argument(turn) for argument in arguments]
        named = {name: option(turn) for name, option in options}
        return _placed(within(entry.call(turn.meter, value(turn), *given, **named)), node.at)

    return filtered


def _placed(value: Any, at: int) -> Any:
    if isinstance(value, Missing) and not value.at:
        return Missing(value.name, value.owner, value.known, value.because, at)
    return value


def _tested(node: s.Tested) -> Compute:
    if node.name not in TESTS:
        raise no_such("test", node.name, node.at)
    entry = TESTS[node.name]
    value = computed(node.value) if entry.takes_missing else settled(node.value)
    arguments = [settled(argument) for argument in node.arguments]
    return lambda turn: entry.call(turn.meter, value(turn), *(one(turn) for one in arguments))


def _called(node: s.Called) -> Compute:
    arguments = [settled(argument) for argument in node.arguments]
    options = [(name, settled(option)) for name, option in node.options]
    known = FUNCTIONS.get(node.name)

    def called(turn: Turn) -> Any:
        given = [argument(turn) for argument in arguments]
        named = {name: option(turn) for name, option in options}
        offered = turn.scope.get(node.name)
        if isinstance(offered, ScopeFunction):
            return within(_ask(offered, node.name, given, named))
        if known is None or known.from_scope:
            names = sorted(name for name, it in turn.scope.items() if isinstance(it, ScopeFunction))
            there = [*names, *(name for name, it in FUNCTIONS.items() if not it.from_scope)]
            raise Faulty(
                f"there is no function {node.name!r} here", f"there are: {', '.join(there)}"
            )
        return within(known.call(turn.meter, *given, **named))

    return called


def _ask(function: ScopeFunction, name: str, given: list[Any], named: dict[str, Any]) -> Any:
    try:
        return function.call(*given, **named)
    except TypeError as error:
        raise Faulty(f"{name}: {error}") from error
