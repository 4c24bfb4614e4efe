"""Guess what was meant by those who know it from another tool, and say how it is written here. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Literal

from cosell_definitions.model import Flow
from cosell_definitions.problems import did_you_mean

from .filters import FILTERS, TESTS
from .values import Faulty

# Functions of Power Automate, Excel and Python -> how it is said here.
_FUNCTIONS: Mapping[str, str] = {
    "len": "x | length",
    "size": "x | length",
    "empty": "x is blank",
    "isblank": "x is blank",
    "isnull": "x is none",
    "coalesce": "a | default(b)",
    "concat": "a ~ b",
    "equals": "a == b",
    "not": "not a",
    "and": "a and b",
    "or": "a or b",
    "if": "a if condition else b",
    "iif": "a if condition else b",
    "greater": "a > b",
    "less": "a < b",
    "add": "a + b",
    "sub": "a - b",
    "mul": "a * b",
    "div": "a / b",
    "mod": "a % b",
    "str": "x | string",
    "float": "x | decimal",
    "bool": "x | boolean",
    "json": "x is read as it comes; to write it: x | tojson",
    "sorted": "x | sort",
    "substring": "x[0:3]",
    "left": "x[0:3]",
    "tolower": "x | lower",
    "toupper": "x | upper",
    "formatdatetime": "x | format_date('%d.%m.%Y')",
    "adddays": "x | add_days(1)",
    "addminutes": "x | add_minutes(1)",
    "now": "run.now",
    "utcnow": "run.now",
    "today": "run.now | date",
    "outputs": "steps.<id>.output",
    "body": "steps.<id>.output",
    "typeof": "x is string; others are number, boolean, mapping",
    "defined": "x is defined",
    "getdate": "run.now | date",
    "triggerbody": "event, in the inputs of a webhook trigger",
    "triggeroutputs": "event, in the inputs of a webhook trigger",
    "variables": "steps.<id>.output, of a step with `set`",
    "parameters": "inputs.<name>, or env.<NAME>",
    "item": "the name under `as` of the loop",
    "items": "the name under `as` of the loop",
}
# Methods of Python and JavaScript -> the filter that does their work.
METHODS: Mapping[str, str] = {
    "strip": "trim",
    "get": "default",
    "len": "length",
    "size": "length",
    "format": "replace",
    "tostring": "string",
    "tolowercase": "lower",
    "touppercase": "upper",
    "includes": "contains",
    "has": "contains",
    "filter": "select",
}
# Filters of Liquid, Ansible and Django -> the filter that does their work, or how it is said here.
_FILTERS: Mapping[str, str] = {
    **dict.fromkeys(("upcase", "ucase", "touppercase"), "upper"),
    **dict.fromkeys(("downcase", "lcase", "tolowercase"), "lower"),
    **dict.fromkeys(("strip", "lstrip", "rstrip", "strip_newlines"), "trim"),
    **dict.fromkeys(("append", "prepend", "concat", "plus_text"), "a ~ b"),
    **dict.fromkeys(("size", "len"), "length"),
    **dict.fromkeys(("strftime", "dateformat", "to_date"), "format_date('%d.%m.%Y')"),
    **dict.fromkeys(("to_json", "json", "dump", "jsonify"), "tojson"),
    **dict.fromkeys(("uniq", "distinct"), "unique"),
    **dict.fromkeys(("where", "filter"), "selectattr('status', 'eq', 'New')"),
    **dict.fromkeys(("plus", "add"), "a + b"),
    **dict.fromkeys(("minus", "sub"), "a - b"),
    **dict.fromkeys(("times", "mul"), "a * b"),
    "divided_by": "a / b",
    "modulo": "a % b",
    "ternary": "a if condition else b",
    "compact": "select('defined')",
    "combine": "merge",
    "url_encode": "urlencode",
    "str": "string",
    "to_number": "decimal",
}
# Words of YAML and of other tools for the values that have a word here.
_PLAIN: Mapping[str, str] = {
    **dict.fromkeys(("yes", "on", "true"), "true"),
    **dict.fromkeys(("no", "off", "false"), "false"),
    **dict.fromkeys(("null", "nil", "nothing", "undefined"), "null"),
}
_NAMES: Mapping[str, str] = {
    "now": "the time is run.now",
    "utcnow": "the time is run.now",
    "today": "the day is run.now | date",
    "index": "index is there in a loop",
    "item": "the item of a loop has the name under its `as`",
    "loop": "in a loop there are its item and index",
    "blank": "whether there is nothing: x is blank",
    "empty": "whether there is nothing: x is blank",
    "omit": "a key cannot be left out by a value; for null: default(none)",
    "error": "error is there in the steps of on_error; of a step: steps.<id>.error",
    "event": "event is there in the inputs of a webhook trigger",
    "events": "events is there in the inputs of a webhook trigger",
    "trigger": "event is there in the inputs of a webhook trigger",
    "variables": "environment variables are env.<NAME>",
    "vars": "environment variables are env.<NAME>",
    "parameters": "inputs are inputs.<name>, environment variables env.<NAME>",
    "output": "outputs are read from their step: steps.<id>.output",
    "outputs": "outputs are read from their step: steps.<id>.output",
}


_CHOICE = "a choice is written: 'a' if condition else 'b'"
# Signs of other languages, as patterns -> how that is said here. The first that fits counts.
_SIGNS: Mapping[str, str] = {
    r"&&|\|\||!|\||(AND|OR|NOT)\b": "write `and`, `or`, `not`",
    r"&": "texts are joined with ~; where both must hold: and",
    r"\?\?": "what stands for a value that is missing: a | default(b)",
    r"\?[.\[]": "a field may be missing: a.b | default('')",
    r"\?": _CHOICE,
    r"['\"]": 'this quote is never closed; a text with \' in it stands in "…"',
    r"[@$#]": "names stand alone: inputs.name",
    r"between\b": "write: 1 <= x and x <= 5",
    r"for\b": "of every item: list | map(attribute='…'); those that fit: list | selectattr(…)",
    r",\s*[0-9]": "decimals have a point: 1.5",
}


def function_meant(name: str) -> str | None:
    """How that is written here which is a function elsewhere."""
    lowered = name.lower()
    said = _FUNCTIONS.get(lowered)
    if said is None and lowered in FILTERS:
        needs_more = FILTERS[lowered].misuse(1, ()) is not None
        said = f"x | {lowered}{'(…)' if needs_more else ''}"
    return f"write: {said}" if said is not None else None


def name_meant(name: str, names: Collection[str], flow: Flow | None) -> str | None:
    """What was meant by a name that stands alone."""
    if name in names:
        return None
    if flow is not None and "inputs" in names and any(one.name == name for one in flow.inputs):
        return f"did you mean inputs.{name}?"
    if flow is not None and "steps" in names and any(one.id == name for one in flow.steps):
        return f"did you mean steps.{name}.output?"
    plain = _PLAIN.get(name.lower())
    return f"write: {plain}" if plain is not None else _NAMES.get(name.lower())


def sign_meant(rest: str, text: str) -> str | None:
    """What was meant by a sign or word at which an expression cannot go on."""
    foreign = _of_another_language(rest, text) or _comparison_meant(rest, text)
    if foreign is not None:
        return foreign
    for signs, hint in _SIGNS.items():
        if re.match(signs, rest):
            return hint
    if " then " in rest:
        return _CHOICE
    word = re.match(r"contains|startswith|endswith|matches", rest)
    return f"write: x | {word[0]}('…')" if word else None


def _comparison_meant(rest: str, text: str) -> str | None:
    before = text.rstrip()
    if rest.startswith("<>") or (before.endswith("<") and rest.startswith(">")):
        return "write != for: is not equal"
    if re.search(r"\bis not$", before) and rest.startswith(("'", '"')):
        return f"write != for: is not equal, as in: {before.removesuffix('is not').strip()} != …"
    if re.search(r"\bis$", before) and rest.startswith(("'", '"')):
        return f"write == for: is equal, as in: {before.removesuffix('is').strip()} == …"
    if rest.startswith("=~"):
        return "whether a text fits a pattern: x is matches('…')"
    if rest.startswith("="):
        denied = before.endswith("!=")
        return f"write {'!=' if denied else '=='} for: is {'not ' if denied else ''}equal"
    return None


def _of_another_language(rest: str, text: str) -> str | None:
    """Arrow functions, format strings and three braces."""
    if rest.startswith(("=>", "->")) or (text.rstrip().endswith("=") and rest.startswith(">")):
        return "of every item: list | map(attribute='…'); those that fit: list | selectattr(…)"
    if re.search(r"(^|[^\w])[fr]$", text) and rest.startswith(("'", '"')):
        return "texts are joined with ~: 'Hello ' ~ inputs.name"
    filtered = re.search(r"\|\s*(\w+)\s*$", text)
    if rest.startswith(":") and filtered is not None:
        name = {"date": "format_date"}.get(filtered[1], _FILTERS.get(filtered[1], filtered[1]))
        said = f"x | {name}(…)" if name in FILTERS else name
        return f"write: {said}; what a filter is given stands in parentheses"
    if rest.startswith("}") and not text.strip():
        return "two braces open, two close: {{ inputs.name }}"
    return None


def no_such(kind: Literal["filter", "test"], name: str, at: int) -> Faulty:
    """There is no such filter or test."""
    table = FILTERS if kind == "filter" else TESTS
    meant = _FILTERS.get(name.lower()) if kind == "filter" else None
    if meant is not None:
        said = f"| {meant}" if meant in FILTERS else meant
        return Faulty(f"there is no {kind} {name!r}", f"write: {said}", at=at, code="X005")
    near = did_you_mean(name, table)
    hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(table)}"
    return Faulty(f"there is no {kind} {name!r}", hint, at=at, code="X005")
