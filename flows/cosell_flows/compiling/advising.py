"""Say what to do about values that do not go together. Pure."""

from __future__ import annotations

from . import syntax as s
from .paths import path_text
from .types import Type


def named(node: s.Syntax) -> str:
    """What a part of an expression is called in a message."""
    if isinstance(node, s.Filtered):
        return f"the result of | {node.name}"
    return path_text(node)


def instead_of_reading(whole: Type, name: str, owner: str) -> str | None:
    """What was probably meant by reading a field of something that is no record."""
    owner = owner or "x"
    if name in ("length", "size", "count"):
        return f"write: {owner} | length"
    if "list" in whole.kinds:
        return f"of every item: {owner} | map(attribute='{name}'); of the first: {owner}[0].{name}"
    return f"{owner} is the value itself"


def advice(sign: str, left: Type, right: Type) -> str:
    """How two values that do not go together are brought together."""
    kinds = left.kinds | right.kinds
    if {"null"} in (left.kinds, right.kinds):
        return "give the empty value first: | default(0)"
    if {"date", "moment"} & kinds:
        if sign == "+" or (sign == "-" and kinds & {"integer", "number"}):
            return "for days: | add_days(1); for earlier ones: | add_days(-1)"
        return "make both dates: | date"
    if sign == "+" and "text" in kinds:
        return "join texts with ~; make a number of text with | decimal"
    if "text" in kinds:
        return "make a number of the text with | decimal or | int"
    if "record" in kinds and sign == "+":
        return "for two records: | merge(…)"
    return f"{sign} is for numbers"


def made_alike(left: s.Syntax, one: Type, right: s.Syntax, other: Type, sign: str) -> str:
    """How two values of different kinds are made comparable."""
    kinds = one.kinds | other.kinds
    if "boolean" in kinds:
        name = path_text(left if "boolean" in one.kinds else right) or "x"
        value = right if "boolean" in one.kinds else left
        denied = isinstance(value, s.Constant) and str(value.value).lower() in ("no", "false", "0")
        return f"write: {'not ' if denied is (sign == 'eq') else ''}{name}"
    if "text" in kinds and kinds & {"integer", "number"}:
        if isinstance(right, s.Constant) and isinstance(right.value, str):
            return "write the number without quotes, or make text of the other: | string"
        return "make a number of the text: | decimal; or text of the number: | string"
    if "date" in kinds and kinds & {"moment", "text"}:
        return "make both dates: | date"
    if "moment" in kinds and "text" in kinds:
        return "make both moments: | datetime"
    if "list" in kinds:
        return "whether a list contains it: … in list"
    return "compare values of one kind"


def test_for(name: str, type_: Type) -> str:
    """The test that was probably meant by a value that is neither true nor false."""
    if type_.kinds & {"integer", "number"}:
        return f"{name} != 0"
    if type_.kinds & {"list", "record"}:
        return f"{name} | length > 0"
    if "text" in type_.kinds:
        words = {str(value).lower() for value in type_.values or ()}
        if words and words <= {"yes", "no", "true", "false"}:
            return f"{name} | boolean"
        return f"{name} != ''"
    return f"{name} is not none"
