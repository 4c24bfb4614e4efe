"""What can go wrong between two records, in a seller's words.

SyncError
├── BadValue        a value is not of its field's type
├── TooLong         a text does not fit, and its row refuses to cut it
├── NotARow         a row of the mapping holds a list, which a flow has to merge
└── NoTranslation   a table has no row for a value
"""

from __future__ import annotations

from typing import Any

from cosell_definitions.model_mappings import MapField


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


class TooLong(SyncError):
    """A text does not fit, and its row refuses to cut it."""

    def __init__(self, field: MapField, value: str) -> None:
        name = field.label or field.id
        super().__init__(
            f"{name} has {len(value)} characters, and Salesforce takes {field.max_length}",
            hint=f"shorten {name}, or write `too_long: cut` in its row of the mapping",
            field=field,
        )


class NotARow(SyncError):
    """A row of the mapping holds a list, which a flow has to merge."""

    def __init__(self, field: MapField) -> None:
        super().__init__(
            f"{field.label or field.id} is a list; rows of a mapping hold single values",
            hint="merge lists in a flow with sync.plan_rows, as solutions-to-partner-center does",
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
