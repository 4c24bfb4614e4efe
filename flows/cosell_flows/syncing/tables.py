"""Translate by a table, and know which state may follow which. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cosell_definitions.model_mappings import GuardRow, TableRow

ANY = "*"


def agree(rows: Sequence[TableRow], left: Sequence[Any], right: Any) -> bool:
    """Whether *left* and *right* mean the same by some row of the table."""
    named = [row for row in rows if _same(row.right, right)]
    return any(_fits(row.left, left) for row in named or _wild(rows))


def to_right(rows: Sequence[TableRow], left: Sequence[Any]) -> TableRow | None:
    """The first row that says what *left* is on the right, or None."""
    return next(
        (
            row
            for row in rows
            if row.direction != "right_to_left" and row.right != ANY and _fits(row.left, left)
        ),
        None,
    )


def to_left(rows: Sequence[TableRow], right: Any, *, now: Sequence[Any]) -> TableRow | None:
    """The first row that says what *right* is on the left, while left is *now*; or None."""
    back = [row for row in rows if row.direction != "left_to_right"]
    named = [row for row in back if _same(row.right, right)]
    for row in named or _wild(back):
        if not row.came_from or _fits(row.came_from, now):
            return row
    return None


def state_of(guard: Sequence[GuardRow], left: Sequence[Any]) -> GuardRow | None:
    """The guard's row for the state that *left* is in, or None where it names no such state."""
    return next((row for row in guard if _fits(row.state, left)), None)


def may_go(guard: Sequence[GuardRow], left: Sequence[Any], to: Sequence[Any]) -> bool:
    """Whether the guard lets *left* go to the state *to*."""
    row = state_of(guard, left)
    return row is None or any(_fits(target, to) for target in row.to)


def fits(pattern: Sequence[Any], values: Sequence[Any]) -> bool:
    """Whether *values* fit *pattern*, in which `*` stands for any value."""
    return _fits(pattern, values)


def _wild(rows: Sequence[TableRow]) -> list[TableRow]:
    return [row for row in rows if row.right == ANY]


def _fits(pattern: Sequence[Any], values: Sequence[Any]) -> bool:
    return len(pattern) == len(values) and all(
        want == ANY or _same(want, got) for want, got in zip(pattern, values, strict=True)
    )


def _same(want: Any, got: Any) -> bool:
    if got == "":
        got = None
    if isinstance(want, str) and isinstance(got, str):
        # Labels of picklists differ in case between packages of the connector.
        return want.casefold() == got.casefold()
    return bool(want == got)
