"""What filters, tests and functions make of types, after the lines of the table. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from cosell_definitions.problems import did_you_mean

from . import syntax as s
from .filters import FILTERS, FUNCTIONS, TESTS
from .inferring import Inference, Path
from .paths import path_text
from .signatures import Parameter, Signature, signature_of
from .tables import Entry
from .types import ANY, BOOLEAN, LIST, TEXT, Type, among, either, list_of, record_of

_EQUAL = frozenset(("eq", "equalto", "==", "ne", "!="))
_BY_FIELD = frozenset(("join", "sort", "unique", "min", "max", "sum", "groupby"))
_ORDERS = frozenset(("lt", "le", "gt", "ge", "lessthan", "greaterthan", "<", "<=", ">", ">="))


def inference(
    scope: Mapping[str, Type], *, strict: bool = False, tested: Collection[Path] = ()
) -> Inference:
    """A look at one expression that sees these names."""
    return Inference(scope, type_of_call, strict=strict, tested=tested)


def type_of_call(inference: Inference, node: s.Filtered | s.Tested | s.Called) -> Type:
    """The type of what is called by name."""
    match node:
        case s.Called(name, arguments, options, _):
            if name not in FUNCTIONS:
                _look_at(inference, node)
                return ANY
            signature = signature_of(FUNCTIONS[name].types)
            _arguments(inference, FUNCTIONS[name], signature, arguments, options)
            return signature.result or ANY
        case s.Filtered(name, value, _, _, _) if name not in FILTERS:
            inference.type_of(value, guarded=True)  # `default` may have been meant
            return ANY
        case s.Tested(name, value, _, _) if name not in TESTS:
            inference.type_of(value, guarded=True)
            return BOOLEAN
        case s.Tested(name, value, arguments, _):
            entry = TESTS[name]
            type_ = inference.type_of(value, guarded=entry.takes_missing)
            given = [(one, inference.type_of(one)) for one in arguments]
            _test(inference, entry, value, type_, given)
            return BOOLEAN
        case s.Filtered(name, _, _, _, _) if name in ("default", "d"):
            return _default(inference, node)
        case s.Filtered("map", _, _, _, _):
            return _map(inference, node)
        case s.Filtered():
            return _filter(inference, node)


def _look_at(inference: Inference, node: s.Syntax) -> None:
    for child in s.children(node):
        inference.type_of(child)


# -- arguments ----------------------------------------------------------------------------------


def _arguments(
    inference: Inference,
    entry: Entry,
    signature: Signature,
    arguments: Sequence[s.Syntax],
    options: Sequence[tuple[str, s.Syntax]],
) -> dict[str, Type]:
    """Check the arguments against the signature; gives their types by name."""
    found: dict[str, Type] = {}
    pairs: list[tuple[Parameter | None, s.Syntax]] = [
        (signature.at(index), one) for index, one in enumerate(arguments)
    ]
    pairs += [(signature.named(name), one) for name, one in options]
    for parameter, node in pairs:
        type_ = inference.type_of(node)
        if parameter is None:
            continue
        found[parameter.name] = type_
        wanted = parameter.type
        if wanted.known and not type_.may_be(*wanted.kinds):
            message = f"{entry.name} takes {wanted} for {parameter.name!r};"
            said = f"{message} {inference.said(node, type_)}"
            inference.complain_of("X010", node, said, f"as in: {entry.example}")
        elif wanted.values and isinstance(node, s.Constant) and node.value not in wanted.values:
            message = f"{entry.name} knows no {node.value!r} for {parameter.name!r}"
            inference.complain_of("X010", node, message, among(str(node.value), wanted.values))
    return found


def _in_front(
    inference: Inference, entry: Entry, signature: Signature, node: s.Syntax, type_: Type
) -> bool:
    """Whether the value in front will do; complains where it will not."""
    wanted = signature.value
    if wanted is None or not wanted.known or type_.may_be(*wanted.kinds):
        return True
    fallbacks = {"text": "''", "list": "[]", "record": "{}", "number": "0", "integer": "0"}
    hint = f"as in: {entry.example}"
    if type_.kinds == {"null"}:
        word = next((word for kind, word in fallbacks.items() if kind in wanted.kinds), "…")
        hint = f"give a fallback first: | default({word})"
    elif wanted.kinds == {"text"}:
        hint = "make text of it: | string"
    elif wanted.kinds == {"list"} and "record" in type_.kinds:
        hint = "a record's keys, values or both: | keys, | values, | items"
    elif wanted.may_be("number") and "text" in type_.kinds:
        hint = "make a number of it: | decimal"
    message = f"{entry.name} works on {wanted}; {inference.said(node, type_)}"
    inference.complain_of("X010", node, message, hint)
    return False


# -- filters ------------------------------------------------------------------------------------


def _filter(inference: Inference, node: s.Filtered) -> Type:
    entry = FILTERS[node.name]
    signature = signature_of(entry.types)
    type_ = inference.type_of(node.value, guarded=entry.takes_missing)
    given = _arguments(inference, entry, signature, node.arguments, node.options)
    fallback = given.get("default")
    if fallback is None and not _in_front(inference, entry, signature, node.value, type_):
        return _result(entry.name, signature, ANY)
    _named_test(inference, node, type_)
    if node.name in _BY_FIELD:
        chosen = _attribute(inference, node, type_, guarded=False)
        _items(inference, node, chosen if chosen is not None else type_.each)
    result = _result(node.name, signature, type_)
    if node.name == "merge" and type_.fields is not None:
        result = _merged(type_, given.get("other", ANY), deep="deep" in given)
    return result if fallback is None else either(result, fallback)


def _result(name: str, signature: Signature, type_: Type) -> Type:
    if signature.result is not None:
        if name == "list" and type_.kinds == {"list"}:
            return type_
        if name == "batch" and type_.kinds == {"list"}:
            return list_of(type_)
        return signature.result
    if signature.result_word == "same":
        wanted = signature.value or ANY
        return type_.widened() if type_.known else wanted
    if type_.kinds == {"text"}:
        return TEXT
    return type_.each


def _merged(one: Type, other: Type, *, deep: bool = False) -> Type:
    """Both records in one: of the same key the second's value, or both where it goes deep."""
    if one.kinds != {"record"} or other.kinds != {"record"}:
        return record_of({}, besides="anything")
    if one.fields is None or other.fields is None:
        return record_of({}, besides="anything")
    closed = one.besides == other.besides == "nothing"
    fields = {**one.fields, **other.fields}
    for name in set(one.fields) & set(other.fields) if deep else ():
        if one.fields[name].may_be("record") and other.fields[name].may_be("record"):
            fields[name] = _merged(one.fields[name], other.fields[name], deep=True)
    return record_of(fields, besides="nothing" if closed else "anything")


