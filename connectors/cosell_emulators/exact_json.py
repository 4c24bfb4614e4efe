"""Read and write JSON without losing a digit: 1234567890.10 stays 1234567890.10."""

import json
import re
import secrets
from decimal import Decimal
from typing import Any

# The standard encoder writes floats only; a decimal goes through as a marked text and loses the
# mark afterwards. The mark is made anew by every process, so no text from outside can carry it.
_MARK = secrets.token_hex(8)
_MARKED = re.compile(f'"{_MARK}:([^"]*)"')
_HALVES = re.compile("[\ud800-\udfff]")


def loads(text: str | bytes) -> Any:
    """Read a JSON document; numbers with a fraction come as decimals."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_such_number)


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Write a JSON document, compact unless *indent* is given, every decimal digit by digit."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(
        value,
        ensure_ascii=False,
        allow_nan=False,
        separators=separators,
        indent=indent,
        default=_marked,
    )
    text = _MARKED.sub(r"\1", text) if _MARK in text else text
    # Half a surrogate pair can be sent in JSON, but not be written in UTF-8.
    return _HALVES.sub("\ufffd", text)


def _marked(value: Any) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        return f"{_MARK}:{value}"
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _no_such_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
