"""The allow-list of expressions, one table of filters, tests and functions, for all to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .filters_of_dates import TABLE as DATES
from .filters_of_lists import TABLE as LISTS
from .filters_of_lists import each, field_of, present
from .filters_of_order import TABLE as ORDERS
from .filters_of_soql import TABLE as SOQL
from .filters_of_text import TABLE as TEXTS
from .limits import Meter, room_for
from .tables import Entry, Table, need_list, need_text
from .tests_of_values import TABLE as VERDICTS
from .values import MAX_ITEMS, Faulty, Missing

TESTS: Mapping[str, Entry] = dict(sorted(VERDICTS.entries.items()))

_NO_DEFAULT: Any = Missing("default", "")  # told from null: `default=none` is a fallback
_MAPPING = Table()


@_MAPPING.entry(
    "list, [name: text], [arguments: any…], [attribute: text], [default: any] -> list",
    "every item through a filter, or one field of every item",
    "[{'id': 1}, {'id': 2}] | map(attribute='id')",
    "[1, 2]",
)
def map_(
    meter: Meter,
    value: Any,
    name: Any = None,
    *arguments: Any,
    attribute: Any = None,
    default: Any = _NO_DEFAULT,
) -> list[Any]:
    """Every item through a filter, or one field of every item."""
    items = need_list(value, "map")
    if (name is None) == (attribute is None):
        raise Faulty("map takes the name of a filter, or attribute='…'")
    if attribute is None:
        wanted = FILTERS.get(need_text(name, "map"))
        if wanted is None:
            raise Faulty(f"there is no filter {name!r}", "map takes the name of a filter in quotes")
        misuse = wanted.misuse(1 + len(arguments), ())
        if misuse is not None:
            raise Faulty(f"{name}: {misuse}", f"as in: {wanted.example}")
        made = []
        for item in each(meter, items):
            made.append(wanted.call(meter, item, *arguments))
            meter.made(made[-1])
        return made
    found = [field_of(item, attribute, "map") for item in each(meter, items)]
    if default is not _NO_DEFAULT:
        found = [default if isinstance(item, Missing) else item for item in found]
    return [present(item) for item in found]


FILTERS: Mapping[str, Entry] = dict(
    sorted(
        {
            **TEXTS.entries,
            **DATES.entries,
            **SOQL.entries,
            **LISTS.entries,
            **ORDERS.entries,
            **_MAPPING.entries,
        }.items()
    )
)

_FUNCTIONS = Table()


@_FUNCTIONS.entry(
    "bounds: integer… -> list of integer", "whole numbers up to a limit", "range(3)", "[0, 1, 2]"
)
def range_(meter: Meter, *bounds: Any) -> list[int]:
    """Whole numbers from a start up to, not including, a stop."""
    if not 1 <= len(bounds) <= 3 or not all(type(bound) is int for bound in bounds):
        raise Faulty("range takes one to three whole numbers", "range(3) is [0, 1, 2]")
    if len(bounds) == 3 and bounds[2] == 0:
        raise Faulty("the step of range cannot be 0")
    numbers = range(*bounds)
    # len() of a range refuses what does not fit a machine word; two ends and a step always do.
    count = max(0, (numbers.stop - numbers.start) // numbers.step)
    room_for(items=min(count, MAX_ITEMS * 100))
    meter.turn(count)
    return list(numbers)


def _from_scope(name: str, types: str, help_: str, example: str) -> Entry:
    return Entry(
        name=name,
        types=types,
        help=help_,
        example=example,
        result="",
        call=_absent,
        from_scope=True,
    )


def _absent() -> None:
    """Stands for a function that the engine puts into the scope."""


FUNCTIONS: Mapping[str, Entry] = {
    **_FUNCTIONS.entries,
    "cursor": _from_scope(
        "cursor",
        "name: text -> moment",
        "how far an earlier run has read",
        "cursor('partner_center.referrals')",
    ),
    "mapping_fields": _from_scope(
        "mapping_fields",
        "mapping: text, side: 'left' or 'right' -> list of text",
        "the fields that a mapping reads on one side",
        "mapping_fields('referral-opportunity', 'right')",
    ),
}
