"""Functions of one row: parts of dates, labels, amounts in the org's currency."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.soql.binding import Context
from cosell_emulators.salesforce.soql.tree import Call, Path
from cosell_emulators.salesforce.store import Row

_PARTS: dict[str, Callable[[Any], Any]] = {
    "CALENDAR_YEAR": lambda day: day.year,
    "FISCAL_YEAR": lambda day: day.year,
    "CALENDAR_QUARTER": lambda day: (day.month + 2) // 3,
    "FISCAL_QUARTER": lambda day: (day.month + 2) // 3,
    "CALENDAR_MONTH": lambda day: day.month,
    "FISCAL_MONTH": lambda day: day.month,
    "DAY_IN_MONTH": lambda day: day.day,
    "DAY_IN_WEEK": lambda day: day.isoweekday() % 7 + 1,
    "DAY_IN_YEAR": lambda day: day.timetuple().tm_yday,
    "WEEK_IN_MONTH": lambda day: (day.day + 6) // 7,
    "WEEK_IN_YEAR": lambda day: (day.timetuple().tm_yday + 6) // 7,
    "HOUR_IN_DAY": lambda moment: moment.hour,
    "DAY_ONLY": lambda moment: moment.date(),
}
_SHOWING = ("TOLABEL", "FORMAT", "CONVERTCURRENCY", "CONVERTTIMEZONE")
AGGREGATES = ("COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX")


def computed(
    context: Context, kind: ObjectType, what: Path | Call, alias: str | None
) -> tuple[Field, Callable[[Row], Any]]:
    """Find the type of an expression, and the function that reads it from a row."""
    if isinstance(what, Path):
        bound = context.bind(kind, what, alias)
        return bound.field, context.getter(bound)
    if what.argument is None or what.name in AGGREGATES or what.name not in (*_PARTS, *_SHOWING):
        message = f"unexpected token: '{what.name}'"
        raise context.refuse(what.at, "MALFORMED_QUERY", message)
    field, get = computed(context, kind, what.argument, alias)
    if what.name == "CONVERTCURRENCY":
        return field, _converted(context, get)
    if what.name in _SHOWING:
        return field, get
    if field.type not in ("date", "datetime"):
        message = f"Invalid function on type: {field.type}"
        raise context.refuse(what.at, "INVALID_FIELD", message)
    part = _PARTS[what.name]
    type_ = "date" if what.name == "DAY_ONLY" else "int"

    def read(row: Row) -> Any:
        value: date | datetime | None = get(row)
        return None if value is None else part(value)

    return Field(name=what.name, type=type_, label=what.name), read


def _converted(context: Context, get: Callable[[Row], Any]) -> Callable[[Row], Any]:
    """Give an amount in the reading user's currency."""
    rates = {
        row.get("IsoCode"): row.get("ConversionRate")
        for row in context.store["CurrencyType"].alive()
    }
    reader = context.store.living(context.user_id)
    ours = rates.get(reader.get("DefaultCurrencyIsoCode") if reader else None) or Decimal(1)

    def read(row: Row) -> Any:
        amount, rate = get(row), rates.get(row.get("CurrencyIsoCode"))
        if amount is None or not rate:
            return amount
        return (amount * ours / rate).quantize(Decimal("0.01"), ROUND_HALF_UP)

    return read
