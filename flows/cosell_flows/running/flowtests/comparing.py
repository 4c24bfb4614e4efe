"""Compare what a test expects with what came, and say each difference in words. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ...syncing.values import parse_moment

_LONGEST = 160
_LOOSE = {"contains", "matches", "any"}


def differences(expected: Any, got: Any, path: str = "") -> list[str]:
    """Where *got* is not as *expected*: objects need only hold what is expected of them.

    >>> differences({"a": 1}, {"a": 2, "b": 3})
    ['a: expected 1, got 2']
    """
    if isinstance(expected, Mapping):
        if expected and set(expected) <= _LOOSE:
            return _loosely(expected, got, path)
        return _of_object(expected, got, path)
    if isinstance(expected, list | tuple):
        return _of_list(expected, got, path)
    return [] if same(expected, got) else [_told(path, expected, got)]


def fits(expected: Any, got: Any) -> bool:
    """Whether nothing differs."""
    return not differences(expected, got)


def _of_object(expected: Mapping[str, Any], got: Any, path: str) -> list[str]:
    if not isinstance(got, Mapping):
        return [_told(path, expected, got)]
    found: list[str] = []
    for name, inner in expected.items():
        there = f"{path}.{name}" if path else name
        if name not in got:
            if inner is not None:
                names = ", ".join(str(one) for one in got) or "nothing"
                found.append(f"{there}: expected {shown(inner)}, and it is missing; there: {names}")
        else:
            found += differences(inner, got[name], there)
    return found


def _of_list(expected: Sequence[Any], got: Any, path: str) -> list[str]:
    if not isinstance(got, list | tuple):
        return [_told(path, expected, got)]
    if len(expected) != len(got):
        return [_told(path, expected, got)]
    return [
        one
        for index, (inner, there) in enumerate(zip(expected, got, strict=True))
        for one in differences(inner, there, f"{path}[{index}]")
    ]


def _loosely(expected: Mapping[str, Any], got: Any, path: str) -> list[str]:
    found = []
    if "any" in expected and got is None:
        found.append(_told(path, "anything but null", got))
    if "contains" in expected and not _contains(got, expected["contains"]):
        found.append(
            f"{_at(path)}expected it to contain {shown(expected['contains'])}, got {shown(got)}"
        )
    if "matches" in expected and not re.search(str(expected["matches"]), _text(got)):
        found.append(
            f"{_at(path)}expected it to match {shown(expected['matches'])}, got {shown(got)}"
        )
    return found


def _contains(got: Any, wanted: Any) -> bool:
    if isinstance(got, list | tuple):
        return any(fits(wanted, one) for one in got)
    if isinstance(wanted, list | tuple):
        return all(_contains(got, one) for one in wanted)
    return " ".join(_text(wanted).split()) in " ".join(_text(got).split())


def same(expected: Any, got: Any) -> bool:
    """Whether two single values are the same; dates and moments may be written as text."""
    if isinstance(expected, bool) or isinstance(got, bool) or expected is None or got is None:
        return expected is got
    if isinstance(got, datetime):
        return _moment(expected) == _moment(got)
    if isinstance(got, date):
        return str(expected) == got.isoformat()
    number = int | float | Decimal
    if isinstance(expected, number) and isinstance(got, number):
        return Decimal(str(expected)) == Decimal(str(got))
    return type(expected) is type(got) and bool(expected == got)


def _moment(value: Any) -> datetime | None:
    try:
        return parse_moment(value)
    except (ValueError, TypeError):
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)


def _told(path: str, expected: Any, got: Any) -> str:
    return f"{_at(path)}expected {shown(expected)}, got {shown(got)}"


def _at(path: str) -> str:
    return f"{path}: " if path else ""


def shown(value: Any) -> str:
    """A value in a line, no longer than a reader bears."""
    text = (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_plain)
    )
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else str(value)
