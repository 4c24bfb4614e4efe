"""Which steps and flows lie inside of others. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cosell_definitions.model import (
    Approve,
    CallFlow,
    Flow,
    ForEach,
    If,
    Parallel,
    Scope,
    Step,
    Switch,
    Until,
)

from ..compiling.steps_within import inner_steps


def ids_inside(step: Step) -> list[str]:
    """The steps inside a step that share its place: all but those of loops' items."""
    match step.do:
        case If(then=then, otherwise=otherwise):
            inner = (*then, *otherwise)
        case Switch(cases=cases, default=default):
            inner = (*(one for case in cases for one in case.steps), *(default or ()))
        case Until(steps=inner) | Scope(steps=inner):
            pass
        case Parallel(branches=branches):
            inner = tuple(one for steps in branches.values() for one in steps)
        case _:
            inner = ()
    if step.on_error is not None:
        inner = (*inner, *step.on_error.steps)
    inner = (*inner, *step.finally_)
    return [name for one in inner for name in (one.id, *ids_inside(one))]


def asks(flow: Flow) -> bool:
    """Whether a flow has an `approve` step anywhere."""
    return any(isinstance(step.do, Approve) for step in every_step(flow))


def flows_called(flow: Flow, known: Mapping[str, Flow]) -> list[Flow]:
    """The flow, and all that it calls or those call."""
    found = {flow.id: flow}
    waiting = [flow]
    while waiting:
        for step in every_step(waiting.pop()):
            called = known.get(step.do.flow) if isinstance(step.do, CallFlow) else None
            if called is not None and called.id not in found:
                found[called.id] = called
                waiting.append(called)
    return list(found.values())


def leads_to_records(loop: ForEach) -> bool:
    """Whether the items are not the records, but only the way to them: portions of a list.

    The records are those of the loop with a `key` inside.
    """
    return loop.key is None and any(
        isinstance(step.do, ForEach) and step.do.key is not None for step in _all_of([loop.steps])
    )


def every_step(flow: Flow) -> Iterator[Step]:
    """All steps of a flow, at any depth."""
    return _all_of([flow.steps])


def _all_of(lists: list[tuple[Step, ...]]) -> Iterator[Step]:
    while lists:
        for step in lists.pop():
            yield step
            lists += inner_steps(step)
