"""Filters that bring lists in order. Pure."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .arithmetic import ordered
from .filters_of_lists import each, field_of, present
from .limits import Meter
from .tables import Table, need_list
from .values import Missing

TABLE = Table()
entry = TABLE.entry


@entry("list, [attribute: text], [reverse: boolean] -> same", "in order", "[2, 1] | sort", "[1, 2]")
def sort(meter: Meter, value: Any, attribute: Any = None, reverse: Any = False) -> list[Any]:
    """In order; values of different kinds have none."""
    keyed = _keyed(meter, need_list(value, "sort"), attribute, "sort")

    def compare(one: tuple[Any, Any], other: tuple[Any, Any]) -> int:
        meter.turn(1 + len(one[0]) // 100 if isinstance(one[0], str) else 1)
        return ordered(one[0], other[0])

    in_order: Callable[[tuple[Any, Any]], Any] = functools.cmp_to_key(compare)
    kinds = {type(key) for key, _ in keyed}
    if kinds == {str} or (kinds and kinds <= {int, Decimal}):
        meter.turn(len(keyed))  # these have an order of their own, which is found much faster
        in_order = operator.itemgetter(0)
    return [item for _, item in sorted(keyed, key=in_order, reverse=reverse is True)]


def _keyed(meter: Meter, items: list[Any], attribute: Any, name: str) -> list[tuple[Any, Any]]:
    if attribute is None:
        return [(item, item) for item in each(meter, items)]
    return [(present(field_of(item, attribute, name)), item) for item in each(meter, items)]


def _outermost(meter: Meter, value: Any, attribute: Any, name: str) -> Any:
    """The least item, or the greatest; of several the one that `sort` has at that end."""
    keyed = _keyed(meter, need_list(value, name), attribute, name)
    if not keyed:
        word = "least" if name == "min" else "greatest"
        return Missing(name, "", because=f"an empty list has no {word} item")
    best = keyed[0]
    for one in keyed[1:]:
        meter.turn()
        order = ordered(one[0], best[0])
        if order < 0 if name == "min" else order >= 0:
            best = one
    return best[1]


@entry(
    "list, [attribute: text] -> item", "the least; missing of an empty list", "[2, 1] | min", "1"
)
def min_(meter: Meter, value: Any, attribute: Any = None) -> Any:
    """The least."""
    return _outermost(meter, value, attribute, "min")


@entry(
    "list, [attribute: text] -> item", "the greatest; missing of an empty list", "[2, 1] | max", "2"
)
def max_(meter: Meter, value: Any, attribute: Any = None) -> Any:
    """The greatest."""
    return _outermost(meter, value, attribute, "max")
