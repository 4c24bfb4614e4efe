"""Find what the parser lets through although YAML does not: slips that it would misread in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from .problems import Place, Problem

_HEADER = re.compile(r"[|>][-+0-9]*")


class Kind(Enum):
    """What a span of the source holds."""

    QUOTED = "quoted"
    BLOCK = "block"  # text after | or >
    FLOW = "flow"  # [ … ] or { … }


class Span(NamedTuple):
    """A part of the source; lines and columns count from 0. `indent`: of the block around it."""

    kind: Kind
    first: int
    start: int
    last: int
    end: int
    indent: int


def breaches(
    texts: Sequence[Span], brackets: Sequence[Span], lines: Sequence[str], file: str
) -> list[Problem]:
    """Everything that only looks as if it were YAML; *texts* and *brackets* from top to bottom."""
    found: list[Problem] = []
    for span in texts:
        if span.kind is Kind.BLOCK:
            found += _of_block(span, lines, file)
        else:
            found += _glued_comment(lines, span.last, span.end, file)
            found += _outdented(span, texts, lines, file)
    for span in brackets:
        found += _glued_comment(lines, span.last, span.end, file)
        found += _outdented(span, texts, lines, file)
        found += _comments_within(span, texts, lines, file)
    return found


def _problem(file: str, line: int, column: int, message: str, hint: str) -> Problem:
    place = Place(file=file, line=line + 1, column=column + 1, end_column=column + 2)
    return Problem(code="Y010", place=place, message=message, hint=hint)


def _glued_comment(lines: Sequence[str], row: int, column: int, file: str) -> Iterator[Problem]:
    """A # right behind a value: YAML wants a blank before a comment."""
    if row < len(lines) and lines[row].startswith("#", column):
        yield _problem(
            file, row, column, "a comment begins with a blank before its #", "put a blank before #"
        )


def _outdented(
    span: Span, texts: Sequence[Span], lines: Sequence[str], file: str
) -> Iterator[Problem]:
    """Lines of a value that begin as far left as the key, and so look like keys of their own."""
    for row in range(span.first + 1, min(span.last + 1, len(lines))):
        line = lines[row]
        bare = line.strip(" \t")
        depth = len(line) - len(line.lstrip(" "))
        if not bare or depth > span.indent:
            continue
        if span.kind is Kind.FLOW:
            # A closing bracket under its key is how many people write, and can mean nothing else.
            if bare.startswith("#") or not bare.strip("]}, "):
                continue
            if any(text.first < row <= text.last for text in texts):
                continue  # told of the text itself
        what = "the text in quotes" if span.kind is Kind.QUOTED else "the bracket"
        yield _problem(
            file,
            row,
            depth,
            f"{what} from line {span.first + 1} goes on here, but this line is not indented",
            "indent it with spaces, further than the line where it begins; or close it before",
        )
        return


def _comments_within(
    span: Span, texts: Sequence[Span], lines: Sequence[str], file: str
) -> Iterator[Problem]:
    """A # right behind a comma or an opening bracket."""
    for row in range(span.first, min(span.last + 1, len(lines))):
        for found in re.finditer(r"[,\[{]#", lines[row]):
            spot = (row, found.start())
            within = (span.first, span.start) <= spot < (span.last, span.end)
            if within and not any(
                (text.first, text.start) <= spot < (text.last, text.end) for text in texts
            ):
                yield from _glued_comment(lines, row, found.start() + 1, file)


def _of_block(span: Span, lines: Sequence[str], file: str) -> Iterator[Problem]:
    """The head of a block of text, and blank lines that are longer than its indentation."""
    if span.first >= len(lines):
        return
    head = _HEADER.match(lines[span.first], span.start)
    if head is None:
        return
    yield from _glued_comment(lines, span.first, head.end(), file)
    if any(letter.isdigit() for letter in head.group()):
        return
    widest = 0
    for row in range(span.first + 1, len(lines)):
        line = lines[row]
        depth = len(line) - len(line.lstrip(" "))
        if depth == len(line):
            widest = max(widest, depth)
            continue
        if span.indent < depth < widest:
            yield _problem(
                file,
                row,
                depth,
                "the blank lines above are indented further than this first line of the text",
                "delete the spaces in the blank lines",
            )
        return


def misread(line: str, column: int, *, plain: str | None, anchor: str | None) -> str | None:
    """What the parser would read otherwise than YAML does; None where it reads it well.

    *plain* is the text of a scalar inside brackets that stands without quotes.
    """
    if anchor is not None:
        after = line[line.find(f"&{anchor}", column) + 1 + len(anchor) :][:1]
        if after and after not in " \t,[]{}":
            return f"the mark &{anchor} ends in the middle of a word"
    if plain == "-":
        return "a dash by itself cannot stand inside brackets"
    if plain is not None and column and line[column - 1] == "?":
        return "a value inside brackets cannot begin with ?"
    return None
