"""Hold a run to the plan it carries out: nothing is written that the plan does not say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..syncing.writes import Write
from .outcomes import StepFailed
from .plan_file import PlanFile, Signature, signature

STALE = "stale"
"""The error code of what a plan says no longer."""


@dataclass(slots=True, kw_only=True)
class Permit:
    """What a run may touch and write, and the moments it goes by."""

    plan_id: str
    at: datetime  # `run.now` of the plan: what was computed from it stays as planned
    keys: frozenset[str]  # the records a loop with `key` may work on
    cursors: Mapping[str, datetime]
    reached: Mapping[str, datetime]
    left: Counter[Signature] = field(default_factory=Counter)  # writes not done yet

    @classmethod
    def of(cls, plan: PlanFile, keys: frozenset[str]) -> Permit:
        """What *plan* allows for the records called *keys*."""
        return cls(
            plan_id=plan.id,
            at=plan.made_at,
            keys=keys,
            cursors=plan.cursors,
            reached=plan.reached,
            left=Counter(signature(change) for change in plan.changes),
        )

    def take(self, write: Write) -> None:
        """Use up the planned write that *write* is; raises StepFailed where there is none."""
        asked = signature(write.as_change())
        found = next((one for one in self.left if self.left[one] and one.allows(asked)), None)
        if found is not None:
            self.left[found] -= 1
            return
        if write.fields and all(one.own for one in write.fields):
            return  # a seller is told of what went wrong, planned or not
        fields = ", ".join(one.field for one in write.fields)
        raise StepFailed(
            "conflict",
            f"the plan does not say this write: {write.kind} {write.object} "
            f"{write.id or ''} ({fields})",
            code=STALE,
            hint="something moved while the plan was applied; make a new plan",
            final=True,
        )
