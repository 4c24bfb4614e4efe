"""Lay a customer's changes over a shipped flow or mapping, by step id, before it is parsed.

Nodes keep the place they were written at: what is wrong with a change is told in the overlay's own
file, and everything else in the file below it. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Literal

from .checking import check
from .freezing import dataclass
from .nodes import MappingNode, Node, ScalarNode, SequenceNode
from .problems import Place, Problem, did_you_mean
from .reading import read

Kind = Literal["flow", "mapping"]
_STEP_WORDS = ("remove", "replace", "before", "after")
_NOT_SET = {"flow", "mapping", "id", "steps", "fields", "triggers", "inputs"}
_OF: Mapping[Kind, tuple[str, ...]] = {
    "flow": ("inputs", "triggers", "steps"),
    "mapping": ("fields", "add_fields"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """One overlay file: what it changes, and how."""

    kind: Kind
    target: str
    root: MappingNode
    place: Place  # of the target's name
    content_hash: str


def load_overlay(text: str | bytes, *, file: str) -> tuple[Overlay | None, tuple[Problem, ...]]:
    """An overlay file, or its problems. Whether its target exists is for others to say."""
    document = read(text, file=file)
    shaped, problems = check(document, "overlay")
    if shaped is None or problems or not isinstance(document.root, MappingNode):
        return None, problems
    entries = document.root.entries
    given: list[Kind] = [kind for kind in _OF if kind in entries]
    if len(given) != 1:
        key = entries[given[1]][0] if given else entries["overlay"][0]
        wrong = "changes one flow or one mapping; this names " + ("both" if given else "neither")
        hint = "write `flow: ID` or `mapping: ID`; an overlay file for each"
        return None, (
            Problem(code="O010", place=key.place, message=f"an overlay {wrong}", hint=hint),
        )
    kind = given[0]
    other: Kind = "mapping" if kind == "flow" else "flow"
    stray = [entries[name][0] for name in _OF[other] if name in entries]
    if stray:
        said = f"{stray[0].text!r} belongs to a {other}, and this changes a {kind}"
        hint = f"use one of: set, {', '.join(_OF[kind])}"
        return None, (Problem(code="O010", place=stray[0].place, message=said, hint=hint),)
    target = entries[kind][1]
    assert isinstance(target, ScalarNode)  # the schema says so
    overlay = Overlay(
        kind=kind,
        target=target.text,
        root=document.root,
        place=target.place,
        content_hash=document.content_hash,
    )
    return overlay, ()


def overlaid(root: Node, overlay: Overlay) -> tuple[Node, tuple[Problem, ...]]:
    """*root* with the changes of *overlay*; changes that find nothing to change are problems."""
    if not isinstance(root, MappingNode):
        return root, ()
    work = _Work()
    result = work.top(root, overlay.root)
    if overlay.kind == "flow":
        result = work.named(result, "inputs", _inner(overlay.root, "inputs"))
        result = work.listed(result, "triggers", _inner(overlay.root, "triggers"), _id_of)
        result = work.stepped(result, _inner(overlay.root, "steps"))
    else:
        result = work.listed(result, "fields", _inner(overlay.root, "fields"), _row_of)
        result = work.added(result, overlay.root.entries.get("add_fields"))
    return result, tuple(work.problems)


@dataclass(slots=True)
class _Work:
    """One overlay being laid, and what it does not fit."""

    problems: list[Problem] = field(default_factory=list)

    def top(self, root: MappingNode, overlay: MappingNode) -> MappingNode:
        """The keys under `set`."""
        changes = _inner(overlay, "set")
        if changes is None:
            return root
        for name, (key, _) in changes.entries.items():
            if name in _NOT_SET:
                self._say(
                    key,
                    f"{name!r} is not changed under `set`",
                    f"it has a place of its own: {name}:",
                )
        kept = {name: one for name, one in changes.entries.items() if name not in _NOT_SET}
        return _merged(root, MappingNode(kept, changes.place))

    def named(self, root: MappingNode, what: str, changes: MappingNode | None) -> MappingNode:
        """Keys and values under one key of the file, as inputs are."""
        if changes is None:
            return root
        there = root.entries.get(what)
        inside = (
            there[1]
            if there and isinstance(there[1], MappingNode)
            else MappingNode({}, changes.place)
        )
        entries = dict(inside.entries)
        for name, (key, change) in changes.entries.items():
            if _is_removed(change):
                if name not in entries:
                    self._unknown(key, what, entries)
                entries.pop(name, None)
            elif name in entries:
                entries[name] = (entries[name][0], _laid(entries[name][1], change))
            else:
                entries[name] = (key, change)
        key = there[0] if there else ScalarNode(what, quoted=False, place=changes.place)
        return MappingNode(
            {**root.entries, what: (key, MappingNode(entries, inside.place))}, root.place
        )

    def listed(
        self,
        root: MappingNode,
        what: str,
        changes: MappingNode | None,
        named: Callable[[Node], str | None],
    ) -> MappingNode:
        """Items of a list that have a name, as triggers and rows have."""
        if changes is None:
            return root
        there = root.entries.get(what)
        items = there[1].items if there and isinstance(there[1], SequenceNode) else ()
        names = [name for name in map(named, items) if name]
        for name, (key, _) in changes.entries.items():
            if name not in names:
                self._unknown(key, what, names)
        kept = []
        for item in items:
            change = changes.entries.get(named(item) or "")
            if change is None:
                kept.append(item)
            elif not _is_removed(change[1]):
                kept.append(_laid(item, change[1]))
        if there is None:
            return root
        made = SequenceNode(tuple(kept), there[1].place)
        return MappingNode({**root.entries, what: (there[0], made)}, root.place)

    def added(self, root: MappingNode, rows: tuple[ScalarNode, Node] | None) -> MappingNode:
        """Rows at the end of a mapping."""
        there = root.entries.get("fields")
        if rows is None or there is None or not isinstance(rows[1], SequenceNode):
            return root
        items = there[1].items if isinstance(there[1], SequenceNode) else ()
        made = SequenceNode((*items, *rows[1].items), there[1].place)
        return MappingNode({**root.entries, "fields": (there[0], made)}, root.place)

    def stepped(self, root: MappingNode, changes: MappingNode | None) -> MappingNode:
        """Steps, wherever in the flow they stand."""
        if changes is None:
            return root
        left = dict(changes.entries)
        names: list[str] = []
        result = self._walk(root, left, names)
        for key, _ in left.values():
            self._unknown(key, "steps", names)
        assert isinstance(result, MappingNode)
        return result

    def _walk(self, node: Node, left: dict[str, tuple[ScalarNode, Node]], names: list[str]) -> Node:
        match node:
            case MappingNode(entries, place):
                walked = {n: (k, self._walk(v, left, names)) for n, (k, v) in entries.items()}
                return MappingNode(walked, place)
            case SequenceNode(items, place):
                made: list[Node] = []
                for item in items:
                    made += self._step(self._walk(item, left, names), left, names)
                return SequenceNode(tuple(made), place)
            case _:
                return node

    def _step(
        self, item: Node, left: dict[str, tuple[ScalarNode, Node]], names: list[str]
    ) -> list[Node]:
        name = _id_of(item)
        if name is None:
            return [item]
        names.append(name)
        found = left.pop(name, None)
        if found is None or not isinstance(found[1], MappingNode):
            return [item]
        change = found[1].entries
        before, after = (self._steps_under(change, word) for word in ("before", "after"))
        kept: list[Node] = [item]
        if "replace" in change:
            kept = [change["replace"][1]]
        elif _is_removed(found[1]):
            kept = []
        rest = {n: one for n, one in change.items() if n not in _STEP_WORDS}
        if rest and kept:
            kept = [_laid(kept[0], MappingNode(rest, found[1].place))]
        return [*before, *kept, *after]

    def _steps_under(
        self, change: Mapping[str, tuple[ScalarNode, Node]], word: str
    ) -> tuple[Node, ...]:
        if word not in change:
            return ()
        key, steps = change[word]
        if isinstance(steps, SequenceNode):
            return steps.items
        self._say(key, f"{word!r} takes a list of steps", f"write {word}: [ {{ id: …, … }} ]")
        return ()

    def _unknown(self, key: ScalarNode, what: str, names: Mapping[str, object] | list[str]) -> None:
        near = did_you_mean(key.text, names)
        known = ", ".join(names)
        hint = f"did you mean {near!r}?" if near else f"there are: {known}" if known else None
        self._say(key, f"there is nothing called {key.text!r} among the {what} below", hint, "O011")

    def _say(self, key: ScalarNode, message: str, hint: str | None, code: str = "O010") -> None:
        self.problems.append(Problem(code=code, place=key.place, message=message, hint=hint))


def _inner(node: MappingNode, name: str) -> MappingNode | None:
    entry = node.entries.get(name)
    return entry[1] if entry and isinstance(entry[1], MappingNode) else None


def _laid(under: Node, over: Node) -> Node:
    """*over* on *under*, key by key where both have keys."""
    if isinstance(under, MappingNode) and isinstance(over, MappingNode):
        return _merged(under, over)
    return over


def _merged(under: MappingNode, over: MappingNode) -> MappingNode:
    entries = dict(under.entries)
    for name, (key, value) in over.entries.items():
        if name in entries:
            entries[name] = (key, _laid(entries[name][1], value))
        else:
            entries[name] = (key, value)
    return MappingNode(entries, under.place)


def _is_removed(change: Node) -> bool:
    entry = change.entries.get("remove") if isinstance(change, MappingNode) else None
    return entry is not None and isinstance(entry[1], ScalarNode) and entry[1].text == "true"


def _id_of(item: Node) -> str | None:
    return _text(item, "id")


def _row_of(item: Node) -> str | None:
    """A row's name: its left path, or the right one where there is no left."""
    return _text(item, "left") or _text(item, "right")


def _text(item: Node, name: str) -> str | None:
    entry = item.entries.get(name) if isinstance(item, MappingNode) else None
    if entry is None:
        return None
    if isinstance(entry[1], SequenceNode):  # several paths make one row: joined, as in its id
        return "+".join(one.text for one in entry[1].items if isinstance(one, ScalarNode))
    return entry[1].text if isinstance(entry[1], ScalarNode) else None
