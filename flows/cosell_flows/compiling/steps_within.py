"""Know what steps a step is made of, and whether anything comes after it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cosell_definitions.model import ForEach, If, Parallel, Scope, Step, Stop, Switch, Until


def steps_within(steps: Iterable[Step]) -> Iterator[Step]:
    """Every step, the inner ones too, in the order of the file."""
    for step in steps:
        yield step
        for inner in inner_steps(step):
            yield from steps_within(inner)


def inner_steps(step: Step) -> list[tuple[Step, ...]]:
    """The lists of steps inside a step."""
    lists: list[tuple[Step, ...]] = []
    match step.do:
        case If(then=then, otherwise=otherwise):
            lists += [then, otherwise]
        case Switch(cases=cases, default=default):
            lists += [*(case.steps for case in cases), default or ()]
        case ForEach(steps=steps) | Until(steps=steps) | Scope(steps=steps):
            lists.append(steps)
        case Parallel(branches=branches):
            lists += list(branches.values())
    if step.on_error is not None:
        lists.append(step.on_error.steps)
    lists.append(step.finally_)
    return lists


def ends(step: Step) -> bool:
    """Whether a step always ends what it stands in, so that nothing behind it is run."""
    if step.when is not None:
        return False
    match step.do:
        case Stop():
            return True
        case Scope(steps=steps, guessed=False):
            return step.on_error is None and any(ends(inner) for inner in steps)
        case If(then=then, otherwise=otherwise):
            return any(map(ends, then)) and any(map(ends, otherwise))
    return False
