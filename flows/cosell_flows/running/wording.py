"""Say a failure of another room in the words of this one. Pure."""

from __future__ import annotations

from datetime import timedelta

from cosell_connectors.errors import ConnectorError
from cosell_definitions.parsing_values import duration_text

from ..compiling.expressions import ExpressionFailed
from ..syncing.errors import SyncError
from .outcomes import StepFailed


def as_failure(error: Exception) -> StepFailed:
    """A failure of another room in the words of this one."""
    match error:
        case StepFailed():
            return error
        case ConnectorError():
            return StepFailed(
                error.error_class,
                str(error),
                code=error.code or None,
                retry_after=error.retry_after,
            )
        case ExpressionFailed():
            return StepFailed("expression", error.message, hint=error.hint, place=error.place)
        case SyncError():
            place = error.field.place if error.field else None
            return StepFailed("invalid", error.message, hint=error.hint, place=place)
        case _:
            raise error


def took_longer(limit: timedelta | None) -> str:
    """What is said of work that was cut short."""
    return f"took longer than {duration_text(limit)}" if limit else "took too long"
