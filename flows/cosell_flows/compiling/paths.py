"""Read what names lead to: `steps.plan.output` is what most expressions are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import syntax as s
from .limits import Meter
from .values import Faulty, Missing, ScopeFunction, is_list, shown


@dataclass(slots=True)
class Turn:
    """One evaluation: the names it sees, and what it may still cost."""

    scope: Mapping[str, Any]
    meter: Meter
    strict: bool  # in conditions, only true and false pass for such


Compute = Callable[[Turn], Any]


def walked(node: s.Syntax) -> Compute | None:
    """A closure for what needs no evaluating below it: a name, a chain of constant keys, a constant."""
    if isinstance(node, s.Constant):
        value = node.value
        return lambda _: value
    chain = _chain(node)
    if chain is None:
        return None
    first, keys = chain
    if not keys:
        return first
    turns = len(keys) + 1

    def walk(turn: Turn) -> Any:
        turn.meter.turn(turns)
        value = first(turn)
        for key, owner, at in keys:
            if type(value) is dict and key in value:
                value = value[key]
            else:
                value = read_key(value, key, owner=owner, at=at)
                if isinstance(value, Missing):
                    return value
        return value

    return walk


_Keys = tuple[tuple[str | int, str, int], ...]  # each with the path before it, and where it stands


def _chain(node: s.Syntax) -> tuple[Compute, _Keys] | None:
    match node:
        case s.Name(name, at):
            return looked_up(name, at), ()
        case s.Read(record, s.Constant(str() | int() as key, at), _):
            before = _chain(record)
            if before is not None:
                return before[0], (*before[1], (key, path_text(record), at))
    return None


def looked_up(name: str, at: int) -> Compute:
    """A closure for a name of the scope."""

    def look_up(turn: Turn) -> Any:
        if name in turn.scope:
            value = turn.scope[name]
            if isinstance(value, ScopeFunction):  # it can be called, and nothing else
                raise Faulty(f"{name} is a function", f"call it: {name}(…)", at=at)
            return value
        return Missing(name, "", tuple(turn.scope), at=at)

    return look_up


def read_key(whole: Any, key: Any, *, owner: str, at: int = 0) -> Any:
    """`whole[key]`: a key of a record, or an item of a list; nothing else has anything to read."""
    if isinstance(whole, Missing):
        return whole
    if isinstance(whole, Mapping):
        if isinstance(key, str | int) and key in whole:
            return whole[key]
        known = tuple(str(name) for name in list(whole)[:200])
        return Missing(str(key), owner or "the record", known, at=at)
    if (
        isinstance(key, int)
        and not isinstance(key, bool)
        and (is_list(whole) or isinstance(whole, str))
    ):
        if -len(whole) <= key < len(whole):
            return whole[key]
        because = f"{owner or 'the list'} has {len(whole)} items; there is no item {key}"
        return Missing(str(key), owner, because=because, at=at)
    because = f"{owner or 'this'} is {shown(whole)}, which has no {key!r}"
    return Missing(str(key), owner, because=because, at=at)


def path_text(node: s.Syntax) -> str:
    """How a chain of reads was written: "steps.plan.output"."""
    match node:
        case s.Name(name, _):
            return name
        case s.Read(record, s.Constant(str() as key, _), _):
            before = path_text(record)
            return f"{before}.{key}" if before else ""
        case s.Read(record, s.Constant(int() as key, _), _):
            before = path_text(record)
            return f"{before}[{key}]" if before else ""
    return ""
