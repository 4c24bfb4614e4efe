"""Hold a record that a test makes up against what the connector says records hold. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cosell_definitions.problems import did_you_mean

from .imitating import NotLikeIt
from .model import Operation, Shape

_KINDS: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float, Decimal),
    "integer": (int,),
    "boolean": (bool,),
    "list": (list, tuple),
    "record": (Mapping,),
}
_WORDS = {
    "text": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "list": "a list",
    "record": "a record",
}


def check_records(operation: Operation, record: Shape, given: Any, *, whole: bool = False) -> None:
    """Raise NotLikeIt where what a test writes out cannot be in an answer of *operation*.

    *given*: what the operation gives out, or, with *whole*, one record. What stands for a file is
    taken as it is: files hold what a system was seen to answer.
    """
    for name, one in _records_in(operation, given, whole=whole):
        _check(one, record, name)


def _records_in(operation: Operation, given: Any, *, whole: bool) -> Iterator[tuple[str, Any]]:
    if whole or not operation.output:
        yield "", given
        return
    for field in operation.output:
        items = given.get(field.name) if isinstance(given, Mapping) else None
        if field.kind == "items" and isinstance(items, list | tuple):
            yield from ((f"{field.name}[{at}]", one) for at, one in enumerate(items))


def _check(value: Any, shape: Shape, path: str) -> None:
    if isinstance(value, Mapping) and "fixture" in value:
        value = value.get("merge")
    if value is None or shape.kind == "any":
        return
    if not _is(value, shape.kind):
        wanted = _WORDS[shape.kind]
        message = f"{path or 'its answer'} is {wanted}, and this is {value!r}"
        raise NotLikeIt(message[:200], hint=f"write {wanted}, or null")
    if shape.kind == "list" and shape.item is not None:
        for at, item in enumerate(value):
            _check(item, shape.item, f"{path}[{at}]")
    elif shape.kind == "record":
        _check_fields(value, shape, path)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _KINDS[kind])


def _check_fields(value: Mapping[str, Any], shape: Shape, path: str) -> None:
    for name, item in value.items():
        below = f"{path}.{name}" if path else name
        if name not in shape.fields:
            meant = did_you_mean(name, shape.fields)
            hint = f"did you mean {meant!r}?" if meant else f"it has: {', '.join(shape.fields)}"
            raise NotLikeIt(f"there is no {below!r} in its answers", hint=hint)
        _check(item, shape.fields[name], below)
