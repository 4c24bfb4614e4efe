"""Write values as JSON text and read back the same ones, decimals, dates and moments included."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

_ESCAPE = "$map"  # wraps a mapping of the user's that looks like one of ours


def dumps(value: Any) -> str:
    """*value* as compact JSON text; tuples become lists.

    Raises TypeError for what JSON cannot hold exactly, and ValueError for NaN and infinity.
    """
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def loads(text: str) -> Any:
    """The value that `dumps` wrote."""
    return _read(json.loads(text))


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return str(value)  # an enum or other kind of text is kept as its text
        case Decimal():
            return {"$decimal": str(value)}
        case datetime():
            return {"$moment": _utc(value).isoformat()}
        case date():
            return {"$date": value.isoformat()}
        case Mapping():
            plain = {_key(key): _plain(item) for key, item in value.items()}
            return {_ESCAPE: plain} if _looks_ours(plain) else plain
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            raise TypeError(f"the ledger cannot keep a {type(value).__name__}")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"the ledger keeps mappings with text keys, not {key!r}")
    return key


def _looks_ours(plain: Mapping[str, Any]) -> bool:
    return len(plain) == 1 and next(iter(plain)) in {_ESCAPE, *_READERS}


def _read(tree: Any) -> Any:
    # From the outside in: what lies inside an escaped mapping is never taken for one of ours.
    if isinstance(tree, list):
        return [_read(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if len(tree) == 1:
        key, value = next(iter(tree.items()))
        if key in _READERS:
            return _READERS[key](value)
        tree = value if key == _ESCAPE else tree
    return {key: _read(value) for key, value in tree.items()}


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise TypeError(f"the ledger keeps moments with a time zone, not {moment!r}")
    return moment.astimezone(UTC)


_READERS: dict[str, Callable[[str], Any]] = {
    "$decimal": Decimal,
    "$moment": datetime.fromisoformat,
    "$date": date.fromisoformat,
}
