"""Walk a tree along a JSON Schema: give each scalar its type, and say where they part ways."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from .fitting import (
    JsonSchema,
    admits,
    as_typed,
    example_of,
    fits_unquoted,
    name_of,
    place_of,
    types_of,
    wrong_with,
)
from .kinds import LETTERS, load_schema
from .meaning import meant
from .nodes import MappingNode, Node, ScalarNode, SequenceNode
from .problems import Place, Problem
from .rejoining import rejoined
from .scalars import Unfit, describe, typed, untyped, words_for
from .shaped import Shaped

__all__ = ["LETTERS", "Shaped", "load_schema", "shape"]

FEW = 3  # so few keys has a mapping where a strange one can only mean the missing one


def shape(root: Node, schema: JsonSchema, *, letter: str) -> tuple[Shaped, tuple[Problem, ...]]:
    """The tree with types, and everything in which it differs from *schema*."""
    shaper = _Shaper(schema, letter)
    shaped = shaper.shape(root, schema, key=None)
    seen: dict[tuple[Place, str], Problem] = {}
    for problem in shaper.problems:  # what stands under an alias is looked at more than once
        seen.setdefault((problem.place, problem.code + problem.message), problem)
    return shaped, tuple(seen.values())


_Resolved = dict[int, tuple[JsonSchema, JsonSchema]]
"""Schemas with references, by identity, and what they stand for."""


class _Shaper:
    """One walk; it descends only where it is meant to, so that one slip makes one problem."""

    def __init__(self, root: JsonSchema, letter: str, resolved: _Resolved | None = None) -> None:
        self.root = root
        self.letter = letter
        self.problems: list[Problem] = []
        self.seeks = False  # this walk is one of `_owner` already
        self._resolved: _Resolved = {} if resolved is None else resolved

    def shape(self, node: Node, schema: JsonSchema | bool, *, key: ScalarNode | None) -> Shaped:
        """One node and all below it."""
        if isinstance(node, ScalarNode) and node.faulty:
            return Shaped(None, node, place_of(key), sound=False)
        if isinstance(schema, bool):
            return self._free(node, key)
        schema = self._resolve(schema)
        choice = self._choose(node, schema, key)
        if choice is not None:
            return self.shape(node, choice, key=key)
        types = types_of(schema)
        match node:
            case ScalarNode():
                return self._scalar(node, schema, types, key)
            case SequenceNode() if not types or "array" in types:
                return self._sequence(node, schema, key)
            case MappingNode() if not types or "object" in types:
                return self._mapping(node, schema, key)
        return self._unfit(node, schema, types, key)

    def _resolve(self, schema: JsonSchema) -> JsonSchema:
        if "$ref" not in schema:
            return schema
        known = self._resolved.get(id(schema))
        if known is None:
            # Kept with the schema itself, so that its identity cannot pass to another one.
            known = self._resolved[id(schema)] = (schema, self._with_target(schema))
        return known[1]

    def _with_target(self, schema: JsonSchema) -> JsonSchema:
        while "$ref" in schema:
            target: Any = self.root
            for part in str(schema["$ref"]).removeprefix("#/").split("/"):
                target = target[part]
            rest = {name: value for name, value in schema.items() if name != "$ref"}
            schema = {**target, **rest}
        return schema

    def _choose(self, node: Node, schema: JsonSchema, key: ScalarNode | None) -> JsonSchema | None:
        """The one branch that is meant; None where the schema has no branches."""
        if "x-by-key" in schema and isinstance(node, MappingNode):
            return self._by_key(node, schema)
        if "x-by-value" in schema and isinstance(node, MappingNode):
            return self._by_value(node, schema)
        for word in ("oneOf", "anyOf"):
            if word in schema:
                return self._best(node, [self._resolve(branch) for branch in schema[word]])
        return None

    def _by_key(self, node: MappingNode, schema: JsonSchema) -> JsonSchema:
        """A branch for each keyword, as with the steps of a flow."""
        branches: dict[str, JsonSchema] = {
            name: self._resolve(branch) for name, branch in schema["x-by-key"].items()
        }
        present = [name for name in branches if name in node.entries]
        main = [name for name in present if name != "steps"] or present
        if not main:
            self._no_keyword(node, branches, schema)
            return _SILENT
        for extra in main[1:]:
            self._say(
                "04",
                node.entries[extra][0].place,
                f"{schema['x-says']} does one thing; this one has {main[0]!r} and {extra!r}",
                f"make {extra!r} a step of its own",
            )
        if len(main) > 1:
            return _SILENT
        return {**branches[main[0]], "x-keyword": main[0], "x-siblings": branches}

    def _no_keyword(
        self, node: MappingNode, branches: Mapping[str, JsonSchema], schema: JsonSchema
    ) -> None:
        if node.faulty:
            return
        known = {name for branch in branches.values() for name in branch.get("properties", {})}
        for name, (key, _) in node.entries.items():
            if name not in known and (near := meant(name, branches)) is not None:
                self._unknown(key, near, known)
                return
        first = next(iter(node.entries.values()))[0].place if node.entries else node.place
        self._say(
            "02",
            first,
            f"{schema['x-says']} says what it does, and this one does not",
            f"give it one of: {', '.join(branches)}",
        )

    def _by_value(self, node: MappingNode, schema: JsonSchema) -> JsonSchema:
        """A branch for each value of one key, as with the triggers of a flow."""
        name = schema["x-by-value"]["property"]
        branches = schema["x-by-value"]["branches"]
        if name in node.entries:
            value = node.entries[name][1]
            if isinstance(value, ScalarNode) and value.text in branches:
                return self._resolve(branches[value.text])
            if isinstance(value, ScalarNode) and value.faulty:
                return _SILENT
            near = meant(value.text, branches) if isinstance(value, ScalarNode) else None
            self._say(
                "04",
                value.place,
                f"{name!r} is {describe(value)}; known are {', '.join(branches)}",
                f"did you mean {near!r}?" if near else f"write one of: {', '.join(branches)}",
            )
        else:
            first = next(iter(branches))
            self._missing(node, name, {"properties": {name: {"examples": [first]}}}, None)
        return _SILENT

    def _best(self, node: Node, branches: list[JsonSchema]) -> JsonSchema:
        """The branch with the fewest and deepest problems."""
        fitting = [branch for branch in branches if admits(node, branch)]
        if not fitting:
            scalars = [name for branch in branches for name in types_of(branch)]
            says = [str(branch["x-says"]) for branch in branches if "x-says" in branch]
            return {"type": scalars, **({"x-says": " or ".join(says)} if says else {})}
        best, fewest = fitting[0], -1
        for branch in fitting:
            attempt = _Shaper(self.root, self.letter, self._resolved)
            attempt.shape(node, branch, key=None)
            count = len(attempt.problems)
            if fewest < 0 or count < fewest:
                best, fewest = branch, count
            if not count:
                break
        return best

    def _scalar(
        self, node: ScalarNode, schema: JsonSchema, types: tuple[str, ...], key: ScalarNode | None
    ) -> Shaped:
        try:
            value = typed(node, types)
        except Unfit:
            return self._unfit(node, schema, types, key)
        wrong = wrong_with(value, node, schema)
        if wrong is not None:
            self._say("04", node.place, f"{name_of(key)}{wrong[0]}", wrong[1])
        return Shaped(value, node, place_of(key), sound=wrong is None)

    def _sequence(self, node: SequenceNode, schema: JsonSchema, key: ScalarNode | None) -> Shaped:
        least = schema.get("minItems", 0)
        if len(node.items) < least:
            self._say(
                "04",
                place_of(key) or node.place,
                f"{name_of(key)}has {len(node.items)} items; at least {least} are needed",
                "fill the list, or delete the key",
            )
        inner = schema.get("items", True)
        items = tuple(self.shape(item, inner, key=None) for item in self._joined(node, inner))
        if schema.get("uniqueItems"):
            self._repeated(items)
        return Shaped(items, node, place_of(key), sound=all(item.sound for item in items))

    def _joined(self, node: SequenceNode, inner: JsonSchema | bool) -> tuple[Node, ...]:
        """The items, where a dash too many begins one in the middle of another."""
        if isinstance(inner, bool):
            return node.items
        items, keys = rejoined(node.items, self._resolve(inner), self._resolve)
        for key in keys:
            self._say(
                "01",
                key.place,
                f"the dash before {key.text!r} begins an item, and this belongs to the one above",
                f"take the dash away, and begin {key.text!r} in the column of the keys above",
            )
        return items

    def _repeated(self, items: tuple[Shaped, ...]) -> None:
        seen: list[Any] = []
        for item in items:
            if item.plain() in seen:
                self._say("04", item.place, f"{item.plain()!r} stands here twice", "delete one")
            seen.append(item.plain())

    def _mapping(self, node: MappingNode, schema: JsonSchema, key: ScalarNode | None) -> Shaped:
        before = len(self.problems)
        entries: dict[str, Shaped] = {}
        intended = set()  # keys that are there, but misspelt
        names = list(node.entries)
        above: str | None = None  # a key without a value, whose keys stand beside it
        for at, (name, (key_node, value)) in enumerate(node.entries.items()):
            inner = self._property(name, schema)
            if inner is None:
                if above is None:
                    intended.add(self._stray(key_node, schema))
                elif above:
                    hint = f"indent it under `{above}:`"
                    self._say("01", key_node.place, f"there is no key {name!r} here", hint)
                    above = ""
                continue
            above = None
            if self._is_hollow(value, inner) and (
                at + 1 < len(names) and self._property(names[at + 1], schema) is None
            ):
                entries[name], above = Shaped(None, value, key_node.place, sound=False), name
            else:
                entries[name] = self.shape(value, inner, key=key_node)
        lacking = [
            name
            for name in (() if node.faulty else schema.get("required", ()))
            if name not in node.entries and name not in intended
        ]
        few = len(schema.get("properties", ())) <= FEW and "x-keyword" not in schema
        if not (None in intended and few and len(lacking) == 1):  # else one has a strange name
            for name in lacking:
                self._missing(node, name, schema, key)
        if len(node.entries) < schema.get("minProperties", 0) and not node.faulty:
            self._say(
                "04", place_of(key) or node.place, f"{name_of(key)}is empty", "fill it or delete it"
            )
        return Shaped(entries, node, place_of(key), sound=len(self.problems) == before)

    def _is_hollow(self, node: Node, schema: JsonSchema | bool) -> bool:
        """Whether keys with values are wanted, and there is nothing."""
        empty = isinstance(node, ScalarNode) and not node.text and not node.quoted
        return (
            empty
            and not isinstance(schema, bool)
            and types_of(self._resolve(schema)) == ("object",)
        )

    def _property(self, name: str, schema: JsonSchema) -> JsonSchema | bool | None:
        """The schema of one key; None where there is no such key."""
        known = schema.get("properties", {})
        if name in known:
            found: JsonSchema | bool = known[name]
            return found
        for pattern, inner in schema.get("patternProperties", {}).items():
            if re.search(pattern, name):
                matched: JsonSchema | bool = inner
                return matched
        naming = schema.get("propertyNames", {}).get("pattern")
        if naming and not re.search(naming, name):
            return None
        others: JsonSchema | bool = schema.get("additionalProperties", True)
        return None if others is False else others

    def _free(self, node: Node, key: ScalarNode | None) -> Shaped:
        """A node that the schema says nothing about."""
        match node:
            case ScalarNode():
                return Shaped(untyped(node), node, place_of(key), sound=not node.faulty)
            case SequenceNode():
                items = tuple(self._free(item, None) for item in node.items)
                return Shaped(items, node, place_of(key), sound=all(item.sound for item in items))
            case MappingNode():
                entries = {
                    name: self._free(value, key_node)
                    for name, (key_node, value) in node.entries.items()
                }
                return Shaped(entries, node, place_of(key))

    def _unfit(
        self, node: Node, schema: JsonSchema, types: tuple[str, ...], key: ScalarNode | None
    ) -> Shaped:
        wanted = schema.get("x-says") or words_for(types)
        if isinstance(node, ScalarNode) and not node.text and not node.quoted:
            place = place_of(key) or node.place
            self._say(
                "06", place, f"{name_of(key)}has no value", f"write {wanted}, or delete the key"
            )
        else:
            hint = f"write {wanted}"
            if isinstance(node, ScalarNode) and node.quoted and fits_unquoted(node, types):
                hint = f"take the quotes away: {node.text}"
            elif isinstance(node, MappingNode) and "array" in types:
                hint = "write a list: begin each entry with a dash, or put [ ] around it"
            elif isinstance(node, ScalarNode) and "array" in types:
                hint = f"write [{node.text}]"
            elif "object" in types and (owner := self._owner(node, schema)) is not None:
                shown = f"{{ {owner}: {as_typed(node)} }}" if isinstance(node, ScalarNode) else None
                hint = f"write {shown}" if shown else f"put the list under `{owner}:`"
            self._say(
                "03", node.place, f"{name_of(key)}is {describe(node)}; it takes {wanted}", hint
            )
        return Shaped(None, node, place_of(key), sound=False)

    def _owner(self, node: Node, schema: JsonSchema) -> str | None:
        """The key of a mapping under which a value goes that stands there alone."""
        known = () if self.seeks else schema.get("properties", {}).items()
        needed = schema.get("required", ())
        for name, inner in sorted(known, key=lambda one: one[0] not in needed):
            attempt = _Shaper(self.root, self.letter, self._resolved)
            attempt.seeks = True
            if isinstance(inner, Mapping) and attempt.shape(node, inner, key=None).sound:
                return str(name)
        return None

    def _stray(self, key: ScalarNode, schema: JsonSchema) -> str | None:
        """Say that a key is unknown; gives the key that was probably meant."""
        siblings: Mapping[str, JsonSchema] = schema.get("x-siblings", {})
        owners = [name for name, it in siblings.items() if key.text in it.get("properties", {})]
        if owners:
            self._say(
                "01",
                key.place,
                f"{key.text!r} does not go with {schema['x-keyword']!r}",
                f"it goes with: {', '.join(owners)}",
            )
            return None
        if "patternProperties" in schema and "properties" not in schema:
            wanted = schema.get("x-says-name", " or ".join(schema["patternProperties"]))
            self._say("01", key.place, f"{key.text!r} is not a name here", f"names are {wanted}")
            return None
        known = list(schema.get("properties", {}))
        near = meant(key.text, known)
        if near is None and schema.get("x-keyword") in ("action", "call"):
            hint = f"what is given to it stands under `with:`; here are known: {', '.join(known)}"
            self._say("01", key.place, f"there is no key {key.text!r} here", hint)
            return None
        self._unknown(key, near, known)
        return near

    def _unknown(self, key: ScalarNode, near: str | None, known: Collection[str]) -> None:
        names = ", ".join(known)
        hint = f"did you mean {near!r}?" if near else f"known here: {names}" if names else None
        self._say("01", key.place, f"there is no key {key.text!r} here", hint)

    def _missing(
        self, node: MappingNode, name: str, schema: JsonSchema, key: ScalarNode | None
    ) -> None:
        keyword = schema.get("x-keyword")
        if keyword in node.entries:
            place = node.entries[keyword][0].place
        elif key is not None:
            place = key.place
        else:
            place = next(iter(node.entries.values()))[0].place if node.entries else node.place
        inner = schema.get("properties", {}).get(name, {})
        resolved = self._resolve(inner) if isinstance(inner, Mapping) else {}
        shown = example_of(resolved)
        whose = f"{keyword!r} needs" if keyword in node.entries else f"{name_of(key)}needs"
        self._say("02", place, f"{whose} the key {name!r}", f"add `{name}: {shown}`")

    def _say(self, number: str, place: Place, message: str, hint: str | None) -> None:
        code = f"{self.letter}0{number}"
        self.problems.append(Problem(code=code, place=place, message=message, hint=hint))


_SILENT: JsonSchema = {"x-silent": True}
