"""What an expression may see while a flow runs: inputs, env, steps, the loop's names, the run."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The names of one place in a flow. Inner frames see the outer ones; not the other way round."""

    fixed: Mapping[str, Any]  # inputs, env, run, and the functions that reach the world
    steps: ChainMap[str, Any] = field(default_factory=ChainMap)
    names: Mapping[str, Any] = field(default_factory=dict)

    def scope(self) -> dict[str, Any]:
        """The frame as an expression sees it."""
        return {**self.fixed, **self.names, "steps": dict(self.steps)}

    def for_item(self, names: Mapping[str, Any]) -> Frame:
        """A frame for one turn of a loop: its steps are its own."""
        return replace(self, steps=self.steps.new_child(), names={**self.names, **names})

    def with_names(self, **names: Any) -> Frame:
        """The same frame with further names, as `error` in `on_error`."""
        return replace(self, names={**self.names, **names})

    def tell(self, step: str, outcome: Mapping[str, Any]) -> None:
        """Let later steps read how *step* went."""
        self.steps[step] = outcome
