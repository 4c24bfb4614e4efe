"""Pick things out of values, and put things into them, by JSON Pointer (RFC 6901)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

MISSING: Final = object()
"""What a pointer finds where there is nothing. Not the same as null."""


def segments(pointer: str) -> tuple[str, ...]:
    """The names and indexes of *pointer*; an empty pointer means the whole value."""
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"a JSON Pointer begins with /, and {pointer!r} does not")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))


def pick(value: Any, pointer: str) -> Any:
    """What *pointer* finds in *value*, or `MISSING`."""
    for segment in segments(pointer):
        if isinstance(value, Mapping):
            value = value.get(segment, MISSING)
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            index = int(segment) if segment.isascii() and segment.isdigit() else len(value)
            value = value[index] if index < len(value) else MISSING
        else:
            return MISSING
    return value


def pick_all(value: Any, pointer: str) -> Iterator[Any]:
    """Everything *pointer* finds in *value*, where `*` stands for every element."""
    before, star, after = pointer.partition("/*")
    found = pick(value, before)
    if not star:
        yield found
    elif isinstance(found, Sequence) and not isinstance(found, str | bytes):
        for element in found:
            yield from pick_all(element, after)


def change(value: Any, pointer: str, how: Callable[[Any], Any]) -> Any:
    """*value* with what *pointer* finds changed; `*` stands for every element."""
    return _changed(value, segments(pointer), how)


def _changed(value: Any, path: tuple[str, ...], how: Callable[[Any], Any]) -> Any:
    if not path:
        return how(value)
    head, rest = path[0], path[1:]
    if head == "*" and isinstance(value, list | tuple):
        return [_changed(element, rest, how) for element in value]
    if isinstance(value, Mapping) and head in value:
        return {**value, head: _changed(value[head], rest, how)}
    return value


def first(value: Any, pointers: Sequence[str]) -> Any:
    """What the first pointer that finds something other than null finds, or `MISSING`."""
    for pointer in pointers:
        found = pick(value, pointer)
        if found is not MISSING and found is not None:
            return found
    return MISSING


def put(target: dict[str, Any], pointer: str, value: Any) -> None:
    """Put *value* into *target*, making objects on the way; `*` stands for every element."""
    _put(target, segments(pointer), value)


def _put(target: Any, path: tuple[str, ...], value: Any) -> None:
    head, rest = path[0], path[1:]
    if head == "*":
        for element in target if isinstance(target, list) else ():
            _put(element, rest, value)
    elif not rest:
        target[head] = value
    elif isinstance(target.get(head), dict | list):
        _put(target[head], rest, value)
    else:
        target[head] = {}
        _put(target[head], rest, value)
