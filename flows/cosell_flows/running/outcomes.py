"""What came of a run: its steps, its writes, and what went wrong, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from cosell_definitions.model import Input
from cosell_definitions.problems import Place

from ..ledger import LeaseBusy, LeaseLost, LedgerError

Status = Literal["succeeded", "partial", "skipped", "failed", "cancelled", "waiting"]
COUNTED = ("read", "created", "updated", "unchanged", "skipped", "failed")


class StepFailed(Exception):
    """A step failed: the class flows branch on, and a sentence for people."""

    def __init__(
        self,
        error_class: str,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        step: str | None = None,
        place: Place | None = None,
        retry_after: timedelta | None = None,
        final: bool = False,
    ) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.message = message
        self.code = code
        self.hint = hint
        self.step = step
        self.place = place
        self.retry_after = retry_after
        self.final = final  # True: trying again could do it twice

    def located(self, step: str, place: Place) -> StepFailed:
        """The same failure, with the step it happened in where that was not known yet."""
        self.step = self.step or step
        self.place = self.place or place
        return self

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> StepFailed:
        """The failure that `as_json` told of."""
        file, line, column = (told.get(name) for name in ("file", "line", "column"))
        return cls(
            told["class"],
            told["message"],
            code=told.get("code"),
            hint=told.get("hint"),
            step=told.get("step"),
            place=Place(file=file, line=line or 1, column=column or 1) if file else None,
        )

    def as_json(self) -> dict[str, Any]:
        """The failure as `error` in expressions and in the JSON of a run."""
        place = self.place
        return {
            "class": self.error_class,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "step": self.step,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
        }


CANCELLED = StepFailed("cancelled", "cancelled; what was written until then stays written")
"""What a run that was cancelled says of itself."""


class Fleeting(dict[str, Any]):
    """An output that cannot be kept beyond its run; the step that gave it is done anew."""


class Stopped(BaseException):
    """A `stop` step was reached. Not an error: `on_error` does not see it."""

    def __init__(
        self,
        scope: Literal["flow", "item"],
        status: Literal["succeeded", "skipped", "failed"],
        reason: str,
        error_class: str,
        step: str,
        place: Place,
    ) -> None:
        super().__init__(reason)
        self.scope = scope
        self.status = status
        self.reason = reason
        self.error_class = error_class
        self.step = step
        self.place = place

    def as_failure(self) -> StepFailed:
        """What a `stop: failed` looks like to whoever called the flow."""
        return StepFailed(self.error_class, self.reason, step=self.step, place=self.place)


class Waiting(BaseException):
    """A person was asked and has not answered: the run is put aside, and nothing in it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person is asked, and what an answer looks like. `key` is its own in all runs."""

    key: str
    step: str
    name: str
    message: str
    answer: tuple[Input, ...]
    asked_at: datetime
    until: datetime | None = None
    place: Place


@dataclass(slots=True, kw_only=True)
class StepRecord:
    """How one step went. A loop is one entry, with its counts."""

    id: str
    status: str = "running"
    attempts: int = 1
    seconds: float = 0.0
    reason: str | None = None
    counts: Mapping[str, int] | None = None

    def as_json(self) -> dict[str, Any]:
        """The step as `run --json` prints it."""
        shown: dict[str, Any] = {
            "id": self.id,
            "status": self.status,
            "attempts": self.attempts,
            "seconds": round(self.seconds, 3),
            "reason": self.reason,
        }
        return shown | ({"counts": dict(self.counts)} if self.counts is not None else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run went, in the shape of `cosell run --json`."""

    run_id: str
    flow: str
    status: Status
    outputs: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    writes: list[dict[str, Any]] = field(default_factory=list)
    error: dict[str, Any] | None = None
    records: list[dict[str, Any]] = field(default_factory=list)  # record by record, for reports
    braked: str | None = None  # of a plan: why a run like it would be stopped
    question: Question | None = None  # of a run that waits: what a person is asked

    def as_json(self) -> dict[str, Any]:
        """The document that `run --json` prints."""
        return {
            "run_id": self.run_id,
            "flow": self.flow,
            "status": self.status,
            "outputs": dict(self.outputs),
            "counts": dict(self.counts),
            "steps": self.steps,
            "writes": self.writes,
            "error": self.error,
        }


def of_ledger(error: LedgerError) -> StepFailed:
    """A failure of the ledger in the words of a run: what is locked or away may come back."""
    kind = "locked" if isinstance(error, LeaseBusy | LeaseLost) else "unavailable"
    return StepFailed(kind, error.message, hint=error.hint)
