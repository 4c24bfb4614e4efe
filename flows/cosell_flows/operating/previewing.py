"""What another value of a variable would change: the flows that read it, rehearsed with both values.

Nothing is written on either side, nor in the ledger. Lists are read from their beginning, so that
records which a change brings into scope are found, however long ago they last changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cosell_definitions.model import Flow
from cosell_env.resolving import Environment

from ..running.engine import Engine
from ..running.outcomes import RunResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How a run of one flow would go with the value there is, and with the other one."""

    flow: str
    now: RunResult
    then: RunResult

    @property
    def in_scope(self) -> tuple[int, int]:
        """How many records the flow deals with: those it neither leaves out nor fails."""
        return _dealt_with(self.now), _dealt_with(self.then)

    @property
    def fields(self) -> tuple[int, int]:
        """How many fields it would write, our own audit lines left out."""
        return _written(self.now), _written(self.then)


def flows_that_read(engine: Engine, variable: str) -> list[Flow]:
    """The flows that start by themselves and read a variable: they, or what they call or map by."""
    return [
        flow
        for flow in engine.project.flows.values()
        if any(trigger.type != "manual" for trigger in flow.triggers)
        and variable in engine.used(flow.id).variables
    ]


async def preview(engine: Engine, other: Environment, flow: Flow) -> Preview:
    """Rehearse *flow* in the engine's environment and in the *other* one."""
    then = replace(engine, environment=other)
    return Preview(
        flow=flow.id,
        now=(await engine.rehearse(flow.id, {}, cursors={})).result,
        then=(await then.rehearse(flow.id, {}, cursors={})).result,
    )


def _dealt_with(result: RunResult) -> int:
    return sum(result.counts.get(name, 0) for name in ("created", "updated", "unchanged"))


def _written(result: RunResult) -> int:
    fields: list[Mapping[str, Any]] = [
        one for write in result.writes for one in write["fields"] if not one["own"]
    ]
    return len(fields)
