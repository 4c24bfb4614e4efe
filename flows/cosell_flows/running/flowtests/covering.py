"""Count what tests reached: both ways of every branch, every row of a mapping, every error. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from cosell_definitions.model import ERROR_CLASSES, Action, Case, Flow, ForEach, If, Step, Switch
from cosell_definitions.model_mappings import MapField, MappingFile
from cosell_definitions.problems import Place

from ...compiling.steps_within import steps_within
from .watching import Trace

Kind = Literal["branches", "errors", "rows"]
Carried = tuple[str, int, str]
"""A row that carried a value: its file, its line, and the direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something a test can reach. `of`: the flow or mapping it belongs to."""

    kind: Kind
    of: str
    name: str  # the step, or the row
    way: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """All targets, and those that were reached."""

    targets: tuple[Target, ...]
    reached: frozenset[Target]

    def of(self, kind: Kind, of: str | None = None) -> tuple[int, int]:
        """How many targets of a kind were reached, and how many there are."""
        found = [one for one in self.targets if one.kind == kind and (of is None or one.of == of)]
        return sum(one in self.reached for one in found), len(found)

    def missing(self) -> list[Target]:
        """What no test reached, in the order of the files."""
        return [one for one in self.targets if one not in self.reached]


def cover(
    flows: Iterable[Flow],
    mappings: Iterable[MappingFile],
    traces: Iterable[Trace],
    carried: Iterable[Carried],
) -> Coverage:
    """What the runs behind *traces* reached of *flows*, and what they *carried* by *mappings*."""
    ways = {way for trace in traces for way in trace.ways}
    rows = set(carried)
    targets: list[Target] = []
    reached: set[Target] = set()
    for flow in flows:
        for target, going in _of_flow(flow):
            targets.append(target)
            if any((flow.id, step, way) in ways for step, way in going):
                reached.add(target)
    for mapping in mappings:
        for target in _of_mapping(mapping):
            targets.append(target)
            if (target.place.file, target.place.line, target.way) in rows:
                reached.add(target)
    return Coverage(targets=tuple(targets), reached=frozenset(reached))


Going = list[tuple[str, str]]
"""Steps and ways, any of which reaches a target."""


def _of_flow(flow: Flow) -> Iterator[tuple[Target, Going]]:
    steps = list(steps_within(flow.steps))
    for step in steps:
        for way, words in _ways(step, flow):
            yield _target(flow, step, "branches", words, step.place), [(step.id, way)]
        if step.retry is not None:
            for name in step.retry.on:
                yield (
                    _target(flow, step, "errors", f"retry on {name}", step.place),
                    [(step.id, f"retried {name}")],
                )
        if step.on_error is not None:
            caught: Going = [(step.id, f"caught {name}") for name in ERROR_CLASSES]
            yield _target(flow, step, "errors", "on_error", step.place), caught
    if flow.default_retry is None:
        return
    plain = [one for one in steps if isinstance(one.do, Action) and one.retry is None]
    place = flow.places.get(("defaults", "retry"), flow.place)
    for name in flow.default_retry.on if plain else ():
        going: Going = [(one.id, f"retried {name}") for one in plain]
        yield (
            Target(
                kind="errors",
                of=flow.id,
                name="defaults",
                way=f"retry on {name}",
                place=place,
            ),
            going,
        )


def _target(flow: Flow, step: Step, kind: Kind, way: str, place: Place) -> Target:
    return Target(kind=kind, of=flow.id, name=step.id, way=way, place=place)


def _ways(step: Step, flow: Flow) -> Iterator[tuple[str, str]]:
    """The ways a step may go, as they are watched and in words."""
    if step.when is not None:
        yield "when yes", "`when` holds"
        yield "when no", "`when` does not hold"
    match step.do:
        case If():
            yield "then", "then"
            yield "else", "else"
        case Switch(subject=subject, cases=cases, default=default):
            for number, case in enumerate(cases, start=1):
                words = " or ".join(str(value) for value in case.values)
                yield f"case {number}", f"case {words}"
            if default is not None:
                yield "default", "default"
            elif not _every_case(subject.text, cases, flow):
                yield "no case", "no case fits"
        case ForEach():
            yield "items", "a list with items"
            yield "no items", "an empty list"


def _every_case(subject: str, cases: Iterable[Case], flow: Flow) -> bool:
    """Whether a switch over an input has a case for every value that the input may have."""
    values = [value for case in cases for value in case.values]
    inputs = {f"inputs.{one.name}": one.schema.enum for one in flow.inputs}
    known = inputs.get(subject.strip(), ())
    return bool(known) and all(value in values for value in known)


def _of_mapping(mapping: MappingFile) -> Iterator[Target]:
    for row in mapping.fields:
        for way in directions(row):
            yield Target(kind="rows", of=mapping.id, name=row.id, way=way, place=row.place)


def directions(row: MapField) -> tuple[str, ...]:
    """The directions in which a row may carry a value."""
    if row.value is not None or not row.left:
        return ("left_to_right",)
    if not row.right:
        return ("right_to_left",)
    both = ("left_to_right", "right_to_left")
    return both if row.direction == "both" else (row.direction,)


def direction_of(mapping: MappingFile, *, system: str, kind: str) -> str:
    """Which way a value travels that is written to a *kind* of record of *system*."""
    left = mapping.left
    to_left = system == left.connection and (
        kind == left.object or mapping.right.connection != system
    )
    return "right_to_left" if to_left else "left_to_right"


def summary(coverage: Coverage) -> Mapping[str, Mapping[str, int]]:
    """The counts of every kind."""
    kinds: tuple[Kind, ...] = ("branches", "rows", "errors")
    return {kind: counted(*coverage.of(kind)) for kind in kinds}


def counted(covered: int, total: int) -> dict[str, int]:
    """A count and its share in hundred; of nothing, all is covered."""
    return {
        "covered": covered,
        "total": total,
        "percent": 100 * covered // total if total else 100,
    }