def _default(inference: Inference, node: s.Filtered) -> Type:
    """`a | default(b)`: what a is where it is not null, or what b is."""
    value = inference.type_of(node.value, guarded=True)
    options = dict(node.options)
    fallback = node.arguments[0] if node.arguments else options["fallback"]
    instead = inference.type_of(fallback, guarded=True)
    for rest in (*node.arguments[1:], *(one for name, one in options.items() if name == "blank")):
        if not inference.type_of(rest).may_be("boolean"):
            inference.complain_of("X010", rest, "default takes true or false for 'blank'", None)
    if value.kinds == {"null"}:
        return instead
    return either(value.without_null(), instead)


def _map(inference: Inference, node: s.Filtered) -> Type:
    """`map('upper')`, `map(attribute='id')`."""
    type_ = inference.type_of(node.value)
    entry = FILTERS["map"]
    signature = signature_of(entry.types)
    given = _arguments(inference, entry, signature, node.arguments, node.options)
    if not _in_front(inference, entry, signature, node.value, type_):
        return LIST
    item = type_.each
    match node.arguments:
        case (s.Constant(str() as name, at), *rest):
            return list_of(_mapped_through(inference, name, item, rest, at))
    default = given.get("default")
    found = _attribute(inference, node, type_, guarded=default is not None) or ANY
    return list_of(found if default is None else either(found, default))


def _mapped_through(
    inference: Inference, name: str, item: Type, rest: Sequence[s.Syntax], at: int
) -> Type:
    entry = FILTERS.get(name)
    if entry is None:
        near = did_you_mean(name, FILTERS)
        of_field = f"for a field of every item: map(attribute='{name}')"
        hint = f"did you mean {near!r}?" if near and len(near) > 1 else of_field
        named = s.Constant(name, at)
        return inference.complain_of("X005", named, f"there is no filter {name!r}", hint)
    signature = signature_of(entry.types)
    _arguments(inference, entry, signature, rest, ())
    wanted = signature.value
    if wanted is not None and wanted.known and not item.may_be(*wanted.kinds):
        message = f"{name} works on {wanted}; every item is {item}"
        return inference.complain_of(
            "X010", s.Constant(name, at), message, f"as in: {entry.example}"
        )
    return _result(name, signature, item)


