"""What a filter, test or function takes and gives, read from the line that the table shows people.

`text, old: text, [count: integer] -> text`: the value in front, then the arguments; brackets stand
around what may be left out, `…` behind what may come several times. A result is a type, or `same`
(what was put in), `item` (one item of the list or text that was put in).
"""

from __future__ import annotations

import functools
import re

from cosell_definitions.freezing import dataclass

from .types import ANY, KINDS, Type, either, list_of, of, text_among

_PARAMETER = re.compile(r"(\[)?(\w+): ([^\[\]…]+?)(…)?\]?")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument; `several`: as many as one likes."""

    name: str
    type: Type
    required: bool
    several: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """The value that stands in front, the arguments, and what comes out."""

    value: Type | None  # None: a function
    parameters: tuple[Parameter, ...]
    result: Type | None  # None: `same` or `item`
    result_word: str

    def at(self, index: int) -> Parameter | None:
        """The parameter that takes the argument at *index*."""
        if index < len(self.parameters):
            return self.parameters[index]
        last = self.parameters[-1] if self.parameters else None
        return last if last is not None and last.several else None

    def named(self, name: str) -> Parameter | None:
        """The parameter called *name*."""
        return next((one for one in self.parameters if one.name == name), None)


@functools.lru_cache(maxsize=512)
def signature_of(line: str) -> Signature:
    """The signature that a line describes."""
    takes, gives = line.split(" -> ")
    front, _, rest = takes.partition(", ")
    value = None if ":" in front else _type(front)
    parameters = parameters_of(takes if value is None else rest)
    result = None if gives in ("same", "item") else _type(gives)
    return Signature(value, parameters, result, gives)


def parameters_of(line: str) -> tuple[Parameter, ...]:
    """Arguments as they are written one after the other: `old: text, [count: integer]`."""
    parts = [_PARAMETER.fullmatch(part) for part in line.split(", ") if part]
    return tuple(
        Parameter(name=part[2], type=_type(part[3]), required=not part[1], several=bool(part[4]))
        for part in parts
        if part is not None
    )


def _type(words: str) -> Type:
    """`text or number`, `list of text`, `'left' or 'right'`."""
    if words == "any":
        return ANY
    if words.startswith("'"):
        return text_among(word.strip("'") for word in words.split(" or "))
    if words.startswith("list of "):
        inside, *others = words.removeprefix("list of ").split(" or ")
        return either(list_of(_type(inside)), *map(_type, others))
    kinds = words.split(" or ")
    unknown = set(kinds) - KINDS
    if unknown:
        raise ValueError(f"no such type: {', '.join(unknown)}")
    return either(*(of(kind) for kind in kinds))  # type: ignore[arg-type]
