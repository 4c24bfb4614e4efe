"""Recognise one item of a list that a dash too many has made two of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .fitting import JsonSchema
from .nodes import MappingNode, Node, ScalarNode

_HEAD = frozenset({"id", "name", "when"})  # what stands before the keyword of a step


def rejoined(
    items: tuple[Node, ...], inner: JsonSchema, resolve: Callable[[JsonSchema], JsonSchema]
) -> tuple[tuple[Node, ...], list[ScalarNode]]:
    """The items as they were meant, and the keys that have a dash before them and should not.

    *inner*: the schema of an item.
    """
    if "x-by-key" in inner:
        return _rejoined_steps(items, inner["x-by-key"], resolve)
    return _rejoined_rows(items, inner)


def _rejoined_steps(
    items: tuple[Node, ...],
    branches: Mapping[str, JsonSchema],
    resolve: Callable[[JsonSchema], JsonSchema],
) -> tuple[tuple[Node, ...], list[ScalarNode]]:
    """*branches*: for each keyword, what a step of this kind is made of."""
    whole: list[Node] = []
    keys: list[ScalarNode] = []
    for item in items:
        key = _key_of_rest(whole[-1], item, branches, resolve) if whole else None
        if key is None:
            whole.append(item)
        else:
            keys.append(key)
            whole[-1] = _put_together(whole[-1], item)
    return (tuple(whole) if keys else items), keys


def _key_of_rest(
    first: Node,
    second: Node,
    branches: Mapping[str, JsonSchema],
    resolve: Callable[[JsonSchema], JsonSchema],
) -> ScalarNode | None:
    """The key with which *second* goes on where *first* was not at its end; else None."""
    if not (isinstance(first, MappingNode) and isinstance(second, MappingNode)):
        return None
    before, after = set(first.entries), set(second.entries)
    if not after or "id" in after or before & after or first.faulty or second.faulty:
        return None
    keywords = [name for name in branches if name in before]
    if not keywords:
        begun = before <= _HEAD and "id" in before and bool(after & set(branches))
        return _first_key(second) if begun else None
    branch = resolve(branches[next((it for it in keywords if it != "steps"), keywords[0])])
    lacking = set(branch.get("required", ())) - before
    if after <= set(branch.get("properties", {})) and (
        lacking & after or not after & set(branches)
    ):
        return _first_key(second)
    return None


def _rejoined_rows(
    items: tuple[Node, ...], inner: JsonSchema
) -> tuple[tuple[Node, ...], list[ScalarNode]]:
    """Of items of one kind: the first key that is needed begins each of them."""
    needed = inner.get("required", ())
    whole: list[Node] = []
    keys: list[ScalarNode] = []
    for item in items if len(needed) > 1 else ():
        if whole and _goes_on(whole[-1], item, needed[0], set(inner.get("properties", {}))):
            assert isinstance(item, MappingNode)
            keys.append(_first_key(item))
            whole[-1] = _put_together(whole[-1], item)
        else:
            whole.append(item)
    return (tuple(whole) if keys else items), keys


def _goes_on(first: Node, second: Node, head: str, known: set[str]) -> bool:
    if not (isinstance(first, MappingNode) and isinstance(second, MappingNode)):
        return False
    before, after = set(first.entries), set(second.entries)
    whole = not (first.faulty or second.faulty)
    begun = head in before and bool(after) and head not in after
    return whole and begun and not before & after and after <= known


def _put_together(first: Node, second: Node) -> Node:
    """Both as the one that was meant."""
    assert isinstance(first, MappingNode)
    assert isinstance(second, MappingNode)
    return MappingNode({**first.entries, **second.entries}, first.place)


def _first_key(node: MappingNode) -> ScalarNode:
    return next(iter(node.entries.values()))[0]
