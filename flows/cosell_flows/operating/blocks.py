"""Cut a definition into named blocks of lines, and merge three versions of it block by block. Pure.

A block is what people edit as one thing: a step, a row of a mapping, a variable, a key at the top.
Comments above a block belong to it, so a merge keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cosell_definitions.nodes import MappingNode, Node, ScalarNode, SequenceNode
from cosell_definitions.reading import read

Name = tuple[str, ...]
_DEEPEST_KEYS = 3  # variables.yaml: declare > NAME > default


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together. A step that holds others has a block before and after them."""

    name: Name
    text: str


@dataclass(frozen=True, slots=True)
class Clash:
    """A block that both changed, each in its own way; the merge keeps ours."""

    name: Name
    ours: str | None
    theirs: str | None


def blocks_of(text: str, *, file: str) -> list[Block]:
    """The blocks of a file, in its order; one nameless block where it cannot be read."""
    root = read(text, file=file).root
    lines = text.splitlines(keepends=True)
    if not isinstance(root, MappingNode):
        return [Block((), text)]
    starts = dict(sorted(_starts(root, (), 0), key=lambda it: len(it[1])))
    return _numbered(_joined(_owners(lines, starts), lines))


def _starts(node: Node, name: Name, depth: int) -> Iterator[tuple[int, Name]]:
    """The line on which each named thing begins."""
    match node:
        case MappingNode(entries):
            for key, (key_node, value) in entries.items():
                inner = (*name, key)
                if depth < _DEEPEST_KEYS:
                    yield key_node.place.line, inner
                yield from _starts(value, inner, depth + 1)
        case SequenceNode(items):
            for item in items:
                own = _named(item)
                if own is not None:
                    yield item.place.line, (*name, own)
                    # Inside a step only further steps are blocks of their own.
                    yield from _starts(item, (*name, own), _DEEPEST_KEYS)


def _named(item: Node) -> str | None:
    if not isinstance(item, MappingNode):
        return None
    for key in ("id", "left", "right"):
        if key in item.entries:
            value = item.entries[key][1]
            if isinstance(value, ScalarNode):
                return f"{key}={value.text}"
            if isinstance(value, SequenceNode):
                return f"{key}=" + "+".join(
                    one.text for one in value.items if isinstance(one, ScalarNode)
                )
    return None


def _owners(lines: Sequence[str], starts: Mapping[int, Name]) -> list[Name]:
    """Whose each line is. A comment or an empty line belongs to what begins below it."""
    owners: list[Name] = []
    current: Name = ()
    for number in range(1, len(lines) + 1):
        current = starts.get(number, current)
        owners.append(current)
    for index in range(len(lines) - 2, -1, -1):
        bare = lines[index].strip()
        if not bare or bare.startswith("#"):
            owners[index] = owners[index + 1]
    return owners


def _joined(owners: Sequence[Name], lines: Sequence[str]) -> list[Block]:
    blocks: list[Block] = []
    for name, line in zip(owners, lines, strict=True):
        if blocks and blocks[-1].name == name:
            blocks[-1] = Block(name, blocks[-1].text + line)
        else:
            blocks.append(Block(name, line))
    return blocks


def _numbered(blocks: Sequence[Block]) -> list[Block]:
    """Names made unique: what comes again under a name gets a number."""
    seen: dict[Name, int] = {}
    result = []
    for block in blocks:
        count = seen.get(block.name, 0)
        seen[block.name] = count + 1
        result.append(Block((*block.name, f"#{count}") if count else block.name, block.text))
    return result


def merged(base: str, ours: str, theirs: str, *, file: str) -> tuple[str, list[Clash]]:
    """*ours* with what changed from *base* to *theirs*; where both changed a block, ours stays."""
    if ours == base:
        return theirs, []
    if theirs in (base, ours):
        return ours, []
    was, here, there = (
        {block.name: block.text for block in blocks_of(text, file=file)}
        for text in (base, ours, theirs)
    )
    clashes: list[Clash] = []
    kept: dict[Name, str] = {}
    for name in _order(list(here), list(there)):
        text = _settled(name, (was.get(name), here.get(name), there.get(name)), clashes)
        if text is not None:
            kept[name] = text
    return "".join(kept.values()), clashes


def _settled(
    name: Name, texts: tuple[str | None, str | None, str | None], clashes: list[Clash]
) -> str | None:
    base, ours, theirs = texts
    if theirs in (ours, base):
        return ours
    if ours == base:
        return theirs
    clashes.append(Clash(name, ours, theirs))
    return ours


def _order(ours: list[Name], theirs: list[Name]) -> list[Name]:
    """Their order; what only we have follows what it follows in our file."""
    order = list(theirs)
    for index, name in enumerate(ours):
        if name not in order:
            before = next((one for one in reversed(ours[:index]) if one in order), None)
            order.insert(order.index(before) + 1 if before is not None else 0, name)
    return order