def _items(inference: Inference, node: s.Filtered, item: Type) -> None:
    """What is added up is numbers, and what is sorted has an order."""
    wanted: tuple[str, ...] = ()
    if node.name == "sum":
        wanted = ("integer", "number")
    elif node.name in ("sort", "min", "max"):
        wanted = ("integer", "number", "text", "date", "moment")
    if wanted and not item.may_be(*wanted):
        what = "numbers" if node.name == "sum" else "numbers, texts and dates"
        hint = (
            f"say which field: | {node.name}(attribute='…')"
            if "record" in item.kinds
            else "make numbers of them: | map('decimal')"
        )
        inference.complain_of(
            "X010", node.value, f"{node.name} works on {what}; every item is {item}", hint
        )


def _attribute(
    inference: Inference, node: s.Filtered, type_: Type, *, guarded: bool
) -> Type | None:
    """The type of the field that `attribute=` names, of each item; None where it names none."""
    options = dict(node.options)
    named = options.get("attribute")
    if named is None and node.name == "groupby":
        named = node.arguments[0] if node.arguments else None
    if named is None:
        return None
    if not isinstance(named, s.Constant) or not isinstance(named.value, str):
        return ANY
    here = type_.each
    owner = f"every item of {path_text(node.value) or 'the list'}"
    return _dotted(inference, here, named, owner, guarded=guarded)


def _dotted(
    inference: Inference, here: Type, named: s.Constant, owner: str, *, guarded: bool
) -> Type:
    at = named.at + 1
    for part in str(named.value).split("."):
        if "list" in here.kinds:
            return ANY
        here = inference.field(here, part, owner, at, guarded=guarded)
        owner, at = f"{owner}.{part}", at + len(part) + 1
    return here


# -- tests --------------------------------------------------------------------------------------


def _test(
    inference: Inference,
    entry: Entry,
    value: s.Syntax,
    type_: Type,
    given: Sequence[tuple[s.Syntax, Type]],
) -> None:
    """Check one use of a test."""
    if entry.name in _EQUAL and given:
        sign = "ne" if entry.name in ("ne", "!=") else "eq"
        inference.equality(value, type_, *given[0], sign)
    elif entry.name in _ORDERS and given:
        inference.ordered(value, type_, *given[0])
    elif entry.name == "in" and given:
        inference.contained(value, type_, *given[0])
    elif not entry.takes_missing:
        signature = signature_of(entry.types)
        _in_front(inference, entry, signature, value, type_)
        for index, (node, one) in enumerate(given):
            parameter = signature.at(index)
            wanted = parameter.type if parameter is not None else ANY
            if wanted.known and not one.may_be(*wanted.kinds):
                message = f"{entry.name} takes {wanted}; {inference.said(node, one)}"
                inference.complain_of("X010", node, message, f"as in: {entry.example}")


def _named_test(inference: Inference, node: s.Filtered, type_: Type) -> None:
    """`select('gt', 3)`, `selectattr('status', 'eq', 'New')`: a test for every item."""
    if node.name not in ("select", "reject", "selectattr", "rejectattr"):
        return
    item = type_.each
    arguments = list(node.arguments)
    if node.name.endswith("attr") and arguments:
        named = arguments.pop(0)
        if isinstance(named, s.Constant) and isinstance(named.value, str):
            owner = f"every item of {path_text(node.value) or 'the list'}"
            item = _dotted(inference, item, named, owner, guarded=True)
        else:
            item = ANY
    match arguments:
        case (s.Constant(str() as name, at), *rest):
            if name not in TESTS:
                near = did_you_mean(name, TESTS)
                words = ", ".join(one for one in TESTS if one.isalpha())
                hint = f"did you mean {near!r}?" if near else f"there are: {words}"
                named = s.Constant(name, at)
                inference.complain_of("X005", named, f"there is no test {name!r}", hint)
                return
            given = [(one, inference.type_of(one)) for one in rest]
            _test(inference, TESTS[name], s.Name("every item", at), item, given)
