"""Where things stand in a document that is laid out: levels of indentation, lines, blocks of text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from .tokenizing import Sign, Token

INDENT = 2
_HEAD = re.compile(r"(?P<style>[|>])(?P<flags>[-+0-9]*)(?P<rest>[^\n]*)")


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and the comment behind it. The text of a block is `fixed`: its blanks are meant."""

    text: str
    comment: str = ""
    comment_column: int = 0  # where it stood
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class _Level:
    """A mapping or list that is open: where it stood, and where it stands now."""

    old: int
    new: int
    is_list: bool
    bare: bool = False  # a list in the column of its key, which the parser does not announce


@dataclass(slots=True)
class Levels:
    """The block mappings and lists that are open, outermost first."""

    _open: list[_Level] = field(default_factory=list)

    def settle(self, silent: Iterable[Token], *, breaks: bool, column: int) -> None:
        """Open and close what begins and ends before a token; *column*: where it would go on."""
        for token in silent:
            if token.sign is Sign.END:
                self._leave_bare()
                if self._open:
                    self._open.pop()
            elif token.sign is Sign.KEY:
                self._leave_bare()
            else:
                new = self.below() if breaks else column
                self._open.append(_Level(token.column, new, is_list=token.sign is Sign.LIST))

    def enter(self, token: Token) -> None:
        """A dash in the column of its key opens a list that nothing else announces."""
        if token.sign is Sign.QUESTION or (token.sign is Sign.COLON and self._bare_before(token)):
            self._leave_bare()
        if token.sign is Sign.DASH and not (self._open and self._open[-1].is_list):
            self._open.append(_Level(token.column, self.below(), is_list=True, bare=True))

    def _bare_before(self, token: Token) -> bool:
        return bool(self._open) and self._open[-1].bare and token.column == self._open[-1].old

    def _leave_bare(self) -> None:
        if self._open and self._open[-1].bare:
            self._open.pop()

    def below(self) -> int:
        """The column of what stands one level deeper."""
        return self._open[-1].new + INDENT if self._open else 0

    def inner(self, depth: int) -> int:
        """The column of a line within brackets, or of a value that goes on."""
        return (self._open[-1].new if self._open else 0) + INDENT * depth

    def old(self) -> int:
        """The column in which the innermost mapping or list stood."""
        return self._open[-1].old if self._open else -1

    def column(self, token: Token, *, at_key: bool) -> int:
        """The column of a token that begins a line outside of brackets."""
        if token.sign in (Sign.DOCUMENT, Sign.DOCUMENT_END, Sign.DIRECTIVE) or not self._open:
            return 0
        if at_key or token.sign in (Sign.DASH, Sign.QUESTION, Sign.COLON):
            return self._open[-1].new
        return self._open[-1].new + INDENT

    def columns(self) -> list[tuple[int, int]]:
        """Where each level stood and stands."""
        return [(level.old, level.new) for level in self._open]


def column_of_comment(
    column: int, following: tuple[int, int] | None, levels: Sequence[tuple[int, int]]
) -> int:
    """A comment stays with what it was aligned with: the next line, else a level that was open."""
    if following is not None and following[0] == column:
        return following[1]
    for old, new in reversed(levels):
        if old == column:
            return new
    if following is not None:
        return following[1]
    return next((new for old, new in reversed(levels) if old <= column), 0)


def block_text(token: Token, source: str, *, old: int, new: int) -> tuple[str, list[str], int]:
    """The head of a block of text, its lines, and where it ends in the source.

    *old* and *new* are columns of what it stands in.
    """
    head, _, body = source[token.start : token.end].partition("\n")
    found = _HEAD.match(head)
    assert found is not None
    flags = found["flags"]
    digit = next((int(flag) for flag in flags if flag.isdigit()), None)
    lines = body.removesuffix("\n").split("\n") if body else []
    depth = max(0, old) + digit if digit is not None else _depth(lines)
    if "+" not in flags:
        while lines and not lines[-1][depth:]:
            lines.pop()
    end = token.start + len("\n".join([head, *lines]))
    if "-" not in flags and token.value and not token.value.endswith("\n"):
        flags += "-"  # the file ended here without a line end, so the text has none
    indent = " " * (new + digit if digit is not None else new + INDENT)
    texts = [f"{indent}{line[depth:]}" if line[depth:] else "" for line in lines]
    comment = found["rest"].strip()
    return f"{found['style']}{flags}{f' {comment}' if comment else ''}", texts, end


def _depth(lines: Sequence[str]) -> int:
    """The indentation of a text: that of its first line, or of its longest if all are blank."""
    first = next((line for line in lines if line.strip(" ")), None)
    if first is None:
        return max(map(len, lines), default=0)
    return len(first) - len(first.lstrip(" "))


def continued(text: str, *, indent: int, style: str) -> list[str]:
    """A text that goes on over several lines, each of them indented anew."""
    first, *rest = text.split("\n")
    lines = [_ended(first, style)]
    for line in rest[:-1]:
        inner = _ended(line.lstrip(" \t"), style)
        lines.append(" " * indent + inner if inner else "")
    lines.append(" " * indent + rest[-1].lstrip(" \t"))
    return lines


def _ended(line: str, style: str) -> str:
    """A line without the blanks at its end; an escaped blank in double quotes is none."""
    bare = line.rstrip(" \t")
    return line if style == '"' and bare.endswith("\\") and bare != line else bare


def aligned(lines: Sequence[Line]) -> Iterator[str]:
    """The lines with their comments; those that stood below each other still do."""
    start = 0
    while start < len(lines):
        end = start + 1
        while end < len(lines) and _together(lines[end - 1], lines[end]):
            end += 1
        group = lines[start:end]
        width = max(len(line.text) for line in group)
        for line in group:
            yield f"{line.text:<{width}} {line.comment}" if line.comment else line.text
        start = end


def _together(one: Line, other: Line) -> bool:
    return bool(one.comment and other.comment) and one.comment_column == other.comment_column
