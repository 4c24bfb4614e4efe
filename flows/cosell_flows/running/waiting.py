"""How long a `wait` step waits. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from cosell_definitions.model import Wait
from cosell_definitions.parsing_values import duration_of

from ..compiling.expressions import evaluate
from .outcomes import StepFailed
from .scope import Frame


def seconds_of(wait: Wait, frame: Frame, now: datetime) -> float:
    """The seconds from *now* to the end of the wait; none where its moment is over."""
    if wait.duration is not None:
        return wait.duration.total_seconds()
    value = evaluate(wait.until, frame.scope())
    duration = duration_of(value) if isinstance(value, str) else None
    if duration is not None:
        return duration.total_seconds()
    return max(0.0, (_moment(value) - now).total_seconds())


def _moment(value: Any) -> datetime:
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
    elif isinstance(value, date) and not isinstance(value, datetime):
        moment = datetime.combine(value, time())
    if not isinstance(moment, datetime):
        raise StepFailed(
            "invalid",
            f"`wait` needs a duration or a moment, and got {value!r}",
            hint="give it something like 5m, or 2026-01-31T08:00:00Z",
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
