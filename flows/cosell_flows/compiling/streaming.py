"""Find the lists that need never be held whole: a loop walks through them, and nobody else reads them.

`foreach: steps.changed.output.referrals` is such a list, where `changed` reads it page by page, and
so are `… | batch(200)`, `… | default([])` and the sum of several. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from cosell_definitions.model import Action, Bare, Flow, ForEach, Retry, Step, Template
from cosell_definitions.problems import Place

from . import syntax as s
from .computing import settled
from .expressions import compiled
from .failing import failed
from .limits import Meter, within
from .paths import Turn
from .referring import Path, path_of, references
from .steps_within import inner_steps
from .values import Faulty

_OUTPUT: Path = ("steps", "…", "output", "…")
_UNREAD = frozenset({"argument_nodes", "input_nodes", "triggers"})  # no steps are read there


@dataclass(frozen=True, slots=True)
class Walked:
    """What a loop walks through: one list after the other, in portions of `size` or one by one."""

    parts: tuple[s.Syntax, ...]
    size: int | None

    def paths(self) -> Iterator[Path]:
        """The lists among them that a step gave out."""
        return (path for path in map(output_of, self.parts) if path is not None)


@dataclass(frozen=True, slots=True)
class Streamed:
    """An action whose lists, by the names of its outputs, are for loops alone."""

    outputs: frozenset[str]
    retry: Retry | None  # what is done where a later page cannot be read


def walked(items: Bare) -> Walked:
    """What a `foreach` walks through."""
    syntax = compiled(items.text, bare=True).pieces[0].syntax
    match syntax:
        case s.Filtered("batch", value, (s.Constant(int() as size, _),), (), _) if size > 0:
            return Walked(tuple(_summands(value)), size)
    return Walked(tuple(_summands(syntax)), None)


def _summands(node: s.Syntax) -> Iterator[s.Syntax]:
    match node:
        case s.Arithmetic("+", left, right, _):
            yield from _summands(left)
            yield from _summands(right)
        case _:
            yield node


def output_of(part: s.Syntax) -> Path | None:
    """The path of a list that a step gave out: `steps.x.output.rows`, with `default([])` or not."""
    match part:
        case s.Filtered("default" | "d", value, (s.ListOf((), _), *_), _, _):
            part = value
    path = tuple(name for name, _ in path_of(part) or ())
    is_output = len(path) == len(_OUTPUT) and (path[0], path[2]) == (_OUTPUT[0], _OUTPUT[2])
    return path if is_output else None


def evaluate_part(part: s.Syntax, items: Bare, scope: Mapping[str, Any]) -> Any:
    """The value of one part of what a loop walks through; raises ExpressionFailed."""
    try:
        return within(settled(part)(Turn(scope, Meter(), strict=True)))
    except Faulty as fault:
        raise failed(fault, items) from fault


def streamed(flow: Flow) -> dict[Place, Streamed]:
    """The actions of a flow of which a list goes into one loop and nowhere else, by their place."""
    walks: dict[tuple[str, str], int] = {}
    read: set[Path] = set()
    for value, is_walked in _read_values(flow):
        try:
            known = [one.path for one in references(value)]
            taken = list(walked(value).paths()) if is_walked and isinstance(value, Bare) else []
        except Faulty:
            continue  # said elsewhere; such a flow does not run
        for path in taken:
            walks[path[1], path[3]] = walks.get((path[1], path[3]), 0) + 1
            if path in known:
                known.remove(path)
        read.update(known)
    found: dict[Place, Streamed] = {}
    for step in _every_step(flow.steps):
        if not isinstance(step.do, Action):
            continue
        lists = {name for (owner, name), times in walks.items() if owner == step.id and times == 1}
        alone = frozenset(name for name in lists if not _is_read(read, step.id, name))
        if alone:
            found[step.do.place] = Streamed(alone, step.retry or flow.default_retry)
    return found


def _is_read(read: Iterable[Path], step: str, name: str) -> bool:
    """Whether an expression reads a list, or anything that it is a part of."""
    path = ("steps", step, "output", name)
    return any(path[: len(one)] == one or one[: len(path)] == path for one in read)


def _every_step(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        for inner in inner_steps(step):
            yield from _every_step(inner)


def _read_values(node: object) -> Iterator[tuple[Template | Bare, bool]]:
    """Every text of a flow with expressions in it, and whether a loop walks through its value."""
    match node:
        case Template() | Bare():
            yield node, False
        case ForEach():
            yield node.items, True
            for name in ("key", "steps", "result"):
                yield from _read_values(getattr(node, name))
        case Mapping():
            for value in node.values():
                yield from _read_values(value)
        case tuple() | list():
            for value in node:
                yield from _read_values(value)
        case _ if is_dataclass(node):
            for one in fields(node):
                if one.name not in _UNREAD:
                    yield from _read_values(getattr(node, one.name))
