"""What can go wrong between two records, in a seller's words.

SyncError
├── BadValue        a value is not of its field's type
└── NoTranslation   a table has no row for a value
"""

from __future__ import annotations

from typing import Any

from cosell_definitions.model import MapField


class SyncError(Exception):
    """Two records cannot be brought in step."""

    def __init__(self, message: str, *, hint: str | None = None, field: MapField | None = None):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field


class BadValue(SyncError):
    """A value is not of its field's type."""

    def __init__(self, field: MapField, value: Any) -> None:
        wanted = _WANTED.get(field.type, f"a {field.type}")
        super().__init__(
            f"{field.label or field.id} is {value!r}, which is not {wanted}",
            hint=f"put {wanted} into {field.label or field.id}",
            field=field,
        )


class NoTranslation(SyncError):
    """A table has no row for a value."""

    def __init__(self, field: MapField, value: Any) -> None:
        super().__init__(
            f"{field.label or field.id} is {value!r}, and table {field.table!r} has no row for it",
            hint=f"add a row for {value!r} to table {field.table!r} of the mapping",
            field=field,
        )


_WANTED = {
    "country": "a two-letter country code (ISO 3166)",
    "currency": "a three-letter currency code (ISO 4217)",
    "money": "an amount",
    "number": "a number",
    "date": "a date",
    "datetime": "a moment",
    "boolean": "yes or no",
}
