"""What is known of a value before anything runs. What is not known stays silent: gradual types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from cosell_definitions.model import Schema
from cosell_definitions.problems import did_you_mean
from cosell_definitions.settings import Declaration

Kind = Literal[
    "text", "integer", "number", "boolean", "date", "moment", "list", "record", "null", "duration"
]
KINDS: frozenset[str] = frozenset(
    ("text", "integer", "number", "boolean", "date", "moment", "list", "record", "null", "duration")
)
_WORDS = {
    "text": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date",
    "moment": "a moment",
    "list": "a list",
    "record": "a record",
    "null": "null",
    "duration": "a duration",
}


@dataclass(frozen=True, slots=True)
class Type:
    """The kinds a value may be of; none at all means that nothing is known."""

    kinds: frozenset[str] = frozenset()
    item: Type | None = None  # of a list
    fields: Mapping[str, Type] | None = field(default=None, hash=False)  # of a record; None: any
    # What a record may have besides its fields: nothing, or nothing that was said, or whatever.
    besides: Literal["nothing", "unsaid", "anything"] = "anything"
    values: frozenset[Any] | None = None  # where only these are possible

    @property
    def known(self) -> bool:
        """Whether anything is known."""
        return bool(self.kinds)

    @property
    def each(self) -> Type:
        """The type of its items, where it is a list."""
        return self.item if self.item is not None and self.kinds <= {"list", "null"} else ANY

    def may_be(self, *kinds: str) -> bool:
        """Whether a value of this type can be of one of *kinds*."""
        return not self.kinds or any(_overlap(one, other) for one in self.kinds for other in kinds)

    def without_null(self) -> Type:
        """The same where it is not null."""
        return replace(self, kinds=self.kinds - {"null"}) if self.kinds != {"null"} else ANY

    def widened(self) -> Type:
        """The same, but any value of its kinds: what one run names, another may name otherwise."""
        return self if self.values is None else replace(self, values=None)

    def __str__(self) -> str:
        if not self.kinds:
            return "anything"
        said = [word for kind, word in _WORDS.items() if kind in self.kinds]
        if "number" in self.kinds and "integer" in self.kinds:
            said.remove("a whole number")
        return f"{', '.join(said[:-1])} or {said[-1]}" if len(said) > 1 else said[0]


def _overlap(one: str, other: str) -> bool:
    return one == other or {one, other} == {"integer", "number"}


ANY = Type()


def of(*kinds: Kind) -> Type:
    """A type of one or several kinds."""
    return Type(frozenset(kinds))


TEXT, INTEGER, NUMBER, BOOLEAN = of("text"), of("integer"), of("number"), of("boolean")
DATE, MOMENT, NULL = of("date"), of("moment"), of("null")
LIST, RECORD = of("list"), of("record")


def list_of(item: Type) -> Type:
    """A list whose items are of a type."""
    return Type(frozenset(("list",)), item=item)


def record_of(
    fields: Mapping[str, Type],
    *,
    besides: Literal["nothing", "unsaid", "anything"] = "nothing",
) -> Type:
    """A record of these fields."""
    return Type(frozenset(("record",)), fields=dict(fields), besides=besides)


def text_among(values: Iterable[str]) -> Type:
    """Text that is one of these."""
    return Type(frozenset(("text",)), values=frozenset(values))


def constant(value: object) -> Type:
    """The type of a value that is written out."""
    match value:
        case None:
            return NULL
        case bool():
            return BOOLEAN
        case int():
            return Type(frozenset(("integer",)), values=frozenset((value,)))
        case Decimal():
            return Type(frozenset(("number",)), values=frozenset((value,)))
        case str():
            return text_among((value,))
    return ANY


def either(*types: Type) -> Type:
    """A value that is of one of these types."""
    if not types or any(not one.kinds for one in types):
        return ANY
    first, *rest = types
    return first if not rest else _both_of(first, either(*rest))


def _both_of(one: Type, other: Type) -> Type:
    if one == other:
        return one
    values = None
    if one.values is not None and other.values is not None:
        values = one.values | other.values
    elif one.kinds == {"null"}:
        values = other.values
    elif other.kinds == {"null"}:
        values = one.values
    return Type(
        one.kinds | other.kinds,
        item=_merged(one, other, "list", one.item, other.item),
        fields=_merged_fields(one, other),
        besides=_laxer(one, other),
        values=values,
    )


def _merged(
    one: Type, other: Type, kind: str, mine: Type | None, yours: Type | None
) -> Type | None:
    """What is known of the inside: both sides' knowledge where both may be of the kind."""
    if kind not in one.kinds:
        return yours
    if kind not in other.kinds:
        return mine
    if mine is None or yours is None:
        return None
    return NOTHING if mine is yours is NOTHING else _inside(mine, yours)


