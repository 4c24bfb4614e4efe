"""What is kept of a run that waits for a person, in a shape the ledger can keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .outcomes import StepFailed, StepRecord
from .scope import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Enough to walk the same way again, and to pass by what was over."""

    told: Told
    began: datetime
    definitions: Mapping[str, str]  # the flow and those it calls, with the hash of each file
    steps: Mapping[str, StepRecord] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    writes: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    partial: bool = False
    released: bool = False  # whether it was let through the brakes

    @classmethod
    def nothing(cls, began: datetime) -> Aside:
        """Of a run that did not wait before."""
        return cls(told=Told(), began=began, definitions={})

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Aside:
        """What `as_json` made."""
        return cls(
            told=_told_from(kept["told"]),
            began=kept["began"],
            definitions=kept["definitions"],
            steps={one["id"]: StepRecord(**one) for one in kept["steps"]},
            counts=kept["counts"],
            writes=kept["writes"],
            records=kept["records"],
            partial=kept["partial"],
            released=kept["released"],
        )

    def refuse_changed(self, now: Mapping[str, str]) -> None:
        """Raise StepFailed where a flow is not any more what it was when the run was put aside."""
        changed = [name for name in now if self.definitions.get(name) != now[name]]
        if changed:
            raise StepFailed(
                "conflict",
                f"{', '.join(changed)} was changed while the run waited for an answer, so the run "
                "cannot go on where it was",
                hint="start the flow anew",
            )

    def as_json(self) -> dict[str, Any]:
        """All of it as mappings and lists."""
        return {
            "told": _told_shown(self.told),
            "began": self.began,
            "definitions": dict(self.definitions),
            "steps": [one.as_json() for one in self.steps.values()],
            "counts": dict(self.counts),
            "writes": self.writes,
            "records": self.records,
            "partial": self.partial,
            "released": self.released,
        }


def _told_shown(told: Told) -> dict[str, Any]:
    # A step with a mark was begun and is not over; of its outcome only a failure counts, which is
    # among the marks.
    over = {name: dict(one) for name, one in told.outcomes.items() if name in told.ended}
    return {
        "outcomes": over,
        "ended": sorted(told.ended),
        "marks": {name: dict(mark) for name, mark in told.marks.items()},
        "inner": {
            step: {turn: _told_shown(one) for turn, one in turns.items()}
            for step, turns in told.inner.items()
        },
    }


def _told_from(shown: Mapping[str, Any]) -> Told:
    return Told(
        outcomes=dict(shown["outcomes"]),
        ended=set(shown["ended"]),
        marks={name: dict(mark) for name, mark in shown["marks"].items()},
        inner={
            step: {turn: _told_from(one) for turn, one in turns.items()}
            for step, turns in shown["inner"].items()
        },
    )
