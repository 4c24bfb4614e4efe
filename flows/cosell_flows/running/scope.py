"""What an expression may see while a flow runs: inputs, env, steps, the loop's names, the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(slots=True)
class Told:
    """What is known of the steps of one place in a flow; survives a run that waits for a person.

    `ended`, `marks` and `inner` are kept only in runs that may have to wait: which steps are over,
    what was decided on the way into those that are not, and the places inside of them.
    """

    outcomes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    marks: dict[str, dict[str, Any]] = field(default_factory=dict)
    inner: dict[str, dict[str, Told]] = field(default_factory=dict)

    def place(self, step: str, turn: str) -> Told:
        """What is known of a place inside *step*: an item of a loop, a flow that is called."""
        return self.inner.setdefault(step, {}).setdefault(turn, Told())

    def mark(self, step: str) -> dict[str, Any]:
        """What was decided on the way into *step*."""
        return self.marks.setdefault(step, {})

    def forget(self, step: str) -> None:
        """What lies inside *step* is of no interest any more, or begins anew."""
        self.ended.discard(step)
        self.marks.pop(step, None)
        self.inner.pop(step, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The names of one place in a flow. Inner frames see the outer ones; not the other way round."""

    names: Mapping[str, Any]  # inputs, env, run, functions that reach the world, items of loops
    outer: Mapping[str, Any] = field(default_factory=dict)  # steps of the places around this one
    told: Told = field(default_factory=Told)
    path: str = ""  # tells this place from all others of the run: "each[3]/"
    recorded: bool = True  # whether its steps are entries of the run, or hidden in that of a loop

    def scope(self) -> dict[str, Any]:
        """The frame as an expression sees it."""
        return {**self.names, "steps": {**self.outer, **self.told.outcomes}}

    def around(self) -> Frame:
        """What the turns of a loop here will see of the steps before it."""
        outer = {**self.outer, **self.told.outcomes}
        return replace(self, outer=outer, told=Told(), recorded=False)

    def for_item(self, names: Mapping[str, Any], told: Told, path: str) -> Frame:
        """A frame for one turn of a loop: its steps are its own."""
        return Frame(
            names={**self.names, **names}, outer=self.outer, told=told, path=path, recorded=False
        )

    def with_names(self, **names: Any) -> Frame:
        """The same frame with further names, as `error` in `on_error`."""
        return replace(self, names={**self.names, **names})

    def unrecorded(self) -> Frame:
        """The same frame, whose steps make no entries of their own."""
        return replace(self, recorded=False)

    def tell(self, step: str, outcome: Mapping[str, Any]) -> None:
        """Let later steps read how *step* went."""
        self.told.outcomes[step] = outcome
