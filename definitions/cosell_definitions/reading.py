"""Read YAML into a tree that keeps the text and place of every node, and guesses no type."""

from __future__ import annotations

import hashlib

from .braces import quoted_line, typed_at
from .composing import Composer
from .decoding import BREAKS, MAX_BYTES, lines_with_ends, refused, unseen
from .nodes import Document, MappingNode, Node, ScalarNode, SequenceNode
from .problems import Problem
from .slips import MAX_LISTED, tabs_in, unquoted_problem

MAX_REPAIRS = 25
MAX_REREAD = 1_000_000  # letters that are read again for the sake of further slips

__all__ = ["Document", "MappingNode", "Node", "ScalarNode", "SequenceNode", "read"]


def read(text: str | bytes, *, file: str, most: int = MAX_BYTES) -> Document:
    """Read one file, of *most* bytes; every refusal is a problem with its own message and fix."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    digest = hashlib.sha256(raw).hexdigest()
    refusal = refused(raw, file, most=most)
    source = "" if refusal is not None else raw.decode("utf-8-sig")
    refusal = refusal or unseen(source, file)
    if refusal is not None:
        return Document(root=None, lines=(), file=file, problems=(refusal,), content_hash=digest)
    last = source[source.rfind("\n") + 1 :]
    if last and not last.strip(" "):
        source += "\n"  # without it the parser takes a blank last line of a text for no line
    root, problems = _compose(source, file)
    return Document(
        root=root,
        lines=tuple(BREAKS.split(source)),
        file=file,
        problems=tuple(sorted(problems, key=lambda problem: problem.place.line)),
        content_hash=digest,
    )


def _compose(source: str, file: str) -> tuple[Node | None, list[Problem]]:
    """Build the tree; unquoted braces are mended and the rest read again, to find all slips."""
    slips: list[Problem] = []
    lines = lines_with_ends(source)
    moved: dict[int, tuple[int, ...]] = {}  # of mended lines: where each letter was typed
    composer = Composer(source, file)
    root = composer.compose()
    while composer.unquoted is not None:
        number = composer.unquoted
        fixed = quoted_line(lines[number - 1])
        slips.append(unquoted_problem(source, lines[number - 1], number, file))
        if fixed is None or len(slips) >= MAX_REPAIRS or len(slips) * len(source) > MAX_REREAD:
            break
        now = typed_at(lines[number - 1], fixed)
        before = moved.get(number)
        moved[number] = now if before is None else tuple(before[at] for at in now)
        lines[number - 1] = fixed
        composer = Composer("".join(lines), file, moved=moved)
        root = composer.compose()
    faults = composer.problems
    tabs = tabs_in(source, file, composer.in_text, failed=composer.failed)
    if tabs:
        # What the parser says about a line with a tab is a consequence of the tab.
        faults = [it for it in faults if it.code not in ("Y007", "Y010") and it not in tabs]
    return root, [*slips, *tabs, *faults][:MAX_LISTED]
