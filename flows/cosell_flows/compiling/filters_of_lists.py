"""Filters on lists and records. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from .arithmetic import calculate, contains, equal, exact
from .limits import Meter, room_for
from .tables import Table, need_count, need_list, need_number, need_text
from .tests_of_values import TABLE as TESTS
from .tests_of_values import is_blank
from .values import Faulty, Missing, absent, is_list, is_number, shown, text_of

TABLE = Table()
entry = TABLE.entry


def field_of(record: Any, path: Any, name: str) -> Any:
    """What stands at a dotted path of a record; Missing where nothing does."""
    here = record
    for part in need_text(path, name).split("."):
        if isinstance(here, Missing):
            return here
        if isinstance(here, Mapping):
            here = here[part] if part in here else Missing(part, "the record", _first_keys(here))
        elif is_list(here) and part.isdigit():
            here = here[int(part)] if int(part) < len(here) else Missing(part, "the list")
        else:
            here = Missing(part, "", because=f"{shown(here)} has no field {part!r}")
    return here


def present(value: Any) -> Any:
    if isinstance(value, Missing):
        raise absent(value)
    return value


@entry(
    "list, [separator: text], [attribute: text] -> text",
    "its items as one text",
    "['a', 'b'] | join(', ')",
    '"a, b"',
)
def join(meter: Meter, value: Any, separator: Any = "", attribute: Any = None) -> str:
    """The items as one text."""
    between = need_text(separator, "join")
    items = need_list(value, "join")
    meter.turn(len(items))
    if attribute is not None:
        items = [present(field_of(item, attribute, "join")) for item in items]
    texts, letters = [], 0
    for item in items:
        texts.append(text_of(item))
        letters += len(texts[-1]) + len(between)
        room_for(text=letters)
    return between.join(texts)


def _judge(meter: Meter, test: Any, arguments: tuple[Any, ...], name: str) -> Callable[[Any], bool]:
    """The test that `select` and its kin apply to each item."""
    if test is None:
        return lambda item: (
            not (isinstance(item, Missing) or is_blank(meter, item) or item is False)
        )
    wanted = need_text(test, name)
    if wanted not in TESTS.entries:
        raise Faulty(f"there is no test {wanted!r}", f"{name} takes the name of a test in quotes")
    one = TESTS.entries[wanted]
    misuse = one.misuse(1 + len(arguments), ())
    if misuse is not None:
        raise Faulty(f"{wanted}: {misuse}", f"as in: {one.example}")

    among = _texts(meter, arguments[0]) if one is TESTS.entries["in"] and arguments else None

    def judge(item: Any) -> bool:
        if among is not None and isinstance(item, str):
            return item in among
        if isinstance(item, Missing) and not one.takes_missing:
            raise absent(item)
        return bool(one.call(meter, item, *arguments))

    return judge


def _first_keys(record: Mapping[Any, Any]) -> tuple[str, ...]:
    return tuple(map(str, itertools.islice(record, 50)))


def _texts(meter: Meter, whole: Any) -> frozenset[str] | None:
    """A list of nothing but texts, to be asked often: five thousand ids are looked for in as many."""
    if not is_list(whole):
        return None
    meter.turn(len(whole))
    return frozenset(whole) if all(isinstance(item, str) for item in whole) else None


def each(meter: Meter, items: list[Any]) -> Iterator[Any]:
    for item in items:
        meter.turn()
        yield item


@entry(
    "list, [test: text], [arguments: any…] -> same",
    "the items that pass a test; without one, those not blank",
    "[1, none, 3] | select('number')",
    "[1, 3]",
)
def select(meter: Meter, value: Any, test: Any = None, *arguments: Any) -> list[Any]:
    """The items that pass a test."""
    passes = _judge(meter, test, arguments, "select")
    return [item for item in each(meter, need_list(value, "select")) if passes(item)]


@entry(
    "list, [test: text], [arguments: any…] -> same",
    "the items that do not pass a test",
    "[1, none, 3] | reject('none')",
    "[1, 3]",
)
def reject(meter: Meter, value: Any, test: Any = None, *arguments: Any) -> list[Any]:
    """The items that do not pass a test."""
    passes = _judge(meter, test, arguments, "reject")
    return [item for item in each(meter, need_list(value, "reject")) if not passes(item)]


@entry(
    "list, path: text, [test: text], [arguments: any…] -> same",
    "the records whose field passes a test",
    "[{'a': 1}, {'a': 2}] | selectattr('a', 'gt', 1)",
    '[{"a": 2}]',
)
def selectattr(meter: Meter, value: Any, path: Any, test: Any = None, *arguments: Any) -> list[Any]:
    """The records whose field passes a test."""
    passes = _judge(meter, test, arguments, "selectattr")
    items = each(meter, need_list(value, "selectattr"))
    return [item for item in items if passes(field_of(item, path, "selectattr"))]


@entry(
    "list, path: text, [test: text], [arguments: any…] -> same",
    "the records whose field does not pass a test",
    "[{'a': 1}, {'a': 2}] | rejectattr('a', 'gt', 1)",
    '[{"a": 1}]',
)
def rejectattr(meter: Meter, value: Any, path: Any, test: Any = None, *arguments: Any) -> list[Any]:
    """The records whose field does not pass a test."""
    passes = _judge(meter, test, arguments, "rejectattr")
    items = each(meter, need_list(value, "rejectattr"))
    return [item for item in items if not passes(field_of(item, path, "rejectattr"))]


@entry("list or text -> item", "the first item; missing where there is none", "[1, 2] | first", "1")
def first(_: Meter, value: Any) -> Any:
    """The first item."""
    items = value if isinstance(value, str) else need_list(value, "first")
    return items[0] if items else Missing("first", "", because="an empty list has no first item")


@entry("list or text -> item", "the last item; missing where there is none", "[1, 2] | last", "2")
def last(_: Meter, value: Any) -> Any:
    """The last item."""
    items = value if isinstance(value, str) else need_list(value, "last")
    return items[-1] if items else Missing("last", "", because="an empty list has no last item")


@entry(
    "list or text or record -> integer",
    "how many items, letters or keys",
    "[1, 2] | length",
    "2",
    names="length count",
)
def length(_: Meter, value: Any) -> int:
    """How many items, letters or keys."""
    if isinstance(value, str | Mapping) or is_list(value):
        return len(value)
    hint = "give a fallback first: | default([])" if value is None else None
    raise Faulty(f"{shown(value)} has no length", hint)


@entry(
    "list or text or record -> list",
    "a list of a list, the letters of a text, the keys of a record",
    "'ab' | list",
    '["a", "b"]',
    names="list",
)
def list_(_: Meter, value: Any) -> list[Any]:
    """A list of a list, the letters of a text, the keys of a record."""
    if isinstance(value, str | Mapping):
        room_for(items=len(value))
        return list(value)
    return need_list(value, "list")


@entry(
    "list, [attribute: text] -> same",
    "each value once, in the order of their first coming",
    "[1, 2, 1] | unique",
    "[1, 2]",
)
def unique(meter: Meter, value: Any, attribute: Any = None) -> list[Any]:
    """Each value once, in the order of their first coming."""
    seen: set[Hashable] = set()
    odd: list[Any] = []  # values that cannot be hashed, such as records
    kept = []
    for item in each(meter, need_list(value, "unique")):
        mark = item if attribute is None else present(field_of(item, attribute, "unique"))
        if isinstance(mark, Mapping) or is_list(mark):
            if contains(odd, mark, meter):
                continue
            odd.append(mark)
        else:
            tagged = (isinstance(mark, bool), mark)  # 1 and true are not the same
            if tagged in seen:
                continue
            seen.add(tagged)
        kept.append(item)
    return kept


@entry(
    "list, [attribute: text], [start: number] -> number",
    "all numbers together",
    "[1.10, 2] | sum",
    "3.10",
)
def sum_(meter: Meter, value: Any, attribute: Any = None, start: Any = 0) -> Any:
    """All numbers together, exactly."""
    total = need_number(start, "sum")
    for item in each(meter, need_list(value, "sum")):
        number = item if attribute is None else present(field_of(item, attribute, "sum"))
        total = calculate("+", total, need_number(number, "sum"))
    return total


@entry("list or text -> same", "from the last to the first", "[1, 2] | reverse", "[2, 1]")
def reverse(_: Meter, value: Any) -> Any:
    """From the last to the first."""
    return value[::-1] if isinstance(value, str) else need_list(value, "reverse")[::-1]


@entry("list -> list", "lists of lists made one list", "[[1], [2, 3]] | flatten", "[1, 2, 3]")
def flatten(meter: Meter, value: Any) -> list[Any]:
    """Lists of lists made one list; one level."""
    flat: list[Any] = []
    for item in each(meter, need_list(value, "flatten")):
        flat.extend(item if is_list(item) else [item])
        room_for(items=len(flat))
    return flat


@entry(
    "list, size: integer -> list of list",
    "in portions of a size",
    "[1, 2, 3] | batch(2)",
    "[[1, 2], [3]]",
)
def batch(_: Meter, value: Any, size: Any) -> list[Any]:
    """In portions of a size, for interfaces that take so many at a time."""
    items = need_list(value, "batch")
    step = need_count(size, "batch", most=100_000)
    if step < 1:
        raise Faulty("a batch holds at least 1")
    return [items[at : at + step] for at in range(0, len(items), step)]


@entry(
    "list or text or record, part: any -> boolean",
    "whether a list, text or record contains something",
    "[1, 2] | contains(2)",
    "true",
)
def contains_(meter: Meter, value: Any, part: Any) -> bool:
    """Whether a list, text or record contains something."""
    return contains(value, part, meter)


def _record(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        hint = "give a fallback first: | default({})" if value is None else None
        raise Faulty(f"{name} works on records; this is {shown(value)}", hint)
    return value


@entry("record -> list of text", "its keys", "{'a': 1} | keys", '["a"]')
def keys(_: Meter, value: Any) -> list[Any]:
    """The keys of a record."""
    return list(_record(value, "keys"))


@entry("record -> list", "its values", "{'a': 1} | values", "[1]")
def values(_: Meter, value: Any) -> list[Any]:
    """The values of a record."""
    return list(_record(value, "values").values())


@entry(
    "record -> list of list",
    "its keys with their values, as pairs",
    "{'a': 1} | items",
    '[["a", 1]]',
)
def items(_: Meter, value: Any) -> list[list[Any]]:
    """The keys of a record with their values."""
    return [[key, inner] for key, inner in _record(value, "items").items()]


@entry(
    "record, other: record, [deep: boolean] -> record",
    "both; of the same key the second's value, or with deep=true both records below it",
    "{'a': {'b': 1}} | merge({'a': {'c': 2}}, deep=true)",
    '{"a": {"b": 1, "c": 2}}',
)
def merge(meter: Meter, value: Any, other: Any, deep: Any = False) -> dict[str, Any]:
    """Both records in one."""
    one, two = _record(value, "merge"), _record(other, "merge")
    merged = _laid_over(meter, one, two) if deep is True else {**one, **two}
    room_for(items=len(merged))
    return merged


def _laid_over(meter: Meter, under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """*over* on *under*, record by record; lists and plain values are replaced whole."""
    laid = dict(under)
    for key, value in over.items():
        meter.turn()
        below = laid.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            laid[key] = _laid_over(meter, below, value)
        else:
            laid[key] = value
    return laid


@entry(
    "list, path: text -> list of record",
    "records of one field's value and its items",
    "[{'a': 1}, {'a': 1}] | groupby('a')",
    '[{"value": 1, "items": [{"a": 1}, {"a": 1}]}]',
)
def groupby(meter: Meter, value: Any, path: Any) -> list[dict[str, Any]]:
    """Groups of records that agree in a field, in the order of their first coming."""
    groups: list[dict[str, Any]] = []
    known: dict[Hashable, dict[str, Any]] = {}
    odd: list[dict[str, Any]] = []  # of values that cannot be hashed, such as records
    for item in each(meter, need_list(value, "groupby")):
        mark = present(field_of(item, path, "groupby"))
        whole = isinstance(mark, Mapping) or is_list(mark)
        tagged = (
            None if whole else (isinstance(mark, bool), exact(mark) if is_number(mark) else mark)
        )
        if tagged is None:
            group = next((it for it in odd if equal(it["value"], mark, meter)), None)
        else:
            group = known.get(tagged)
        if group is None:
            group = {"value": mark, "items": []}
            groups.append(group)
            if tagged is None:
                odd.append(group)
            else:
                known[tagged] = group
        group["items"].append(item)
    return groups
