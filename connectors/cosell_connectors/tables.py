"""Rows as CSV (RFC 4180), and CSV as rows. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from .encoding import text_of

LONGEST_CELL = 10_000_000


def write(rows: Sequence[Any], *, null_as: str = "") -> bytes:
    """A table of *rows*; its columns are all the names there are, in the order they come up.

    A cell is empty where a row has no such name, and says *null_as* where it is null. Raises
    ValueError where something is no row, or no value a cell can hold.
    """
    columns: dict[str, None] = {}
    for place, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise ValueError(f"element {place} is a {type(row).__name__}, and no row of a table")
        columns |= dict.fromkeys(str(name) for name in row)
    if not columns:
        raise ValueError("there are no rows, or nothing in them")
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(columns)
    for place, row in enumerate(rows):
        table.writerow(
            [_cell(row[name], name, place, null_as) if name in row else "" for name in columns]
        )
    return written.getvalue().encode()


def _cell(value: Any, name: str, place: int, null_as: str) -> str:
    if value is None:
        return null_as
    text = text_of(value)
    if text is None:
        kind = type(value).__name__
        raise ValueError(f"{name} of element {place} is a {kind}, which no cell can hold")
    return text


def read(content: bytes) -> list[dict[str, str | None]]:
    """The rows of a table; an empty cell is null. Raises ValueError where it is no table."""
    lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    usual = csv.field_size_limit(LONGEST_CELL)  # the whole process has only one
    try:
        names = next(lines, [])
        found = [list(line) for line in lines if line]
    except csv.Error as error:
        raise ValueError(str(error)) from None
    finally:
        csv.field_size_limit(usual)
    for line in found:
        if len(line) != len(names):
            raise ValueError(f"a row has {len(line)} cells, and there are {len(names)} columns")
    return [dict(zip(names, (cell or None for cell in line), strict=True)) for line in found]
