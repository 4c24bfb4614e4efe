"""Trace the letters of a value back to where they stand in the file, whatever YAML made of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Turn = tuple[int, int, int]
"""From this offset in the text on, letters stand from this line and column on, one after the other."""

_HEX = {"x": 2, "u": 4, "U": 8}
_BLANK_ESCAPES = frozenset("tnvfr NLP_\t")


def turns_of(
    text: str, lines: Sequence[str], *, line: int, column: int, style: str
) -> tuple[Turn, ...]:
    """Where a text has its letters from; empty where that cannot be told.

    Quotes, escapes, folding and indentation change blanks and nothing else, so the letters that are
    no blanks stand in the file in the same order. *line* and *column* count from 1; *style* is the
    quote, or the sign of a block.
    """
    if style in ("|", ">"):
        letters = _plain(lines, line + 1, 1)
    elif style == '"':
        letters = _double_quoted(lines, line, column + 1)
    elif style == "'":
        letters = _single_quoted(lines, line, column + 1)
    else:
        letters = _plain(lines, line, column)
    turns: list[Turn] = []
    for offset, letter in enumerate(text):
        if letter.isspace():
            continue
        found = next(letters, None)
        if found is None or found[0] not in ("", letter):
            return ()
        _, at_line, at_column = found
        if not turns or not _goes_on(turns[-1], offset, at_line, at_column):
            turns.append((offset, at_line, at_column))
    return tuple(turns)


def spot_of(turns: Sequence[Turn], offset: int) -> tuple[int, int, int | None]:
    """The line and column of an offset, and the offset up to which letters follow one another."""
    here, until = turns[0], None
    for turn in turns:
        if turn[0] > offset:
            until = turn[0]
            break
        here = turn
    return here[1], here[2] + max(0, offset - here[0]), until


def _goes_on(turn: Turn, offset: int, line: int, column: int) -> bool:
    return line == turn[1] and column - turn[2] == offset - turn[0]


_Letter = tuple[str, int, int]  # "": a letter that was written as an escape


def _plain(lines: Sequence[str], line: int, column: int) -> Iterator[_Letter]:
    for number in range(line, len(lines) + 1):
        for at, letter in enumerate(lines[number - 1], start=1):
            if (number > line or at >= column) and not letter.isspace():
                yield letter, number, at


def _single_quoted(lines: Sequence[str], line: int, column: int) -> Iterator[_Letter]:
    letters = _plain(lines, line, column)
    for letter in letters:
        if letter[0] == "'":
            next(letters, None)  # two stand for one; the last of all is never asked for
        yield letter


def _double_quoted(lines: Sequence[str], line: int, column: int) -> Iterator[_Letter]:
    for number in range(line, len(lines) + 1):
        row = lines[number - 1]
        at = column - 1 if number == line else 0
        while at < len(row):
            if row[at] != "\\":
                if not row[at].isspace():
                    yield row[at], number, at + 1
                at += 1
                continue
            sign = row[at + 1 : at + 2]
            if sign and sign not in _BLANK_ESCAPES:
                yield "", number, at + 1
            at += 2 + _HEX.get(sign, 0)
