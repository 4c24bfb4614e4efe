"""Mend the commonest slips of layout, where only one thing can have been meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from .braces import bare_of, quoted, quoted_line
from .decoding import BLANK_LOOKING, decoded, lines_with_ends
from .nodes import MappingNode, ScalarNode, scalars_in
from .parsing import load_flow
from .reading import read

MAX_ROUNDS = 40  # of reading again; each mends up to fifty lines
TAB_WIDTHS = (2, 4, 8)
_LEADING = re.compile(r"[ \t]*")


def mended(raw: bytes, *, file: str) -> str | None:
    """The text of a file with its slips mended as far as they can be; None where it has no text.

    Mended are a foreign encoding with a mark, no-break spaces and tabs in the layout, braces without
    quotes, and braces around a bare expression. Nothing that could be meant in two ways.
    """
    text = decoded(raw)
    if text is None:
        return None
    text = _with_plain_blanks(text)
    if "\t" in text:
        text = _with_spaces(text, file)
    text = _repeated(text, file, "Y001", _quoted_at)
    return _without_needless_braces(text, file) if file.endswith(".flow.yaml") else text


def _with_plain_blanks(text: str) -> str:
    """Blanks that only look like spaces, in the layout: one space for each, nothing for no width."""
    unseen = str.maketrans(
        dict.fromkeys("\u200b\u2060\u00ad") | dict.fromkeys("\u00a0\u2007\u202f", " ")
    )
    layout = re.compile(rf"^[ \t{BLANK_LOOKING}]+", re.MULTILINE)
    behind = re.compile(rf"^(\s*(?:- )*[\w.-]+:)([{BLANK_LOOKING}])", re.MULTILINE)
    spaced = layout.sub(lambda found: found.group().translate(unseen), text)
    return behind.sub(lambda found: found[1] + " ", spaced)


def _with_spaces(text: str, file: str) -> str:
    """Tabs as spaces; of the usual widths the first with which the document can be read."""
    for width in TAB_WIDTHS:
        tried = _repeated(text, file, "Y004", partial(_untabbed, width=width))
        if not any(it.code in ("Y004", "Y010") for it in read(tried, file=file).problems):
            return tried
    return text


def _untabbed(line: str, at: int, *, width: int) -> str:
    found = _LEADING.match(line)
    leading = found.group() if found else ""
    if at >= len(leading):
        return line[:at] + " " + line[at + 1 :]
    return leading.expandtabs(width) + line[len(leading) :]


def _quoted_at(line: str, at: int) -> str | None:
    return quoted_line(line)


def _repeated(text: str, file: str, code: str, mend: Callable[[str, int], str | None]) -> str:
    """*text* with every line mended that has a problem of this code, as long as that helps."""
    for _ in range(MAX_ROUNDS):
        spots = [it.place for it in read(text, file=file).problems if it.code == code]
        lines = lines_with_ends(text)
        for place in spots:
            changed = mend(lines[place.line - 1], place.column - 1)
            if changed is not None:
                lines[place.line - 1] = changed
        after = "".join(lines)
        if after == text:
            return text
        text = after
    return text


def _without_needless_braces(text: str, file: str) -> str:
    """`when: "{{ x }}"` as `when: x`, wherever the check asks for it."""
    document = read(text, file=file)
    if document.problems or document.root is None:
        return text
    _, problems = load_flow(text, file=file, draft=True)
    wrong = {it.place for it in problems if it.code == "X001"}
    lines = lines_with_ends(text)
    nodes = sorted(
        (node for node in scalars_in(document.root) if node.place in wrong),
        key=lambda node: (node.place.line, -node.place.column),
    )
    for node in nodes:
        place, meant = node.place, bare_of(node.text)
        if place.end_column is None or "{{" in meant or "{%" in meant:
            continue
        line = lines[place.line - 1]
        written = meant if _is_plain(meant) else quoted(meant)
        lines[place.line - 1] = line[: place.column - 1] + written + line[place.end_column - 1 :]
    return "".join(lines)


def _is_plain(text: str) -> bool:
    """Whether a text needs no quotes, in brackets and outside of them."""
    for source in (f"k: {text}\n", f"{{ k: {text} }}\n"):
        document = read(source, file="")
        root = document.root
        if document.problems or not isinstance(root, MappingNode) or len(root.entries) != 1:
            return False
        _, value = root.entries["k"]
        if not isinstance(value, ScalarNode) or value.quoted or value.text != text:
            return False
    return True
