"""The shape of the allow-list: what an expression can call, with types, help and an example."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from cosell_definitions.freezing import dataclass

from .values import Faulty, is_list, is_number, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One filter, test or function. Its example holds: a test evaluates every one."""

    name: str
    types: str  # "text -> text"
    help: str
    example: str
    result: str  # of the example, as JSON
    call: Callable[..., Any]  # (meter, value, *arguments, **options)
    takes_missing: bool = False
    from_scope: bool = False  # offered by the engine, not by this table

    def misuse(self, count: int, options: tuple[str, ...]) -> str | None:
        """Why it cannot be called with so many arguments and these options; None where it can."""
        if self.from_scope:
            return None
        return _misuse(self.call, count, options)


@functools.lru_cache(maxsize=2048)
def _misuse(call: Callable[..., Any], count: int, options: tuple[str, ...]) -> str | None:
    try:
        inspect.signature(call).bind(None, *(None,) * count, **dict.fromkeys(options))
    except TypeError as error:
        return str(error)
    return None


F = TypeVar("F", bound=Callable[..., Any])


class Table:
    """Collects entries from the functions that do the work."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def entry(
        self,
        types: str,
        help_: str,
        example: str,
        result: str,
        *,
        names: str = "",
        takes_missing: bool = False,
    ) -> Callable[[F], F]:
        """Enter a function under its own name, or under *names*."""

        def enter(function: F) -> F:
            for name in names.split() or [function.__name__.strip("_")]:
                self.entries[name] = Entry(
                    name=name,
                    types=types,
                    help=help_,
                    example=example,
                    result=result,
                    call=function,
                    takes_missing=takes_missing,
                )
            return function

        return enter


def need_text(value: Any, name: str) -> str:
    """*value*, which must be text."""
    if not isinstance(value, str):
        hint = (
            "give a fallback first: | default('')" if value is None else "make text of it: | string"
        )
        raise Faulty(f"{name} works on text; this is {shown(value)}", hint)
    return value


def need_list(value: Any, name: str) -> list[Any]:
    """*value*, which must be a list."""
    if not is_list(value):
        hint = "give a fallback first: | default([])" if value is None else f"write [x] | {name}"
        raise Faulty(f"{name} works on lists; this is {shown(value)}", hint)
    return list(value)


def need_number(value: Any, name: str) -> Any:
    """*value*, which must be a number."""
    if not is_number(value):
        hint = (
            "give a fallback first: | default(0)" if value is None else "make a number: | decimal"
        )
        raise Faulty(f"{name} works on numbers; this is {shown(value)}", hint)
    return value


def need_count(value: Any, name: str, *, most: int) -> int:
    """*value*, which must be a whole number within reason."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > most:
        raise Faulty(f"{name} takes a whole number up to {most:,}; this is {shown(value)}")
    return value