def _inside(mine: Type, yours: Type) -> Type:
    """An empty list says nothing about what the other's items are."""
    if mine == NOTHING:
        return yours
    return mine if yours == NOTHING else either(mine, yours)


def _merged_fields(one: Type, other: Type) -> Mapping[str, Type] | None:
    if "record" not in one.kinds:
        return other.fields
    if "record" not in other.kinds:
        return one.fields
    if one.fields is None or other.fields is None:
        return None
    names = {**one.fields, **other.fields}
    return {
        name: either(one.fields[name], other.fields[name])
        if name in one.fields and name in other.fields
        else type_
        for name, type_ in names.items()
    }


def _laxer(one: Type, other: Type) -> Literal["nothing", "unsaid", "anything"]:
    if "record" not in one.kinds:
        return other.besides
    if "record" not in other.kinds:
        return one.besides
    for degree in ("anything", "unsaid"):
        if degree in (one.besides, other.besides):
            return degree
    return "nothing"


NOTHING = Type(values=frozenset())
"""The items of an empty list: there are none, and nothing is known of them."""


# -- where types are declared -----------------------------------------------------------------

_OF_SCHEMA: Mapping[str, Type] = {
    "string": TEXT,
    "integer": INTEGER,
    "number": NUMBER,
    "decimal": NUMBER,
    "boolean": BOOLEAN,
    "date": DATE,
    "datetime": MOMENT,
    "array": LIST,
    "object": RECORD,
}


def of_schema(schema: Schema | None) -> Type:
    """The type of an input or output as it is declared."""
    if schema is None or schema.type not in _OF_SCHEMA:
        return ANY
    if schema.type == "array" and schema.items is not None:
        return list_of(of_schema(schema.items))
    if schema.type == "object" and schema.properties:
        fields = {name: _optional(of_schema(one)) for name, one in schema.properties.items()}
        open_ = schema.keywords.get("additionalProperties") not in (None, False)
        return record_of(fields, besides="anything" if open_ else "unsaid")
    texts = [one for one in schema.enum if isinstance(one, str)]
    if schema.type == "string" and texts and len(texts) == len(schema.enum):
        return text_among(texts)
    return _OF_SCHEMA[schema.type]


def _optional(type_: Type) -> Type:
    return either(type_, NULL) if type_.known else ANY


def of_variable(declaration: Declaration) -> Type:
    """The type of an environment variable."""
    if declaration.type == "boolean":
        return BOOLEAN
    if declaration.type == "number":
        return NUMBER
    if declaration.type == "choice" and declaration.choices:
        return text_among(declaration.choices)
    return TEXT


# -- words about types --------------------------------------------------------------------------


def among(value: str, values: Iterable[Any]) -> str:
    """A hint that names what is possible."""
    known = sorted(str(one) for one in values)
    near = did_you_mean(value, known)
    listed = f"it can be: {', '.join(known)}"
    return f"did you mean {near!r}? {listed}" if near else listed


def misspelt(value: str, values: Iterable[Any]) -> bool:
    """Whether one of the values was meant; a value that is just not among them may come later."""
    return did_you_mean(value, [str(one) for one in values]) is not None
