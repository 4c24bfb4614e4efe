"""From a typed tree to declared values: their types, defaults, and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from .bounding import check_rules, contradiction
from .checking import value_faults
from .formats import unlike
from .model import Input, Schema, Template, Value
from .nodes import ScalarNode
from .parsing_values import Hand, Ill, of_schema, of_type
from .scalars import describe
from .shaped import Shaped

_PLAIN_KEYS = frozenset(
    [
        "type",
        "items",
        "properties",
        "enum",
        "format",
        "title",
        "description",
        "default",
        "required",
        "value",
    ]
)


def inputs_of(hand: Hand, entry: Shaped | None) -> tuple[Input, ...]:
    """Declared values: the inputs of a flow, or what an answer is made of."""
    found = []
    for name, shaped in (entry.entries if entry is not None else {}).items():
        schema = schema_of(hand, shaped)
        if schema is None:  # of a draft: that it is there is known, and nothing else
            place = shaped.key or shaped.place
            found.append(Input(name=name, schema=Schema(type="any"), required=False, place=place))
            continue
        has_default = "default" in shaped.entries
        readable = has_default and shaped.entries["default"].sound and not contradiction(shaped)
        default = _default(hand, shaped.entries["default"], schema) if readable else None
        required = hand.scalar(shaped, "required")
        if has_default and required is True:
            hand.say(
                "F015",
                shaped.entries["required"].key or shaped.place,
                f"the input {name!r} has a default, so it is never required",
                "delete `required: true`, or the default",
            )
        found.append(
            Input(
                name=name,
                schema=schema,
                required=required is not False and not has_default,
                default=default,
                place=shaped.key or shaped.place,
            )
        )
    return tuple(found)


def _default(hand: Hand, shaped: Shaped, schema: Schema) -> Value:
    """The default, typed as the input is; a default that the input would refuse is a problem."""
    node = shaped.node
    if isinstance(node, ScalarNode) and "{{" in node.text:
        return Template(node.text, node.inside, node.turns)
    try:
        value = of_schema(node, schema)
    except Ill as ill:
        hand.say(
            "F015",
            ill.node.place,
            f"the default is {describe(ill.node)}; {ill.wanted} is needed",
            f"the input is of type {schema.type}",
        )
        return None
    if value is not None and not _plainly_fits(value, schema):
        for _, message in value_faults(value, json_schema(schema))[:1]:
            hand.say(
                "F015",
                node.place,
                f"the input refuses its own default: {message}",
                "change one of the two",
            )
    unlikely = misformatted(value, schema)
    if unlikely is not None:
        hand.say(
            "F015",
            node.place,
            f"the input refuses its own default: {unlikely[0]!r} is not {unlikely[1]}",
            "change the default, or delete the format",
        )
    return cast("Value", value)


def misformatted(value: Any, schema: Schema) -> tuple[str, str] | None:
    """The first text in a value that has not the format it should have, and what that is called."""
    if isinstance(value, str):
        wanted = unlike(value, schema.format)
        return (value, wanted) if wanted is not None else None
    inner: list[tuple[Any, Schema]] = []
    if isinstance(value, list | tuple) and schema.items is not None:
        inner = [(item, schema.items) for item in value]
    elif isinstance(value, Mapping):
        inner = [(value[name], one) for name, one in schema.properties.items() if name in value]
    return next((found for one in inner if (found := misformatted(*one)) is not None), None)


def _plainly_fits(value: Any, schema: Schema) -> bool:
    """Whether a value of the right type is sure to fit: then the validator need not be loaded."""
    if isinstance(value, list | tuple):
        inner = schema.items
        return not schema.keywords and (
            inner is None or all(_plainly_fits(item, inner) for item in value)
        )
    if isinstance(value, Mapping) or schema.keywords.keys() - {"minimum", "maximum"}:
        return False
    least, most = (schema.keywords.get(name) for name in ("minimum", "maximum"))
    if isinstance(least, int | Decimal) and not least <= value:
        return False
    if isinstance(most, int | Decimal) and not value <= most:
        return False
    return not schema.enum or value in schema.enum


def json_schema(schema: Schema) -> dict[str, Any]:
    """The JSON Schema of an input, with the types of the language."""
    made: dict[str, Any] = {**schema.keywords}
    if schema.type not in ("date", "datetime"):  # these are text until a run makes dates of them
        made["type"] = schema.type
    if schema.enum:
        made["enum"] = list(schema.enum)
    if schema.items is not None:
        made["items"] = json_schema(schema.items)
    if schema.properties:
        made["properties"] = {name: json_schema(inner) for name, inner in schema.properties.items()}
    return made


def schema_of(hand: Hand, shaped: Shaped) -> Schema | None:
    """The type of a value; None where it is not said, which was complained about."""
    kind = hand.text(shaped, "type")
    if kind is None:
        return None
    items, properties = shaped.get("items"), shaped.get("properties")
    inner = {
        name: schema_of(hand, entry)
        for name, entry in (properties.entries if properties is not None else {}).items()
    }
    keywords: Mapping[str, Any] = {
        name: entry.plain()
        for name, entry in shaped.entries.items()
        if name not in _PLAIN_KEYS and entry.sound
    }
    schema = Schema(
        type=kind,
        items=schema_of(hand, items) if items is not None else None,
        properties={name: one for name, one in inner.items() if one is not None},
        format=hand.text(shaped, "format"),
        title=hand.text(shaped, "title"),
        description=hand.text(shaped, "description"),
        keywords=keywords,
    )
    _check_pattern(hand, shaped)
    check_rules(hand, shaped, kind)
    return replace(schema, enum=_enum(hand, shaped.get("enum"), schema))


def _check_pattern(hand: Hand, shaped: Shaped) -> None:
    pattern = hand.text(shaped, "pattern")
    if pattern is None:
        return
    from .matching import faulty  # noqa: PLC0415 - hardly any flow has a pattern

    wrong = faulty(pattern)
    if wrong is not None:
        hand.say(
            "F015",
            shaped.entries["pattern"].place,
            f"{pattern!r} is not a regular expression: {wrong}",
            "mend the pattern, or delete it",
        )


def _enum(hand: Hand, entry: Shaped | None, schema: Schema) -> tuple[Value, ...]:
    found = []
    for item in entry.items if entry is not None and entry.sound else ():
        try:
            found.append(of_type(item.node, schema.type))
        except Ill as ill:
            hand.say(
                "F015",
                item.place,
                f"this value is {describe(item.node)}; {ill.wanted} is needed",
                f"the type is {schema.type}",
            )
    return tuple(found)
