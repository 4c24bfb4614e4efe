"""What can go wrong out there.

    Exception
    └── ConnectorError          the other system said no, or could not be asked
        └── BadArguments        the call was never sent: its arguments do not fit the operation

A failure is told apart by its class (a word of ours that flows name in `retry.on`), never by a
status code. `code` and `message` stay the other system's own, so that a person can search for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal, get_args

ErrorClass = Literal[
    "rate_limited",
    "unavailable",
    "locked",
    "conflict",
    "unauthorized",
    "forbidden",
    "not_found",
    "deleted",
    "invalid",
    "too_large",
    "timeout",
]
ERROR_CLASSES: tuple[ErrorClass, ...] = get_args(ErrorClass)

Happened = Literal["no", "maybe"]


class ConnectorError(Exception):
    """The other system refused, failed or could not be reached."""

    def __init__(
        self,
        error_class: ErrorClass,
        message: str,
        *,
        code: str = "",
        request_id: str | None = None,
        retry_after: timedelta | None = None,
        status: int | None = None,
        connection: str = "",
        operation: str = "",
        field: str | None = None,
        record: str | None = None,
        happened: Happened = "no",
    ) -> None:
        super().__init__(message)
        self.error_class: ErrorClass = error_class
        self.message = message
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.status = status
        self.connection = connection
        self.operation = operation
        self.field = field
        self.record = record  # which record it is about, as the call named it
        self.happened: Happened = happened

    def again(self) -> ConnectorError:
        """The same failure, for another caller that it concerns."""
        return ConnectorError(
            self.error_class,
            self.message,
            code=self.code,
            request_id=self.request_id,
            retry_after=self.retry_after,
            status=self.status,
            field=self.field,
            record=self.record,
            happened=self.happened,
        )

    def __str__(self) -> str:
        where = f"{self.connection}.{self.operation}" if self.operation else self.connection
        where += f" ({self.record})" if self.record else ""
        said = self.message
        if self.code and self.code not in said:
            said = f"{self.code}: {said}" if said else self.code
        return f"{where}: {said}" if where else said


class BadArguments(ConnectorError):
    """The call was not sent: its arguments do not fit the operation."""

    def __init__(
        self,
        complaints: Iterable[str],
        *,
        operation: str,
        connection: str = "",
        field: str | None = None,
        error_class: ErrorClass = "invalid",
    ) -> None:
        super().__init__(
            error_class,
            "; ".join(complaints),
            code="bad_arguments",
            connection=connection,
            operation=operation,
            field=field,
        )
